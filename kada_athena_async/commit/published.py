"""Ids of executions, and principals, in the extracts of published packages."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from datetime import datetime
from pathlib import Path

from kada_athena_async.files.threads import in_thread
from kada_athena_async.hwm import IdSet
from kada_athena_async.hwm.window import HWM_FORMAT
from kada_athena_async.manifest import PublishedPackage
from kada_athena_async.sinks.part_reader import read_values, time_of


async def published_ids(packages: Sequence[PublishedPackage]) -> IdSet:
    """The ids of all executions in the files of *packages*; a file that was moved away has none.

    Raises:
        ValueError: A file is no extract.
        OSError: It cannot be read.
    """
    return await in_thread(
        lambda: _ids(path for p in packages for path in p.extracts("databaselog"))
    )


def _ids(paths: Iterable[Path]) -> IdSet:
    ids = IdSet()
    for path in paths:
        if path.exists():
            for (query_id,) in read_values(path, "query_id"):
                ids.add(query_id)

    return ids


async def submitted_before(
    packages: Sequence[PublishedPackage], start: datetime
) -> dict[str, list[str]]:
    """By workgroup, the executions in *packages* that were submitted before *start*.

    Raises:
        ValueError, OSError: As ``published_ids``.
    """

    def look() -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for path in (path for p in packages for path in p.extracts("databaselog")):
            if path.exists():
                columns = ("query_id", "workgroup", "submitted_at")
                for query_id, workgroup, submitted_at in read_values(path, *columns):
                    if submitted_at < f"{start:{HWM_FORMAT}}":
                        found.setdefault(workgroup, []).append(query_id)

        return found

    return await in_thread(look)


async def held_principals(
    packages: Sequence[PublishedPackage], start: datetime, own: Container[str]
) -> tuple[dict[str, datetime], datetime]:
    """The principals that *packages* hold.

    Args:
        start: Stands for a time that is not known.
        own: Executions of *packages*.

    Returns:
        The executions of other packages with the times of their events, and the time of the oldest
        event, at most *start*.

    Raises:
        ValueError, OSError: As ``published_ids``.
    """

    def look() -> tuple[dict[str, datetime], datetime]:
        late: dict[str, datetime] = {}
        oldest = start
        for path in (path for p in packages for path in p.extracts("query_principals")):
            if path.exists():
                for query_id, event_time in read_values(path, "query_id", "event_time"):
                    at = time_of(event_time) or start
                    oldest = min(oldest, at)
                    if query_id not in own:
                        late[query_id] = at

        return late, oldest

    return await in_thread(look)
