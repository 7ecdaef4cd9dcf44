"""Linkages, events and usage of a run, from batches of its records into parts of their own."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from functools import partial
from typing import TypeAlias, cast

import anyio
from typing_extensions import Self

from kada_athena_async.concurrency import batches, offload
from kada_athena_async.config import Config
from kada_athena_async.files import failing
from kada_athena_async.pipeline.record_queue import Executed, RecordQueue
from kada_athena_async.records import EventRecord, LinkageRecord, Record, TableColumns
from kada_athena_async.sinks.journal import PartFile
from kada_athena_async.sinks.part_reader import read_batches, read_table_columns
from kada_athena_async.sinks.staging import Staging
from kada_athena_async.sources.strategy import history_source
from kada_athena_async.sql.derivation import Derivation, Source, Statements, runs_prepared
from kada_athena_async.sql.merged_linkages import LinkageMerger
from kada_athena_async.sql.names import Context, TableName
from kada_athena_async.sql.second_opinion import SecondOpinion
from kada_athena_async.sql.table_usage import TableUsage, uses_of
from kada_athena_async.sql.worker_pool import WorkerPool

VIEWS_AT_ONCE = 128
"""Views derived in one go: each has dozens of edges, which are made in one piece."""

_COLUMNS, _READINGS, _USAGE = "columns.sqlite", "readings.sqlite", "usage.sqlite"

ViewContexts: TypeAlias = Mapping[TableName, Context]
"""Catalog and schema in which a view's names lie, where these are not its own."""


