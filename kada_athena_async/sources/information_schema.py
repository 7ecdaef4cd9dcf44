"""Metadata by SQL: our statements on a catalog's information_schema, as typed rows."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from itertools import groupby
from typing import NamedTuple, TypeAlias

from kada_athena_async.aws.athena import AthenaQueries, Statement
from kada_athena_async.aws.result_csv import Cells
from kada_athena_async.aws.results import Results
from kada_athena_async.errors import ResultError, UnitError
from kada_athena_async.sources.statement_texts import (
    NAMES_MAX,
    PREFIX_MAX,
    STATEMENT_COLUMNS,
    conditions_on,
    fill,
    portions,
    takes_scans,
)

TableKey: TypeAlias = tuple[str, str]
"""Schema and table, lower case: how SQL and the APIs find the same table."""


LARGE_TABLES, LARGE_SCHEMAS = 50, 5
"""Tables whose columns, and schemas whose tables, mostly need more than one page of 1,000 rows."""


SCANS_S = 300.0
"""Seconds that a statement of several scans may take; some 25 are usual. Trino reads for each scan
what its condition names, but Athena can make one scan of several over the same relation
("Computation Reuse via Fusion in Amazon Athena", ICDE 2022): that one would have too many names."""


class SqlTable(NamedTuple):
    """A table and its columns in ordinal order.

    Attributes:
        cells: What COLUMNS_SQL says of them: its columns from ``column_name`` on.
    """

    key: TableKey
    cells: Cells


@dataclass(slots=True, kw_only=True)
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
    _scans_are_slow: bool = field(init=False, default=False)

    def portions(self, names: Sequence[str], name: str = "COLUMNS_SQL") -> list[tuple[str, ...]]:
        """*names* of tables of one schema, as many at a time as the statement *name* may have."""
        takes_many = takes_scans(name, self.texts[name]) and not self._scans_are_slow
        return list(portions(names, NAMES_MAX if takes_many else PREFIX_MAX))

    async def schemata(self) -> list[str]:
        """Names of the catalog's schemas, in order, without information_schema."""
        conditions = ["schema_name <> 'information_schema'"]
        names: list[str] = []
        # Few rows, but everything waits for them, and the object comes sooner than a page.
        rows = self._rows("SCHEMATA_SQL", conditions, is_large=True)
        async with aclosing(rows) as batches:
            async for batch in batches:
                names += [name or "" for name in batch[0]]

        return list(dict.fromkeys(names))  # SQL may fold the case of two into one

    async def tables(
        self, schemas: tuple[str, ...], names: tuple[str, ...] = ()
    ) -> AsyncGenerator[list[tuple[str, str, bool]], None]:
        """Batches of (schema, table, is it a view), ordered by schema and table."""
        rows = self._portioned("TABLES_SQL", schemas, names, is_large=len(schemas) >= LARGE_SCHEMAS)
        async with aclosing(rows) as batches:
            async for batch in batches:
                yield [
                    (found or "", name or "", kind == "VIEW")
                    for found, name, kind in zip(*batch, strict=True)
                ]

    async def columns(
        self, schemas: tuple[str, ...], names: tuple[str, ...] = (), *, expected: int = 0
    ) -> AsyncGenerator[list[SqlTable], None]:
        """Batches of tables with all their columns, ordered by schema and table.

        Args:
            names: Tables of the one schema given, one of the ``portions``; all if empty.
            expected: Number of tables that are known.
        """
        conditions = conditions_on(schemas, names)
        last: SqlTable | None = None
        rows = self._rows("COLUMNS_SQL", conditions, is_large=expected >= LARGE_TABLES)
        async with aclosing(rows) as batches:
            async for batch in batches:
                tables = _tables_of(batch)
                if last is not None:
                    if last.key == tables[0].key:
                        tables[0] = _joined(last, tables[0])
                    else:
                        tables.insert(0, last)

                last = tables.pop()
                if tables:
                    yield tables

        if last is not None:
            yield [last]

    async def views(
        self, schemas: tuple[str, ...], names: tuple[str, ...] = ()
    ) -> AsyncGenerator[dict[TableKey, str | None], None]:
        """Batches of view -> its definition."""
        # Those of a few tables hold up one batch, those of schemas many.
        rows = self._portioned("VIEWS_SQL", schemas, names, is_short=bool(names))
        async with aclosing(rows) as batches:
            async for batch in batches:
                yield {
                    (schema or "", name or ""): text
                    for schema, name, text in zip(*batch, strict=True)
                }

    async def _portioned(
        self, name: str, schemas: tuple[str, ...], names: tuple[str, ...], **reading: bool
    ) -> AsyncGenerator[Cells, None]:
        """The rows of as many statements as *names* take, one after the other."""
        for some in self.portions(names, name) or [()]:
            async with aclosing(self._rows(name, conditions_on(schemas, some), **reading)) as rows:
                async for batch in rows:
                    yield batch

    async def _rows(
        self,
        name: str,
        conditions: Sequence[str],
        *,
        is_short: bool = False,
        is_large: bool = False,
    ) -> AsyncGenerator[Cells, None]:
        sql = fill(
            self.texts[name],
            catalog=self.catalog,
            conditions=conditions,
            run_id=self.queries.run_id,
        )
        statement = Statement(
            key="/".join([self.unit_id, name, *conditions]),
            sql=sql,
            catalog=self.catalog,
            is_short=is_short,
        )
        begun_s = self.queries.clock.monotonic()
        try:
            execution = await self.queries.run(statement, unit_id=self.unit_id)
        finally:
            spent_s = self.queries.clock.monotonic() - begun_s
            self._scans_are_slow |= len(conditions) > 1 and spent_s > SCANS_S

        try:
            rows = self.results.read(
                execution,
                STATEMENT_COLUMNS[name],
                is_listing=name == "TABLES_SQL",
                is_large=is_large,
            )
            async with aclosing(rows) as batches:
                async for batch in batches:
                    yield batch

        except UnitError as exc:
            raise ResultError(
                f"the result of query {execution.query_execution_id} cannot be read: {exc.message}",
                hint=exc.hint,
            ) from exc


def _tables_of(batch: Cells) -> list[SqlTable]:
    schemas, names, *cells = batch
    tables: list[SqlTable] = []
    first = 0
    for (schema, name), rows in groupby(zip(schemas, names, strict=True)):
        end = first + len(list(rows))
        tables.append(SqlTable((schema or "", name or ""), [column[first:end] for column in cells]))
        first = end

    return tables


def _joined(table: SqlTable, rest: SqlTable) -> SqlTable:
    """A table whose columns came in two batches."""
    pairs = zip(table.cells, rest.cells, strict=True)
    return SqlTable(table.key, [begun + more for begun, more in pairs])
