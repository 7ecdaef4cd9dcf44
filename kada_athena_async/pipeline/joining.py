"""Joins the tables of a slice with what SQL says of them, as it comes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from kada_athena_async.aws.result_csv import Cells
from kada_athena_async.concurrency import offload
from kada_athena_async.sources.information_schema import SqlTable, TableKey
from kada_athena_async.sources.interface import RawView, TableDetail
from kada_athena_async.sources.slices import Slice
from kada_athena_async.sources.table_pack import key_of

JOINED_TABLES = 50
"""Tables joined in one go where they do not stream in: some 1,000 columns."""

Pairs: TypeAlias = "Sequence[tuple[TableDetail, Cells | None]]"
"""Tables, and what SQL said of their columns."""

Write: TypeAlias = Callable[[Pairs, str], Awaitable[None]]
"""Joins and writes tables that ``api`` or ``sql`` listed."""


@dataclass(slots=True)
class Joining:
    """What of one slice is still to be joined.

    Attributes:
        only_sql: Tables that SQL knows and the lister does not.
    """

    piece: Slice
    write: Write
    only_sql: list[SqlTable] = field(default_factory=list)
    _bare_views: set[TableKey] = field(init=False)
    _aside: list[tuple[TableDetail, Cells | None]] = field(default_factory=list)
    _waiting: dict[TableKey, TableDetail] | None = None

    def __post_init__(self) -> None:
        self._bare_views = {key_of(name) for name in self.piece.names() if name.is_bare_view}

    async def take(self, answered: list[SqlTable]) -> None:
        """Write tables that SQL spoke of; views without a text are set aside until it is known."""
        waiting = await self._tables()
        self.only_sql += [table for table in answered if table.key not in waiting]
        pairs: list[tuple[TableDetail, Cells | None]] = []
        for table in answered:
            if table.key in waiting:
                pair = (waiting.pop(table.key), table.cells)
                (self._aside if table.key in self._bare_views else pairs).append(pair)

        if pairs:
            await self.write(pairs, self._lister)

    async def finish(self, view_texts: Mapping[TableKey, str | None]) -> None:
        """Write the views that were set aside, and the tables that SQL did not speak of."""
        waiting = await self._tables()
        rest = [*self._aside, *((waiting[key], None) for key in sorted(waiting))]
        pairs = [(with_text(table, view_texts), cells) for table, cells in rest]
        for first in range(0, len(pairs), JOINED_TABLES):
            await self.write(pairs[first : first + JOINED_TABLES], self._lister)

    async def _tables(self) -> dict[TableKey, TableDetail]:
        if self._waiting is None:
            tables = await offload(self.piece.take_tables)
            self._waiting = {key_of(table): table for table in tables}

        return self._waiting

    @property
    def _lister(self) -> str:
        # A stand-in may have listed one schema of several; then SQL is all that spoke of it.
        return "api" if "api" in self.piece.found_by.values() else "sql"


def with_text(table: TableDetail, texts: Mapping[TableKey, str | None]) -> TableDetail:
    """The table; a view with its text by SQL, if there is one."""
    text = texts.get(key_of(table))
    return table if text is None else replace(table, view=RawView(text=text, is_plain_sql=True))