class Lineage:
    """Lineage and events derived of a run; use as ``async with``.

    Linkages and usage are merged over all that is given, so their parts are written at the end;
    each workgroup has a part of events of its own.

    Attributes:
        rows: How many are written, by kind.
        executions: How many were derived.
    """

    def __init__(self, unit_id: str, config: Config, staging: Staging, pool: WorkerPool) -> None:
        self.rows: Counter[str] = Counter({"linkages": 0, "events": 0, "usage": 0})
        self.executions = 0
        self._unit_id = unit_id
        self._staging = staging
        self._hides_locations = config.mask and not config.keep_s3_locations
        self._include_failed = config.include_failed_events
        self._pool = pool
        self._opinion = SecondOpinion()
        self._has_opinion = history_source(config).asks_table
        self._turn = anyio.Lock()
        self._later: list[RecordQueue] = []
        self._open = AsyncExitStack()

    async def __aenter__(self) -> Self:
        self._derivation = await offload(self._opened)
        await self._open.enter_async_context(self._derivation)
        return self

    def _opened(self) -> Derivation:
        place = self._staging.path
        for left_by_a_killed_process in (_COLUMNS, _USAGE):
            self._remove(left_by_a_killed_process)

        self._edges, self._usage = LinkageMerger(place), TableUsage(place / _USAGE)
        return Derivation(
            mask=self._hides_locations,
            is_masked=self._hides_locations,
            include_failed=self._include_failed,
            pool=self._pool,
            columns_path=place / _COLUMNS,
            readings_path=place / _READINGS,
        )

    async def __aexit__(self, *exc_info: object) -> None:
        await self._open.aclose()
        await offload(self._close)

    def _close(self) -> None:
        self._edges.close()
        self._usage.close()
        for queue in self._later:
            queue.close()
        self._remove(_USAGE)

    def _remove(self, name: str) -> None:
        # Not by its path: somebody may have put a link in the place of our directory.
        path = self._staging.path / name
        with failing(path):
            self._staging.files.remove(path)

    async def learn(self, parts: Sequence[PartFile]) -> None:
        """Keep the columns in *parts*, which are parts of columns."""
        for part in parts:
            pieces = read_table_columns(part, is_packed=self._is_packed)

            def learn_next(pieces: Iterator[list[TableColumns]] = pieces) -> bool:
                found = next(pieces, None)
                if found is not None:
                    self._derivation.learn(found)
                return found is not None

            while await offload(learn_next):
                pass

    async def read_views(self, parts: Sequence[PartFile], contexts: ViewContexts) -> None:
        """Have the parser read the views in *parts*, so that ``views`` finds its answers.

        They are the same as long as no table of the view is learned later.
        """
        statements = Statements(self._derivation, view_contexts=contexts)
        async for batch in read_batches(parts, is_packed=self._is_packed):
            for views in batches(cast("list[Source]", batch), VIEWS_AT_ONCE):
                await statements.read(views)

    async def views(self, parts: Sequence[PartFile], contexts: ViewContexts) -> None:
        """Derive the views in *parts*."""
        statements = Statements(self._derivation, view_contexts=contexts)
        # Over the ends of parts: a small schema has two or three views.
        async for batch in read_batches(parts, is_packed=self._is_packed):
            for views in batches(cast("list[Source]", batch), VIEWS_AT_ONCE):
                linked, _ = await statements.derive(views)
                if self._has_opinion:  # else some hundred bytes a view for nothing
                    self._opinion.learn(linked)

                await self._add(linked, [], [])

    async def workgroup(
        self,
        index: int,
        batches: AsyncGenerator[list[Executed], None],
        advanced: Callable[[], None],
    ) -> None:
        """Derive the executions of a workgroup as they come; its prepared statements come last.

        Args:
            index: Of its part; says where its events stand among those of others.
            advanced: Is called after each batch.
        """
        statements = Statements(self._derivation)
        later = RecordQueue(self._staging.path)
        self._later.append(later)
        async with self._staging.part(self._unit_id, "events", index) as part:

            async def derive(batch: Sequence[Executed]) -> None:
                linked, happened = await statements.derive([one.record for one in batch])
                await self._add(linked, batch, happened)
                await part.write(happened)
                self.rows["events"] += len(happened)
                self.executions += len(batch)
                advanced()

            async for batch in batches:
                now, deferred = await offload(partial(_noted, statements, batch))
                await derive(now)
                await later.put(deferred)

            later.end()
            while batch := await later.get():
                await derive(batch)

    async def finish(self, kind: str) -> None:
        """Write the part of linkages or of usage, when all is derived; each once."""
        merged = self._edges if kind == "linkages" else self._usage
        batches: Iterator[Sequence[Record]] = merged.rows()
        async with self._staging.part(self._unit_id, kind) as part:
            while found := await offload(lambda: next(batches, None)):
                await part.write(found)
                self.rows[kind] += len(found)

    async def _add(
        self,
        linked: Sequence[LinkageRecord],
        batch: Sequence[Executed],
        happened: Sequence[EventRecord],
    ) -> None:
        def add() -> None:
            self._edges.add(linked)
            self._usage.add(uses_of([one.record for one in batch], happened))
            self._compare(batch, happened)

        async with self._turn:
            await offload(add)

    def _compare(self, batch: Sequence[Executed], happened: Sequence[EventRecord]) -> None:
        """Compare the events with what Athena says that the executions accessed."""
        accessed = {one.record.query_id: one for one in batch if one.accessed is not None}
        events: defaultdict[str, list[EventRecord]] = defaultdict(list)
        for event in happened if accessed else ():
            events[event.query_id].append(event)

        for query_id, one in accessed.items():
            self._opinion.compare(one.record, events[query_id], one.accessed or ())

    @property
    def counts(self) -> dict[str, int]:
        """Reasons why statements were not understood wholly, and how events agree with Athena's
        list of what was accessed: how many of each kind.
        """
        return dict(self._derivation.problems + self._opinion.counts)

    @property
    def _is_packed(self) -> bool:
        return self._staging.intent.compress


def _noted(statements: Statements, batch: list[Executed]) -> tuple[list[Executed], list[Executed]]:
    """Those of *batch* that can be derived at once, and those that wait for what was prepared."""
    statements.note([one.record for one in batch])
    now: list[Executed] = []
    deferred: list[Executed] = []
    for one in batch:
        (deferred if runs_prepared(one.record) else now).append(one)
    return now, deferred
