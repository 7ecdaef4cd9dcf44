"""Metadata of a unit: list its tables, ask SQL for their columns, join, write; slice by slice."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace

from kada_athena_async.concurrency import Slots, map_stream, offload
from kada_athena_async.config import Config
from kada_athena_async.errors import (
    AccessDeniedError,
    NotFoundError,
    QueryFailedError,
    UnitError,
)
from kada_athena_async.events import Observer, UnitProgress, Warned
from kada_athena_async.pipeline.transforms import Transforms, view_of
from kada_athena_async.plan import MetadataUnit
from kada_athena_async.records import Record
from kada_athena_async.report import Completeness, ScopeFacts, UnitFacts
from kada_athena_async.sinks import Staging
from kada_athena_async.sources.information_schema import InformationSchema
from kada_athena_async.sources.interface import RawView, TableDetail
from kada_athena_async.sources.listing import Listing, list_by_sql, sql_detail
from kada_athena_async.sources.reconcile import Joiner, SliceRecords, key_of
from kada_athena_async.sources.slices import SchemaPage, Slice, cut
from kada_athena_async.sources.sql_columns import SqlAnswer, columns_by_sql
from kada_athena_async.sql.hive_types import trino_type

REASON_CHARS = 300
TABLES_NAMED = 5


@dataclass(slots=True)
class CatalogSources:
    """What is known, over all units of a catalog, about who may tell what of it.

    Attributes:
        sql_refusal: Why SQL is not asked any more; empty while it is.
    """

    listing: Listing
    sql_refusal: str = ""


@dataclass(slots=True)
class _SchemaTally:
    """What was found of one schema."""

    counts: Counter[str] = field(default_factory=Counter)
    poisoned: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    is_partial: bool = False


@dataclass(slots=True, kw_only=True)
class MetadataExtraction:
    """Extracts one metadata unit.

    Args:
        information_schema: None where no SQL is asked (``metadata_source`` ``api``).
        sources: Shared by all units of the catalog.
        slots: Shared by all units of the run: how many slices are held at a time.
    """

    unit: MetadataUnit
    config: Config
    information_schema: InformationSchema | None
    sources: CatalogSources
    staging: Staging
    transforms: Transforms
    slots: Slots
    tell: Observer
    _tallies: dict[str, _SchemaTally] = field(default_factory=dict)
    _closed: dict[str, ScopeFacts] = field(default_factory=dict)
    _figures: Counter[str] = field(default_factory=Counter)
    _rows: Counter[str] = field(default_factory=Counter)

    async def run(self) -> UnitFacts:
        """Extract the unit into its parts.

        Raises:
            UnitError: A schema cannot be told, and ``on_error`` is ``fail``.
        """
        self._tallies = {schema: _SchemaTally() for schema in self.unit.schemas}
        pieces = cut(self._pages())
        await map_stream(
            self._slice, pieces, limit=self.config.max_concurrent_queries, slots=self.slots
        )
        return UnitFacts(
            scopes=tuple(self._scope(schema) for schema in self.unit.schemas),
            rows=dict(self._rows),
            reconciliation=dict(self._figures),
        )

    async def _pages(self) -> AsyncGenerator[SchemaPage, None]:
        if self.config.metadata_source == "sql":
            async with aclosing(list_by_sql(self._sql, self.unit.schemas)) as pages:
                async for page in pages:
                    yield page

            return

        for schema in self.unit.schemas:
            try:
                async with aclosing(self.sources.listing.pages(schema)) as pages:
                    async for page in pages:
                        yield page

            except NotFoundError:
                self._close(schema, "skipped", "it was dropped while the run was going on")
            except UnitError as exc:
                if self.config.on_error == "fail":
                    raise

                is_denied = isinstance(exc, AccessDeniedError)
                self._close(schema, "denied" if is_denied else "skipped", exc.message)

    @property
    def _sql(self) -> InformationSchema:
        if self.information_schema is None:
            raise AssertionError("unreachable: SQL is not asked where there is none")

        return self.information_schema

    async def _slice(self, piece: Slice) -> None:
        """Ask SQL about a slice, join, write its parts."""
        answer = await self._columns(piece)
        only_sql = await self._only_sql(piece, answer) if answer else []
        piece.tables = await self._with_view_texts(piece.schemas, piece.tables, piece.is_whole)
        joiner = Joiner(
            server=self.config.server,
            catalog=self.unit.catalog.name,
            trino_type=trino_type,
            decode_view=view_of,
        )

        def join() -> SliceRecords:
            records = joiner.join(piece.tables, answer, found_by=piece.found_by, only_sql=only_sql)
            records.views = [self.transforms.view(view) for view in records.views]
            return records

        records = await offload(join)
        self._note(piece, answer, records)
        await self._write(piece.index, "metadata_tables", records.tables)
        await self._write(piece.index, "metadata_columns", records.columns)
        await self._write(piece.index, "metadata_views", records.views)

    async def _columns(self, piece: Slice) -> SqlAnswer | None:
        """SQL's answer; None where it is not asked or refuses, and the API stands in."""
        if self.config.metadata_source == "api" or self.sources.sql_refusal:
            return None

        try:
            answer = await columns_by_sql(self._sql, piece)
        except UnitError as exc:
            if self.config.metadata_source == "sql":
                raise

            self._refuse_sql(exc.message)
            return None

        if answer.hopeless:
            if self.config.metadata_source == "sql":
                raise UnitError(
                    f"SQL on catalog {self.unit.catalog.name} fails whatever it asks: "
                    f"{answer.hopeless[:REASON_CHARS]}",
                    hint="look at them in Athena's history, or use metadata_source api",
                )

            self._refuse_sql(answer.hopeless)

        return answer

    def _refuse_sql(self, reason: str) -> None:
        if self.sources.sql_refusal:
            return

        self.sources.sql_refusal = reason[:REASON_CHARS]
        self.tell(
            Warned(
                code="sql_refused",
                message=f"SQL on catalog {self.unit.catalog.name} is refused, the API stands in: "
                f"{self.sources.sql_refusal}",
            )
        )

    async def _only_sql(self, piece: Slice, answer: SqlAnswer) -> list[TableDetail]:
        """Tables that SQL knows and the lister does not, with their kind."""
        listed = {key_of(table) for table in piece.tables}
        found = sorted(answer.columns.keys() - listed)
        details = []
        for schema in sorted({schema for schema, _ in found}):
            names = tuple(name for s, name in found if s == schema)
            async with aclosing(self._sql.tables((schema,), names)) as batches:
                async for batch in batches:
                    details += [sql_detail(s, name, is_view=view) for s, name, view in batch]

        return await self._with_view_texts(
            sorted({detail.schema for detail in details}), details, False
        )

    async def _with_view_texts(
        self, schemas: list[str], tables: list[TableDetail], is_whole: bool
    ) -> list[TableDetail]:
        """The tables, views with their texts by SQL where the lister gave none."""
        bare = {
            key_of(table): table
            for table in tables
            if table.is_view and (table.view is None or table.view.text is None)
        }
        if not bare or self.information_schema is None or self.sources.sql_refusal:
            return tables

        texts: dict[tuple[str, str], str | None] = {}
        try:
            if is_whole:
                texts = await self._sql.views(tuple(sorted({t.schema for t in bare.values()})))
            else:
                for schema in schemas:
                    names = tuple(t.name for t in bare.values() if t.schema == schema)
                    if names:
                        texts.update(await self._sql.views((schema,), names))

        except QueryFailedError as exc:
            for table in bare.values():
                self._tallies[table.schema].notes.append(f"view texts: {exc.reason}"[:REASON_CHARS])

        return [
            replace(table, view=RawView(text=texts[key_of(table)], is_plain_sql=True))
            if key_of(table) in bare and texts.get(key_of(table)) is not None
            else table
            for table in tables
        ]

    def _note(self, piece: Slice, answer: SqlAnswer | None, records: SliceRecords) -> None:
        self._figures.update(records.figures)
        for table in records.tables:
            counts = self._tally(table.schema).counts
            counts["views" if table.table_type == "VIEW" else "tables"] += 1
            counts[f"found_by_{table.found_by}"] += 1

        for column in records.columns:
            self._tally(column.schema).counts["columns"] += 1

        if answer is None:
            return

        named = {key_of(table): table for table in piece.tables}
        for key, reason in answer.poisoned.items():
            poisoned = named[key]
            tally = self._tally(poisoned.schema)
            tally.poisoned.append(poisoned.name)
            tally.notes.append(f"{poisoned.name}: {reason}"[:REASON_CHARS])
            tally.is_partial = tally.is_partial or poisoned.columns is None

        for schema, reason in answer.failed_schemas.items():
            self._tally(schema).notes.append(reason[:REASON_CHARS])

    def _tally(self, schema: str) -> _SchemaTally:
        return self._tallies.setdefault(schema, _SchemaTally())

    def _close(self, schema: str, outcome: Completeness, reason: str) -> None:
        name = (self.unit.catalog.name, schema)
        self._closed[schema] = ScopeFacts(scope="schema", name=name, outcome=outcome, reason=reason)

    def _scope(self, schema: str) -> ScopeFacts:
        if schema in self._closed:
            return self._closed[schema]

        tally = self._tallies[schema]
        reasons = []
        if tally.poisoned:
            names = ", ".join(tally.poisoned[:TABLES_NAMED])
            more = len(tally.poisoned) - TABLES_NAMED
            reasons.append(f"SQL cannot read {names}" + (f" and {more} more" if more > 0 else ""))

        reasons += tally.notes[:TABLES_NAMED]
        if self.sources.sql_refusal and self.config.metadata_source == "auto":
            reasons.append(f"without SQL: {self.sources.sql_refusal}")

        return ScopeFacts(
            scope="schema",
            name=(self.unit.catalog.name, schema),
            outcome="partial" if tally.is_partial else "complete",
            counts=dict(tally.counts),
            reason="; ".join(reasons),
        )

    async def _write(self, index: int, kind: str, records: Sequence[Record]) -> None:
        if not records:
            return

        async with self.staging.part(self.unit.unit_id, kind, index) as part:
            await part.write(records)

        self._rows[kind] += len(records)
        self.tell(UnitProgress(unit_id=self.unit.unit_id, kind=kind, rows=len(records)))
