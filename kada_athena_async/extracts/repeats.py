"""Executions whose results were there: the same statement, not long after it had run."""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from sqlite3 import Connection
from typing import NamedTuple

from kada_athena_async.extracts.executions import Ran
from kada_athena_async.extracts.runs import Runs
from kada_athena_async.sinks.part_reader import time_of

REUSE_S = 3_600
"""Age up to which Athena reuses a result by default."""

_ROWS_AT_ONCE = 500
SCHEMA = """CREATE TABLE ran (statement INTEGER, started_s REAL, ended_s REAL, query_id TEXT,
    fingerprint TEXT, scanned INTEGER, billed INTEGER);"""
_SORTED = """SELECT statement, started_s, ended_s, query_id, fingerprint, scanned, billed FROM ran
    WHERE statement IN (SELECT statement FROM ran GROUP BY statement HAVING count(*) > 1)
    ORDER BY statement, started_s, query_id"""

# Such statements have another result each time: Athena does not reuse it.
_CHANGING = re.compile(
    r"\b(?:now|rand|random|uuid|shuffle)\s*\(|\bcurrent_(?:date|time|timestamp)\b"
    r"|\blocaltime(?:stamp)?\b",
    re.IGNORECASE,
)


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
        started, ended = _seconds(ran.submitted_at), _seconds(ran.ended_at)
        if ended is None or not self._is_reusable(ran):
            return

        statement = hash((ran.query, ran.catalog, ran.schema, ran.workgroup, ran.scanned_bytes))
        self._rows.append(
            (
                *(statement, ended if started is None else started, ended, ran.query_id),
                *(ran.fingerprint, ran.scanned_bytes, ran.billed_bytes),
            )
        )
        if len(self._rows) >= _ROWS_AT_ONCE:
            self._write()

    def _is_reusable(self, ran: Ran) -> bool:
        return (
            ran.statement in ("SELECT", "DML", "")
            and all(
                each.event_type == "READ" and each.catalog.lower() not in self._federated
                for each in ran.touched
            )
            and not _CHANGING.search(ran.query)
        )

    def _write(self) -> None:
        self._connection.executemany("INSERT INTO ran VALUES (?, ?, ?, ?, ?, ?, ?)", self._rows)
        self._rows = []

    def found(self) -> Iterator[Repeat]:
        """Yield what result reuse would have saved."""
        self._write()
        for _, group in groupby(self._connection.execute(_SORTED), key=itemgetter(0)):
            result_s = float("-inf")
            running: list[float] = []
            for _, started_s, ended_s, *row in group:
                while running and running[0] <= started_s:
                    result_s = heapq.heappop(running)

                if started_s - result_s <= REUSE_S:
                    yield Repeat(*row)
                else:
                    heapq.heappush(running, ended_s)


def _seconds(text: str) -> float | None:
    moment = time_of(text)
    return moment.timestamp() if moment else None
