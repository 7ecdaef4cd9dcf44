"""One row for each edge of a run's lineage, however many executions show it, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from kada_athena_async.records import LinkageRecord
from kada_athena_async.sql.merging import MAX_HELD, Key, Merging, in_batches

_ROWS_AT_ONCE = 500
_SURE = ("exact", "table", "partial")


class LinkageEdges(Merging[LinkageRecord]):
    """Merges the linkages of a run: the same edge, kind and way count as one row.

    An ordinary run has a few thousand edges, a hostile history any number.

    Args:
        directory: Where the temporary files may lie.
    """

    def __init__(self, directory: Path, *, max_held: int = MAX_HELD) -> None:
        super().__init__(
            directory, key=_key, merged=merged, make=LinkageRecord._make, max_held=max_held
        )

    def rows(self) -> Iterator[list[LinkageRecord]]:
        """All edges in the order of their names, in batches; to be called once."""
        return in_batches(self.merged_rows(), _ROWS_AT_ONCE)


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


_KEY_FIELDS = [
    LinkageRecord._fields.index(name)
    for name in LinkageRecord._fields
    if name not in ("query_id", "confidence", "executions", "first_at", "last_at")
]


def _key(row: LinkageRecord) -> Key:
    return tuple(str(row[i] or "") for i in _KEY_FIELDS)
