"""Packages: a published manifest and the extracts that it names."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from io import BufferedReader, FileIO, RawIOBase, TextIOWrapper
from itertools import islice
from operator import itemgetter
from pathlib import Path
from typing import BinaryIO, cast

from isal import igzip

from kada_athena_async.errors import StateError
from kada_athena_async.files import Files
from kada_athena_async.manifest import (
    Manifest,
    ManifestFile,
    PublishedPackage,
    manifest_paths,
    published_names,
    read_manifest,
)
from kada_athena_async.records import RECORD_TYPES, Record
from kada_athena_async.sinks.part_reader import parsers_of, reading, torn

_NAMED = 5
_LATER = -1
_BLOCK_BYTES = 256 * 1024
_ROWS_AT_ONCE = 32  # of the longest statements that is 8 MB

# A statement has 262,144 bytes at most (Athena service quotas) and a Glue view text 409,600
# characters; the parameters of a table are limited by nobody but Glue's size of a table.
_MAX_FIELD_CHARS = 8 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Package(PublishedPackage[Manifest]):
    """A published package whose extracts can be read."""

    def check(self, files: Files) -> None:
        """Read every extract once and see that it is what the manifest says.

        Raises:
            StateError: One is missing, or holds other bytes.
        """
        for file in self.manifest.files:
            path = self.path.parent / file.name
            with reading(self, path):
                is_whole = files.digest(path).sha256 == file.sha256

            if not is_whole:
                raise torn(self, path)

    def rows(self, kind: str, *columns: str) -> Iterator[tuple[str, ...]]:
        """Yield *columns* of each row of the extracts of *kind*, as texts; an empty one is null.

        Of a file that an earlier version wrote, columns that came later are empty. Few rows are
        held at a time. Of a file that is not what the manifest says rows may have come
        before that is found out.

        Raises:
            StateError: A file is missing, torn, or lacks one of *columns*.
        """
        for file in self.manifest.files:
            if file.kind == kind:
                lines = self._lines(file)
                header = next(lines)
                places = [self._place(file, header, column) for column in columns]
                if len(places) > 1 and min(places) >= 0:
                    yield from map(itemgetter(*places), lines)
                    continue

                for line in lines:
                    yield tuple([line[place] if place >= 0 else "" for place in places])

    def records(self, kind: str) -> Iterator[Record]:
        """Yield the records of *kind*; a column that an earlier version did not write has its
        default.

        One record is held at a time, as in ``rows``.

        Raises:
            StateError: As ``rows``.
        """
        make = RECORD_TYPES[kind]
        for file in self.manifest.files:
            if file.kind == kind:
                lines = self._lines(file)
                header = next(lines)
                defaults = make._field_defaults
                known = [name for name in make._fields if name in header or name not in defaults]
                places = [self._place(file, header, name) for name in known]
                parse = [parsers_of(kind)[make._fields.index(name)] for name in known]
                for line in lines:
                    try:
                        values = [read(line[at]) for read, at in zip(parse, places, strict=True)]
                    except ValueError:
                        raise torn(self, self.path.parent / file.name) from None

                    yield make(**{**defaults, **dict(zip(known, values, strict=True))})

    def _lines(self, file: ManifestFile) -> Iterator[list[str]]:
        """The header of an extract, then its rows."""
        path = self.path.parent / file.name
        # The limit is the process's; it only ever grows.
        csv.field_size_limit(max(csv.field_size_limit(), _MAX_FIELD_CHARS))
        count = 0
        with reading(self, path):
            if path.stat().st_size != file.size_bytes:
                raise torn(self, path)

            with path.open("rb", buffering=0) as raw, _Hashing(raw) as hashing:
                reader = csv.reader(_text_of(hashing, path), strict=True)
                header = next(reader, [])
                yield header
                while rows := list(islice(reader, _ROWS_AT_ONCE)):
                    if {*map(len, rows)} != {len(header)}:
                        raise torn(self, path)
                    yield from rows
                    count += len(rows)
                is_whole = hashing.hash.hexdigest() == file.sha256

        if count != file.rows or not is_whole:
            raise torn(self, path)

    def _place(self, file: ManifestFile, header: list[str], column: str) -> int:
        if column in header:
            return header.index(column)

        known = RECORD_TYPES[file.kind]._fields if file.kind in RECORD_TYPES else ()
        if column in known[len(header) :] and tuple(header) == known[: len(header)]:
            return _LATER

        path = self.path.parent / file.name
        raise StateError(
            f"{path} has no column {column!r}: another version of this package wrote it",
            hint="extract that window again with this version",
        )


class _Hashing(RawIOBase):
    """Hashes a file as it is read."""

    def __init__(self, raw: FileIO) -> None:
        self._raw = raw
        self.hash = sha256()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        size = self._raw.readinto(buffer)
        self.hash.update(memoryview(buffer)[:size])
        return size


def _text_of(raw: RawIOBase, path: Path) -> TextIOWrapper:
    """The text of an extract, plain or gzip, in which line ends stay as they are."""
    binary: BinaryIO = cast(BinaryIO, BufferedReader(raw, _BLOCK_BYTES))
    if path.suffix == ".gz":
        binary = igzip.IGzipFile(fileobj=binary)  # type: ignore[no-untyped-call,assignment]

    return TextIOWrapper(binary, encoding="utf-8", newline="")


def packages(output_path: Path, name: str) -> list[Package]:
    """All packages of *name* in *output_path*, oldest window first; blocks.

    Raises:
        StateError: There is none, or a manifest is damaged.
    """
    return newest_packages(output_path, name, Files(), count=None)[::-1]


def newest_packages(
    output_path: Path, name: str, files: Files, *, count: int | None
) -> list[Package]:
    """The last *count* packages of *name* in *output_path*, newest first; all if it is None.

    Raises:
        StateError: There is none, or a manifest is damaged.
    """
    try:
        paths = manifest_paths(output_path, name, files)
    except (FileNotFoundError, NotADirectoryError):
        paths = []

    found = [read_manifest(path, files) for path in paths[::-1][:count]]
    published = [
        Package(path=p.path, size_bytes=p.size_bytes, sha256=p.sha256, manifest=p.manifest)
        for p in found
        if p
    ]
    if not published:
        raise _none_of(output_path, name, files)

    return published


def _none_of(output_path: Path, name: str, files: Files) -> StateError:
    try:
        others = published_names(output_path, files)
    except OSError:
        others = []

    hint = (
        "extract first, or name the directory and the collector's name with --output-path "
        "and `name=...`"
    )
    if others:
        more = f" and {len(others) - _NAMED} more" if len(others) > _NAMED else ""
        hint = f"`name=...` with one of those that are there: {', '.join(others[:_NAMED])}{more}"
    return StateError(f"there are no extracts of {name!r} in {output_path}", hint=hint)
