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
from sys import intern
from typing import NamedTuple, TypeAlias

from kada_athena_async.extracts.package import Package
from kada_athena_async.extracts.runs import Runs
from kada_athena_async.extracts.scratch import scratch_database
from kada_athena_async.prices import billed_bytes, dpu_hours

UsesTable: TypeAlias = Callable[[str, str, str], bool]
"""Catalog, schema and table -> True if it is asked for."""

MAX_HELD = 100_000
"""Rows of events, and of principals, that are joined in memory; more are joined on disk."""

_ROWS_AT_ONCE = 500
_NOBODY = ("", "")


class Touched(NamedTuple):
    """A table that an execution read or wrote.

    Attributes:
        columns: The columns that were used; None where unknown.
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
        ended_at, submitted_at: As the extract writes them; empty where unknown.
        catalog, schema: Where the names of the statement lie that say no more.
        statement: Its ``substatement_type``, else its ``statement_type``.
        principal, client: Who ran it and with what; empty where unknown.
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


def executions(
    runs: Runs, *, has_touched: bool = True, uses: UsesTable | None = None
) -> Iterator[Ran]:
    """Yield the executions of *runs*, the newest run first.

    Args:
        has_touched: False if ``touched`` is not asked for; then it is empty.
        uses: Only the executions that touched such a table, and of their tables these alone.
    """
    with scratch_database(_SCHEMA) as connection:
        join = _Join(connection)
        for package in runs.packages:
            join.load(package, has_touched=has_touched, uses=uses)
            rows = package.rows("databaselog", *_QUERY_COLUMNS)
            while batch := list(islice(rows, _ROWS_AT_ONCE)):
                for ran in join.joined(batch, are_all=uses is None):
                    if runs.counts(ran.ended_at):
                        yield ran


class _Join:
    """Tables and principals of executions, by their ids: few in memory, many on disk."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._touched: dict[str, list[Touched]] = {}
        self._are_events_on_disk = False
        # Principals that came late stand in a later run than their execution.
        self._principals: dict[str, tuple[str, str]] = {}
        self._are_principals_on_disk = False

    def load(self, package: Package, *, has_touched: bool, uses: UsesTable | None) -> None:
        """Take the events of *package* instead of those before, and its principals beside them."""
        names = ("query_id", "principal", "client")
        principals = package.rows("query_principals", *names)
        if _row_count(package, "query_principals") + len(self._principals) > MAX_HELD:
            self._are_principals_on_disk = True
            insert = "INSERT OR REPLACE INTO principals VALUES (?, ?, ?)"
            held = ((query_id, *row) for query_id, row in self._principals.items())
            self._connection.executemany(insert, held)
            self._principals = {}
            self._connection.executemany(insert, principals)
        else:
            for query_id, principal, client in principals:
                self._principals[query_id] = (intern(principal), intern(client))

        self._touched = {}
        if not has_touched:
            return

        # An S3 location has no catalog.
        events = package.rows("events", *_EVENT_COLUMNS)
        wanted = (row for row in events if row[2] and (uses is None or uses(*row[2:5])))
        self._are_events_on_disk = _row_count(package, "events") > MAX_HELD
        if not self._are_events_on_disk:
            for query_id, what, catalog, schema, table, columns in wanted:
                touched = _touched(what, catalog, schema, table, columns)
                self._touched.setdefault(query_id, []).append(touched)
            return

        self._connection.execute("DROP INDEX IF EXISTS events_of")
        self._connection.execute("DELETE FROM events")
        self._connection.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?)", wanted)
        self._connection.execute("CREATE INDEX events_of ON events (query_id)")

    def joined(self, rows: list[tuple[str, ...]], *, are_all: bool) -> Iterator[Ran]:
        """Yield the executions of *rows*; only those that touched a table, if not *are_all*."""
        ids = ""
        if self._are_principals_on_disk or self._are_events_on_disk:
            ids = json.dumps([row[0] for row in rows])
        if self._are_principals_on_disk:
            for query_id, *row in self._connection.execute(_PRINCIPALS_OF, (ids,)):
                self._principals[query_id] = (row[0], row[1])

        if self._are_events_on_disk:
            self._touched = {}
            for query_id, *row in self._connection.execute(_EVENTS_OF, (ids,)):
                self._touched.setdefault(query_id, []).append(_touched(*row))

        for row in rows:
            principal, client = self._principals.pop(row[0], _NOBODY)
            touched = self._touched.get(row[0])
            if touched or are_all:
                yield _ran(row, principal, client, tuple(touched or ()))


def _row_count(package: Package, kind: str) -> int:
    return sum(file.rows for file in package.manifest.files if file.kind == kind)


@lru_cache(maxsize=32_768)
def _touched(what: str, catalog: str, schema: str, table: str, columns: str) -> Touched:
    """One value for the many executions of a statement."""
    return Touched(what, catalog, schema, table, _names(columns))


@lru_cache(maxsize=4_096)
def _names(text: str) -> tuple[str, ...] | None:
    """The names in a JSON list; statements that are run again and again have the same."""
    return tuple(json.loads(text)) if text else None


def _ran(row: tuple[str, ...], principal: str, client: str, touched: tuple[Touched, ...]) -> Ran:
    query_id, user, workgroup, catalog, schema, status, kind, finer_kind, *others = row
    completed_at, submitted_at, fingerprint, query, scanned, reused, engine_ms, dpu_count = others
    scanned_bytes, dpus = int(scanned or 0), float(dpu_count or 0)
    engine = int(engine_ms) if engine_ms else None
    is_reused = reused == "true"
    billed = billed_bytes(
        status=status,
        statement_type=kind or None,
        substatement_type=finer_kind or None,
        scanned_bytes=scanned_bytes,
        is_reused=is_reused,
        dpu_count=dpus,
        engine_ms=engine,
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
        dpu_hours(dpus, engine),
        is_reused,
        principal,
        client,
        touched,
    )
