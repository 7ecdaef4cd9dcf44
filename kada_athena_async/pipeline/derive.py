"""Lineage of a run while AWS is waited for.

As soon as the columns are known, the executions of each workgroup are followed: what a history unit
writes it hands over as well, and what an earlier process wrote is read back from its parts. So at
the end of a run little is left. The rows are those of the finished parts: where a unit that was
followed is left out after all, everything is derived anew from the parts that stay.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar, cast

import anyio
import msgspec

from kada_athena_async.concurrency import map_bounded, offload
from kada_athena_async.config import Config
from kada_athena_async.events import Observer, UnitAdvanced, UnitProgress
from kada_athena_async.pipeline.history_parts import KIND
from kada_athena_async.pipeline.lineage import Lineage, ViewContexts
from kada_athena_async.pipeline.record_queue import Executed, RecordQueue, Tables, as_written
from kada_athena_async.plan import HistoryUnit, MetadataUnit, Unit
from kada_athena_async.records import QueryRecord
from kada_athena_async.report import UnitFacts, UnitOutcome
from kada_athena_async.sinks.journal import PartFile
from kada_athena_async.sinks.part_reader import read_parts
from kada_athena_async.sinks.staging import Staging
from kada_athena_async.sql.immediate import immediate_statement
from kada_athena_async.sql.names import Context, TableName
from kada_athena_async.sql.worker_pool import WorkerPool
from kada_athena_async.staged_records import (
    ACCESSED,
    IMMEDIATES,
    AccessedRecord,
    ImmediateRecord,
    StagedRecord,
)

HiddenT = TypeVar("HiddenT", ImmediateRecord, AccessedRecord)

_UNITS_AT_ONCE = 8
_VIEWS_READ_AHEAD = 64
"""Views that the parser is asked for at least: each question to its process takes a millisecond."""

_SHARES = {"events": 0.8, "linkages": 0.9, "usage": 1.0}
"""Of the work that is left when AWS has answered everything; a guess."""


@dataclass(slots=True)
class _Workgroup:
    """A history unit as it is followed.

    Attributes:
        index: Its place in the plan, among history units.
        has_begun: Set when there is something to derive, or never will be.
        is_in_parts: An earlier process extracted it: its executions are read from its parts.
    """

    index: int
    queue: RecordQueue
    has_begun: anyio.Event = field(default_factory=anyio.Event)
    is_in_parts: bool = False


@dataclass(slots=True, kw_only=True)
class DeriveExtraction:
    """Derives one run's linkages, events and usage into parts of their own.

    ``follow`` goes on beside the other units, whose executions and ends ``take`` and ``ended`` are
    given; ``run`` is what is left when all of them have ended.

    Args:
        units: The units of the run, in plan order.
        pool: The processes that parse, shared with other runs.
    """

    unit_id: str
    units: Sequence[Unit]
    config: Config
    staging: Staging
    notify: Observer
    pool: WorkerPool
    _workgroups: dict[str, _Workgroup] = field(init=False)
    _metadata: dict[str, anyio.Event] = field(init=False)
    _lineage: Lineage | None = None
    _has_followed: anyio.Event = field(default_factory=anyio.Event)
    _scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)
    _failure: Exception | None = None
    _is_stale: bool = False
    _is_last: bool = False

    def __post_init__(self) -> None:
        history = [unit.unit_id for unit in self.units if isinstance(unit, HistoryUnit)]
        self._workgroups = {
            unit_id: _Workgroup(index, RecordQueue(self.staging.path))
            for index, unit_id in enumerate(history)
        }
        metadata = [unit.unit_id for unit in self.units if isinstance(unit, MetadataUnit)]
        self._metadata = {unit_id: anyio.Event() for unit_id in metadata}

    async def take(self, unit_id: str, written: Mapping[str, Sequence[StagedRecord]]) -> None:
        """Take what a history unit has just written.

        Raises:
            OSError: The disk refuses.
        """
        if self._failure is not None:
            return

        records, inner, accessed = (
            cast("Sequence[Any]", written.get(kind, ())) for kind in (KIND, IMMEDIATES, ACCESSED)
        )
        queries = {one.query_id: one.query for one in inner}
        tables = {one.query_id: one.tables for one in accessed}
        workgroup = self._workgroups[unit_id]
        workgroup.has_begun.set()
        await workgroup.queue.put(
            [
                _executed(as_written(one), queries.get(one.query_id), tables.get(one.query_id))
                for one in records
            ]
        )

    def ended(self, outcome: UnitOutcome) -> None:
        """Note how a unit has ended."""
        if outcome.outcome == "failed":
            self._scope.cancel()

        workgroup = self._workgroups.get(outcome.unit_id)
        if workgroup is not None:
            was_followed = workgroup.has_begun.is_set()
            self._is_stale = self._is_stale or (was_followed and outcome.outcome == "skipped")
            workgroup.is_in_parts = outcome.outcome == "resumed"
            workgroup.queue.end()
            workgroup.has_begun.set()

        if outcome.unit_id in self._metadata:
            self._metadata[outcome.unit_id].set()

    async def follow(self) -> None:
        """Derive the executions while they come; over when all are derived, or a unit has failed.

        Raises nothing: what goes wrong is raised by ``run``.
        """
        with self._scope:
            try:
                await self._derive()
            except Exception as error:
                self._failure = error
        self._has_followed.set()

    async def run(self) -> UnitFacts:
        """Derive what is left and write all parts; all other units have ended."""
        self._is_last = True
        await self._has_followed.wait()
        if self._failure is not None:
            raise self._failure

        if self._is_stale:
            await self.close()
            await self.staging.discard(self.unit_id)
            for workgroup in self._workgroups.values():
                workgroup.is_in_parts = True
            await self._derive()

        assert self._lineage is not None
        lineage = self._lineage
        for kind, share in _SHARES.items():
            if kind != "events":
                await lineage.finish(kind)
            rows = lineage.rows[kind]
            self.notify(UnitProgress(unit_id=self.unit_id, kind=kind, rows=rows))
            self.notify(UnitAdvanced(unit_id=self.unit_id, share=share))

        # An everyday matter, not a warning: the report and the manifest count them by kind.
        return UnitFacts(rows=dict(lineage.rows), reconciliation=lineage.counts)

    async def close(self) -> None:
        """Let go of all files and processes."""
        lineage, self._lineage = self._lineage, None
        with anyio.CancelScope(shield=True):
            await offload(self._close_queues)
            if lineage is not None:
                await lineage.__aexit__(None, None, None)

    def _close_queues(self) -> None:
        for workgroup in self._workgroups.values():
            workgroup.queue.close()

    async def _derive(self) -> None:
        lineage = Lineage(self.unit_id, self.config, self.staging, self.pool)
        self._lineage = await lineage.__aenter__()
        turn = anyio.Lock()
        unread: list[str] = []

        async def learn(unit_id: str) -> None:
            await self._metadata[unit_id].wait()
            async with turn:
                await lineage.learn(self.staging.parts([unit_id], "metadata_columns"))
                unread.append(unit_id)
                views = self.staging.parts(unread, "metadata_views")
                # Most views read tables of their own schema: at the end little is left to parse.
                if sum(part.rows for part in views) >= _VIEWS_READ_AHEAD:
                    await lineage.read_views(views, self._view_contexts(unread))
                    unread.clear()

        await map_bounded(learn, self._metadata, limit=self._learned_at_once())
        views = self.staging.parts(self._metadata, "metadata_views")
        await lineage.views(views, self._view_contexts([*self._metadata]))
        at_once = anyio.CapacityLimiter(_UNITS_AT_ONCE)

        async def follow_one(unit_id: str) -> None:
            workgroup = self._workgroups[unit_id]
            await workgroup.has_begun.wait()
            async with at_once:
                batches = self._in_parts(unit_id) if workgroup.is_in_parts else _in(workgroup.queue)
                async with aclosing(batches):
                    await lineage.workgroup(workgroup.index, batches, self._advanced)

        await map_bounded(follow_one, self._workgroups, limit=max(1, len(self._workgroups)))

    def _learned_at_once(self) -> int:
        """Metadata units that are waited for at a time; 1 for plan order.

        Where the names of two tables differ in case only, the order counts.
        """
        metadata = (unit for unit in self.units if isinstance(unit, MetadataUnit))
        units = Counter(
            key
            for unit in metadata
            for key in {(unit.catalog.name.lower(), schema.lower()) for schema in unit.schemas}
        )
        is_alone = all(count == 1 for count in units.values())
        return max(1, len(self._metadata)) if is_alone else 1

    def _advanced(self) -> None:
        if self._is_last and self._lineage is not None:
            parts = self.staging.parts(self._workgroups, KIND)
            share = self._lineage.executions / max(1, sum(part.rows for part in parts))
            share = round(_SHARES["events"] * min(1.0, share), 3)
            self.notify(UnitAdvanced(unit_id=self.unit_id, share=share))

    async def _in_parts(self, unit_id: str) -> AsyncGenerator[list[Executed], None]:
        """The executions of a unit as its parts have them."""
        is_packed = self.staging.intent.compress
        # Their first rows are read at once: not on the event loop.
        inner = await offload(
            lambda: _Beside[ImmediateRecord](self.staging.parts([unit_id], IMMEDIATES), is_packed)
        )
        accessed = await offload(
            lambda: _Beside[AccessedRecord](self.staging.parts([unit_id], ACCESSED), is_packed)
        )

        def whole(record: QueryRecord) -> Executed:
            query, tables = inner.take(record.query_id), accessed.take(record.query_id)
            return _executed(record, query and query.query, tables and tables.tables)

        batches = (
            [whole(cast("QueryRecord", record)) for record in batch]
            for batch in read_parts(self.staging.parts([unit_id], KIND), is_packed=is_packed)
        )
        while batch := await offload(lambda: next(batches, None)):
            yield batch

    def _view_contexts(self, unit_ids: Sequence[str]) -> ViewContexts:
        sealed = self.staging.sealed()
        facts = [msgspec.convert(sealed[unit_id].facts, UnitFacts) for unit_id in unit_ids]
        contexts = [context for unit_facts in facts for context in unit_facts.view_contexts]
        return {TableName(*c.view): Context(c.catalog, c.schema) for c in contexts}


async def _in(queue: RecordQueue) -> AsyncGenerator[list[Executed], None]:
    while batch := await queue.get():
        yield batch


class _Beside(Generic[HiddenT]):
    """Rows of parts that serve this run only, in the order of the executions they belong to."""

    def __init__(self, parts: Sequence[PartFile], is_packed: bool) -> None:
        self._rows: Iterator[HiddenT] = (
            cast("HiddenT", row)
            for batch in read_parts(parts, is_packed=is_packed)
            for row in batch
        )
        self._next: HiddenT | None = next(self._rows, None)

    def take(self, query_id: str) -> HiddenT | None:
        """The row of an execution, once; None if it has none."""
        if self._next is None or self._next.query_id != query_id:
            return None

        found, self._next = self._next, next(self._rows, None)
        return found


def _executed(record: QueryRecord, inner: str | None, accessed: Tables | None) -> Executed:
    """*record* with the statement of EXECUTE IMMEDIATE put back where the mask hid it.

    For lineage alone: the literal as a whole stays hidden in the extract.
    """
    if inner is not None:
        record = record._replace(query=immediate_statement(inner))
    return Executed(record, accessed)
