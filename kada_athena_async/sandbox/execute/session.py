"""Session of a statement: the estate, the default catalog and schema, and what is broken."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from kada_athena_async.sandbox.estate.model import Catalog, Estate, Schema, Table, TableRef
from kada_athena_async.sandbox.execute.outcome import (
    METASTORE_ERROR,
    NOT_FOUND,
    START,
    Position,
    StatementFailed,
)

INFORMATION_SCHEMA = "information_schema"


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """The context of one statement.

    Attributes:
        catalog: Where a name without a catalog lies.
        database: Where a name without a schema lies; None if the execution names none.
        poison: Tables that break every listing of columns that touches them, and the error text;
            an empty text stands for Athena's usual one.
        now: What AWS's own tables are read as of.
    """

    estate: Estate
    catalog: str
    database: str | None
    poison: Mapping[TableRef, str] = field(default_factory=dict)
    now: datetime | None = None

    def find_catalog(self, name: str | None, at: Position = START) -> Catalog:
        """The catalog of that name, in any case, or the session's own.

        Raises:
            StatementFailed: There is none.
        """
        wanted = (name or self.catalog).lower()
        for catalog in list(self.estate.catalogs.values()):
            if catalog.name.lower() == wanted:
                return catalog

        raise StatementFailed(
            f"CATALOG_NOT_FOUND: {at}: Catalog '{wanted}' not found", type=NOT_FOUND
        )

    def find_schema(self, catalog: Catalog, name: str | None, at: Position = START) -> Schema:
        """The schema of that name, in any case, or the session's own.

        Raises:
            StatementFailed: There is none, or no name was given and the session has none.
        """
        wanted = (name or self.database or "").lower()
        if not wanted:
            raise StatementFailed(
                f"MISSING_SCHEMA_NAME: {at}: "
                "Schema must be specified when session schema is not set"
            )
        exact = catalog.schemas.get(wanted)
        if exact is not None:
            return exact

        for schema in list(catalog.schemas.values()):
            if schema.name.lower() == wanted:
                return schema

        raise StatementFailed(
            f"SCHEMA_NOT_FOUND: {at}: Schema '{wanted}' does not exist", type=NOT_FOUND
        )

    def find_table(
        self, catalog: Catalog, schema: Schema, name: str, at: Position = START
    ) -> Table:
        """The table of that name, in any case.

        Raises:
            StatementFailed: There is none.
        """
        table = table_named(schema, name)
        if table is None:
            full = f"{catalog.name}.{schema.name}.{name}".lower()
            raise StatementFailed(
                f"TABLE_NOT_FOUND: {at}: Table '{full}' does not exist", type=NOT_FOUND
            )

        return table

    def poison_in(self, catalog: Catalog) -> dict[tuple[str, str], StatementFailed]:
        """The errors with which listings of columns fail, by lower-cased schema and table."""
        name = catalog.name.lower()
        return {
            (ref.schema.lower(), ref.table.lower()): StatementFailed(
                text
                or f"HIVE_METASTORE_ERROR: Error listing table columns for catalog {name}: "
                f"Metadata not found in metadata location for table {ref.schema}.{ref.table}",
                type=METASTORE_ERROR,
            )
            for ref, text in self.poison.items()
            if ref.catalog.lower() == name
        }


def table_named(schema: Schema, name: str) -> Table | None:
    """The table of that name, in any case."""
    wanted = name.lower()
    if wanted in schema.tables:
        return schema.tables[wanted]

    return next((t for t in list(schema.tables.values()) if t.name.lower() == wanted), None)
