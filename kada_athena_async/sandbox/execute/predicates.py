"""Tables that a statement over ``information_schema`` reaches, by the rules of Trino."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from sqlglot import exp

from kada_athena_async.sandbox.estate.model import Catalog
from kada_athena_async.sandbox.execute.catalog_tables import Placed, all_schemas
from kada_athena_async.sandbox.execute.column_data import ColumnData
from kada_athena_async.sandbox.execute.engine import Cursor
from kada_athena_async.sandbox.execute.session import Session, table_named

# Trino's maxPrefetchedInformationSchemaPrefixes: with more schema and table names than this it
# gives up on them and walks the whole catalog (io.trino InformationSchemaMetadata).
MAX_PREFIXES = 100

_NAME_COLUMNS = frozenset({"table_catalog", "table_schema", "table_name"})


class Predicate(NamedTuple):
    """Conditions of a WHERE clause on the names of tables, all of which must hold.

    Attributes:
        schemas, tables: The names it allows by ``=`` or ``IN``; None if it does not say.
        others: Further conditions that depend on names only.
    """

    schemas: frozenset[str] | None
    tables: frozenset[str] | None
    others: tuple[exp.Expr, ...]

    @property
    def is_on_tables(self) -> bool:
        return self.tables is not None or "table_name" in _named_in(self.others)

    @property
    def is_on_names(self) -> bool:
        return self.schemas is not None or self.is_on_tables or bool(self.others)


class Reach(NamedTuple):
    """Tables that a statement touches.

    Attributes:
        placed: The tables that can be in its result.
        is_whole_catalog: True if Trino reads every table of the catalog to find them.
    """

    placed: list[Placed]
    is_whole_catalog: bool


def predicate_on(source: exp.Table) -> Predicate:
    """Conditions of the WHERE clause next to *source* on its tables' names."""
    schemas: frozenset[str] | None = None
    tables: frozenset[str] | None = None
    others: list[exp.Expr] = []
    for condition in conditions_on(source):
        column, names = _allowed(condition)
        if column == "table_schema":
            schemas = names if schemas is None else schemas & names
        elif column == "table_name":
            tables = names if tables is None else tables & names
        elif _is_only_on_names(condition) and not _has_outer_join(source):
            others.append(condition)

    return Predicate(schemas, tables, tuple(others))


def reach(catalog: Catalog, predicate: Predicate, cursor: Cursor) -> Reach:
    """The tables of *catalog* that *predicate* allows, and how Trino finds them."""
    schemas = all_schemas(catalog)
    if predicate.schemas is not None:
        schemas = [schema for schema in schemas if schema.name.lower() in predicate.schemas]

    placed: list[Placed] = []
    for schema in schemas:
        if predicate.tables is None:
            placed.extend((schema, table) for table in list(schema.tables.values()))
        else:
            found = (table_named(schema, name) for name in predicate.tables)
            placed.extend((schema, table) for table in found if table)

    if predicate.others:
        placed = _narrowed(catalog, placed, predicate.others, cursor)

    return Reach(placed, _is_whole_catalog(predicate, placed))


def check_poison(session: Session, catalog: Catalog, reached: Reach) -> None:
    """Fail as Athena does when the columns of a broken table are listed.

    Raises:
        StatementFailed: A poisoned table is touched.
    """
    poisoned = session.poison_in(catalog)
    if not poisoned:
        return

    placed = reached.placed
    if reached.is_whole_catalog:
        placed = [(s, t) for s in list(catalog.schemas.values()) for t in list(s.tables.values())]

    for schema, table in placed:
        failure = poisoned.get((schema.name.lower(), table.name.lower()))
        if failure:
            raise failure


def _is_whole_catalog(predicate: Predicate, placed: list[Placed]) -> bool:
    if not predicate.is_on_names:
        return True

    if predicate.is_on_tables:
        return len(placed) > MAX_PREFIXES

    if predicate.schemas is not None:
        return len(predicate.schemas) > MAX_PREFIXES

    return len({schema.name for schema, _ in placed}) > MAX_PREFIXES


