"""Extraction of one unit into a sink of records."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import partial

from typing_extensions import assert_never

from kada_athena_async.aws.wire import QueryExecution
from kada_athena_async.config import Config
from kada_athena_async.errors import NotFoundError, StateError, UnitError
from kada_athena_async.events import UnitAdvanced, UnitProgress, Warned
from kada_athena_async.filters import included_schemas, is_schema_included
from kada_athena_async.hwm.ledger import DEFERRED
from kada_athena_async.inventory import CatalogFacts, Inventory
from kada_athena_async.pipeline.context import ExtractionContext
from kada_athena_async.pipeline.history_parts import HistoryParts
from kada_athena_async.pipeline.inventory import extract_inventory
from kada_athena_async.pipeline.metadata import CatalogSources, MetadataExtraction
from kada_athena_async.pipeline.principals import PrincipalEvents
from kada_athena_async.plan import (
    BrokenUnit,
    ExtraUnit,
    HistoryUnit,
    InventoryUnit,
    MetadataUnit,
    PrincipalEventsUnit,
    SourceUnit,
    TagsUnit,
    Unit,
)
from kada_athena_async.report import UnitFacts
from kada_athena_async.scopes import ScopeFacts
from kada_athena_async.sources.lake_formation import LakeFormationTags
from kada_athena_async.sources.listing import Listing, SqlTables, table_sources
from kada_athena_async.sources.query_history import Emit, WorkgroupHistory
from kada_athena_async.sources.system_table import TableHistory
from kada_athena_async.sources.view_texts import ViewTexts


@dataclass(slots=True, kw_only=True)
class UnitExtraction(ExtractionContext):
    """Extracts the units of one run into its sink."""

    _sources: dict[str, CatalogSources] = field(init=False, default_factory=dict)

    async def extract(self, unit: SourceUnit, inventory: Inventory) -> UnitFacts:
        """Extract *unit*; what it found beside its rows.

        Raises:
            UnitError: It cannot be done.
            AbortError: Nothing can go on at all.
        """
        match unit:
            case InventoryUnit():
                return await extract_inventory(unit.unit_id, inventory, self)
            case MetadataUnit():
                return await MetadataExtraction(unit, self, self._sources_of(unit.catalog)).run()
            case TagsUnit():
                return await self._tags(unit)
            case HistoryUnit():
                return await self._history(unit)
            case PrincipalEventsUnit():
                return await PrincipalEvents(unit, self).run()
            case BrokenUnit():
                raise unit.error
            case _ as never:
                assert_never(never)

    def _sources_of(self, catalog: CatalogFacts) -> CatalogSources:
        if catalog.name not in self._sources:
            by_sql = SqlTables(self.information_schema(catalog.name, f"listing/{catalog.name}"))
            sources = table_sources(self.source, self.client, catalog, by_sql)
            times = Counter(schema.name.lower() for schema in catalog.schemas)
            self._sources[catalog.name] = CatalogSources(
                Listing(catalog=catalog.name, sources=sources),
                twin_schemas=frozenset(
                    s.name for s in catalog.schemas if times[s.name.lower()] > 1
                ),
                view_texts=ViewTexts(
                    self.information_schema(catalog.name, f"views/{catalog.name}"),
                    included_schemas(self.config, catalog),
                )
                if self.source.needs_view_texts(is_in_glue=catalog.is_in_glue)
                else None,
            )

        return self._sources[catalog.name]

    async def _tags(self, unit: TagsUnit) -> UnitFacts:
        """Write the tags of a catalog: all of them or, after an error, none."""
        name, kind, rows = unit.catalog.name, "metadata_tags", 0
        tags = LakeFormationTags(self.client, name, unit.catalog.catalog_id)
        found = tags.records(self.config.server, partial(is_schema_included, self.config, name))
        async with self.sink.part(unit.unit_id, kind) as part, aclosing(found) as batches:
            async for records in batches:
                await part.write(records)
                rows += len(records)
                self.notify(UnitProgress(unit_id=unit.unit_id, kind=kind, rows=len(records)))

        scopes: tuple[ScopeFacts, ...] = ()
        warnings: tuple[Warned, ...] = ()
        if tags.unreadable:
            reason = f"some LF-tags are left out, unreadable: {'; '.join(tags.unreadable)}"
            message = f"some tags of catalog {name} are left out: {tags.unreadable[0]}"
            warnings = (Warned(code=unit.warning, message=message),)
            scopes = (ScopeFacts(scope="catalog", name=(name,), outcome="complete", reason=reason),)

        return UnitFacts(
            rows={kind: rows},
            scopes=scopes,
            reconciliation={"searches": tags.searches},
            warnings=warnings,
        )

    def _history_of(
        self, unit: HistoryUnit, emit: Emit, advanced: Callable[[float], None]
    ) -> WorkgroupHistory:
        """Reader of a workgroup's history: the API, or Athena's system table."""
        if unit.table is None:
            return WorkgroupHistory(
                client=self.client,
                clock=self.clock,
                workgroup_window=unit.workgroup_window,
                emit=emit,
                advanced=advanced,
            )

        return TableHistory(
            client=self.client,
            clock=self.clock,
            workgroup_window=unit.workgroup_window,
            emit=emit,
            advanced=advanced,
            table=self.system_table(unit.unit_id),
            facts=unit.table,
        )

    async def _history(self, unit: HistoryUnit) -> UnitFacts:
        name = unit.workgroup.name

        async def emit(executions: list[QueryExecution]) -> None:
            await parts.write(executions)
            self.notify(
                UnitProgress(unit_id=unit.unit_id, kind="databaselog", rows=len(executions))
            )

        def advanced(share: float) -> None:
            self.notify(UnitAdvanced(unit_id=unit.unit_id, share=round(share, 3)))

        async with HistoryParts(unit, self) as parts:
            history = self._history_of(unit, emit, advanced)
            account = await history.read()

        rows, emitted = parts.rows, account.counts.get("emitted", 0)
        if rows != emitted:
            raise StateError(
                f"workgroup {name} accounted for {emitted} executions and wrote {rows}",
                hint="this is a defect of ours; nothing was committed",
            )

        scope = _workgroup_scope(name, account.counts, history.unreadable)
        return UnitFacts(rows={"databaselog": rows}, account=account, scopes=(scope,))


def _workgroup_scope(name: str, counts: dict[str, int], unreadable: Sequence[str]) -> ScopeFacts:
    """The completeness of a workgroup's history."""
    unread = {why: n for why in DEFERRED if (n := counts.get(why, 0))}
    reasons = [f"unreadable: {'; '.join(unreadable)}"] if unreadable else []
    reasons += [_why_unread(unread)] if unread else []
    return ScopeFacts(
        scope="workgroup",
        name=(name,),
        outcome="partial" if reasons else "complete",
        counts=counts,
        reason="; ".join(reasons),
    )


def _why_unread(unread: Mapping[str, int]) -> str:
    """A sentence about executions that were deferred."""
    reasons = {
        "unauthorised": "athena:BatchGetQueryExecution is not allowed for them",
        "missing": "Athena lists or listed them and does not know them",
        "unreadable": "Athena does not answer for them",
    }
    summary = "; ".join(
        f"{n} executions cannot be read: {reasons[why]}" for why, n in unread.items()
    )
    return f"{summary}; the next run asks again"


def may_leave_out(config: Config, unit: Unit, error: UnitError) -> bool:
    """True if the others may be published without *unit*, which *error* ended."""
    if isinstance(unit, HistoryUnit) and unit.workgroup_window.held:
        return False  # the package that is replaced would lose them

    # A workgroup that was deleted while the run went on has no history any more.
    is_gone = isinstance(unit, HistoryUnit) and isinstance(error, NotFoundError)
    is_known = isinstance(unit, BrokenUnit) and unit.is_expected
    if isinstance(unit, ExtraUnit):
        return True

    return config.on_error == "skip" or is_gone or is_known
