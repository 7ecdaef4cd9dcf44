"""Interface of the sink that takes a unit's records."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Protocol

from kada_athena_async.column_block import Rows


class RecordWriter(Protocol):
    """Takes records of one kind."""

    async def write(self, batch: Rows) -> None:
        """Take *batch*; returns when the next may come."""


class RecordSink(Protocol):
    """Takes the records of units."""

    def part(
        self, unit_id: str, kind: str, index: int = 0
    ) -> AbstractAsyncContextManager[RecordWriter]:
        """A writer of records of *kind*; left by an error, they are not to be relied on."""