def _narrowed(
    catalog: Catalog, placed: list[Placed], conditions: Iterable[exp.Expr], cursor: Cursor
) -> list[Placed]:
    names = ColumnData(
        {
            "position": ("BIGINT", range(len(placed))),
            "table_catalog": ("VARCHAR", [catalog.name.lower()] * len(placed)),
            "table_schema": ("VARCHAR", [s.name.lower() for s, _ in placed]),
            "table_name": ("VARCHAR", [t.name.lower() for _, t in placed]),
        }
    )
    where = exp.and_(*(_unqualified(condition) for condition in conditions))
    source = cursor.add(names)
    kept = cursor.run(f"SELECT position FROM {source} WHERE {where.sql('duckdb')} ORDER BY 1")
    positions = {position for (position,) in kept}
    return [found for position, found in enumerate(placed) if position in positions]


def _unqualified(condition: exp.Expr) -> exp.Expr:
    copy = condition.copy()
    for column in list(copy.find_all(exp.Column)):
        column.replace(exp.column(column.name.lower(), quoted=True))

    return copy


def conditions_on(source: exp.Table) -> Iterator[exp.Expr]:
    """The conditions of the WHERE clause next to *source* that are about it alone."""
    select = source.parent_select
    where = select.args.get("where") if isinstance(select, exp.Select) else None
    if where is None:
        return

    for condition in _conjuncts(where.this):
        if condition.find(exp.Query) is None and _is_about(condition, source):
            yield condition


def _is_only_on_names(condition: exp.Expr) -> bool:
    named = _named_in([condition])
    return bool(named) and named <= _NAME_COLUMNS


def _has_outer_join(source: exp.Table) -> bool:
    # There a condition such as IS NULL holds for rows that the join makes up, so that it must not
    # thin out what is joined. `=` and IN refuse made-up rows and may.
    select = source.parent_select
    return select is not None and any(join.side for join in select.args.get("joins") or ())


def _conjuncts(condition: exp.Expr) -> Iterator[exp.Expr]:
    while isinstance(condition, exp.Paren):
        condition = condition.this

    if isinstance(condition, exp.And):
        yield from _conjuncts(condition.left)
        yield from _conjuncts(condition.right)
    else:
        yield condition


def _is_about(condition: exp.Expr, source: exp.Table) -> bool:
    own = source.alias_or_name.lower()
    select = source.parent_select
    others = [
        table
        for table in (select.find_all(exp.Table) if select else ())
        if table is not source and table.parent_select is select
    ]
    shared = {
        name.name.lower()
        for join in (select.args.get("joins") or () if select else ())
        for name in join.args.get("using") or ()
    }
    return all(
        column.table.lower() == own
        or (not column.table and (not others or column.name.lower() in shared))
        for column in condition.find_all(exp.Column)
    )


def _allowed(condition: exp.Expr) -> tuple[str, frozenset[str]]:
    """The column and the names of ``column = 'x'`` or ``column IN ('x', ...)``."""
    column: exp.Expr = condition.this
    values: list[exp.Expr] = []
    if isinstance(condition, exp.In) and not condition.args.get("query"):
        values = condition.expressions
    elif isinstance(condition, exp.EQ):
        values = [condition.expression]
        if not isinstance(column, exp.Column):
            column, values = condition.expression, [condition.this]

    is_plain = isinstance(column, exp.Column) and all(
        isinstance(value, exp.Literal) and value.is_string for value in values
    )
    if not values or not is_plain:
        return "", frozenset()

    # Trino drops what is not lower case: catalogs report lower-cased names only.
    return column.name.lower(), frozenset(v.name for v in values if v.name == v.name.lower())


def _named_in(conditions: Iterable[exp.Expr]) -> set[str]:
    return {column.name.lower() for c in conditions for column in c.find_all(exp.Column)}
