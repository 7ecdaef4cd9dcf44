"""Divides listed tables into batches: enough tables for one statement, few enough to hold."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from dataclasses import dataclass, field

from kada_athena_async.sources.compressed_tables import CompressedTables, TableName, grouped
from kada_athena_async.sources.interface import TableDetail
from kada_athena_async.sources.statement_texts import PREFIX_MAX
from kada_athena_async.sources.strategy import BatchSizes


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaPage:
    """Some tables of one schema, in the source's order.

    Attributes:
        is_last: True if the schema is complete with this page.
        found_by: ``api`` or ``sql``: the source that listed it.
        unreadable: What of the source's answer could not be read, by path.
        stand_in: On the last page: the source that listed the schema for another, and why, or "".
    """

    schema: str
    tables: list[TableDetail]
    is_last: bool
    found_by: str
    unreadable: tuple[str, ...] = ()
    stand_in: str = ""


@dataclass(slots=True, kw_only=True)
class TableBatch:
    """Tables that are asked for together.

    Attributes:
        index: From 0 within the unit; batches of a unit are joined in this order.
        schemas: Schemas covered as a whole; or the one schema that ``groups`` are some tables of.
        is_whole: True if SQL may be asked for whole schemas, and so may know more tables.
        found_by: Schema -> who listed it.
    """

    index: int
    is_whole: bool
    schemas: list[str] = field(default_factory=list)
    groups: list[CompressedTables] = field(default_factory=list)
    found_by: dict[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return sum(map(len, self.groups))

    def names(self) -> list[TableName]:
        """The names of its tables, in the source's order."""
        return [name for group in self.groups for name in group.names]

    def take_tables(self) -> list[TableDetail]:
        """Its tables; the batch holds them no more."""
        tables = [table for group in self.groups for table in group.tables()]
        self.groups = []
        return tables


async def batches_of(
    pages: AsyncGenerator[SchemaPage, None], sizes: BatchSizes, *, is_compressed: bool
) -> AsyncGenerator[TableBatch, None]:
    """Batches of the pages, in order; a schema too big for one is divided by table names.

    The table names of such a schema come in batches of at most 100, for that is what a statement
    can name.

    Args:
        is_compressed: True to hold the tables compressed until their statements are answered.
    """
    batcher = Batcher(sizes, is_compressed=is_compressed)
    async with aclosing(pages) as source:
        async for page in source:
            for batch in batcher.add(page):
                yield batch

    for batch in batcher.finish():
        yield batch


class Batcher:
    """Holds the tables that are not in a batch yet; without I/O."""

    def __init__(self, sizes: BatchSizes, *, is_compressed: bool = False) -> None:
        self._sizes, self._is_compressed = sizes, is_compressed
        self._next = 0
        self._whole = self._batch(is_whole=True)
        self._schema = ""
        self._open: list[CompressedTables] = []
        self._is_big = False

    def _batch(self, *, is_whole: bool) -> TableBatch:
        batch = TableBatch(index=self._next, is_whole=is_whole)
        self._next += 1
        return batch

    def add(self, page: SchemaPage) -> Iterable[TableBatch]:
        if page.schema != self._schema:  # the one before may have broken off
            self._schema, self._open, self._is_big = page.schema, [], False

        self._open += grouped(page.tables, is_compressed=self._is_compressed)
        self._is_big = self._is_big or sum(map(len, self._open)) > self._sizes.later
        if self._is_big:
            yield from self._batch_names(page)

        if not page.is_last:
            return

        if not self._is_big:
            yield from self._add_whole(page)

        self._schema = ""

    def _batch_names(self, page: SchemaPage) -> Iterable[TableBatch]:
        while self._open and (page.is_last or sum(map(len, self._open)) >= PREFIX_MAX):
            batch = self._batch(is_whole=False)
            batch.schemas.append(page.schema)
            batch.found_by[page.schema] = page.found_by
            while self._open and len(batch) + len(self._open[0]) <= PREFIX_MAX:
                batch.groups.append(self._open.pop(0))

            yield batch

    def _add_whole(self, page: SchemaPage) -> Iterable[TableBatch]:
        size = self._sizes.later if self._whole.index else self._sizes.first
        count = sum(map(len, self._open))
        if self._whole.schemas and len(self._whole) + count > size:
            yield from self.finish()

        self._whole.schemas.append(page.schema)
        self._whole.found_by[page.schema] = page.found_by
        self._whole.groups += self._open
        if len(self._whole) >= size or len(self._whole.schemas) == PREFIX_MAX:
            yield from self.finish()

    def finish(self) -> Iterable[TableBatch]:
        if self._whole.schemas:
            whole, self._whole = self._whole, self._batch(is_whole=True)
            yield whole
