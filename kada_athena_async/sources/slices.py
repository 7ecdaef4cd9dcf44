"""Cuts what a lister finds into slices: enough tables for one statement, few enough to hold."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from dataclasses import dataclass, field

from kada_athena_async.sources.interface import TableDetail
from kada_athena_async.sources.statement_texts import PREFIX_MAX

WHOLE_TABLES = 100
"""Tables of a slice that covers schemas as a whole: some 2,000 rows, four seconds of the engine at
the 545 rows/s that were reported for information_schema.columns. Larger ones would wait longer for
their listing and leave query slots idle at the end; smaller ones pay more for the queue."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaPage:
    """Some tables of one schema, in the lister's order.

    Attributes:
        is_last: True if the schema is complete with this page.
        found_by: ``api`` or ``sql``: who told.
    """

    schema: str
    tables: list[TableDetail]
    is_last: bool
    found_by: str


@dataclass(slots=True, kw_only=True)
class Slice:
    """Tables that are asked for together.

    Attributes:
        index: From 0 within the unit; slices of a unit are joined in this order.
        schemas: Schemas covered as a whole; or the one schema that ``tables`` are some of.
        is_whole: Whether SQL may be asked for whole schemas, and so may know more tables.
        found_by: Schema -> who listed it.
    """

    index: int
    is_whole: bool
    schemas: list[str] = field(default_factory=list)
    tables: list[TableDetail] = field(default_factory=list)
    found_by: dict[str, str] = field(default_factory=dict)


async def cut(pages: AsyncGenerator[SchemaPage, None]) -> AsyncGenerator[Slice, None]:
    """Slices of the pages, in order; a schema too big for one is cut by table names.

    The table names of such a schema come in slices of 100, for that is what a statement can
    name; its last slice has an empty list of tables if nothing is left.
    """
    cutter = Cutter()
    async with aclosing(pages) as source:
        async for page in source:
            for piece in cutter.add(page):
                yield piece

    for piece in cutter.finish():
        yield piece


class Cutter:
    """Holds what is not yet in a slice; pure."""

    def __init__(self) -> None:
        self._next = 0
        self._whole = self._slice(is_whole=True)
        self._open: list[TableDetail] = []
        self._is_big = False

    def _slice(self, *, is_whole: bool) -> Slice:
        piece = Slice(index=self._next, is_whole=is_whole)
        self._next += 1
        return piece

    def add(self, page: SchemaPage) -> Iterable[Slice]:
        self._open.extend(page.tables)
        self._is_big = self._is_big or len(self._open) > WHOLE_TABLES
        if self._is_big:
            yield from self._cut_names(page)

        if not page.is_last:
            return

        if not self._is_big:
            yield from self._add_whole(page)

        self._open, self._is_big = [], False

    def _cut_names(self, page: SchemaPage) -> Iterable[Slice]:
        least = 1 if page.is_last else PREFIX_MAX
        while len(self._open) >= least:
            piece = self._slice(is_whole=False)
            piece.schemas.append(page.schema)
            piece.found_by[page.schema] = page.found_by
            piece.tables, self._open = self._open[:PREFIX_MAX], self._open[PREFIX_MAX:]
            yield piece

    def _add_whole(self, page: SchemaPage) -> Iterable[Slice]:
        room = WHOLE_TABLES - len(self._whole.tables)
        if self._whole.schemas and (
            len(self._open) > room or len(self._whole.schemas) == PREFIX_MAX
        ):
            yield self._whole
            self._whole = self._slice(is_whole=True)

        self._whole.schemas.append(page.schema)
        self._whole.found_by[page.schema] = page.found_by
        self._whole.tables.extend(self._open)

    def finish(self) -> Iterable[Slice]:
        if self._whole.schemas:
            yield self._whole
