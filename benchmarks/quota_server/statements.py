"""Meaning of a statement, of the few forms that a metadata extraction uses."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import sqlglot
from sqlglot import exp

from benchmarks.quota_server.estate import Estate

PREFIX_LIMIT = 100
"""Trino gives up predicate push-down beyond this many (schema, table) prefixes and walks the whole
catalog (maxPrefetchedInformationSchemaPrefixes)."""

_SHOW_CREATE_VIEW = re.compile(
    r"^\s*SHOW\s+CREATE\s+VIEW\s+(?:[`\"]?awsdatacatalog[`\"]?\.)?"
    r"[`\"]?(\w+)[`\"]?\.[`\"]?(\w+)[`\"]?\s*;?\s*$",
    re.IGNORECASE,
)
_DDL = re.compile(r"^\s*(SHOW|DESCRIBE|CREATE|ALTER|DROP|MSCK|EXPLAIN)\b", re.IGNORECASE)
_RELATIONS = ("columns", "tables", "views", "schemata")


class Field(NamedTuple):
    """A column of a result: its name, and the information_schema column or literal in it."""

    name: str
    source: str | None
    literal: str | None = None


class Segment(NamedTuple):
    """Objects of one schema, by number."""

    schema: str
    indexes: Sequence[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A SELECT from information_schema, resolved against the estate.

    Attributes:
        relation: ``columns``, ``tables``, ``views`` or ``schemata``.
        fields: The select list.
        segments: The objects asked for, in order of name.
        walked_rows: Rows the engine has to produce for it (more than it delivers where push-down
            was given up).
    """

    relation: str
    fields: tuple[Field, ...]
    segments: tuple[Segment, ...]
    walked_rows: int


class ViewText(NamedTuple):
    """SHOW CREATE VIEW."""

    schema: str
    view: str


class Other(NamedTuple):
    """Anything else: answered by one row with the number 1."""

    is_ddl: bool


class Refused(NamedTuple):
    """A statement that the stand-in would answer wrongly, and why; its query fails."""

    reason: str


Asked: TypeAlias = Listing | ViewText | Other | Refused


def interpret(sql: str, estate: Estate) -> Asked:
    """Meaning of *sql* for *estate*."""
    show = _SHOW_CREATE_VIEW.match(sql)
    if show:
        return ViewText(show.group(1), show.group(2))

    if "information_schema" not in sql.lower():
        return Other(is_ddl=bool(_DDL.match(sql)))

    try:
        tree = sqlglot.parse_one(sql, read="athena")
    except sqlglot.errors.ParseError as error:
        return Refused(f"line 1:1: {error}")

    try:
        scans = [_scan(select, estate) for select in _scans(tree)]
        return scans[0] if len(scans) == 1 else _united(scans)
    except _NotUnderstoodError as error:
        return Refused(f"the stand-in {error}")


class _NotUnderstoodError(Exception):
    pass


def _scans(tree: exp.Expr) -> Iterator[exp.Select]:
    """The branches of a UNION ALL, in order; a SELECT is one by itself."""
    if isinstance(tree, exp.Union) and not tree.args.get("distinct"):
        yield from _scans(tree.left)
        yield from _scans(tree.right)
    elif isinstance(tree, exp.Select):
        yield tree
    else:
        raise _NotUnderstoodError("knows SELECT and UNION ALL only")


def _scan(select: exp.Select, estate: Estate) -> Listing:
    tables = list(select.find_all(exp.Table))
    if len(tables) != 1:
        raise _NotUnderstoodError("knows SELECT from one relation of information_schema only")

    relation = tables[0].name.lower()
    if relation not in _RELATIONS:
        raise _NotUnderstoodError(f"has no information_schema.{relation}")

    return _resolve(select, relation, estate)


def _united(scans: Sequence[Listing]) -> Listing:
    """All rows of *scans*, in order of name; each scan costs what it costs alone."""
    first = scans[0]
    if any((scan.relation, scan.fields) != (first.relation, first.fields) for scan in scans):
        raise _NotUnderstoodError("unites scans of one relation with the same columns only")

    indexes: dict[str, list[int]] = {}
    for segment in (segment for scan in scans for segment in scan.segments):
        indexes.setdefault(segment.schema, []).extend(segment.indexes)

    return Listing(
        relation=first.relation,
        fields=first.fields,
        segments=tuple(Segment(schema, sorted(found)) for schema, found in sorted(indexes.items())),
        walked_rows=sum(scan.walked_rows for scan in scans),
    )


