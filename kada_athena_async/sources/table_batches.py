"""Divides listed tables into batches: enough tables for one statement, few enough to hold."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from math import ceil

from kada_athena_async.concurrency import batches
from kada_athena_async.sources.compressed_tables import CompressedTables, ListedTable
from kada_athena_async.sources.interface import TableDetail
from kada_athena_async.sources.statement_texts import NAMES_MAX, PREFIX_MAX
from kada_athena_async.sources.strategy import BatchSizes


@dataclass(frozen=True, slots=True)
class SchemaPage:
    """Some tables of one schema, in the source's order.

    Attributes:
        found_by: ``api`` or ``sql``: the source that listed it.
        is_last: True if the schema is complete with this page.
        unreadable: What of the source's answer could not be read, by path.
        stand_in: On the last page: the source that listed the schema for another, and why, or "".
    """

    schema: str
    tables: list[TableDetail]
    found_by: str
    is_last: bool = False
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

    def names(self) -> list[ListedTable]:
        """The names of its tables, in the source's order; also when these were taken."""
        return [name for group in self.groups for name in group.names()]

    def take_tables(self) -> list[TableDetail]:
        """Its tables; the batch holds them no more."""
        return [table for group in self.groups for table in group.take()]


SPREAD_TABLES = 25
"""Tables that are put away together where those of a large schema are spread evenly; elsewhere as
many as a scan can name, for more take less room."""

ASIDE = 1_000_000
"""Batches of a schema that is listed aside are numbered from its place in the unit times this."""


async def batches_of(
    listings: Sequence[AsyncGenerator[SchemaPage, None]],
    sizes: BatchSizes,
    *,
    is_compressed: bool,
    may_part: bool = False,
) -> AsyncGenerator[TableBatch | AsyncGenerator[TableBatch, None], None]:
    """Batches of the pages, in order; a schema too big for one is divided by table names.

    Args:
        listings: Each of one schema or of several; they are read one after the other.
        is_compressed: True to hold the tables compressed until their statements are answered.
        may_part: True to give a schema too big for a batch as a source of its own: its pages need
            each other's tokens, and the schemas that follow need not wait for them.
    """
    batcher = Batcher(sizes, is_compressed=is_compressed)
    for number, pages in enumerate(listings, start=1):
        is_parted = False
        try:
            async for page in pages:
                batcher.take(page)
                if may_part and batcher.is_big and number < len(listings):
                    is_parted = True
                    yield _aside(pages, batcher.part(ASIDE * number), page)
                    break

                for batch in batcher.cut(page):
                    yield batch

        finally:
            if not is_parted:
                await pages.aclose()

    for batch in batcher.finish():
        yield batch


async def _aside(
    pages: AsyncGenerator[SchemaPage, None], batcher: Batcher, taken: SchemaPage
) -> AsyncGenerator[TableBatch, None]:
    async with aclosing(pages):
        for batch in batcher.cut(taken):
            yield batch

        async for page in pages:
            for batch in batcher.add(page):
                yield batch


class Batcher:
    """Holds the tables that are not in a batch yet; without I/O.

    Attributes:
        is_big: True if the schema that is open is too big for a batch.
    """

    def __init__(self, sizes: BatchSizes, *, is_compressed: bool = False, first: int = 0) -> None:
        self._sizes, self._is_compressed = sizes, is_compressed
        self._next = first
        self._whole = self._batch(is_whole=True)
        self._schema = ""
        self._open: list[CompressedTables] = []
        self.is_big = False

    def _batch(self, *, is_whole: bool) -> TableBatch:
        batch = TableBatch(index=self._next, is_whole=is_whole)
        self._next += 1
        return batch

    def part(self, first: int) -> Batcher:
        """A batcher that goes on with the schema that is open; it numbers from *first*."""
        aside = Batcher(self._sizes, is_compressed=self._is_compressed, first=first)
        aside._schema, aside._open, aside.is_big = self._schema, self._open, True
        self._schema, self._open, self.is_big = "", [], False
        return aside

    def add(self, page: SchemaPage) -> Iterable[TableBatch]:
        """Take the tables of *page*; the batches that are full with it."""
        self.take(page)
        yield from self.cut(page)

    def take(self, page: SchemaPage) -> None:
        if page.schema != self._schema:  # the one before may have broken off
            self._schema, self._open, self.is_big = page.schema, [], False

        for group in batches(page.tables, SPREAD_TABLES if self._sizes.spread else PREFIX_MAX):
            self._open.append(CompressedTables(group, is_compressed=self._is_compressed))

        self.is_big = self.is_big or self._held() > self._sizes.largest

    def cut(self, page: SchemaPage) -> Iterable[TableBatch]:
        """The batches that are full with *page*, which was taken."""
        if self.is_big:
            yield from self._batch_names(page)

        if page.is_last:
            if not self.is_big:
                yield from self._add_whole(page)

            self._schema, self._open, self.is_big = "", [], False

    def _held(self) -> int:
        """Tables of the schema that is open."""
        return sum(map(len, self._open))

    def _batch_names(self, page: SchemaPage) -> Iterable[TableBatch]:
        spread, named = self._sizes.spread, self._sizes.named
        full = spread * NAMES_MAX or named
        while self._open and (page.is_last or self._held() >= full):
            for left in range(self._portions(), 0, -1):
                size = ceil(self._held() / left) if spread else named
                batch = self._batch(is_whole=False)
                batch.schemas.append(page.schema)
                batch.found_by[page.schema] = page.found_by
                while self._open and len(batch) + len(self._open[0]) <= size:
                    batch.groups.append(self._open.pop(0))

                yield batch

    def _portions(self) -> int:
        """Batches that the open schema's tables are divided into at once."""
        if not self._sizes.spread:
            return 1

        held = self._held()
        fewest = ceil(held / (NAMES_MAX - SPREAD_TABLES))
        return max(fewest, min(self._sizes.spread, held // PREFIX_MAX))

    def _add_whole(self, page: SchemaPage) -> Iterable[TableBatch]:
        size = self._sizes.largest if self._whole.index else self._sizes.first
        count = self._held()
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
