"""Runs a query: Trino's SQL over the estate, by way of DuckDB."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb
from sqlglot import ErrorLevel, exp

from kada_athena_async.sandbox.estate.kinds import SELECT
from kada_athena_async.sandbox.execute.engine import Cursor, open_cursor
from kada_athena_async.sandbox.execute.naming import UNNAMED, name_outputs
from kada_athena_async.sandbox.execute.outcome import QueryOutcome
from kada_athena_async.sandbox.execute.parse import fill_parameters, parse_query
from kada_athena_async.sandbox.execute.refusals import refusal_of
from kada_athena_async.sandbox.execute.render import render_row
from kada_athena_async.sandbox.execute.session import Session
from kada_athena_async.sandbox.execute.sources import bind_sources
from kada_athena_async.sandbox.execute.trino_types import trino_type
from kada_athena_async.sandbox.execute.unnesting import spread_rows


def run_query(sql: str, session: Session, parameters: Sequence[str] = ()) -> QueryOutcome:
    """The result of a SELECT, WITH, VALUES or TABLE statement.

    Raises:
        StatementFailed: It cannot be parsed, resolved or run.
    """
    with open_cursor() as cursor:
        relation, scanned_bytes = _bind(sql, parameters, session, cursor)
        try:
            found = relation.fetchall()
        except duckdb.Error as error:
            raise refusal_of(error, _asked(sql, parameters)) from error

        columns = _columns(relation)
        kinds = list(map(str, relation.types))

    return QueryOutcome(
        kind=SELECT,
        columns=columns,
        rows=[render_row(row, kinds) for row in found],
        scanned_bytes=scanned_bytes,
    )


def describe_query(sql: str, session: Session) -> tuple[tuple[str, str], ...]:
    """Name and Trino type of each column that a query would give.

    Raises:
        StatementFailed: It cannot be parsed or resolved.
    """
    with open_cursor() as cursor:
        relation, _ = _bind(sql, None, session, cursor)
        return _columns(relation)


def _asked(sql: str, parameters: Sequence[str] | None) -> exp.Query:
    tree = parse_query(sql)
    return tree if parameters is None else fill_parameters(tree, parameters)


def _bind(
    sql: str, parameters: Sequence[str] | None, session: Session, cursor: Cursor
) -> tuple[duckdb.DuckDBPyRelation, int]:
    tree = _asked(sql, parameters)
    scanned_bytes = bind_sources(tree, session, cursor)
    try:
        # What has no counterpart fails when DuckDB binds it; sqlglot need not say so as well.
        query = spread_rows(name_outputs(tree)).sql("duckdb", unsupported_level=ErrorLevel.IGNORE)
        return cursor.relation(query), scanned_bytes
    except duckdb.Error as error:
        raise refusal_of(error, _asked(sql, parameters)) from error


def _columns(relation: duckdb.DuckDBPyRelation) -> tuple[tuple[str, str], ...]:
    return tuple(
        (f"_col{position}" if name.startswith(UNNAMED) else name, trino_type(str(duckdb_type)))
        for position, (name, duckdb_type) in enumerate(
            zip(relation.columns, relation.types, strict=True)
        )
    )
