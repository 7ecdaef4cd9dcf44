"""Executions with what they read and wrote, and who ran them: the extracts of a run joined.

Rows of ``events`` come in another order than their executions, because a run derives them while
the history comes in. They are joined on disk; few executions are held at a time.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from sqlite3 import Connection
from typing import NamedTuple, TypeAlias

from kada_athena_async.extracts.package import Package
from kada_athena_async.extracts.runs import Runs
from kada_athena_async.extracts.scratch import scratch_database
from kada_athena_async.prices import billed_bytes, dpu_hours

UsesTable: TypeAlias = Callable[[str, str, str], bool]
"""Catalog, schema and table -> True if it is asked for."""

_ROWS_AT_ONCE = 500


class Touched(NamedTuple):
    """A table that an execution read or wrote.

    Attributes:
        columns: The columns that were used; None where nobody knows.
    """

    event_type: str
    catalog: str
    schema: str
    table: str
    columns: tuple[str, ...] | None


@dataclass(slots=True)
class Ran:
    """An execution.

    Attributes:
        ended_at, submitted_at: As the extract writes them; empty where nobody knows.
        catalog, schema: Where the names of the statement lie that say no more.
        statement: Its ``substatement_type``, else its ``statement_type``.
        principal, client: Who ran it and with what; empty where nobody knows.
    """

    query_id: str
    user: str
    workgroup: str
    catalog: str
    schema: str
    status: str
    statement: str
    ended_at: str
    submitted_at: str
    fingerprint: str
    query: str
    scanned_bytes: int
    billed_bytes: int
    dpu_hours: float
    is_reused: bool
    principal: str
    client: str
    touched: tuple[Touched, ...]


_QUERY_COLUMNS = (
    *("query_id", "user", "workgroup", "catalog", "schema", "status"),
    *("statement_type", "substatement_type", "completed_at", "submitted_at"),
    *("fingerprint", "query", "scanned_bytes", "reused_result", "engine_ms", "dpu_count"),
)
_EVENT_COLUMNS = ("query_id", "event_type", "catalog", "schema", "table", "columns")
_SCHEMA = """
    CREATE TABLE events
    (query_id TEXT, event_type TEXT, catalog TEXT, schema TEXT, name TEXT, columns TEXT);
    CREATE TABLE principals
    (query_id TEXT PRIMARY KEY, principal TEXT, client TEXT) WITHOUT ROWID;
"""

_EVENTS_OF = """SELECT query_id, event_type, catalog, schema, name, columns FROM events
    WHERE query_id IN (SELECT value FROM json_each(?)) ORDER BY rowid"""
_PRINCIPALS_OF = """SELECT query_id, principal, client FROM principals
    WHERE query_id IN (SELECT value FROM json_each(?))"""


def executions(runs: Runs, *, uses: UsesTable | None = lambda *_: True) -> Iterator[Ran]:
    """Yield the executions of *runs*, the newest run first.

    Args:
        uses: The tables of ``touched``; None if it is not asked for.

    Raises:
        StateError: An extract is missing or torn.
    """
    with scratch_database(_SCHEMA) as connection:
        for package in runs.packages:
            # Principals that came late stand in a later run than their execution.
            connection.executemany(
                "INSERT OR REPLACE INTO principals VALUES (?, ?, ?)",
                package.rows("query_principals", "query_id", "principal", "client"),
            )
            if uses is not None:
                _load_events(connection, package, uses)

            rows = package.rows("databaselog", *_QUERY_COLUMNS)
            while batch := list(islice(rows, _ROWS_AT_ONCE)):
                for ran in _joined(connection, batch, has_events=uses is not None):
                    if runs.counts(ran.ended_at):
                        yield ran


def _load_events(connection: Connection, package: Package, uses: UsesTable) -> None:
    connection.execute("DROP INDEX IF EXISTS events_of")
    connection.execute("DELETE FROM events")
    connection.executemany(
        "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?)",
        # An S3 location has no catalog.
        (row for row in package.rows("events", *_EVENT_COLUMNS) if row[2] and uses(*row[2:5])),
    )
    connection.execute("CREATE INDEX events_of ON events (query_id)")


def _joined(
    connection: Connection, rows: list[tuple[str, ...]], *, has_events: bool
) -> Iterator[Ran]:
    ids = json.dumps([row[0] for row in rows])
    who = {row[0]: row for row in connection.execute(_PRINCIPALS_OF, (ids,))}
    touched: dict[str, list[Touched]] = {}
    events = connection.execute(_EVENTS_OF, (ids,)) if has_events else ()
    for query_id, what, catalog, schema, table, columns in events:
        read = Touched(what, catalog, schema, table, _names(columns))
        touched.setdefault(query_id, []).append(read)

    for row in rows:
        _, principal, client = who.get(row[0], ("", "", ""))
        yield _ran(row, principal, client, tuple(touched.get(row[0], ())))


@lru_cache(maxsize=4_096)
def _names(text: str) -> tuple[str, ...] | None:
    """The names in a JSON list; statements that are run again and again have the same."""
    return tuple(json.loads(text)) if text else None


def _ran(row: tuple[str, ...], principal: str, client: str, touched: tuple[Touched, ...]) -> Ran:
    query_id, user, workgroup, catalog, schema, status, kind, finer_kind, *others = row
    completed_at, submitted_at, fingerprint, query, scanned, reused, engine_ms, dpu_count = others
    scanned_bytes, dpus = int(scanned or 0), float(dpu_count or 0)
    is_reused = reused == "true"
    billed = billed_bytes(
        status=status,
        statement_type=kind or None,
        substatement_type=finer_kind or None,
        scanned_bytes=scanned_bytes,
        is_reused=is_reused,
        dpu_count=dpus,
        has_run=status != "CANCELLED" or bool(engine_ms),
    )
    return Ran(
        query_id,
        user,
        workgroup,
        catalog,
        schema,
        status,
        finer_kind or kind,
        completed_at or submitted_at,
        submitted_at,
        fingerprint,
        query,
        scanned_bytes,
        billed,
        dpu_hours(dpus, int(engine_ms) if engine_ms else None),
        is_reused,
        principal,
        client,
        touched,
    )
