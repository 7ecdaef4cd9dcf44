"""Linkages, events and usage of a run, derived from the run's own finished parts.

What was extracted is read back, so that a resumed run derives the same, and so that no column need
be held before it is known to matter.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing, closing
from dataclasses import dataclass, field
from functools import partial
from typing import Generic, TypeVar, cast

import msgspec

from kada_athena_async.concurrency import offload
from kada_athena_async.config import Config
from kada_athena_async.events import Observer, UnitAdvanced, UnitProgress
from kada_athena_async.records import (
    ACCESSED,
    IMMEDIATES,
    AccessedRecord,
    EventRecord,
    ImmediateRecord,
    LinkageRecord,
    QueryRecord,
    Record,
)
from kada_athena_async.report import UnitFacts
from kada_athena_async.sinks import PartFile, Staging
from kada_athena_async.sinks.part import PartWriter
from kada_athena_async.sinks.part_reader import read_part, read_table_columns
from kada_athena_async.sql.derivation import Derivation, Source
from kada_athena_async.sql.edges import LinkageEdges
from kada_athena_async.sql.immediate import immediate_statement
from kada_athena_async.sql.names import Context, TableName
from kada_athena_async.sql.second_opinion import SecondOpinion
from kada_athena_async.sql.table_usage import TableUsage, uses_of
from kada_athena_async.sql.worker_pool import WorkerPool

_KINDS = ("metadata_views", "databaselog")

HiddenT = TypeVar("HiddenT", ImmediateRecord, AccessedRecord)

_PASSES = 2
"""How often each text is read: for the tables that it mentions, then for its rows."""


@dataclass(slots=True, kw_only=True)
class DeriveExtraction:
    """Derives one run's linkages and events into parts of their own.

    Args:
        unit_ids: The units whose parts are read, in plan order; all sealed.
        pool: The processes that parse, shared with other runs; None for some of its own.
    """

    unit_id: str
    unit_ids: Sequence[str]
    config: Config
    staging: Staging
    notify: Observer
    pool: WorkerPool | None = None
    _read: int = 0
    _rows: dict[str, int] = field(default_factory=lambda: {"linkages": 0, "events": 0, "usage": 0})
    _opinion: SecondOpinion = field(default_factory=SecondOpinion)

    async def run(self) -> UnitFacts:
        """Derive everything in three passes: what is mentioned, its columns, the rows."""
        hides_locations = self.config.mask and not self.config.keep_s3_locations
        async with Derivation(
            mask=hides_locations,
            is_masked=hides_locations,
            include_failed=self.config.include_failed_events,
            pool=self.pool,
            view_contexts=self._view_contexts(),
        ) as derivation:
            async with aclosing(self._sources()) as batches:
                async for batch in batches:
                    await derivation.note(batch)

            await self._learn(derivation)
            await self._derive(derivation)
            counts = derivation.problems + self._opinion.counts

        # An everyday matter, not a warning: the report and the manifest count them by kind.
        return UnitFacts(rows=dict(self._rows), reconciliation=dict(counts))

    async def _learn(self, derivation: Derivation) -> None:
        for part in self._parts("metadata_columns"):
            pieces = read_table_columns(
                part, is_packed=self.staging.intent.compress, wants=derivation.wants
            )
            while (found := await offload(lambda pieces=pieces: next(pieces, None))) is not None:  # type: ignore[misc]
                derivation.learn(found)

    async def _derive(self, derivation: Derivation) -> None:
        edges, usage = LinkageEdges(self.staging.path), TableUsage(self.staging.path)
        parts = self._parts(ACCESSED)
        make = partial(_Beside[AccessedRecord], parts, is_packed=self.staging.intent.compress)
        accessed = await offload(make)
        with closing(edges), closing(usage):
            async with (
                self.staging.part(self.unit_id, "events") as events,
                aclosing(self._sources()) as batches,
            ):
                async for batch in batches:
                    linked, happened = await derivation.derive(batch)
                    if parts:
                        await offload(partial(self._compare, batch, linked, happened, accessed))

                    await offload(lambda linked=linked: edges.add(linked))  # type: ignore[misc]
                    uses = uses_of(batch, happened)
                    await offload(lambda uses=uses: usage.add(uses))  # type: ignore[misc]
                    await self._write(events, happened)

            await self._write_all("linkages", edges.rows())
            await self._write_all("usage", usage.rows())

    def _compare(
        self,
        batch: Sequence[Source],
        linked: Sequence[LinkageRecord],
        happened: Sequence[EventRecord],
        accessed: _Beside[AccessedRecord],
    ) -> None:
        self._opinion.learn(linked)
        events: defaultdict[str, list[EventRecord]] = defaultdict(list)
        for event in happened:
            events[event.query_id].append(event)

        for record in batch:
            if isinstance(record, QueryRecord) and (found := accessed.take(record.query_id)):
                self._opinion.compare(record, events[record.query_id], found.tables)

    async def _write_all(self, kind: str, batches: Iterator[Sequence[Record]]) -> None:
        async with self.staging.part(self.unit_id, kind) as part:
            while found := await offload(lambda: next(batches, None)):
                await self._write(part, found)

    async def _write(self, part: PartWriter, rows: Sequence[Record]) -> None:
        if rows:
            await part.write(rows)
            self._rows[part.kind] += len(rows)
            self.notify(UnitProgress(unit_id=self.unit_id, kind=part.kind, rows=len(rows)))

    async def _sources(self) -> AsyncGenerator[list[Source], None]:
        """Views, then queries, in plan order; read twice."""
        texts = sum(part.rows for kind in _KINDS for part in self._parts(kind))
        for kind in _KINDS:
            async with aclosing(self._batches(kind)) as batches:
                async for batch in batches:
                    yield cast("list[Source]", batch)
                    self._read += len(batch)
                    share = round(self._read / (_PASSES * texts), 3)
                    self.notify(UnitAdvanced(unit_id=self.unit_id, share=share))

    async def _batches(self, kind: str) -> AsyncGenerator[list[Record], None]:
        is_packed = self.staging.intent.compress
        sealed = self.staging.sealed()
        for unit_id in self.unit_ids:
            parts = sealed[unit_id].parts
            hidden = [part for part in parts if part.kind == IMMEDIATES]
            # Its first row is read at once: not on the event loop.
            make = partial(_Beside[ImmediateRecord], hidden, is_packed=is_packed)
            inner = await offload(make)
            for part in parts:
                if part.kind != kind:
                    continue

                batches = (
                    _with_immediates(batch, inner) for batch in read_part(part, is_packed=is_packed)
                )
                while batch := await offload(lambda batches=batches: next(batches, None)):  # type: ignore[misc]
                    yield batch

    def _view_contexts(self) -> dict[TableName, Context]:
        sealed = self.staging.sealed()
        facts = [msgspec.convert(sealed[unit_id].facts, UnitFacts) for unit_id in self.unit_ids]
        contexts = [context for unit_facts in facts for context in unit_facts.view_contexts]
        return {TableName(*c.view): Context(c.catalog, c.schema) for c in contexts}

    def _parts(self, kind: str) -> list[PartFile]:
        sealed = self.staging.sealed()
        return [
            part for unit_id in self.unit_ids for part in sealed[unit_id].parts if part.kind == kind
        ]


class _Beside(Generic[HiddenT]):
    """Rows of parts that serve this run only, in the order of the executions they belong to."""

    def __init__(self, parts: Sequence[PartFile], *, is_packed: bool) -> None:
        self._rows: Iterator[HiddenT] = (
            cast("HiddenT", row)
            for part in parts
            for batch in read_part(part, is_packed=is_packed)
            for row in batch
        )
        self._next: HiddenT | None = next(self._rows, None)

    @property
    def is_over(self) -> bool:
        return self._next is None

    def take(self, query_id: str) -> HiddenT | None:
        """The row of an execution, once; None if it has none."""
        if self._next is None or self._next.query_id != query_id:
            return None

        found, self._next = self._next, next(self._rows, None)
        return found


def _with_immediates(batch: list[Record], inner: _Beside[ImmediateRecord]) -> list[Record]:
    """*batch* with the statements of EXECUTE IMMEDIATE put back where the mask hid them.

    For lineage alone: the literal as a whole stays hidden in the extract.
    """
    if inner.is_over:
        return batch

    return [
        record._replace(query=immediate_statement(found.query))
        if isinstance(record, QueryRecord) and (found := inner.take(record.query_id))
        else record
        for record in batch
    ]
