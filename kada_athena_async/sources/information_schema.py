"""Metadata by SQL: our statements on a catalog's information_schema, as typed rows."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from sys import intern
from typing import NamedTuple, TypeAlias

from kada_athena_async.aws.athena import AthenaQueries, Statement
from kada_athena_async.aws.result_csv import Row
from kada_athena_async.aws.results import Results
from kada_athena_async.errors import ResultError, UnitError
from kada_athena_async.sources.interface import SqlColumn
from kada_athena_async.sources.statement_texts import STATEMENT_COLUMNS, condition_on, fill

TableKey: TypeAlias = tuple[str, str]
"""Schema and table, lower case: how SQL and the APIs find the same table."""


class SqlTable(NamedTuple):
    """A table and its columns in ordinal order."""

    key: TableKey
    columns: list[SqlColumn]


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
    ) -> AsyncGenerator[list[SqlTable], None]:
        """Batches of tables with all their columns, ordered by schema and table.

        Args:
            names: Tables of the one schema given; all if empty.
        """
        condition = condition_on(schemas, names)
        key: TableKey | None = None
        columns: list[SqlColumn] = []
        async with aclosing(self._rows("COLUMNS_SQL", condition)) as batches:
            async for batch in batches:
                whole: list[SqlTable] = []
                for row in batch:
                    found = (row[0] or "", row[1] or "")
                    if found != key:
                        if key is not None:
                            whole.append(SqlTable(key, columns))

                        key, columns = found, []

                    columns.append(_column_of(row))

                if whole:
                    yield whole

        if key is not None:
            yield [SqlTable(key, columns)]

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
        try:
            rows = self.results.read(
                execution, STATEMENT_COLUMNS[name], is_listing=name == "TABLES_SQL"
            )
            async with aclosing(rows) as batches:
                async for batch in batches:
                    yield batch

        except UnitError as exc:
            raise ResultError(
                f"the result of query {execution.query_execution_id} cannot be read: {exc.message}",
                hint=exc.hint,
            ) from exc


def _column_of(row: Row) -> SqlColumn:
    """A row of COLUMNS_SQL without schema and table."""
    return SqlColumn(
        name=row[2] or "",
        ordinal_position=int(row[3] or 0),
        # One string for all columns of a type: they are many, and types are few.
        data_type=intern(row[4] or ""),
        is_nullable=row[5] != "NO",
        comment=row[6],
        is_partition_key=row[7] == "partition key",
    )
