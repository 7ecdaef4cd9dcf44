"""The records of one kind, read over an open connection and handed on as they come."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeAlias, cast

from kada_athena_async.column_block import ColumnBlock, Rows
from kada_athena_async.concurrency import map_bounded
from kada_athena_async.engine.connection import HISTORY_UNITS_AT_ONCE, Connection
from kada_athena_async.engine.system_table import (
    find_system_table,
    held_since,
    reaching,
    settle_of,
)
from kada_athena_async.errors import UnitError
from kada_athena_async.events import UnitFinished, UnitStarted
from kada_athena_async.hwm import WindowPlan, plan_window
from kada_athena_async.hwm.id_set import IdSet
from kada_athena_async.inventory import Inventory, SystemTableFacts
from kada_athena_async.pipeline import UnitExtraction, may_leave_out
from kada_athena_async.plan import (
    BrokenUnit,
    DerivedUnit,
    ExtraUnit,
    HistoryUnit,
    InventoryUnit,
    MetadataUnit,
    PrincipalEventsUnit,
    SourceUnit,
    TagsUnit,
    build_plan,
)
from kada_athena_async.records import PrincipalRecord, Record
from kada_athena_async.sinks.staging import new_run_id
from kada_athena_async.sources.strategy import history_source

Send: TypeAlias = Callable[[list[Record]], Awaitable[None]]

_ESTATE_KINDS = ("metadata_catalogs", "metadata_schemas", "users")
_HISTORY_KIND, _PRINCIPALS_KIND = "databaselog", "query_principals"

_UNITS: dict[str, tuple[type[SourceUnit], str]] = {
    _HISTORY_KIND: (HistoryUnit, "workgroup"),
    "metadata_tags": (TagsUnit, "catalog"),
}
"""Kind -> units that have its records, and scope of those that are broken."""


@dataclass(frozen=True, slots=True)
class Reading:
    """Reads all records of a kind over an open connection.

    Args:
        kind: Of the records, as their extract is named.
        start, end: The window; None where the kind has none, or for its default.
    """

    connection: Connection
    kind: str
    send: Send
    start: datetime | None
    end: datetime | None
    _seen: IdSet = field(init=False, default_factory=IdSet)

    async def run(self) -> None:
        connection = self.connection
        await connection.check_bucket()
        await connection.meet()  # loads what extracts, beside its call
        run_id = new_run_id(connection.clock.now())
        extraction = connection.extraction(run_id, _Sink(self.kind, self.send, self._keeps))
        inventory, units = await self._units(run_id)

        async def one(unit: SourceUnit) -> None:
            await _extract(unit, inventory, extraction)

        is_history = self.kind == _HISTORY_KIND
        limit = HISTORY_UNITS_AT_ONCE if is_history else connection.metadata_units_at_once
        await map_bounded(one, units, limit=limit)

    async def _units(self, run_id: str) -> tuple[Inventory, list[SourceUnit]]:
        """The units that have records of the kind, and the estate they belong to."""
        connection = self.connection
        await connection.meet()
        if self.kind == _PRINCIPALS_KIND:
            return await self._principal_units(run_id)

        table = None
        if self.kind == _HISTORY_KIND:
            if history_source(connection.config).asks_table:
                table = await find_system_table(connection, run_id)

            window_plan = self._window_plan(table)
            inventory = Inventory(
                catalogs=(),
                workgroups=connection.workgroups,
                workgroups_error=connection.workgroups_error,
            )
            if window_plan.window is None:
                return inventory, []

            kept_since = max(window_plan.window.start, window_plan.kept_since)
            table = reaching(connection, table, kept_since)
            if table is not None and table.earliest is not None:
                window_plan = window_plan.reaching(table.earliest)
        else:
            window_plan = self._window_plan(None)
            inventory = await connection.discover(run_id)

        units = build_plan(connection.config, inventory, window_plan, table).units
        return inventory, [u for u in units if not isinstance(u, DerivedUnit) and self._has(u)]

    async def _principal_units(self, run_id: str) -> tuple[Inventory, list[SourceUnit]]:
        nothing = Inventory(catalogs=(), workgroups=())
        window = self._window_plan(None).window
        if window is None:
            return nothing, []

        table = await find_system_table(self.connection, run_id)
        return nothing, [PrincipalEventsUnit(start=window.start, end=window.end, table=table)]

    def _window_plan(self, table: SystemTableFacts | None) -> WindowPlan:
        """The window that the caller asks for, and its readings."""
        config = self.connection.config
        return plan_window(
            self.connection.settled_now(),
            self.start,
            start=self.start,
            end=self.end,
            settle=settle_of(config, table),
            initial_lookback=timedelta(days=config.initial_lookback_days),
            held_since=held_since(config, table),
        )

    def _has(self, unit: SourceUnit) -> bool:
        if self.kind in _ESTATE_KINDS:
            return isinstance(unit, InventoryUnit)

        wanted, scope = _UNITS.get(self.kind, (MetadataUnit, "catalog"))
        return isinstance(unit, wanted) or (isinstance(unit, BrokenUnit) and unit.scope == scope)

    def _keeps(self, record: Record) -> bool:
        """False for a principal that was sent before, or of an execution outside the window.

        Sources give whole days or repeat the events of a page that shifts.
        """
        if not isinstance(record, PrincipalRecord):
            return True

        at = record.event_time
        is_outside = at is not None and not (
            (self.start is None or self.start <= at) and (self.end is None or at < self.end)
        )
        if is_outside or record.query_id in self._seen:
            return False

        self._seen.add(record.query_id)
        return True


async def _extract(unit: SourceUnit, inventory: Inventory, extraction: UnitExtraction) -> None:
    """Extract *unit*, or report that it is left out.

    Raises:
        UnitError: It cannot be done and may not be left out.
    """
    begun = extraction.clock.monotonic()
    extraction.notify(UnitStarted(unit_id=unit.unit_id))
    rows, outcome, reason = 0, "done", ""
    try:
        facts = await extraction.extract(unit, inventory)
        rows = sum(facts.rows.values())
        for warning in facts.warnings:
            extraction.notify(warning)

    except UnitError as exc:
        # A run goes on without these; who asks for nothing else has to know.
        is_asked = isinstance(unit, ExtraUnit)
        is_skipped = extraction.config.on_error == "skip"
        if not (is_skipped if is_asked else may_leave_out(extraction.config, unit, exc)):
            raise

        outcome, reason = "skipped", exc.message

    extraction.notify(
        UnitFinished(
            unit_id=unit.unit_id,
            outcome=outcome,
            rows=rows,
            duration_s=round(extraction.clock.monotonic() - begun, 3),
            reason=reason,
        )
    )


@dataclass(frozen=True, slots=True)
class _Sink:
    """Sends records of one kind on; the others, which a unit finds beside them, go nowhere."""

    kind: str
    send: Send
    keeps: Callable[[Record], bool]

    @asynccontextmanager
    async def part(self, unit_id: str, kind: str, index: int = 0) -> AsyncIterator[_Writer]:
        yield _Writer(self.send if kind == self.kind else None, self.keeps)


@dataclass(frozen=True, slots=True)
class _Writer:
    send: Send | None
    keeps: Callable[[Record], bool]

    async def write(self, batch: Rows) -> None:
        if self.send is not None and batch:
            records = batch.records() if isinstance(batch, ColumnBlock) else batch
            if kept := [each for each in cast("Sequence[Record]", records) if self.keeps(each)]:
                await self.send(kept)
