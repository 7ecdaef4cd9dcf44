"""Joins the tables of a batch with what SQL says of them, as it comes."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from kada_athena_async.aws.result_csv import Cells
from kada_athena_async.column_block import Rows
from kada_athena_async.concurrency import batches, offload
from kada_athena_async.events import UnitProgress
from kada_athena_async.pipeline.context import ExtractionContext
from kada_athena_async.pipeline.transforms import view_of
from kada_athena_async.plan import MetadataUnit
from kada_athena_async.sources.compressed_tables import ListedTable, key_of, name_of
from kada_athena_async.sources.information_schema import SqlTable, TableKey
from kada_athena_async.sources.interface import RawView, TableDetail
from kada_athena_async.sources.reconcile import BatchRecords, Merger
from kada_athena_async.sources.table_batches import TableBatch
from kada_athena_async.sql.hive_types import trino_type

METADATA_KINDS = ("metadata_tables", "metadata_columns", "metadata_fields", "metadata_views")

JOINED_TABLES = 50
"""Tables joined in one go where they do not stream in: some 1,000 columns."""

Pairs: TypeAlias = "Sequence[tuple[TableDetail, Cells | None]]"
"""Tables, and what SQL said of their columns."""

Write: TypeAlias = Callable[[Pairs, str], Awaitable[None]]
"""Joins and writes tables that ``api`` or ``sql`` listed."""


@dataclass(slots=True)
class Joining:
    """Tables of one batch that are still to be joined.

    SQL folds the case of names, so it cannot distinguish tables that differ in nothing else, as
    federated sources have them: such twins, and tables whose columns SQL numbers twice, are what
    the API says of them.

    Attributes:
        only_sql: Tables that SQL knows and the table source does not.
        merged: Tables of which SQL, asked alone, shows several as one.
    """

    batch: TableBatch
    write: Write
    only_sql: list[SqlTable] = field(default_factory=list)
    merged: list[TableDetail] = field(default_factory=list)
    _without_text: set[TableKey] = field(init=False)
    _aside: list[tuple[TableDetail, Cells | None]] = field(default_factory=list)
    _waiting: dict[TableKey, TableDetail] | None = None
    _twins: list[TableDetail] = field(default_factory=list)
    _twin_keys: set[TableKey] = field(default_factory=set)
    _unreadable: dict[TableKey, TableDetail] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._without_text = {key_of(name) for name in self.batch.names() if name.needs_text}

    async def take(self, answered: list[SqlTable]) -> None:
        """Write tables that SQL spoke of; views without a text are set aside until it is known."""
        waiting = await self._tables()
        pairs: list[tuple[TableDetail, Cells | None]] = []
        for table in answered:
            if table.key not in waiting:
                if table.key not in self._twin_keys:
                    self.only_sql.append(table)

                continue

            cells = table.cells
            if _is_merged(cells):
                detail = waiting[table.key]
                if detail.columns is not None:
                    continue  # the API gives what is left waiting

                self.merged.append(detail)
                cells = _each_once(cells)

            pair = (waiting.pop(table.key), cells)
            is_open = table.key in self._without_text or table.key in self._unreadable
            (self._aside if is_open else pairs).append(pair)

        if pairs:
            await self.write(pairs, self._listed_by)

    async def unreadable_views(self) -> list[ListedTable]:
        """Views whose text the table source gave in a way that cannot be decoded."""
        await self._tables()
        return [name_of(view) for view in self._unreadable.values()]

    async def finish(self, view_texts: Mapping[TableKey, str | None]) -> None:
        """Write the views that were set aside, and the tables that SQL did not speak of."""
        waiting = await self._tables()
        rest = [*self._aside, *((waiting[key], None) for key in sorted(waiting))]
        pairs = [(with_text(table, view_texts), cells) for table, cells in rest]
        pairs += [(table, None) for table in self._twins]
        for batch in batches(pairs, JOINED_TABLES):
            await self.write(batch, self._listed_by)

    async def _tables(self) -> dict[TableKey, TableDetail]:
        if self._waiting is None:
            tables, unreadable = await offload(self._unpack)
            # SQL lists twins under one name.
            tables = list({(table.schema, table.name): table for table in tables}.values())
            times = Counter(map(key_of, tables))
            self._twin_keys = {key for key, count in times.items() if count > 1}
            self._twins = [table for table in tables if key_of(table) in self._twin_keys]
            self._unreadable = {key_of(view): view for view in unreadable}
            self._waiting = {
                key_of(table): table for table in tables if key_of(table) not in self._twin_keys
            }

        return self._waiting

    def _unpack(self) -> tuple[list[TableDetail], list[TableDetail]]:
        tables = self.batch.take_tables()
        views = [table for table in tables if table.is_view and table.view is not None]
        return tables, [view for view in views if view.view and view_of(view.view).is_unreadable]

    @property
    def _listed_by(self) -> str:
        # A stand-in may have listed one schema of several; then SQL is all that spoke of it.
        return "api" if "api" in self.batch.found_by.values() else "sql"


def _is_merged(cells: Cells) -> bool:
    """True if SQL's columns of one table are those of several: it numbers columns twice."""
    positions = cells[1]
    return len(set(positions)) < len(positions)


def _each_once(cells: Cells) -> Cells:
    """The columns of tables that SQL shows as one: each name once, numbered anew."""
    first = dict(reversed([(name, at) for at, name in enumerate(cells[0])]))
    places = sorted(first.values())
    kept = [[column[at] for at in places] for column in cells]
    kept[1] = [str(position) for position in range(1, len(places) + 1)]
    return kept


def with_text(table: TableDetail, texts: Mapping[TableKey, str | None]) -> TableDetail:
    """The table; a view with its text by SQL, if there is one."""
    text = texts.get(key_of(table))
    return table if text is None else replace(table, view=RawView(text=text, is_plain_sql=True))


@asynccontextmanager
async def metadata_parts(
    unit: MetadataUnit,
    index: int,
    context: ExtractionContext,
    count: Callable[[BatchRecords, Mapping[str, int]], None],
) -> AsyncIterator[Write]:
    """A function that merges tables and writes their records into the parts *index* of a unit.

    Args:
        count: Takes the records of each merge, and their number by kind.
    """
    merger = Merger(
        server=context.config.server,
        catalog=unit.catalog.name,
        trino_type=trino_type,
        decode_view=view_of,
    )
    async with AsyncExitStack() as stack:
        parts = {
            kind: await stack.enter_async_context(context.sink.part(unit.unit_id, kind, index))
            for kind in METADATA_KINDS
        }

        async def write(pairs: Pairs, listed_by: str) -> None:
            def merge() -> BatchRecords:
                records = merger.join(pairs, listed_by=listed_by)
                records.views = [context.transforms.view(view) for view in records.views]
                return records

            records = await offload(merge)
            found: tuple[Rows, ...] = (
                records.tables,
                records.columns,
                records.fields,
                records.views,
            )
            by_kind = {kind: rows for kind, rows in zip(METADATA_KINDS, found, strict=True) if rows}
            for kind, rows in by_kind.items():
                await parts[kind].write(rows)
                context.notify(UnitProgress(unit_id=unit.unit_id, kind=kind, rows=len(rows)))

            count(records, {kind: len(rows) for kind, rows in by_kind.items()})

        yield write
