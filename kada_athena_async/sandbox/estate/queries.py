"""A SELECT built together with its truth: which tables it reads, where each column comes from.

The pieces are short texts with markers for what is read:

``{sales.orders o}``        a table or view, with its alias
``{pg:public.leads l}``     one of another catalog
``{@recent r}``             a part of the query, as a CTE
``{(recent) r}``            a part of the query, as a subquery in place

An output is ``*``, ``o.*`` or ``expression [AS name] [:: hive type]``; the type may be left out
where the expression is a plain column. An output's sources are the columns whose values flow into
it; those of CASE conditions and window clauses only bear upon it; filters and joins do not count.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from kada_athena_async.sandbox.estate.identifiers import hive_name, quoted, trino_name
from kada_athena_async.sandbox.estate.model import ColumnRef, Table, TableRef

GLUE_CATALOG = "AwsDataCatalog"

_MARKER = re.compile(r"\{(@|\()?([^{}\s)]+)\)? (\w+)\}")
_COLUMN = re.compile(r"\b(\w+)\.(\w+)\b")
_BEARS = re.compile(r"\bOVER \([^()]*\)|\bWHEN\b.*?\bTHEN\b", re.DOTALL)
_OUTPUT = re.compile(r"(?P<expr>.*?)(?: AS (?P<name>\w+))?(?: :: (?P<type>\S+))?\Z", re.DOTALL)


class Origin(NamedTuple):
    """Facts about a column: its Hive type, the columns its values come from, and those that
    only bear upon it."""

    type: str
    sources: tuple[ColumnRef, ...]
    bearings: tuple[ColumnRef, ...] = ()


Relation = dict[str, Origin]


class Built(NamedTuple):
    """A query's text, its output columns and the tables it reads directly."""

    sql: str
    columns: Relation
    reads: tuple[TableRef, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A SELECT in pieces.

    Attributes:
        parts: Named queries that ``source`` (or a later part) uses as CTEs or subqueries.
        unnest: alias.column of an UNNEST -> the array column it takes apart.
        union: Queries of the same shape, appended by UNION ALL.
    """

    outputs: tuple[str, ...]
    source: str
    tail: str = ""
    parts: dict[str, Query] = field(default_factory=dict)
    unnest: dict[str, str] = field(default_factory=dict)
    union: tuple[Query, ...] = ()


def split_ref(name: str, *, catalog: str = GLUE_CATALOG) -> TableRef:
    """``schema.table`` or ``catalog:schema.table`` as a TableRef."""
    before, colon, rest = name.rpartition(":")
    schema, _, table = rest.partition(".")
    return TableRef(before if colon else catalog, schema, table)


def spell(ref: TableRef, style: str) -> str:
    """A table's name in SQL.

    *style* is ``bare`` (schema.table, quoted where needed), ``quoted``, ``full`` (with catalog),
    ``short`` (the table alone) or ``hive``. Tables of other catalogs are always spelled in full.
    """
    if ref.catalog != GLUE_CATALOG:
        return f"{quoted(ref.catalog)}.{trino_name(ref.schema, ref.table)}"

    if style == "quoted":
        return f"{quoted(ref.schema)}.{quoted(ref.table)}"

    if style == "hive":
        return hive_name(ref.schema, ref.table)

    if style == "full":
        return f"{quoted('awsdatacatalog')}.{trino_name(ref.schema, ref.table)}"

    return trino_name(ref.table) if style == "short" else trino_name(ref.schema, ref.table)


class _Builder:
    def __init__(self, lookup: Callable[[TableRef], Table], style: str) -> None:
        self._lookup = lookup
        self._style = style
        self._parts: dict[str, tuple[str, Relation]] = {}
        self._reads: dict[TableRef, None] = {}

    def build(self, query: Query) -> Built:
        ctes = []
        for name, part in query.parts.items():
            self._parts[name] = self._whole(part)
            if f"{{@{name} " in _sources_of(query):
                ctes.append(f"{name} AS (\n{self._parts[name][0]}\n)")

        sql, columns = self._whole(query)
        prefix = f"WITH {', '.join(ctes)}\n" if ctes else ""
        return Built(prefix + sql, columns, tuple(self._reads))

    def _whole(self, query: Query) -> tuple[str, Relation]:
        sql, columns = self._select(query)
        for other in query.union:
            more_sql, more = self._select(other)
            sql = f"{sql}\nUNION ALL\n{more_sql}"
            columns = {
                name: Origin(
                    first.type,
                    tuple(dict.fromkeys((*first.sources, *second.sources))),
                    tuple(dict.fromkeys((*first.bearings, *second.bearings))),
                )
                for (name, first), second in zip(columns.items(), more.values(), strict=True)
            }

        return sql, columns

    def _select(self, query: Query) -> tuple[str, Relation]:
        scope: dict[str, Relation] = {}
        source = _MARKER.sub(lambda match: self._bind(match, scope), query.source)
        for target, array in query.unnest.items():
            alias, _, column = target.partition(".")
            whole = _find(scope, array)
            item = whole.type.removeprefix("array<")[:-1]
            scope.setdefault(alias, {})[column] = Origin(item, whole.sources, whole.bearings)

        columns: Relation = {}
        texts = [_output(text, scope, columns) for text in query.outputs]
        sql = f"SELECT {', '.join(texts)}\nFROM {source}"
        return (f"{sql}\n{query.tail}" if query.tail else sql), columns

    def _bind(self, match: re.Match[str], scope: dict[str, Relation]) -> str:
        kind, name, alias = match.groups()
        if kind:
            sql, scope[alias] = self._parts[name]
            return f"{name} {alias}" if kind == "@" else f"(\n{sql}\n) {alias}"

        ref = split_ref(name)
        self._reads[ref] = None
        scope[alias] = {
            column.name.lower(): Origin(column.type, (ColumnRef(*ref, column.name),))
            for column in self._lookup(ref).current_columns
        }
        return f"{spell(ref, self._style)} {alias}"


def _sources_of(query: Query) -> str:
    parts = "".join(part.source for part in query.parts.values())
    return query.source + parts + "".join(other.source for other in query.union)


def _find(scope: dict[str, Relation], name: str) -> Origin:
    alias, _, column = name.partition(".")
    return scope[alias][column]


def _mentioned(scope: dict[str, Relation], expression: str) -> list[Origin]:
    return [
        _find(scope, f"{alias}.{column}")
        for alias, column in _COLUMN.findall(expression)
        if alias in scope
    ]


def _output(text: str, scope: dict[str, Relation], columns: Relation) -> str:
    if text == "*" or text.endswith(".*"):
        aliases = scope if text == "*" else (text[:-2],)
        for alias in aliases:
            columns.update(scope[alias])

        return text

    match = _OUTPUT.match(text)
    assert match is not None
    expression, name, type_ = match["expr"], match["name"], match["type"]
    plain = _COLUMN.fullmatch(expression)
    found = _mentioned(scope, expression)
    flowing = _mentioned(scope, _BEARS.sub(" ", expression))
    sources = tuple(dict.fromkeys(source for origin in flowing for source in origin.sources))
    others = (source for origin in found for source in (*origin.sources, *origin.bearings))
    bearings = tuple(dict.fromkeys(source for source in others if source not in sources))
    output = name or expression.rpartition(".")[2]
    if not type_ and not plain:
        raise ValueError(f"output {output!r} is an expression and needs its type")

    columns[output] = Origin(type_ or found[0].type, sources, bearings)
    return f"{expression} AS {name}" if name else expression


def build_query(query: Query, lookup: Callable[[TableRef], Table], *, style: str = "bare") -> Built:
    """*query* as SQL with its truth; names spelled in *style* (see ``spell``).

    Raises:
        KeyError: An output mentions a column that its table does not have.
        ValueError: An output is an expression without a type.
    """
    return _Builder(lookup, style).build(query)
