"""The packages of an instance that are published: their windows, whose they are, their ids."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

import msgspec

from kada_athena_async.commit.manifest import MANIFEST_VERSION, REMEDY, manifest_paths
from kada_athena_async.files import Files, read_document
from kada_athena_async.files.digest import FileName
from kada_athena_async.files.threads import in_thread
from kada_athena_async.hwm import IdSet, Origin, Window
from kada_athena_async.sinks.part_reader import read_values


class _File(msgspec.Struct, frozen=True):
    name: FileName
    kind: str


class _Carried(msgspec.Struct, frozen=True):
    hwm: datetime
    origin: Origin | None = None


class _Manifest(msgspec.Struct, frozen=True):
    """The few fields that a window depends on; ids of executions are not decoded."""

    start: datetime
    end: datetime
    files: tuple[_File, ...]
    carried: _Carried


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedPackage:
    """A manifest and its window.

    Attributes:
        origin: Whose it is; None in packages of earlier versions.
        databaselogs: The files that hold its executions.
        principals: Those that hold their principals.
    """

    path: Path
    window: Window
    origin: Origin | None
    databaselogs: tuple[Path, ...]
    principals: tuple[Path, ...] = ()

    @property
    def is_packed(self) -> bool | None:
        """True if its files are gzipped; None if that is not known."""
        return self.databaselogs[0].suffix == ".gz" if self.databaselogs else None


async def published_packages(
    output_path: Path, name: str, files: Files
) -> tuple[PublishedPackage, ...]:
    """The packages of *name* in *output_path*, by the end of their windows, oldest first.

    Raises:
        StateError: A manifest is junk, or newer than this package.
    """

    def look() -> tuple[PublishedPackage, ...]:
        found = (_read(path, files) for path in manifest_paths(output_path, name, files))
        return tuple(package for package in found if package is not None)

    return await in_thread(look)


async def published_ids(packages: Sequence[PublishedPackage]) -> IdSet:
    """The ids of all executions in the files of *packages*; a file that was moved away has none.

    Raises:
        ValueError: A file is no extract.
        OSError: It cannot be read.
    """
    return await in_thread(lambda: _ids(path for p in packages for path in p.databaselogs))


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
        for path in (path for package in packages for path in package.databaselogs):
            if path.exists():
                columns = ("query_id", "workgroup", "submitted_at")
                for query_id, workgroup, submitted_at in read_values(path, *columns):
                    if submitted_at < f"{start:%Y-%m-%d %H:%M:%S}":
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
        for path in (path for package in packages for path in package.principals):
            if path.exists():
                for query_id, event_time in read_values(path, "query_id", "event_time"):
                    at = _moment(event_time) or start
                    oldest = min(oldest, at)
                    if query_id not in own:
                        late[query_id] = at

        return late, oldest

    return await in_thread(look)


def _moment(text: str) -> datetime | None:
    return datetime.fromisoformat(text).replace(tzinfo=timezone.utc) if text else None


def _read(path: Path, files: Files) -> PublishedPackage | None:
    manifest = read_document(files, path, _Manifest, newest=MANIFEST_VERSION, remedy=REMEDY)
    if manifest is None:
        return None

    def of_kind(kind: str) -> tuple[Path, ...]:
        return tuple(path.parent / file.name for file in manifest.files if file.kind == kind)

    return PublishedPackage(
        path=path,
        window=Window(manifest.start, manifest.end),
        origin=manifest.carried.origin,
        databaselogs=of_kind("databaselog"),
        principals=of_kind("query_principals"),
    )
