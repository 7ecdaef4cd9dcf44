"""Records without files: what a run would write, handed to the caller as it comes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TypeVar, cast

from kada_athena_async.column_block import ColumnBlock, Rows
from kada_athena_async.concurrency import Clock, map_bounded, stream_from
from kada_athena_async.config import Config
from kada_athena_async.engine.connection import HISTORY_UNITS_AT_ONCE, Connection
from kada_athena_async.engine.system_table import (
    find_system_table,
    held_since,
    reaching,
    settle_of,
)
from kada_athena_async.errors import ConfigError, Problem, UnitError
from kada_athena_async.events import UnitFinished, UnitStarted
from kada_athena_async.hwm import WindowPlan, plan_window
from kada_athena_async.hwm.id_set import IdSet
from kada_athena_async.hwm.times import moment_of
from kada_athena_async.inventory import Inventory, SystemTableFacts
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
from kada_athena_async.records import (
    CatalogRecord,
    ColumnRecord,
    FieldRecord,
    PrincipalRecord,
    QueryRecord,
    Record,
    SchemaRecord,
    TableRecord,
    TagRecord,
    UserRecord,
    ViewRecord,
)
from kada_athena_async.sinks.staging import new_run_id
from kada_athena_async.sources.strategy import history_source

if TYPE_CHECKING:
    from kada_athena_async.pipeline import UnitExtraction

RecordT = TypeVar("RecordT", bound=Record)

Send = Callable[[list[Record]], Awaitable[None]]

BATCHES_AHEAD = 2
"""Batches that wait for the caller; those who extract wait with one more each."""

_ESTATE_KINDS = ("metadata_catalogs", "metadata_schemas", "users")
_TAGS_KIND = "metadata_tags"
_HISTORY_KIND, _PRINCIPALS_KIND = "databaselog", "query_principals"


class RecordStreams(ABC):
    """Records of an ``Extractor`` without files.

    Each method gives batches of records, masked as configured, in no particular order, while it
    reads on; a caller who is slow slows it down, so memory stays bounded. No HWM is read or
    moved, no lock taken and nothing written. Break off whenever you like; what runs in the
    background is over when the generator is closed, which ``contextlib.aclosing`` does at once::

        async with aclosing(extractor.tables()) as batches:
            async for batch in batches: ...

    A catalog or workgroup that cannot be read ends the iteration with its error, or with
    ``on_error`` ``skip`` is left out and reported to the observers as a ``UnitFinished``.

    Raises, while iterating:
        ConfigError: Region, catalog, workgroup or bucket do not exist.
        AbortError: AWS does not accept us, or an answer cannot be trusted.
        UnitError: Something cannot be read, and ``on_error`` is ``fail``.
    """

    _clock: Clock
    config: Config

    @abstractmethod
    def _connection(self) -> AbstractAsyncContextManager[Connection]:
        """A connection for one reading."""

    def catalogs(self) -> AsyncGenerator[list[CatalogRecord], None]:
        """Catalogs that the configuration asks for."""
        return self._stream(CatalogRecord, "metadata_catalogs")

    def schemas(self) -> AsyncGenerator[list[SchemaRecord], None]:
        """Schemas of these catalogs."""
        return self._stream(SchemaRecord, "metadata_schemas")

    def tables(self) -> AsyncGenerator[list[TableRecord], None]:
        """Tables and views of these schemas."""
        return self._stream(TableRecord, "metadata_tables")

    def columns(self) -> AsyncGenerator[list[ColumnRecord], None]:
        """Columns of these tables and views."""
        return self._stream(ColumnRecord, "metadata_columns")

    def fields(self) -> AsyncGenerator[list[FieldRecord], None]:
        """Named fields inside the types of these columns."""
        return self._stream(FieldRecord, "metadata_fields")

    def views(self) -> AsyncGenerator[list[ViewRecord], None]:
        """Texts of these views."""
        return self._stream(ViewRecord, "metadata_views")

    def users(self) -> AsyncGenerator[list[UserRecord], None]:
        """Workgroups."""
        return self._stream(UserRecord, "users")

    def executions(
        self, start: datetime | str, end: datetime | str | None = None
    ) -> AsyncGenerator[list[QueryRecord], None]:
        """Executions that ended from *start* on and before *end*, each once.

        They come from the source that ``history_source`` names, as in a run: the API, or Athena's
        system table where that is on, readable and reaches back to *start*.

        Args:
            start, end: As for ``Extractor.run``; the end None for now less ``settle_seconds``, or
                less 15 minutes where the system table is read.

        Raises:
            ConfigError: A time is none, the window ends before it starts, or ``history_source`` is
                ``system_table`` and the account has none.
        """
        return self._stream(QueryRecord, _HISTORY_KIND, *self._window(start, end))

    def principals(
        self, start: datetime | str, end: datetime | str | None = None
    ) -> AsyncGenerator[list[PrincipalRecord], None]:
        """Principals of the executions that were submitted from *start* on and before *end*.

        Each execution at most once. They come from the source that ``attribute_users`` names, as
        that has them now: CloudTrail delivers some events hours late, so ask again for those that
        are missing.

        Args:
            start, end: As for ``executions``.

        Raises:
            ConfigError: ``attribute_users`` is off, a time is none, or the window ends before it
                starts.
        """
        self._check("attribute_users", '"off"', 'write "cloudtrail", "system_table" or "auto"')
        return self._stream(PrincipalRecord, _PRINCIPALS_KIND, *self._window(start, end))

    def tags(self) -> AsyncGenerator[list[TagRecord], None]:
        """Lake Formation tags of these schemas, tables and columns.

        Raises:
            ConfigError: ``lake_formation_tags`` is off.
        """
        self._check("lake_formation_tags", "false", "write true")
        return self._stream(TagRecord, _TAGS_KIND)

    def _check(self, field: str, off: str, remedy: str) -> None:
        """Refuse to read what the configuration does not ask for."""
        if getattr(self.config, field) in (False, "off"):
            raise ConfigError([Problem(field, off, remedy)])

    def _window(
        self, start: datetime | str | None, end: datetime | str | None
    ) -> tuple[datetime | None, datetime | None]:
        """A window as a caller gives it."""
        now = self._clock.now()
        return moment_of("start_hwm", start, now=now), moment_of("end_hwm", end, now=now)

    def _stream(
        self,
        _type: type[RecordT],
        kind: str,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> AsyncGenerator[list[RecordT], None]:
        async def produce(send: Send) -> None:
            async with self._connection() as connection:
                await _Reading(connection, kind, send, start, end).run()

        return cast(
            "AsyncGenerator[list[RecordT], None]", stream_from(produce, buffer=BATCHES_AHEAD)
        )


@dataclass(frozen=True, slots=True)
class _Reading:
    """Reads all records of a kind over an open connection."""

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

            table = reaching(connection, table, window_plan.window.start)
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

        if self.kind == _HISTORY_KIND:
            return isinstance(unit, HistoryUnit) or (
                isinstance(unit, BrokenUnit) and unit.scope == "workgroup"
            )

        wanted = TagsUnit if self.kind == _TAGS_KIND else MetadataUnit
        return isinstance(unit, wanted) or (
            isinstance(unit, BrokenUnit) and unit.scope == "catalog"
        )

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
    from kada_athena_async.pipeline import may_leave_out

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
