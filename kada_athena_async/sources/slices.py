"""Cuts what a lister finds into slices: enough tables for one statement, few enough to hold."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from dataclasses import dataclass, field

from kada_athena_async.sources.interface import TableDetail
from kada_athena_async.sources.statement_texts import PREFIX_MAX
from kada_athena_async.sources.strategy import SliceSizes
from kada_athena_async.sources.table_pack import CompressedTables, TableName, packs_of


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaPage:
    """Some tables of one schema, in the lister's order.

    Attributes:
        is_last: True if the schema is complete with this page.
        found_by: ``api`` or ``sql``: the source that listed it.
        unreadable: What of the source's answer could not be read, by path.
        stand_in: On the last page: who listed the schema in whose stead, and why; mostly empty.
    """

    schema: str
    tables: list[TableDetail]
    is_last: bool
    found_by: str
    unreadable: tuple[str, ...] = ()
    stand_in: str = ""


@dataclass(slots=True, kw_only=True)
class Slice:
    """Tables that are asked for together.

    Attributes:
        index: From 0 within the unit; slices of a unit are joined in this order.
        schemas: Schemas covered as a whole; or the one schema that ``packs`` are some tables of.
        is_whole: True if SQL may be asked for whole schemas, and so may know more tables.
        found_by: Schema -> who listed it.
    """

    index: int
    is_whole: bool
    schemas: list[str] = field(default_factory=list)
    packs: list[CompressedTables] = field(default_factory=list)
    found_by: dict[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return sum(map(len, self.packs))

    def names(self) -> list[TableName]:
        """The names of its tables, in the lister's order."""
        return [name for pack in self.packs for name in pack.names]

    def take_tables(self) -> list[TableDetail]:
        """Its tables; the slice holds them no more."""
        tables = [table for pack in self.packs for table in pack.tables()]
        self.packs = []
        return tables


async def cut(
    pages: AsyncGenerator[SchemaPage, None], sizes: SliceSizes, *, is_squeezed: bool
) -> AsyncGenerator[Slice, None]:
    """Slices of the pages, in order; a schema too big for one is cut by table names.

    The table names of such a schema come in slices of at most 100, for that is what a statement
    can name.

    Args:
        is_squeezed: True if the slices are to wait.
    """
    cutter = Batcher(sizes, is_squeezed=is_squeezed)
    async with aclosing(pages) as source:
        async for page in source:
            for piece in cutter.add(page):
                yield piece

    for piece in cutter.finish():
        yield piece


class Batcher:
    """Holds what is not yet in a slice; pure."""

    def __init__(self, sizes: SliceSizes, *, is_squeezed: bool = False) -> None:
        self._sizes, self._is_squeezed = sizes, is_squeezed
        self._next = 0
        self._whole = self._slice(is_whole=True)
        self._schema = ""
        self._open: list[CompressedTables] = []
        self._is_big = False

    def _slice(self, *, is_whole: bool) -> Slice:
        piece = Slice(index=self._next, is_whole=is_whole)
        self._next += 1
        return piece

    def add(self, page: SchemaPage) -> Iterable[Slice]:
        if page.schema != self._schema:  # the one before may have broken off
            self._schema, self._open, self._is_big = page.schema, [], False

        self._open += packs_of(page.tables, is_squeezed=self._is_squeezed)
        self._is_big = self._is_big or sum(map(len, self._open)) > self._sizes.later
        if self._is_big:
            yield from self._cut_names(page)

        if not page.is_last:
            return

        if not self._is_big:
            yield from self._add_whole(page)

        self._schema = ""

    def _cut_names(self, page: SchemaPage) -> Iterable[Slice]:
        while self._open and (page.is_last or sum(map(len, self._open)) >= PREFIX_MAX):
            piece = self._slice(is_whole=False)
            piece.schemas.append(page.schema)
            piece.found_by[page.schema] = page.found_by
            while self._open and len(piece) + len(self._open[0]) <= PREFIX_MAX:
                piece.packs.append(self._open.pop(0))

            yield piece

    def _add_whole(self, page: SchemaPage) -> Iterable[Slice]:
        size = self._sizes.later if self._whole.index else self._sizes.first
        count = sum(map(len, self._open))
        if self._whole.schemas and len(self._whole) + count > size:
            yield from self.finish()

        self._whole.schemas.append(page.schema)
        self._whole.found_by[page.schema] = page.found_by
        self._whole.packs += self._open
        if len(self._whole) >= size or len(self._whole.schemas) == PREFIX_MAX:
            yield from self.finish()

    def finish(self) -> Iterable[Slice]:
        if self._whole.schemas:
            whole, self._whole = self._whole, self._slice(is_whole=True)
            yield whole
