"""Linkages of a run, one row an edge however many executions show it, in bounded memory."""

from __future__ import annotations

import heapq
import pickle
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from functools import reduce
from itertools import groupby, islice
from operator import itemgetter
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any, NamedTuple, TypeAlias

from kada_athena_async.records import LinkageRecord

MAX_HELD = 10_000
"""Edges held before they are written to disk: some 4 MB."""

MAX_FILES = 64
"""Files that are read side by side; more are merged into one first."""

_ROWS_AT_ONCE = 500
_SURE = ("exact", "table", "partial")
_SEPARATOR = "\x00"


class _Seen(NamedTuple):
    """The fields of a row that say which executions showed an edge; the others are its name."""

    query_id: str | None
    confidence: str
    executions: int | None
    first_at: datetime | None
    last_at: datetime | None


_SEEN_PLACES = [LinkageRecord._fields.index(name) for name in _Seen._fields]
_NAME_PLACES = [at for at in range(len(LinkageRecord._fields)) if at not in _SEEN_PLACES]
_seen_of: Callable[[LinkageRecord], tuple[Any, ...]] = itemgetter(*_SEEN_PLACES)
_names_of: Callable[[LinkageRecord], tuple[Any, ...]] = itemgetter(*_NAME_PLACES)

_Edge: TypeAlias = "tuple[str, _Seen]"
"""The names of an edge, joined, which takes a third of the room of a row, and who showed it."""


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
        self._held: dict[str, _Seen] = {}
        self._files: list[IO[bytes]] = []

    def add(self, rows: Iterable[LinkageRecord]) -> None:
        """Take some rows.

        Raises:
            OSError: The disk refuses.
        """
        last: _Seen | None = None
        for row in rows:
            key, seen = _key(row), _Seen._make(_seen_of(row))
            # A statement shows dozens of edges.
            last = seen = last if last == seen else seen
            before = self._held.get(key)
            self._held[key] = seen if before is None else _merged(before, seen)
            if len(self._held) > self._max_held:
                self._spill()

    def rows(self) -> Iterator[list[LinkageRecord]]:
        """All edges in the order of their names, in batches; to be called once."""
        edges = _merge([*map(_read, self._files), self._sorted()])
        rows = (_row(key, seen) for key, seen in edges)
        while batch := list(islice(rows, _ROWS_AT_ONCE)):
            yield batch

    def close(self) -> None:
        """Remove the temporary files."""
        for file in self._files:
            file.close()
        self._files = []

    def _sorted(self) -> Iterator[_Edge]:
        return ((key, self._held[key]) for key in sorted(self._held))

    def _spill(self) -> None:
        self._files.append(self._written(self._sorted()))
        self._held = {}
        if len(self._files) >= MAX_FILES:
            whole = self._written(_merge([*map(_read, self._files)]))
            self.close()
            self._files = [whole]

    def _written(self, edges: Iterator[_Edge]) -> IO[bytes]:
        file = TemporaryFile(dir=self._directory)  # noqa: SIM115 - lives as long as this object
        for key, seen in edges:
            pickle.dump((key, tuple(seen)), file)
        return file


def _merged(one: _Seen, other: _Seen) -> _Seen:
    """Two rows of one edge as one: the newest execution names it, the surest says how sure."""
    newest = max((one, other), key=_recency)
    firsts = [seen.first_at for seen in (one, other) if seen.first_at]
    lasts = [seen.last_at for seen in (one, other) if seen.last_at]
    counts = [seen.executions for seen in (one, other) if seen.executions is not None]
    return newest._replace(
        confidence=min(one.confidence, other.confidence, key=_SURE.index),
        executions=sum(counts) if counts else None,
        first_at=min(firsts) if firsts else None,
        last_at=max(lasts) if lasts else None,
    )


def _recency(seen: _Seen) -> tuple[bool, float, str]:
    at = seen.last_at.timestamp() if seen.last_at else 0.0
    return seen.query_id is not None, at, seen.query_id or ""


def _key(row: LinkageRecord) -> str:
    """The names of a row, joined: in the order of the joined texts they are sorted by name."""
    names = [name or "" for name in _names_of(row)]
    key = _SEPARATOR.join(names)
    if key.count(_SEPARATOR) < len(names):
        return key

    # As the extract would have it.
    return _SEPARATOR.join(name.replace(_SEPARATOR, "\ufffd") for name in names)


def _row(key: str, seen: _Seen) -> LinkageRecord:
    values: list[Any] = [None] * len(LinkageRecord._fields)
    for at, name in zip(_NAME_PLACES, key.split(_SEPARATOR), strict=True):
        values[at] = name or None
    for at, value in zip(_SEEN_PLACES, seen, strict=True):
        values[at] = value
    return LinkageRecord._make(values)


def _read(file: IO[bytes]) -> Iterator[_Edge]:
    file.seek(0)
    while True:
        try:
            # Our own rows, in a file that nobody else can open.
            key, seen = pickle.load(file)  # noqa: S301
        except EOFError:
            return
        yield key, _Seen._make(seen)


def _merge(sources: Iterable[Iterator[_Edge]]) -> Iterator[_Edge]:
    first = itemgetter(0)
    for key, edges in groupby(heapq.merge(*sources, key=first), key=first):
        yield key, reduce(_merged, (seen for _, seen in edges))
