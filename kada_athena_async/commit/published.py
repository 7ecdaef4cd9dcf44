"""Ids of executions, and principals, in the extracts of published packages."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
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


async def submitted_before(
    packages: Sequence[PublishedPackage], start: datetime
) -> dict[str, list[str]]:
    """By workgroup, the executions in *packages* that were submitted before *start*.

    Raises:
        StateError: As ``published_ids``.
    """

    def look() -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        columns = ("query_id", "workgroup", "submitted_at")
        for query_id, workgroup, submitted_at in _rows(packages, "databaselog", *columns):
            if submitted_at < f"{start:{HWM_FORMAT}}":
                found.setdefault(workgroup, []).append(query_id)

        return found

    return await in_thread(look)


async def check_kept(package: PublishedPackage, kept_since: datetime) -> None:
    """Refuse to replace *package* if Athena has forgotten executions that it holds.

    Args:
        kept_since: When the oldest execution was submitted that can still be asked for.

    Raises:
        StateError: It has; and as ``published_ids``.
    """
    limit = f"{kept_since:{HWM_FORMAT}}"

    def count() -> int:
        return sum("" < at < limit for (at,) in _rows([package], "databaselog", "submitted_at"))

    if forgotten := await in_thread(count):
        raise StateError(
            f"{package.path} holds executions that Athena has forgotten ({forgotten}, submitted "
            f"before {limit} UTC): extracted again it would lose them",
            hint="leave it as it is; or move it and its files away, and what Athena still has of "
            "its window is extracted as a new package",
        )


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
