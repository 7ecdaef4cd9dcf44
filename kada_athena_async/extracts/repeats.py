"""Executions whose results were there: the same statement, not long after it had run."""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterator
from datetime import datetime, timezone
from itertools import groupby
from operator import itemgetter
from sqlite3 import Connection
from typing import NamedTuple

from kada_athena_async.extracts.executions import Ran
from kada_athena_async.extracts.runs import Runs

REUSE_S = 3_600
"""Age up to which Athena reuses a result by default."""

_ROWS_AT_ONCE = 500
SCHEMA = """CREATE TABLE ran (statement INTEGER, started_at TEXT, ended_at TEXT, query_id TEXT,
    fingerprint TEXT, scanned INTEGER, billed INTEGER);"""
_SORTED = """SELECT statement, started_at, ended_at, query_id, fingerprint, scanned, billed FROM ran
    WHERE statement IN (SELECT statement FROM ran GROUP BY statement HAVING count(*) > 1)
    ORDER BY statement, started_at, query_id"""

# Such statements have another result each time: Athena does not reuse it.
_CHANGING = re.compile(
    r"\b(?:now|rand|random|uuid|shuffle)\s*\(|\bcurrent_(?:date|time|timestamp)\b"
    r"|\blocaltime(?:stamp)?\b",
    re.IGNORECASE,
)
_CHANGING_WORDS = ("now", "rand", "uuid", "shuffle", "current_", "localtime")
"""One of them is in each text that ``_CHANGING`` fits; to look for them takes less time."""


class Repeat(NamedTuple):
    """An execution that a result of an earlier one would have served."""

    query_id: str
    fingerprint: str
    scanned_bytes: int
    billed_bytes: int


class Repeats:
    """Collects executions on disk, then finds those that repeat one.

    The rules are those of Athena's user guide, "Reuse query results": SELECT alone, the same text,
    catalog, schema and workgroup, no federated catalogs, and the youngest result counts. The text
    of a masked extract lacks its literals: equal bytes stand in for them.
    """

    def __init__(self, connection: Connection, runs: Runs) -> None:
        self._connection = connection
        self._rows: list[tuple[object, ...]] = []
        self._federated = {
            catalog.lower()
            for catalog, kind in runs.newest.rows("metadata_catalogs", "catalog", "catalog_type")
            if kind in ("LAMBDA", "HIVE", "FEDERATED")
        }

    def add(self, ran: Ran) -> None:
        """Remember an execution, if its result could be used again."""
        if not ran.ended_at or not self._is_reusable(ran):
            return

        statement = hash((ran.query, ran.catalog, ran.schema, ran.workgroup, ran.scanned_bytes))
        self._rows.append(
            (
                *(statement, ran.submitted_at or ran.ended_at, ran.ended_at, ran.query_id),
                *(ran.fingerprint, ran.scanned_bytes, ran.billed_bytes),
            )
        )
        if len(self._rows) >= _ROWS_AT_ONCE:
            self._write()

    def _is_reusable(self, ran: Ran) -> bool:
        if ran.statement not in ("SELECT", "DML", ""):
            return False

        for each in ran.touched:
            if each.event_type != "READ" or each.catalog.lower() in self._federated:
                return False

        text = ran.query.lower()
        return not (any(map(text.__contains__, _CHANGING_WORDS)) and _CHANGING.search(ran.query))

    def _write(self) -> None:
        self._connection.executemany("INSERT INTO ran VALUES (?, ?, ?, ?, ?, ?, ?)", self._rows)
        self._rows = []

    def found(self) -> Iterator[Repeat]:
        """Yield what result reuse would have saved."""
        self._write()
        for _, group in groupby(self._connection.execute(_SORTED), key=itemgetter(0)):
            result_s = float("-inf")
            running: list[float] = []
            for _, started_at, ended_at, *row in group:
                started_s, ended_s = _seconds(started_at), _seconds(ended_at)
                while running and running[0] <= started_s:
                    result_s = heapq.heappop(running)

                if started_s - result_s <= REUSE_S:
                    yield Repeat(*row)
                else:
                    heapq.heappush(running, ended_s)


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=timezone.utc).timestamp()
