"""The columns of the tables of an estate, by name, on disk: an estate may have ten million."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterable
from pathlib import Path
from threading import Lock
from typing import NamedTuple

from kada_athena_async.files.database import open_database
from kada_athena_async.sql.names import TableName

_SEPARATOR = "\x00"
_CACHED_TABLES = 2_000
# Nothing in it outlives the process, so nothing in it need survive one. Half a megabyte of pages is
# as fast as SQLite's own two.
_SCRIPT = """
    PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;
    PRAGMA cache_size = -500;
    CREATE TABLE known (key BLOB PRIMARY KEY, name BLOB, columns BLOB) WITHOUT ROWID;
"""

TableColumns = tuple[str, str, str, Collection[str]]
"""Catalog, schema and table, and the names of columns in order."""


class _Known(NamedTuple):
    """A table as its catalog spells it; its columns are joined, which takes a tenth of the room."""

    name: TableName
    columns: str


class SchemaIndex:
    """Finds a table's columns and the spelling of its name; may be used from several threads.

    Names are compared in lower case, as Athena does.

    Args:
        path: A new file of its own; None keeps all in memory.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._turn = Lock()
        self._cache: OrderedDict[bytes, _Known | None] = OrderedDict()
        self._file = open_database(path, _SCRIPT)

    def add(self, catalog: str, schema: str, table: str, columns: Collection[str]) -> None:
        """Note the columns of a table, in order."""
        self.add_many([(catalog, schema, table, columns)])

    def add_many(self, tables: Iterable[TableColumns]) -> None:
        """Note the columns of *tables*; those of one that is there already go after its own.

        Raises:
            sqlite3.Error: The disk refuses.
        """
        with self._turn, self._file:
            for catalog, schema, table, columns in tables:
                name = TableName(catalog, schema, table)
                key, joined = _key(name), _SEPARATOR.join(columns)
                before = self._read(key)
                if before is not None:
                    joined = f"{before.columns}{_SEPARATOR}{joined}"
                row = (key, _to_bytes(_SEPARATOR.join(name)), _to_bytes(joined))
                self._file.execute("INSERT OR REPLACE INTO known VALUES (?, ?, ?)", row)
                self._cache.pop(key, None)

    def columns(self, name: TableName) -> tuple[str, ...] | None:
        """The columns of a table, in order, as its catalog spells them; None if not known."""
        known = self._find(name)
        return None if known is None else tuple(known.columns.split(_SEPARATOR))

    def spelling(self, name: TableName) -> TableName:
        """The name as its catalog spells it; as it came if the table is not known."""
        known = self._find(name)
        return name if known is None else known.name

    def close(self) -> None:
        """Let go of the file."""
        with self._turn:
            self._file.close()

    def _find(self, name: TableName) -> _Known | None:
        key = _key(name)
        with self._turn:
            if key in self._cache:
                self._cache.move_to_end(key)
                return self._cache[key]

            known = self._cache[key] = self._read(key)
            if len(self._cache) > _CACHED_TABLES:
                self._cache.popitem(last=False)
            return known

    def _read(self, key: bytes) -> _Known | None:
        query = "SELECT name, columns FROM known WHERE key = ?"
        row = self._file.execute(query, (key,)).fetchone()
        if row is None:
            return None

        name, columns = (text.decode("utf-8", "surrogatepass") for text in row)
        return _Known(TableName(*name.split(_SEPARATOR)), columns)


def _key(name: TableName) -> bytes:
    return _to_bytes(_SEPARATOR.join(name).lower())


def _to_bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
