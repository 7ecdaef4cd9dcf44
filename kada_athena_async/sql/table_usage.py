"""Reads and writes of each table, by day and user, counted in bounded memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timezone
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from kada_athena_async.records import EventRecord, QueryRecord, UsageRecord, ViewRecord
from kada_athena_async.sql.merging import MAX_HELD, Key, Merging, in_batches

_ROWS_AT_ONCE = 500
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


class TableUsage(Merging[Use]):
    """Counts the use of tables by a run's executions.

    Statements are distinguished to the end, so that distinct ones are counted exactly.

    Args:
        directory: Where the temporary files may lie.
    """

    def __init__(self, directory: Path, *, max_held: int = MAX_HELD) -> None:
        super().__init__(directory, key=_key, merged=_merged, make=Use._make, max_held=max_held)

    def rows(self) -> Iterator[list[UsageRecord]]:
        """A row for each table, day, user and way, in this order; to be called once."""
        groups = groupby(self.merged_rows(), key=lambda use: _key(use)[:-1])
        return in_batches((_record(list(uses)) for _, uses in groups), _ROWS_AT_ONCE)


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


def _key(use: Use) -> Key:
    return use[:8]


def _merged(one: Use, other: Use) -> Use:
    lasts = [use.last_at for use in (one, other) if use.last_at]
    return one._replace(
        executions=one.executions + other.executions,
        failed_executions=one.failed_executions + other.failed_executions,
        scanned_bytes=one.scanned_bytes + other.scanned_bytes,
        last_at=max(lasts) if lasts else None,
    )


def _record(uses: Sequence[Use]) -> UsageRecord:
    first = uses[0]
    lasts = [use.last_at for use in uses if use.last_at]
    return UsageRecord(
        server=first.server,
        catalog=first.catalog,
        schema=first.schema,
        table=first.table,
        usage_date=first.usage_date or None,
        user=first.user,
        event_type=first.event_type,
        executions=sum(use.executions for use in uses),
        failed_executions=sum(use.failed_executions for use in uses),
        distinct_statements=len(uses),
        scanned_bytes=sum(use.scanned_bytes for use in uses),
        last_at=max(lasts) if lasts else None,
    )
