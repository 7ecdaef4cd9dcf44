"""Runs one statement and never raises for what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType

from kada_athena_async.sandbox.estate.model import Estate, TableRef
from kada_athena_async.sandbox.execute import definitions, show, writes
from kada_athena_async.sandbox.execute.kinds import SELECT, Kind, bare_statement, kind_of
from kada_athena_async.sandbox.execute.outcome import (
    START,
    SYNTAX_ERROR,
    USER,
    QueryError,
    QueryOutcome,
    StatementFailed,
)
from kada_athena_async.sandbox.execute.parse import mismatched
from kada_athena_async.sandbox.execute.select import run_query
from kada_athena_async.sandbox.execute.session import Session

_NO_POISON: Mapping[TableRef, str] = MappingProxyType({})

_SHOWS: Mapping[str, Callable[[str, Session], show.Shown]] = MappingProxyType(
    {
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
)
_DEFINITIONS: Mapping[str, Callable[[str, Session, datetime | None], int | None]] = (
    MappingProxyType(
        {
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
        }
    )
)
_WRITES: Mapping[str, Callable[[str, Session], int]] = MappingProxyType(
    {
        "INSERT": writes.insert,
        "UPDATE": writes.change,
        "DELETE": writes.change,
        "MERGE": writes.change,
        "UNLOAD": writes.unload,
    }
)


def execute(
    sql: str,
    *,
    estate: Estate,
    catalog: str,
    database: str | None,
    parameters: Sequence[str] = (),
    poison: Mapping[TableRef, str] = _NO_POISON,
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
    session = Session(estate=estate, catalog=catalog, database=database, poison=poison, now=now)
    statement = bare_statement(sql)
    kind = kind_of(statement)
    try:
        if kind is None:
            raise mismatched(statement.split(maxsplit=1)[0] if statement else "<EOF>")

        return _run(kind, sql, statement, session, parameters, now)
    except StatementFailed as failure:
        return _failed(kind, failure.error)
    except RecursionError:
        text = f"STACK_OVERFLOW: {START}: statement is too large (stack overflow during analysis)"
        return _failed(kind, QueryError(category=USER, type=SYNTAX_ERROR, message=text))


def _run(
    kind: Kind,
    sql: str,
    statement: str,
    session: Session,
    parameters: Sequence[str],
    now: datetime | None,
) -> QueryOutcome:
    if kind == SELECT:
        # The statement as it was sent: errors point into it.
        result = run_query(sql, session, parameters)
        return _done(kind, result.columns, result.rows, scanned_bytes=result.scanned_bytes)

    if kind.subtype in _SHOWS:
        names, rows = _SHOWS[kind.subtype](statement, session)
        return _done(kind, tuple((name, "string") for name in names), rows)

    if kind.subtype in _DEFINITIONS:
        written = _DEFINITIONS[kind.subtype](statement, session, now)
        columns = (("rows", "bigint"),) if written is not None else ()
        return _done(kind, columns, [], update_count=written)

    if kind.subtype in _WRITES:
        written = _WRITES[kind.subtype](statement, session)
        return _done(kind, (("rows", "bigint"),), [], update_count=written)

    if kind.subtype == "EXPLAIN":
        return _done(kind, (("Query Plan", "varchar"),), writes.explain(statement, session))

    # PREPARE, EXECUTE, DEALLOCATE, OPTIMIZE, VACUUM, ALTER DATABASE: accepted, nothing to do.
    return _done(kind, (), [])


def _done(
    kind: Kind,
    columns: tuple[tuple[str, str], ...],
    rows: list[list[str | None]],
    *,
    scanned_bytes: int = 0,
    update_count: int | None = None,
) -> QueryOutcome:
    return QueryOutcome(
        statement_type=kind.type,
        substatement_type=kind.subtype,
        columns=columns,
        rows=rows,
        is_plain_text=kind.is_plain_text,
        scanned_bytes=scanned_bytes,
        update_count=update_count,
    )


def _failed(kind: Kind | None, error: QueryError) -> QueryOutcome:
    return QueryOutcome(
        statement_type=kind.type if kind else "DML",
        substatement_type=kind.subtype if kind else None,
        rows=[],
        is_plain_text=kind.is_plain_text if kind else False,
        error=error,
    )
