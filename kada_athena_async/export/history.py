"""The runs that are exported, and their extracts joined: by execution and by table.

What has to be joined lies in a temporary SQLite file, so that the memory does not grow with the
estate or its history.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, cast, get_type_hints

import msgspec

from kada_athena_async.errors import StateError
from kada_athena_async.extracts import Package
from kada_athena_async.records import (
    RECORD_TYPES,
    ColumnRecord,
    EventRecord,
    FieldRecord,
    LinkageRecord,
    PrincipalRecord,
    QueryRecord,
    TableRecord,
    ViewRecord,
)
from kada_athena_async.sql.names import TableName


class _Joined(NamedTuple):
    """A kind of extract that is looked up.

    Attributes:
        keys: The columns of the key.
        order: The column by which the records of a key are sorted; empty: as they come.
    """

    keys: tuple[str, ...]
    order: str = ""


_TABLE = ("catalog", "schema", "table")
_JOINED = {
    "events": _Joined(("query_id",)),
    "query_principals": _Joined(("query_id",)),
    "metadata_tables": _Joined(("catalog", "schema")),
    "metadata_columns": _Joined(_TABLE, "ordinal_position"),
    "metadata_fields": _Joined(_TABLE),
    "metadata_views": _Joined(("catalog", "schema", "view")),
    "linkages": _Joined(("target_catalog", "target_schema", "target_table")),
}

# Fields of a record that JSON does not give back as they were -> how they become that again.
_RESTORED: dict[str, dict[int, Callable[[Any], Any]]] = {
    kind: {
        place: tuple if "tuple" in str(hint) else partial(msgspec.convert, type=datetime)
        for place, hint in enumerate(get_type_hints(RECORD_TYPES[kind]).values())
        if "tuple" in str(hint) or "datetime" in str(hint)
    }
    for kind in _JOINED
}


class History:
    """The published runs that are exported.

    Attributes:
        packages: The runs, oldest window first.
        region: The AWS Region of the extracts.
        account_id: Twelve digits; empty where the runs do not say.
    """

    def __init__(self, packages: Sequence[Package], scratch: Path, *, region: str = "") -> None:
        """Join *packages*, whose order is that of their windows, in a file *scratch*."""
        self.packages = tuple(packages)
        manifest = self.newest.manifest
        origin = manifest.state.origin
        self._region = region or (origin.region if origin else manifest.facts.region)
        self.account_id = origin.account_id if origin else ""
        # The steps of an export are taken in one thread after another, never in two at once.
        self._database = sqlite3.connect(scratch, isolation_level=None, check_same_thread=False)
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute("PRAGMA synchronous = OFF")
        self._loaded: set[str] = set()

    def close(self) -> None:
        """Close the temporary file."""
        self._database.close()

    @property
    def newest(self) -> Package:
        """The run whose metadata is exported."""
        return self.packages[-1]

    @property
    def region(self) -> str:
        """The AWS Region of the extracts.

        Raises:
            StateError: The newest run does not say it, as those of earlier versions.
        """
        if not self._region:
            raise StateError(
                f"{self.newest.path} does not name the AWS Region of its extracts",
                hint="name it with --region, or extract again with this version",
            )

        return self._region

    def catalogs(self) -> list[str]:
        """The catalogs of the newest run."""
        return [catalog for (catalog,) in self.newest.rows("metadata_catalogs", "catalog")]

    def tables(self) -> Iterator[TableRecord]:
        """The tables and views of the newest run."""
        return cast("Iterator[TableRecord]", self.newest.records("metadata_tables"))

    def tables_of(self, catalog: str, schema: str) -> list[TableRecord]:
        """The tables and views of a schema of the newest run."""
        return cast("list[TableRecord]", self._find("metadata_tables", (catalog, schema)))

    def schemas(self) -> dict[tuple[str, str], str]:
        """Catalog and schema -> its description, of the newest run."""
        names = ("catalog", "schema", "description")
        rows = self.newest.rows("metadata_schemas", *names)
        found = {(catalog, schema): text for catalog, schema, text in rows}
        for catalog, schema in self.newest.rows("metadata_tables", "catalog", "schema"):
            found.setdefault((catalog, schema), "")

        return found

    def columns(self, table: TableName) -> list[ColumnRecord]:
        """The columns of a table of the newest run, in order."""
        return cast("list[ColumnRecord]", self._find("metadata_columns", table))

    def fields(self, table: TableName) -> list[FieldRecord]:
        """The nested fields of a table of the newest run."""
        return cast("list[FieldRecord]", self._find("metadata_fields", table))

    def view(self, table: TableName) -> ViewRecord | None:
        """The text of a view of the newest run; None for a table."""
        found = cast("list[ViewRecord]", self._find("metadata_views", table))
        return found[0] if found else None

    def linkages_to(self, table: TableName) -> list[LinkageRecord]:
        """The edges into a table or view that the runs showed; those of view texts are the newest
        run's."""
        return cast("list[LinkageRecord]", self._find("linkages", table))

    def executions(self) -> Iterator[QueryRecord]:
        """Each execution once, in the order of the runs.

        One that a later run extracted again comes from that run only.
        """
        owner = self._owners()
        for number, package in enumerate(self.packages):
            for record in package.records("databaselog"):
                execution = cast(QueryRecord, record)
                if owner(execution.query_id) in (None, number):
                    yield execution

    def events(self, query_id: str) -> list[EventRecord]:
        """Events of an execution, from the last run that extracted it."""
        return cast("list[EventRecord]", self._find("events", (query_id,)))

    def principal(self, query_id: str) -> PrincipalRecord | None:
        """Principal of an execution; None if no run has it."""
        found = cast("list[PrincipalRecord]", self._find("query_principals", (query_id,)))
        return found[-1] if found else None

    def user(self, execution: QueryRecord) -> str:
        """Principal of an execution, else the user of its workgroup."""
        principal = self.principal(execution.query_id)
        return (principal and principal.principal) or execution.user

    def _owners(self) -> Callable[[str], int | None]:
        """A function of a query id: the number of the last run that has it; None if there is one
        run only."""
        if len(self.packages) == 1:
            return lambda _: None

        if "owner" not in self._loaded:
            self._loaded.add("owner")
            self._database.execute(
                "CREATE TABLE owner (query_id TEXT PRIMARY KEY, package INT) WITHOUT ROWID"
            )
            for number, package in enumerate(self.packages):
                ids = package.rows("databaselog", "query_id")
                rows = ((query_id, number) for (query_id,) in ids)
                self._insert("INSERT OR REPLACE INTO owner VALUES (?, ?)", rows)

        def owner(query_id: str) -> int | None:
            sql = "SELECT package FROM owner WHERE query_id = ?"
            return int(self._database.execute(sql, (query_id,)).fetchone()[0])

        return owner

    def _find(self, kind: str, key: Sequence[str]) -> list[Any]:
        """The records of *kind* with *key*, in order."""
        self._load(kind)
        sql = f"SELECT record FROM {kind} WHERE key = :key"
        if kind == "events":
            sql += f" AND package = (SELECT max(package) FROM {kind} WHERE key = :key)"

        rows = self._database.execute(f"{sql} ORDER BY place, number", {"key": _key(key)})
        return [_record(kind, text) for (text,) in rows]

    def _load(self, kind: str) -> None:
        if kind in self._loaded:
            return

        self._loaded.add(kind)
        self._database.execute(
            f"CREATE TABLE {kind} "
            "(number INTEGER PRIMARY KEY, key BLOB, place INT, package INT, record BLOB)"
        )
        sql = f"INSERT INTO {kind} (key, place, package, record) VALUES (?, ?, ?, ?)"
        self._insert(sql, self._rows(kind))
        self._database.execute(f"CREATE INDEX {kind}_by_key ON {kind} (key, place)")

    def _rows(self, kind: str) -> Iterator[tuple[Any, ...]]:
        joined = _JOINED[kind]
        is_metadata = kind.startswith("metadata_")
        for number, package in enumerate(self.packages):
            if is_metadata and package is not self.newest:
                continue

            for record in package.records(kind):
                is_of_view = isinstance(record, LinkageRecord) and record.linkage_type == "VIEW"
                if is_of_view and package is not self.newest:
                    continue

                key = _key([getattr(record, name) or "" for name in joined.keys])
                place = getattr(record, joined.order) if joined.order else 0
                yield key, place, number, msgspec.json.encode(record)

    def _insert(self, sql: str, rows: Iterable[tuple[Any, ...]]) -> None:
        self._database.execute("BEGIN")
        self._database.executemany(sql, rows)
        self._database.execute("COMMIT")


def _record(kind: str, text: bytes) -> Any:
    values = msgspec.json.decode(text)
    for place, restore in _RESTORED[kind].items():
        if values[place] is not None:
            values[place] = restore(values[place])

    return RECORD_TYPES[kind]._make(values)


def _key(parts: Sequence[str]) -> bytes:
    return msgspec.json.encode([*parts])
