"""Metadata of a unit: list its tables, ask SQL for their columns, join, write; batch by batch."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator, Mapping
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import dataclass, field

from kada_athena_async.codes import WarningCode
from kada_athena_async.concurrency import map_bounded
from kada_athena_async.errors import (
    AccessDeniedError,
    NotFoundError,
    QueryFailedError,
    UnitError,
)
from kada_athena_async.events import Warned
from kada_athena_async.pipeline.completeness import REASON_CHARS, SchemaTally
from kada_athena_async.pipeline.context import ExtractionContext
from kada_athena_async.pipeline.joining import Joining, Pairs, Write, metadata_parts, with_text
from kada_athena_async.plan import MetadataUnit
from kada_athena_async.report import UnitFacts, ViewContext
from kada_athena_async.scopes import Completeness, ScopeFacts
from kada_athena_async.sources.compressed_tables import ListedTable, key_of, name_of
from kada_athena_async.sources.information_schema import (
    InformationSchema,
    SqlTable,
    TableKey,
)
from kada_athena_async.sources.interface import TableDetail
from kada_athena_async.sources.listing import Listing, list_by_sql, sql_detail
from kada_athena_async.sources.reconcile import BatchRecords, Note
from kada_athena_async.sources.sql_columns import SqlAnswer, TakeTables, columns_by_sql
from kada_athena_async.sources.table_batches import SchemaPage, TableBatch, batches_of
from kada_athena_async.sources.view_texts import ViewTexts
from kada_athena_async.streams import map_stream


@dataclass(slots=True)
class CatalogSources:
    """Facts about the sources of a catalog, shared by its units.

    Attributes:
        twin_schemas: Those whose names differ from another's in case only.
        view_texts: None where the tables come with them.
        sql_refusal: Why SQL is not asked any more; empty while it is.
        warned: Codes of the warnings that were emitted.
    """

    listing: Listing
    twin_schemas: frozenset[str] = frozenset()
    view_texts: ViewTexts | None = None
    sql_refusal: str = ""
    warned: set[WarningCode] = field(default_factory=set)


@dataclass(slots=True)
class MetadataExtraction:
    """Extracts one metadata unit.

    Args:
        sources: Shared by all units of the catalog.
    """

    unit: MetadataUnit
    context: ExtractionContext
    sources: CatalogSources
    _sql: InformationSchema = field(init=False)
    _tallies: dict[str, SchemaTally] = field(default_factory=dict)
    _closed: dict[str, ScopeFacts] = field(default_factory=dict)
    _figures: Counter[str] = field(default_factory=Counter)
    _view_contexts: list[ViewContext] = field(default_factory=list)
    _rows: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        unit = self.unit
        self._sql = self.context.information_schema(unit.catalog.name, unit.unit_id)

    async def run(self) -> UnitFacts:
        """Extract the unit into its parts.

        Raises:
            UnitError: A schema cannot be read, and ``on_error`` is ``fail``.
        """
        self._tallies = {schema: SchemaTally() for schema in self.unit.schemas}
        context, source = self.context, self.context.source
        query_slots = context.config.max_concurrent_queries
        sizes = source.batch_sizes(len(self.unit.catalog.schemas), query_slots=query_slots)
        batches = batches_of(
            self._listings(), sizes, is_compressed=source.asks_sql, may_part=source.asks_sql
        )
        if source.asks_sql:
            await map_stream(
                self._with_parts,
                batches,
                limit=query_slots,
                slots=context.batches,
                ahead=context.ahead,
                size=len,
            )
        else:
            # Nobody waits for a statement: one after the other, into the same files.
            async with self._parts(0) as write:
                await map_stream(
                    lambda batch: self._batch(batch, write), batches, limit=1, slots=context.batches
                )

        return UnitFacts(
            scopes=tuple(self._scope(schema) for schema in self.unit.schemas),
            rows=dict(self._rows),
            reconciliation=dict(self._figures),
            view_contexts=tuple(self._view_contexts),
        )

    def _listings(self) -> list[AsyncGenerator[SchemaPage, None]]:
        if self.context.source.asks_api:
            following = [*self.unit.schemas[1:], None]
            return [*map(self._pages, self.unit.schemas, following)]

        return [list_by_sql(self._sql, self.unit.schemas)]

    async def _pages(self, schema: str, following: str | None) -> AsyncGenerator[SchemaPage, None]:
        if following is not None:
            # Two calls at a time: at the end no schema waits for the answer about another.
            self.sources.listing.ask_ahead(following)

        try:
            async with aclosing(self.sources.listing.pages(schema)) as pages:
                async for page in pages:
                    self._note_page(page)
                    yield page

        except NotFoundError as exc:
            is_link = self._link_target(schema) is not None
            reason = exc.message if is_link else "it was dropped while the run was going on"
            self._close(schema, "skipped", reason)
        except UnitError as exc:
            if self.context.config.on_error == "fail":
                raise

            is_denied = isinstance(exc, AccessDeniedError)
            self._close(schema, "denied" if is_denied else "skipped", exc.message)

    def _note_page(self, page: SchemaPage) -> None:
        """Note what a page says beside its tables."""
        name = f"{self.unit.catalog.name}.{page.schema}"
        for note in page.unreadable:
            self._note_unreadable(page.schema, note)

        if page.stand_in:
            self._tally(page.schema).note(page.stand_in)
            self._warn_once(WarningCode.STAND_IN, f"schema {name} is {page.stand_in}")

    def _note_unreadable(self, schema: str, note: str) -> None:
        self._tally(schema).miss_part(note)
        name = f"{self.unit.catalog.name}.{schema}"
        self._warn_once(WarningCode.UNREADABLE, f"schema {name} is incomplete: {note}")

    def _warn_once(self, code: WarningCode, message: str) -> None:
        """Warn of the first of a catalog; the manifest names each."""
        if code not in self.sources.warned:
            self.sources.warned.add(code)
            self.context.notify(Warned(code=code, message=message))

    async def _with_parts(self, batch: TableBatch) -> None:
        async with self._parts(batch.index) as write:
            await self._batch(batch, write)

    async def _batch(self, batch: TableBatch, write: Write) -> None:
        """Ask SQL about a batch and join its answer as it streams in; then what only one knows."""
        without_text = [name for name in batch.names() if name.needs_text]
        texts: dict[TableKey, str | None] = {}
        answer: SqlAnswer | None = None
        joining = Joining(batch, write)

        async def ask_columns() -> None:
            nonlocal answer
            answer = await self._ask_sql(batch, joining.take)

        async def ask_texts() -> None:
            texts.update(await self._view_texts(without_text, batch.is_whole))

        # Side by side: each has a statement of its own.
        await map_bounded(lambda ask: ask(), [ask_columns, ask_texts], limit=2)
        unreadable = await joining.unreadable_views()
        texts.update(await self._view_texts(unreadable, is_whole=False))
        await joining.finish(texts)
        for table in joining.merged:
            reason = f"SQL shows several tables named {table.name} (in any case) as one"
            self._note(Note(table.schema, reason, is_partial=True))

        if joining.only_sql:
            await write(await self._kinds(joining.only_sql), "sql")

        if answer is not None:
            self._note_failures(answer, batch)

    def _parts(self, index: int) -> AbstractAsyncContextManager[Write]:
        return metadata_parts(self.unit, index, self.context, self._count)

    async def _ask_sql(self, batch: TableBatch, take: TakeTables) -> SqlAnswer | None:
        """Ask SQL about a batch; None where it is not asked or refuses, and the API stands in."""
        source = self.context.source
        if not source.asks_sql or self.sources.sql_refusal:
            return None

        # SQL, which folds the case of names, would mix such schemas with others.
        if source.has_substitute and not self.sources.twin_schemas.isdisjoint(batch.schemas):
            return None

        try:
            answer = await columns_by_sql(self._sql, batch, take)
        except UnitError as exc:
            if not source.has_substitute:
                raise

            # Also where a result broke off: only whole tables were taken from it, and what is
            # still waiting the API can give.
            self._refuse_sql(exc.message, exc.hint)
            return None

        if answer.hopeless:
            if not source.has_substitute:
                raise UnitError(
                    f"SQL on catalog {self.unit.catalog.name} fails whatever it asks: "
                    f"{answer.hopeless[:REASON_CHARS]}",
                    hint="look at them in Athena's history, or use metadata_source api",
                )

            self._refuse_sql(answer.hopeless)

        return answer

    def _refuse_sql(self, reason: str, hint: str = "") -> None:
        if self.sources.sql_refusal:
            return

        self.sources.sql_refusal = reason[:REASON_CHARS]
        self.context.notify(
            Warned(
                code=WarningCode.SQL_REFUSED,
                message=f"SQL on catalog {self.unit.catalog.name} is refused, the API replaces it: "
                f"{self.sources.sql_refusal}",
                hint=hint,
            )
        )

    async def _kinds(self, tables: list[SqlTable]) -> Pairs:
        """Tables that SQL knows and the table source does not, with their kind."""
        try:
            return await self._with_kind(tables)
        except UnitError as exc:
            if not self.context.source.has_substitute:
                raise

            # SQL knows lower case only.
            spelt = {name.lower(): name for name in self.unit.schemas}
            for schema, count in Counter(table.key[0] for table in tables).items():
                tally = self._tally(spelt.get(schema, schema))
                tally.miss(f"{count} tables that only SQL knows: {exc.message}")

            return []

    async def _with_kind(self, tables: list[SqlTable]) -> Pairs:
        cells = {table.key: table.cells for table in tables}
        details: list[TableDetail] = []
        for schema in sorted({schema for schema, _ in cells}):
            names = tuple(sorted(name for s, name in cells if s == schema))
            async with aclosing(self._sql.tables((schema,), names)) as batches:
                async for batch in batches:
                    details += [sql_detail(s, name, is_view=view) for s, name, view in batch]

        without_text = [name for detail in details if (name := name_of(detail)).needs_text]
        texts = await self._view_texts(without_text, False)
        return [(with_text(detail, texts), cells.get(key_of(detail))) for detail in details]

    async def _view_texts(
        self, views: list[ListedTable], is_whole: bool
    ) -> dict[TableKey, str | None]:
        """The texts of views by SQL, as far as it can give them."""
        if not views or not self.context.source.asks_sql or self.sources.sql_refusal:
            return {}

        texts: dict[TableKey, str | None] = {}
        try:
            if self.sources.view_texts is not None:
                texts, views = await self.sources.view_texts.take(views)

            schemas = tuple(sorted({view.schema for view in views}))
            for some in [schemas] * bool(schemas) if is_whole else [(s,) for s in schemas]:
                names = tuple(v.name for v in views if not is_whole and v.schema == some[0])
                async with aclosing(self._sql.views(some, names)) as batches:
                    async for batch in batches:
                        texts.update(batch)

        except QueryFailedError as exc:
            for view in views:
                self._tally(view.schema).note(f"view texts: {exc.redacted_reason}")

        except UnitError as exc:
            if not self.context.source.has_substitute:
                raise

            self._refuse_sql(exc.message, exc.hint)

        return texts

    def _count(self, records: BatchRecords, rows: Mapping[str, int]) -> None:
        self._rows.update(rows)
        self._figures.update(records.figures)
        self._view_contexts += records.view_contexts
        for note in records.notes:
            self._note(note)

        for table in records.tables:
            counts = self._tally(table.schema).counts
            counts["views" if table.table_type == "VIEW" else "tables"] += 1
            counts[f"found_by_{table.found_by}"] += 1

        for schema, count in records.column_counts.items():
            self._tally(schema).counts["columns"] += count

    def _note_failures(self, answer: SqlAnswer, batch: TableBatch) -> None:
        failed = answer.unreadable_tables
        named = {key_of(name): name for name in (batch.names() if failed else ())}
        for key, reason in failed.items():
            table = named[key]
            tally = self._tally(table.schema)
            tally.unreadable_tables.append(table.name)
            tally.note(f"{table.name}: {reason}")
            tally.is_partial = tally.is_partial or not table.has_columns

        for schema, reason in answer.failed_schemas.items():
            self._tally(schema).note(reason)

    def _note(self, note: Note) -> None:
        tally = self._tally(note.schema)
        (tally.miss if note.is_partial else tally.note)(note.reason)

    def _tally(self, schema: str) -> SchemaTally:
        return self._tallies.setdefault(schema, SchemaTally())

    def _link_target(self, schema: str) -> str | None:
        named = (s.link_target for s in self.unit.catalog.schemas if s.name == schema)
        return next(named, None)

    def _close(self, schema: str, outcome: Completeness, reason: str) -> None:
        name = (self.unit.catalog.name, schema)
        if (target := self._link_target(schema)) is not None:
            reason = f"a link to {target}, which cannot be resolved: {reason}"

        self._closed[schema] = ScopeFacts(scope="schema", name=name, outcome=outcome, reason=reason)

    def _scope(self, schema: str) -> ScopeFacts:
        if schema in self._closed:
            return self._closed[schema]

        has_substitute = self.context.source.has_substitute
        refusal = self.sources.sql_refusal if has_substitute else ""
        return self._tallies[schema].scope((self.unit.catalog.name, schema), sql_refusal=refusal)
