"""Runs one statement and never raises for what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from kada_athena_async.sandbox.estate.model import Estate, TableRef
from kada_athena_async.sandbox.execute.outcome import QueryOutcome, StatementFailed
from kada_athena_async.sandbox.execute.select import run_query
from kada_athena_async.sandbox.execute.session import Session

_NO_POISON: Mapping[TableRef, str] = {}


def execute(
    sql: str,
    *,
    estate: Estate,
    catalog: str,
    database: str | None,
    parameters: Sequence[str] = (),
    poison: Mapping[TableRef, str] = _NO_POISON,
) -> QueryOutcome:
    """Run *sql* as Athena would; a statement that cannot be run gives an outcome with an error.

    Threads may call it at the same time.

    Args:
        catalog: The execution's catalog, in any case.
        database: The execution's database, if it names one.
        parameters: ExecutionParameters: SQL literals for the places marked ``?``.
        poison: Tables that fail every statement over ``information_schema.columns`` that touches
            them, with the error text (empty for Athena's usual one).
    """
    session = Session(estate=estate, catalog=catalog, database=database, poison=poison)
    try:
        result = run_query(sql, session, parameters)
    except StatementFailed as failure:
        return QueryOutcome(
            statement_type="DML", substatement_type="SELECT", rows=[], error=failure.error
        )

    return QueryOutcome(
        statement_type="DML",
        substatement_type="SELECT",
        columns=result.columns,
        rows=result.rows,
        scanned_bytes=result.scanned_bytes,
    )
