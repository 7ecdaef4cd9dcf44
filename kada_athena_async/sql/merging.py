"""Rows with one key as one row, however many there are, in bounded memory."""

from __future__ import annotations

import heapq
import pickle
from collections.abc import Callable, Iterable, Iterator
from functools import reduce
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Generic, TypeAlias, TypeVar

MAX_HELD = 10_000
"""Rows held before they are put aside on disk: some 10 MB."""

MAX_FILES = 64
"""Files that are read side by side; more are merged into one first."""

Key: TypeAlias = "tuple[str, ...]"
RowT = TypeVar("RowT", bound=tuple)  # type: ignore[type-arg]  # a NamedTuple of any fields


class Merging(Generic[RowT]):
    """Merges the rows that have the same key.

    What exceeds *max_held* is sorted into temporary files, which vanish with this object.

    Args:
        directory: Where the temporary files may lie.
        key: Key of a row.
        merged: One row of two with the same key.
        make: A row of its fields.
    """

    def __init__(
        self,
        directory: Path,
        *,
        key: Callable[[RowT], Key],
        merged: Callable[[RowT, RowT], RowT],
        make: Callable[[Iterable[object]], RowT],
        max_held: int = MAX_HELD,
    ) -> None:
        self._directory = directory
        self._key = key
        self._merged = merged
        self._make = make
        self._max_held = max_held
        self._held: dict[Key, RowT] = {}
        self._files: list[IO[bytes]] = []

    def add(self, rows: Iterable[RowT]) -> None:
        """Take some rows.

        Raises:
            OSError: The disk refuses.
        """
        for row in rows:
            key = self._key(row)
            before = self._held.get(key)
            self._held[key] = row if before is None else self._merged(before, row)
            if len(self._held) > self._max_held:
                self._put_aside()

    def merged_rows(self) -> Iterator[RowT]:
        """All rows in the order of their keys; to be called once."""
        held = iter(sorted(self._held.items(), key=itemgetter(0)))
        for _, row in self._merge([*map(self._read, self._files), held]):
            yield row

    def close(self) -> None:
        """Remove the temporary files."""
        for file in self._files:
            file.close()
        self._files = []

    def _put_aside(self) -> None:
        held = iter(sorted(self._held.items(), key=itemgetter(0)))
        self._files.append(self._written(held))
        self._held = {}
        if len(self._files) >= MAX_FILES:
            whole = self._written(self._merge([*map(self._read, self._files)]))
            self.close()
            self._files = [whole]

    def _written(self, items: Iterator[tuple[Key, RowT]]) -> IO[bytes]:
        file = TemporaryFile(dir=self._directory)  # noqa: SIM115 - lives as long as this object
        for _, row in items:
            pickle.dump(tuple(row), file)
        return file

    def _read(self, file: IO[bytes]) -> Iterator[tuple[Key, RowT]]:
        file.seek(0)
        while True:
            try:
                # Our own rows, in a file that nobody else can open.
                row = self._make(pickle.load(file))  # noqa: S301
            except EOFError:
                return
            yield self._key(row), row

    def _merge(self, sources: Iterable[Iterator[tuple[Key, RowT]]]) -> Iterator[tuple[Key, RowT]]:
        first = itemgetter(0)
        for key, items in groupby(heapq.merge(*sources, key=first), key=first):
            yield key, reduce(self._merged, (row for _, row in items))


def in_batches(rows: Iterable[RowT], size: int) -> Iterator[list[RowT]]:
    """*rows* as lists of *size*, the last one shorter."""
    batch: list[RowT] = []
    for row in rows:
        batch.append(row)
        if len(batch) == size:
            yield batch
            batch = []

    if batch:
        yield batch
