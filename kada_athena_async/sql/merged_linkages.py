"""Linkages of a run, one row an edge however many executions show it, in bounded memory."""

from __future__ import annotations

import heapq
import pickle
from collections.abc import Iterable, Iterator
from functools import reduce
from itertools import groupby, islice
from operator import itemgetter
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, TypeAlias

from kada_athena_async.records import LinkageRecord

MAX_HELD = 10_000
"""Rows held before they are written to disk: some 10 MB."""

MAX_FILES = 64
"""Files that are read side by side; more are merged into one first."""

_ROWS_AT_ONCE = 500
_SURE = ("exact", "table", "partial")

_KEY_FIELDS = [
    LinkageRecord._fields.index(name)
    for name in LinkageRecord._fields
    if name not in ("query_id", "confidence", "executions", "first_at", "last_at")
]

_Keyed: TypeAlias = "tuple[tuple[str, ...], LinkageRecord]"


class LinkageMerger:
    """Merges the linkages of a run: the same edge, kind and way count as one row.

    An ordinary run has a few thousand edges, a hostile history any number: what exceeds *max_held*
    is sorted into temporary files, which vanish with this object.

    Args:
        directory: Where the temporary files may lie.
    """

    def __init__(self, directory: Path, *, max_held: int = MAX_HELD) -> None:
        self._directory = directory
        self._max_held = max_held
        self._held: dict[tuple[str, ...], LinkageRecord] = {}
        self._files: list[IO[bytes]] = []

    def add(self, rows: Iterable[LinkageRecord]) -> None:
        """Take some rows.

        Raises:
            OSError: The disk refuses.
        """
        for row in rows:
            key = _key(row)
            before = self._held.get(key)
            self._held[key] = row if before is None else merged(before, row)
            if len(self._held) > self._max_held:
                self._spill()

    def rows(self) -> Iterator[list[LinkageRecord]]:
        """All edges in the order of their names, in batches; to be called once."""
        rows = (row for _, row in _merge([*map(_read, self._files), self._sorted()]))
        while batch := list(islice(rows, _ROWS_AT_ONCE)):
            yield batch

    def close(self) -> None:
        """Remove the temporary files."""
        for file in self._files:
            file.close()
        self._files = []

    def _sorted(self) -> Iterator[_Keyed]:
        return iter(sorted(self._held.items(), key=itemgetter(0)))

    def _spill(self) -> None:
        self._files.append(self._written(self._sorted()))
        self._held = {}
        if len(self._files) >= MAX_FILES:
            whole = self._written(_merge([*map(_read, self._files)]))
            self.close()
            self._files = [whole]

    def _written(self, items: Iterator[_Keyed]) -> IO[bytes]:
        file = TemporaryFile(dir=self._directory)  # noqa: SIM115 - lives as long as this object
        for _, row in items:
            pickle.dump(tuple(row), file)
        return file


def merged(one: LinkageRecord, other: LinkageRecord) -> LinkageRecord:
    """Two rows of one edge as one: the newest execution names it, the surest says how sure."""
    newest = max((one, other), key=_recency)
    firsts = [row.first_at for row in (one, other) if row.first_at]
    lasts = [row.last_at for row in (one, other) if row.last_at]
    counts = [row.executions for row in (one, other) if row.executions is not None]
    return newest._replace(
        confidence=min(one.confidence, other.confidence, key=_SURE.index),
        executions=sum(counts) if counts else None,
        first_at=min(firsts) if firsts else None,
        last_at=max(lasts) if lasts else None,
    )


def _recency(row: LinkageRecord) -> tuple[bool, float, str]:
    at = row.last_at.timestamp() if row.last_at else 0.0
    return row.query_id is not None, at, row.query_id or ""


def _key(row: LinkageRecord) -> tuple[str, ...]:
    return tuple(str(row[i] or "") for i in _KEY_FIELDS)


def _read(file: IO[bytes]) -> Iterator[_Keyed]:
    file.seek(0)
    while True:
        try:
            # Our own rows, in a file that nobody else can open.
            row = LinkageRecord._make(pickle.load(file))  # noqa: S301
        except EOFError:
            return
        yield _key(row), row


def _merge(sources: Iterable[Iterator[_Keyed]]) -> Iterator[_Keyed]:
    first = itemgetter(0)
    for key, items in groupby(heapq.merge(*sources, key=first), key=first):
        yield key, reduce(merged, (row for _, row in items))
