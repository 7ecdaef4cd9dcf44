"""Puts data under the table names of a query."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from kada_athena_async.sandbox.estate.model import Catalog, Schema, Table
from kada_athena_async.sandbox.execute.catalog_tables import BY_TABLE, RELATIONS, build_relation
from kada_athena_async.sandbox.execute.column_data import ColumnData
from kada_athena_async.sandbox.execute.engine import Cursor
from kada_athena_async.sandbox.execute.outcome import NOT_FOUND, StatementFailed
from kada_athena_async.sandbox.execute.parse import ATHENA, HIVE, parse_query, position_of
from kada_athena_async.sandbox.execute.predicates import (
    check_poison,
    conditions_on,
    predicate_on,
    reach,
)
from kada_athena_async.sandbox.execute.sample_data import hidden_relation, sample_table
from kada_athena_async.sandbox.execute.session import INFORMATION_SCHEMA, Session
from kada_athena_async.sandbox.execute.system_tables import (
    CATALOG,
    partitions_on,
    query_executions,
    system_catalog,
)

# Deeper than any sane view; two views that read each other must end.
MAX_VIEW_DEPTH = 32


def bind_sources(tree: exp.Query, session: Session, cursor: Cursor, *, depth: int = 0) -> int:
    """Replace each table name in *tree* by what holds its data; bytes of data are returned.

    Raises:
        StatementFailed: A name does not resolve, or a table is poisoned.
    """
    sources = [table for table in tree.find_all(exp.Table) if _is_name(table)]
    _shorten_columns(tree, sources)
    named_in = {column.name.lower() for column in tree.find_all(exp.Column)}
    # All are bound before any is replaced: predicates are read from the tree as it was written.
    bound = [_bind(source, session, cursor, named_in, depth) for source in sources]
    for source, (replacement, _) in zip(sources, bound, strict=True):
        _replace(source, replacement)

    return sum(size_bytes for _, size_bytes in bound)


def _bind(
    source: exp.Table, session: Session, cursor: Cursor, named_in: set[str], depth: int
) -> tuple[exp.Expr, int]:
    at = position_of(source)
    if source.catalog.lower() == CATALOG and session.estate.system_table_lag is not None:
        catalog = system_catalog(session.estate)
    else:
        catalog = session.find_catalog(source.catalog or None, at)

    if source.db.lower() == INFORMATION_SCHEMA:
        return exp.to_table(cursor.add(_information(source, catalog, session, cursor, named_in))), 0

    schema = session.find_schema(catalog, source.db or None, at)
    hidden = hidden_relation(schema, source.name)
    if hidden is not None:
        return exp.to_table(cursor.add(hidden)), 0

    table = session.find_table(catalog, schema, source.name, at)
    if table.view_sql is not None:
        return _bind_view(catalog, schema, table, session, cursor, depth)

    if catalog.name == CATALOG and session.now is not None:
        select = source.parent_select
        is_all = select is None or select.find(exp.Star) is not None
        data = query_executions(
            session.estate,
            session.now,
            partitions_on(conditions_on(source)),
            columns=None if is_all else named_in,
        )
        return exp.to_table(cursor.add(data)), data.size_bytes

    data = sample_table(table)
    return exp.to_table(cursor.add(data)), data.size_bytes


def _information(
    source: exp.Table, catalog: Catalog, session: Session, cursor: Cursor, named_in: set[str]
) -> ColumnData:
    name = source.name.lower()
    if name not in RELATIONS:
        full = f"{catalog.name}.{INFORMATION_SCHEMA}.{name}".lower()
        raise StatementFailed(
            f"TABLE_NOT_FOUND: {position_of(source)}: Table '{full}' does not exist",
            type=NOT_FOUND,
        )

    hidden = [column for column in RELATIONS[name].hidden if column in named_in]
    _keep_out_of_stars(source, hidden)
    if name not in BY_TABLE:
        return build_relation(name, catalog, (), hidden)

    reached = reach(catalog, predicate_on(source), cursor)
    if name == "columns":
        check_poison(session, catalog, reached)

    return build_relation(name, catalog, reached.placed, hidden)


def _bind_view(
    catalog: Catalog, schema: Schema, view: Table, session: Session, cursor: Cursor, depth: int
) -> tuple[exp.Expr, int]:
    if depth >= MAX_VIEW_DEPTH:
        raise StatementFailed(
            f"INVALID_VIEW: line 1:1: View '{schema.name}.{view.name}' reads itself"
        )

    inside = Session(
        estate=session.estate,
        catalog=catalog.name,
        database=view.view_schema or schema.name,
        poison=session.poison,
    )
    tree = parse_query(view.view_sql or "", HIVE if view.view_dialect == "hive" else ATHENA)
    size_bytes = bind_sources(tree, inside, cursor, depth=depth + 1)
    return exp.Subquery(this=tree), size_bytes


def _replace(source: exp.Table, replacement: exp.Expr) -> None:
    alias = source.args.get("alias") or exp.TableAlias(
        this=exp.to_identifier(source.name, quoted=True)
    )
    replacement.set("alias", alias)
    for clause in ("joins", "sample"):
        if source.args.get(clause):
            replacement.set(clause, source.args[clause])

    source.replace(replacement)


def _keep_out_of_stars(source: exp.Table, hidden: list[str]) -> None:
    """Let ``*`` next to *source* not show what must be named to be seen."""
    select = source.parent_select
    if not hidden or not isinstance(select, exp.Select):
        return

    own = source.alias_or_name
    for output in select.expressions:
        star = output.this if isinstance(output, exp.Column) else output
        if isinstance(star, exp.Star) and output.text("table").lower() in ("", own.lower()):
            shown = star.args.get("except_") or []
            kept_out = [exp.column(column, table=own) for column in hidden]
            star.set("except_", [*shown, *kept_out])


def _shorten_columns(tree: exp.Query, sources: list[exp.Table]) -> None:
    """``schema.table.column`` as ``table.column``, the only name left after replacement."""
    names = {(source.db.lower(), source.name.lower()) for source in sources if not source.alias}
    for column in tree.find_all(exp.Column):
        if column.db and (column.db.lower(), column.table.lower()) in names:
            column.set("db", None)
            column.set("catalog", None)


def _is_name(table: exp.Table) -> bool:
    if not isinstance(table.this, exp.Identifier):
        return False

    return bool(table.db) or table.name.lower() not in _visible_ctes(table)


def _visible_ctes(table: exp.Table) -> Iterator[str]:
    node: exp.Expr | None = table
    while node is not None:
        with_ = node.args.get("with_")
        if with_ is not None:
            yield from (cte.alias.lower() for cte in with_.expressions)

        node = node.parent
