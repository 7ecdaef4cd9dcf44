"""Ids of executions, and principals, in the extracts of published packages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from kada_athena_async.files.threads import in_thread
from kada_athena_async.hwm import HeldPrincipals, IdSet
from kada_athena_async.hwm.window import HWM_FORMAT
from kada_athena_async.manifest import PublishedPackage
from kada_athena_async.sinks.part_reader import read_values, reading, time_of


async def published_ids(packages: Sequence[PublishedPackage]) -> IdSet:
    """The ids of all executions in the files of *packages*; a file that was moved away has none.

    Raises:
        StateError: A file is damaged, or cannot be read.
    """

    def look() -> IdSet:
        ids = IdSet()
        for (query_id,) in _rows(packages, "databaselog", "query_id"):
            ids.add(query_id)

        return ids

    return await in_thread(look)


def _rows(packages: Sequence[PublishedPackage], kind: str, *columns: str) -> Iterator[list[str]]:
    for package in packages:
        for path in package.extracts(kind):
            if path.exists():
                with reading(package, path):
                    yield from read_values(path, *columns)


@dataclass(frozen=True, slots=True)
class HeldExecutions:
    """Executions that packages hold.

    Attributes:
        ids: All of them.
        counts: Number of them by workgroup.
        early: By workgroup, those that were submitted before the window.
        forgotten: Number of those that Athena has forgotten.
    """

    ids: IdSet = field(default_factory=IdSet)
    counts: Counter[str] = field(default_factory=Counter)
    early: dict[str, list[str]] = field(default_factory=dict)
    forgotten: int = 0


async def held_executions(
    packages: Sequence[PublishedPackage], start: datetime, kept_since: datetime
) -> HeldExecutions:
    """The executions that *packages* of one window hold.

    Args:
        start: Of the window.
        kept_since: What was submitted before is forgotten.

    Raises:
        StateError: As ``published_ids``.
    """

    def look() -> HeldExecutions:
        held, forgotten = HeldExecutions(), 0
        columns = ("query_id", "workgroup", "submitted_at")
        for query_id, workgroup, submitted_at in _rows(packages, "databaselog", *columns):
            held.ids.add(query_id)
            held.counts[workgroup] += 1
            if submitted_at < f"{start:{HWM_FORMAT}}":
                held.early.setdefault(workgroup, []).append(query_id)

            forgotten += "" < submitted_at < f"{kept_since:{HWM_FORMAT}}"

        return replace(held, forgotten=forgotten)

    return await in_thread(look)


async def held_principals(
    packages: Sequence[PublishedPackage], start: datetime, own: Container[str]
) -> HeldPrincipals:
    """The principals that *packages* hold.

    Args:
        start: Stands for a time that is not known, and for that of the oldest event if it is later.
        own: Executions of *packages*.

    Raises:
        StateError: As ``published_ids``.
    """

    def look() -> HeldPrincipals:
        late: dict[str, datetime] = {}
        oldest = start
        columns = ("query_id", "event_time")
        for query_id, event_time in _rows(packages, "query_principals", *columns):
            at = time_of(event_time) or start
            oldest = min(oldest, at)
            if query_id not in own:
                late[query_id] = at

        return HeldPrincipals(late=late, since=oldest)

    return await in_thread(look)
