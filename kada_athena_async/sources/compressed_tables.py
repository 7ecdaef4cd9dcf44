"""Listed tables that wait for SQL's answer about their columns, compressed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
from isal import isal_zlib

from kada_athena_async.sources.information_schema import TableKey
from kada_athena_async.sources.interface import TableDetail

_LEVEL = 1
_DETAILS = msgspec.json.Decoder(list[TableDetail])


class ListedTable(NamedTuple):
    """A table as its source names it.

    Attributes:
        has_columns: True if the source gave its columns too.
        needs_text: True for a view whose text the source did not give.
    """

    schema: str
    name: str
    has_columns: bool
    needs_text: bool


_NAMES = msgspec.json.Decoder(list[ListedTable])


def name_of(table: TableDetail) -> ListedTable:
    """The name of a table, and what must be known while its details are put away."""
    is_bare = table.is_view and (table.view is None or table.view.text is None)
    return ListedTable(table.schema, table.name, table.columns is not None, is_bare)


class CompressedTables:
    """Some tables of one schema, in their source's order.

    Compressed they take a tenth of the memory: in ``auto`` thousands of tables wait for their
    statements, and the listing, which has a rate limit of its own, need not wait with them.
    """

    def __init__(self, tables: Sequence[TableDetail], *, is_compressed: bool) -> None:
        self._count = len(tables)
        self._names = _packed([name_of(table) for table in tables])
        self._tables = None if is_compressed else tables
        self._compressed = _packed(tables) if is_compressed else b""

    def __len__(self) -> int:
        return self._count

    def names(self) -> list[ListedTable]:
        """The tables' names; also when the tables were taken."""
        return _NAMES.decode(isal_zlib.decompress(self._names))

    def take(self) -> Sequence[TableDetail]:
        """The tables, which are held no more."""
        tables, self._tables = self._tables, ()
        data, self._compressed = self._compressed, b""
        return _DETAILS.decode(isal_zlib.decompress(data)) if tables is None else tables


def _packed(items: object) -> bytes:
    return isal_zlib.compress(msgspec.json.encode(items), _LEVEL)


def key_of(table: TableDetail | ListedTable) -> TableKey:
    """The table's name in SQL, which knows lower case only."""
    return table.schema.lower(), table.name.lower()
