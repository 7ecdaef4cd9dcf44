"""The columns of the tables that statements mention, from this run's own extract."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from kada_athena_async.sql.names import TableName

_SEPARATOR = "\x00"
_Key = tuple[str, str, str]


class SchemaIndex:
    """Finds a table's columns and the spelling of its name; keeps only the tables it was asked for.

    An estate may have ten million columns, a window's statements mention a few thousand tables.
    Names are compared in lower case, as Athena does.

    Args:
        wanted: The tables to keep, as ``mentioned`` finds them; None keeps all.
        max_tables: More than so many tables are not kept; lineage of the others is by table.
    """

    def __init__(
        self, wanted: Iterable[TableName] | None = None, *, max_tables: int = 200_000
    ) -> None:
        self._wanted: frozenset[_Key] | None = None
        if wanted is not None:
            self._wanted = frozenset(_key(name) for name in wanted)
        self._max_tables = max_tables
        self._names: dict[_Key, TableName] = {}
        self._columns: dict[_Key, str] = {}

    def __len__(self) -> int:
        return len(self._columns)

    def add(self, catalog: str, schema: str, table: str, columns: Collection[str]) -> bool:
        """Note the columns of a table, in order; return False if they are not kept.

        Called again for the same table it appends, so that rows may come in any number of pieces.
        """
        name = TableName(catalog, schema, table)
        key = _key(name)
        if not self.wants(name) or (key not in self._names and len(self) >= self._max_tables):
            return False

        self._names[key] = name
        before = self._columns.get(key)
        added = _SEPARATOR.join(columns)
        self._columns[key] = added if before is None else f"{before}{_SEPARATOR}{added}"
        return True

    def wants(self, name: TableName) -> bool:
        """True if some statement mentions the table."""
        return self._wanted is None or _key(name) in self._wanted

    def columns(self, name: TableName) -> tuple[str, ...] | None:
        """The columns of a table, in order, as its catalog spells them; None if not known."""
        joined = self._columns.get(_key(name))
        return None if joined is None else tuple(joined.split(_SEPARATOR))

    def spelling(self, name: TableName) -> TableName:
        """The name as its catalog spells it; as it came if the table is not known."""
        return self._names.get(_key(name), name)


def _key(name: TableName) -> _Key:
    return (name.catalog.lower(), name.schema.lower(), name.table.lower())
