"""Runs one statement and never raises for what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from kada_athena_async.sandbox.estate.kinds import (
    SELECT,
    UNKNOWN,
    Kind,
    bare_statement,
    kind_of,
)
from kada_athena_async.sandbox.estate.model import Estate, Failure, TableRef
from kada_athena_async.sandbox.execute import definitions, show, writes
from kada_athena_async.sandbox.execute.outcome import (
    START,
    SYNTAX_ERROR,
    USER,
    QueryOutcome,
    StatementFailed,
)
from kada_athena_async.sandbox.execute.parse import mismatched
from kada_athena_async.sandbox.execute.select import run_query
from kada_athena_async.sandbox.execute.session import Session

_SHOWS: Mapping[str, Callable[[str, Session], show.Shown]] = {
    "SHOW_DATABASES": show.show_databases,
    "SHOW_TABLES": show.show_tables,
    "SHOW_VIEWS": show.show_views,
    "SHOW_COLUMNS": show.show_columns,
    "SHOW_PARTITIONS": show.show_partitions,
    "SHOW_TBLPROPERTIES": show.show_properties,
    "SHOW_CREATE_TABLE": show.show_create_table,
    "SHOW_CREATE_VIEW": show.show_create_view,
    "DESCRIBE_TABLE": show.describe_table,
}
_CHANGES: Mapping[str, Callable[[str, Session], int | None]] = {
    "CREATE_DATABASE": definitions.create_database,
    "DROP_DATABASE": definitions.drop_database,
    "CREATE_TABLE": definitions.create_table,
    "CREATE_TABLE_AS_SELECT": definitions.create_table_as,
    "CREATE_VIEW": definitions.create_view,
    "DROP_TABLE": definitions.drop_table,
    "DROP_VIEW": definitions.drop_table,
    "ALTER_TABLE": definitions.alter_table,
    "ALTER_TABLE_ADD_PARTITION": definitions.alter_table,
    "MSCK_REPAIR_TABLE": definitions.alter_table,
    "INSERT": writes.insert,
    "UPDATE": writes.change,
    "DELETE": writes.change,
    "MERGE": writes.change,
    "UNLOAD": writes.unload,
}
"""Subtype -> what runs it and gives the number of rows that it writes, if it writes any."""


def execute(
    sql: str,
    *,
    estate: Estate,
    catalog: str,
    database: str | None,
    parameters: Sequence[str] = (),
    poison: Mapping[TableRef, str] | None = None,
    now: datetime | None = None,
) -> QueryOutcome:
    """Run *sql* as Athena would; a statement that cannot be run gives an outcome with an error.

    CREATE and DROP change *estate*. INSERT, UPDATE, DELETE, MERGE and UNLOAD are checked and
    counted, and change no data. Threads may call it at the same time.

    Args:
        catalog: The execution's catalog, in any case.
        database: The execution's database, if it names one.
        parameters: ExecutionParameters: SQL literals for the places marked ``?``.
        poison: Tables that fail every statement over ``information_schema.columns`` that touches
            them, with the error text (empty for Athena's usual one).
        now: What CREATE writes down as the time of creation, and AWS's own tables are read as of.
    """
    session = Session(
        estate=estate, catalog=catalog, database=database, poison=poison or {}, now=now
    )
    statement = bare_statement(sql)
    kind = kind_of(statement)
    try:
        if kind == UNKNOWN:
            raise mismatched(statement.split(maxsplit=1)[0] if statement else "<EOF>")

        return _run(kind, sql, statement, session, parameters)
    except StatementFailed as failure:
        return QueryOutcome(kind=kind, error=failure.failure)
    except RecursionError:
        text = f"STACK_OVERFLOW: {START}: statement is too large (stack overflow during analysis)"
        return QueryOutcome(kind=kind, error=Failure(USER, SYNTAX_ERROR, text))


def _run(
    kind: Kind, sql: str, statement: str, session: Session, parameters: Sequence[str]
) -> QueryOutcome:
    if kind == SELECT:
        # The statement as it was sent: errors point into it.
        return run_query(sql, session, parameters)

    if kind.subtype in _SHOWS:
        names, rows = _SHOWS[kind.subtype](statement, session)
        columns = tuple((name, "string") for name in names)
        return QueryOutcome(kind=kind, columns=columns, rows=rows)

    if kind.subtype in _CHANGES:
        written = _CHANGES[kind.subtype](statement, session)
        columns = (("rows", "bigint"),) if written is not None else ()
        return QueryOutcome(kind=kind, columns=columns, update_count=written)

    if kind.subtype == "EXPLAIN":
        rows = writes.explain(statement, session)
        return QueryOutcome(kind=kind, columns=(("Query Plan", "varchar"),), rows=rows)

    # PREPARE, EXECUTE, DEALLOCATE, OPTIMIZE, VACUUM, ALTER DATABASE: accepted, nothing to do.
    return QueryOutcome(kind=kind)
