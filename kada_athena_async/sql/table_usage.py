"""Reads and writes of each table, by day and user, counted on disk."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from hashlib import blake2b
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

from kada_athena_async.files.database import open_database
from kada_athena_async.records import EventRecord, QueryRecord, UsageRecord, ViewRecord

_NAMES = "server, catalog, schema_, table_, usage_date, user_, event_type"
_SCRIPT = f"""
    PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;
    CREATE TABLE names ({_NAMES}, id, PRIMARY KEY ({_NAMES})) WITHOUT ROWID;
    CREATE TABLE uses (
        id, fingerprint, executions, failed, scanned_high, scanned_low, last_at,
        PRIMARY KEY (id, fingerprint)
    ) WITHOUT ROWID;
"""
_NAME = "INSERT OR IGNORE INTO names VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
_COUNT = """
    INSERT INTO uses VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
        executions = executions + excluded.executions,
        failed = failed + excluded.failed,
        scanned_high = scanned_high + excluded.scanned_high,
        scanned_low = scanned_low + excluded.scanned_low,
        last_at = max(coalesce(last_at, excluded.last_at), coalesce(excluded.last_at, last_at))
"""
_TOTALS = f"""
    SELECT {_NAMES}, sum(executions), sum(failed), count(*), sum(scanned_high), sum(scanned_low),
        max(last_at)
    FROM names CROSS JOIN uses USING (id) GROUP BY {_NAMES} ORDER BY {_NAMES}
"""  # noqa: S608 - the names are ours
_HALF = 1 << 32
_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MICROSECOND = timedelta(microseconds=1)
_ROWS_AT_ONCE = 500
_IDS_HELD = 4_096
_COUNTED = ("READ", "WRITE")


class Use(NamedTuple):
    """Executions of one statement, of one user and day, that read or wrote a table."""

    server: str
    catalog: str
    schema: str
    table: str
    usage_date: str
    user: str
    event_type: str
    fingerprint: str
    executions: int
    failed_executions: int
    scanned_bytes: int
    last_at: datetime | None


class TableUsage:
    """Counts the use of tables by a run's executions.

    Statements are distinguished to the end, so that distinct ones are counted exactly. They are
    counted as they come, in a file: at the end nothing is left to be sorted.

    Args:
        path: A new file of its own, for the caller to remove.
    """

    def __init__(self, path: Path) -> None:
        self._file = open_database(path, _SCRIPT)
        self._id = lru_cache(_IDS_HELD)(self._new_id)

    def add(self, uses: Iterable[Use]) -> None:
        """Count some uses.

        Raises:
            sqlite3.Error: The disk refuses.
        """
        with self._file:
            self._file.executemany(_COUNT, map(self._row, uses))

    def _row(self, use: Use) -> tuple[object, ...]:
        # In halves, because the sum of 64-bit numbers is none.
        high, low = divmod(use.scanned_bytes, _HALF)
        counts = (use.executions, use.failed_executions, high, low)
        last_at = use.last_at and (use.last_at - _EPOCH) // _MICROSECOND
        return (self._id(*use[:7]), use.fingerprint, *counts, last_at)

    def _new_id(self, *names: str) -> bytes:
        """The digest of *names*, which takes a fifth of their room beside each statement."""
        text = "\0".join(names).encode("utf-8", "surrogatepass")
        id_ = blake2b(text, digest_size=16).digest()
        self._file.execute(_NAME, (*names, id_))
        return id_

    def rows(self) -> Iterator[list[UsageRecord]]:
        """A row for each table, day, user and way, in this order; to be called once."""
        rows = self._file.execute(_TOTALS)
        while found := rows.fetchmany(_ROWS_AT_ONCE):
            yield [_record(row) for row in found]

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()


def uses_of(
    batch: Sequence[QueryRecord | ViewRecord], happened: Iterable[EventRecord]
) -> Iterator[Use]:
    """Yield the uses that are events of the executions in *batch*.

    The bytes of an execution are shared evenly among the tables that it read. S3 locations are
    no tables.
    """
    executions = {r.query_id: r for r in batch if isinstance(r, QueryRecord)}
    for query_id, events in groupby(happened, key=lambda event: event.query_id):
        yield from _uses(executions[query_id], list(events))


def _uses(execution: QueryRecord, events: Sequence[EventRecord]) -> Iterator[Use]:
    touched = dict.fromkeys(
        (event.event_type, event.catalog, event.schema or "", event.table)
        for event in events
        if event.event_type in _COUNTED and event.catalog is not None
    )
    readers = sum(what == "READ" for what, *_ in touched)
    share, rest = divmod(execution.scanned_bytes or 0, readers) if readers else (0, 0)
    at = execution.completed_at or execution.submitted_at
    number = 0
    for what, catalog, schema, table in touched:
        # No byte is lost by the division: the first tables take one more each.
        scanned = share + (number < rest) if what == "READ" else 0
        number += what == "READ"
        yield Use(
            server=execution.server,
            catalog=catalog or "",
            schema=schema,
            table=table,
            usage_date=f"{at.astimezone(timezone.utc):%Y-%m-%d}" if at else "",
            user=execution.user,
            event_type=what,
            # Without a fingerprint nobody can say that two statements are the same.
            fingerprint=execution.fingerprint or execution.query_id,
            executions=1,
            failed_executions=int(execution.status == "FAILED"),
            scanned_bytes=scanned,
            last_at=at,
        )


def _record(row: tuple[Any, ...]) -> UsageRecord:
    *names, executions, failed, statements, high, low, last = row
    server, catalog, schema, table, usage_date, user, event_type = names
    return UsageRecord(
        server=server,
        catalog=catalog,
        schema=schema,
        table=table,
        usage_date=usage_date or None,
        user=user,
        event_type=event_type,
        executions=executions,
        failed_executions=failed,
        distinct_statements=statements,
        scanned_bytes=high * _HALF + low,
        last_at=None if last is None else _EPOCH + last * _MICROSECOND,
    )
