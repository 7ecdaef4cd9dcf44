"""Executions with what they read and wrote, and who ran them: the extracts of a run joined.

Rows of ``events`` come in another order than their executions, because a run derives them while
the history comes in. They are joined on disk; one execution is held at a time.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from kada_athena_async.extracts.package import Package
from kada_athena_async.extracts.runs import Runs
from kada_athena_async.extracts.scratch import scratch_database
from kada_athena_async.prices import billed_bytes, dpu_hours


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


@dataclass(slots=True, kw_only=True)
class Ran:
    """An execution.

    Attributes:
        ended_at: As the extract writes it; empty where nobody knows.
        principal, client: Who ran it and with what; empty where nobody knows.
    """

    query_id: str
    user: str
    workgroup: str
    status: str
    ended_at: str
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
    *("query_id", "user", "workgroup", "status", "statement_type", "substatement_type"),
    *("completed_at", "submitted_at", "fingerprint", "query"),
    *("scanned_bytes", "reused_result", "engine_ms", "dpu_count"),
)
_EVENT_COLUMNS = ("query_id", "event_type", "catalog", "schema", "table", "columns")
_EVENTS = """CREATE TABLE events
    (query_id TEXT, event_type TEXT, catalog TEXT, schema TEXT, name TEXT, columns TEXT);"""

# An S3 location has no catalog.
_EVENTS_OF = """SELECT event_type, catalog, schema, name, columns FROM events
    WHERE query_id = ? AND catalog <> '' ORDER BY rowid"""


def executions(runs: Runs) -> Iterator[Ran]:
    """Yield the executions of *runs*, the newest run first.

    Raises:
        StateError: An extract is missing or torn.
    """
    # Principals that came late stand in a later run than their execution.
    known: dict[str, tuple[str, str]] = {}
    for package in runs.packages:
        names = ("query_id", "principal", "client")
        for query_id, principal, client in package.rows("query_principals", *names):
            known[query_id] = (principal, client)

        yield from _executions(runs, package, known)


def _executions(runs: Runs, package: Package, known: dict[str, tuple[str, str]]) -> Iterator[Ran]:
    with scratch_database(_EVENTS) as connection:
        connection.executemany(
            "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?)",
            package.rows("events", *_EVENT_COLUMNS),
        )
        connection.execute("CREATE INDEX events_of ON events (query_id)")
        for row in package.rows("databaselog", *_QUERY_COLUMNS):
            touched = tuple(
                Touched(what, catalog, schema, table, _names(columns))
                for what, catalog, schema, table, columns in connection.execute(
                    _EVENTS_OF, (row[0],)
                )
            )
            ran = _ran(row, touched, known.pop(row[0], ("", "")))
            if runs.counts(ran.ended_at):
                yield ran


@lru_cache(maxsize=4_096)
def _names(text: str) -> tuple[str, ...] | None:
    """The names in a JSON list; statements that are run again and again have the same."""
    return tuple(json.loads(text)) if text else None


def _ran(row: tuple[str, ...], touched: tuple[Touched, ...], principal: tuple[str, str]) -> Ran:
    cell = dict(zip(_QUERY_COLUMNS, row, strict=True))
    scanned = int(cell["scanned_bytes"] or 0)
    engine_ms = int(cell["engine_ms"]) if cell["engine_ms"] else None
    dpu_count = float(cell["dpu_count"] or 0)
    is_reused = cell["reused_result"] == "true"
    return Ran(
        query_id=cell["query_id"],
        user=cell["user"],
        workgroup=cell["workgroup"],
        status=cell["status"],
        ended_at=cell["completed_at"] or cell["submitted_at"],
        fingerprint=cell["fingerprint"],
        query=cell["query"],
        scanned_bytes=scanned,
        billed_bytes=billed_bytes(
            status=cell["status"],
            statement_type=cell["statement_type"] or None,
            substatement_type=cell["substatement_type"] or None,
            scanned_bytes=scanned,
            is_reused=is_reused,
            dpu_count=dpu_count,
            has_run=cell["status"] != "CANCELLED" or engine_ms is not None,
        ),
        dpu_hours=dpu_hours(dpu_count, engine_ms),
        is_reused=is_reused,
        principal=principal[0],
        client=principal[1],
        touched=touched,
    )