class _Restriction:
    """Schemas and tables that the WHERE clause leaves; None: all."""

    def __init__(self) -> None:
        self.schemas: set[str] | None = None
        self.tables: set[str] | None = None
        self.relation_type: str | None = None

    def keep(self, column: str, values: set[str]) -> None:
        if column in ("table_schema", "schema_name"):
            self.schemas = values if self.schemas is None else self.schemas & values
        elif column == "table_name":
            self.tables = values if self.tables is None else self.tables & values
        elif column == "table_type" and len(values) == 1:
            (self.relation_type,) = values
        elif column not in ("table_catalog", "catalog_name"):
            raise _NotUnderstoodError(f"does not know the predicate {column}")


def _resolve(select: exp.Select, relation: str, estate: Estate) -> Listing:
    restriction = _Restriction()
    where = select.args.get("where")
    if where is not None:
        for condition in _conjuncts(where.this):
            _apply(condition, restriction)

    segments = tuple(_segments(relation, restriction, estate))
    rows_each = estate.settings.columns if relation == "columns" else 1
    delivered = sum(len(segment.indexes) for segment in segments) * rows_each
    return Listing(
        relation=relation,
        fields=tuple(_fields(select, relation)),
        segments=segments,
        walked_rows=_walked(relation, restriction, estate, delivered, rows_each),
    )


def _conjuncts(condition: exp.Expr) -> list[exp.Expr]:
    inner = condition.unnest()
    if isinstance(inner, exp.And):
        return [*_conjuncts(inner.left), *_conjuncts(inner.right)]

    return [inner]


def _apply(condition: exp.Expr, restriction: _Restriction) -> None:
    if isinstance(condition, exp.NEQ | exp.Not):
        if "information_schema" not in condition.sql().lower():
            raise _NotUnderstoodError(f"does not know the predicate {condition.sql()}")

        return

    if isinstance(condition, exp.EQ) and isinstance(condition.left, exp.Column):
        values = [condition.right]
        column = condition.left.name
    elif isinstance(condition, exp.In) and isinstance(condition.this, exp.Column):
        values = condition.expressions
        column = condition.this.name
    else:
        raise _NotUnderstoodError(f"does not know the predicate {condition.sql()}")

    if not values or not all(isinstance(value, exp.Literal) for value in values):
        raise _NotUnderstoodError(f"does not know the predicate {condition.sql()}")

    restriction.keep(column.lower(), {value.this for value in values})


def _segments(relation: str, restriction: _Restriction, estate: Estate) -> list[Segment]:
    segments = []
    for schema, count in estate.iterate():
        if restriction.schemas is not None and schema not in restriction.schemas:
            continue

        if relation == "schemata":
            segments.append(Segment(schema, range(1)))
            continue

        indexes: Sequence[int] = range(count)
        is_view = relation == "views" or restriction.relation_type == "VIEW"
        if restriction.tables is not None:
            found = (estate.index_of(schema, name) for name in restriction.tables)
            indexes = sorted(index for index in found if index is not None)
            if is_view:
                indexes = [index for index in indexes if estate.is_view(index)]
        elif is_view:
            indexes = range(estate.view_every - 1, count, estate.view_every)

        if restriction.relation_type == "BASE TABLE":
            indexes = [index for index in indexes if not estate.is_view(index)]

        if indexes:
            segments.append(Segment(schema, indexes))

    return segments


def _walked(
    relation: str, restriction: _Restriction, estate: Estate, delivered: int, rows_each: int
) -> int:
    schemas = len(estate.schemas if restriction.schemas is None else restriction.schemas)
    prefixes = schemas * (1 if restriction.tables is None else len(restriction.tables))
    is_whole = restriction.schemas is None and restriction.tables is None
    if relation == "schemata" or is_whole or prefixes <= PREFIX_LIMIT:
        return delivered

    objects = sum(count for _, count in estate.iterate())
    if relation == "views":
        objects //= estate.view_every

    return objects * rows_each


_DEFAULTS = {
    "columns": (
        "table_catalog",
        "table_schema",
        "table_name",
        "column_name",
        "ordinal_position",
        "column_default",
        "is_nullable",
        "data_type",
    ),
    "tables": ("table_catalog", "table_schema", "table_name", "table_type"),
    "views": ("table_catalog", "table_schema", "table_name", "view_definition"),
    "schemata": ("catalog_name", "schema_name"),
}


def _fields(select: exp.Select, relation: str) -> list[Field]:
    fields: list[Field] = []
    for number, item in enumerate(select.expressions):
        if isinstance(item, exp.Star):
            fields.extend(Field(name, name) for name in _DEFAULTS[relation])
            continue

        name = item.alias_or_name or f"_col{number}"
        column = item.find(exp.Column)
        literal = item.find(exp.Literal)
        if column is not None:
            fields.append(Field(name.lower(), column.name.lower()))
        else:
            fields.append(Field(name.lower(), None, None if literal is None else literal.this))

    return fields
