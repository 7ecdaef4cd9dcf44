"""Metadata by SQL: our statements on a catalog's information_schema, as typed rows."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import TypeAlias

from kada_athena_async.aws.athena import AthenaQueries, Statement
from kada_athena_async.aws.result_csv import Row
from kada_athena_async.aws.results import Results
from kada_athena_async.sources.interface import SqlColumn
from kada_athena_async.sources.statement_texts import STATEMENT_COLUMNS, condition_on, fill

TableKey: TypeAlias = tuple[str, str]
"""Schema and table, lower case: how SQL and the APIs find the same table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InformationSchema:
    """Asks one catalog's information_schema.

    Args:
        catalog: Its name as the SDK's calls take it; SQL compares names without case.
        texts: Statement name -> text, perhaps overwritten by the caller.
        unit_id: The unit that asks; names the statements, so that a resumed run finds them again.
    """

    queries: AthenaQueries
    results: Results
    texts: Mapping[str, str]
    catalog: str
    unit_id: str

    async def schemata(self) -> list[str]:
        """Names of the catalog's schemas, in order, without information_schema."""
        condition = "schema_name <> 'information_schema'"
        names: list[str] = []
        async with aclosing(self._rows("SCHEMATA_SQL", condition)) as batches:
            async for batch in batches:
                names.extend(row[0] or "" for row in batch)

        return names

    async def tables(
        self, schemas: tuple[str, ...], names: tuple[str, ...] = ()
    ) -> AsyncGenerator[list[tuple[str, str, bool]], None]:
        """Batches of (schema, table, is it a view), ordered by schema and table."""
        condition = condition_on(schemas, names)
        async with aclosing(self._rows("TABLES_SQL", condition)) as batches:
            async for batch in batches:
                yield [(row[0] or "", row[1] or "", row[2] == "VIEW") for row in batch]

    async def columns(
        self, schemas: tuple[str, ...], names: tuple[str, ...] = ()
    ) -> dict[TableKey, list[SqlColumn]]:
        """Table -> its columns in ordinal order; *names* are tables of the one schema given."""
        found: dict[TableKey, list[SqlColumn]] = {}
        condition = condition_on(schemas, names)
        async with aclosing(self._rows("COLUMNS_SQL", condition)) as batches:
            async for batch in batches:
                for row in batch:
                    found.setdefault((row[0] or "", row[1] or ""), []).append(_column_of(row))

        return found

    async def views(
        self, schemas: tuple[str, ...], names: tuple[str, ...] = ()
    ) -> dict[TableKey, str | None]:
        """View -> its definition."""
        found: dict[TableKey, str | None] = {}
        condition = condition_on(schemas, names)
        async with aclosing(self._rows("VIEWS_SQL", condition)) as batches:
            async for batch in batches:
                found.update({(row[0] or "", row[1] or ""): row[2] for row in batch})

        return found

    async def _rows(self, name: str, condition: str) -> AsyncGenerator[list[Row], None]:
        sql = fill(
            self.texts[name],
            catalog=self.catalog,
            condition=condition,
            run_id=self.queries.run_id,
        )
        statement = Statement(
            key=f"{self.unit_id}/{name}/{condition}", sql=sql, catalog=self.catalog
        )
        execution = await self.queries.run(statement, unit_id=self.unit_id)
        async with aclosing(self.results.read(execution, STATEMENT_COLUMNS[name])) as batches:
            async for batch in batches:
                yield batch


def _column_of(row: Row) -> SqlColumn:
    """A row of COLUMNS_SQL without schema and table."""
    return SqlColumn(
        name=row[2] or "",
        ordinal_position=int(row[3] or 0),
        data_type=row[4] or "",
        is_nullable=row[5] != "NO",
        comment=row[6],
        is_partition_key=row[7] == "partition key",
    )
