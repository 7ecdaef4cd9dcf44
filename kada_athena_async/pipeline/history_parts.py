"""The parts of a unit of history: its executions, and what only this run has to know of them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import anyio

from kada_athena_async.aws.wire import QueryExecution
from kada_athena_async.pipeline.context import ExtractionContext
from kada_athena_async.pipeline.transforms import texts_of
from kada_athena_async.plan import HistoryUnit
from kada_athena_async.sinks.interface import RecordWriter
from kada_athena_async.sources.query_history import record_of
from kada_athena_async.sources.system_table import TableExecution
from kada_athena_async.staged_records import ACCESSED, IMMEDIATES, AccessedRecord, StagedRecord

KIND = "databaselog"


@dataclass(slots=True)
class HistoryParts:
    """Writes executions; use as ``async with``, which finishes the parts.

    Attributes:
        rows: Executions written.
    """

    unit: HistoryUnit
    context: ExtractionContext
    rows: int = field(init=False, default=0)
    _stack: AsyncExitStack = field(init=False, default_factory=AsyncExitStack)
    _open: dict[str, RecordWriter] = field(init=False, default_factory=dict)
    _turn: anyio.Lock = field(init=False, default_factory=anyio.Lock)

    async def __aenter__(self) -> HistoryParts:
        await self._write(KIND, [])
        return self

    async def __aexit__(self, *error: object) -> bool | None:
        return await self._stack.__aexit__(*error)  # type: ignore[arg-type]

    async def write(self, executions: Sequence[QueryExecution]) -> None:
        """Write *executions*; all parts have them in the same order."""
        found = await self._records(executions)
        async with self._turn:
            for kind, records in found.items():
                if records:
                    await self._write(kind, records)
            if self.context.written is not None:
                await self.context.written(self.unit.unit_id, found)

        self.rows += len(executions)

    async def _write(self, kind: str, records: list[StagedRecord]) -> None:
        if kind not in self._open:
            part = self.context.sink.part(self.unit.unit_id, kind)
            self._open[kind] = await self._stack.enter_async_context(part)

        await self._open[kind].write(records)

    async def _records(self, executions: Sequence[QueryExecution]) -> dict[str, list[StagedRecord]]:
        transforms, server = self.context.transforms, self.context.config.server
        # For the executions that do not name theirs.
        workgroup = self.unit.workgroup.name
        found = [record_of(server, e, workgroup=workgroup) for e in executions]
        masked = await self.context.pool.mask(
            texts_of(found), mask=transforms.mask, keep_s3_locations=transforms.keep_s3_locations
        )
        queries, immediates = transforms.queries(found, masked)
        return {
            KIND: [*queries],
            IMMEDIATES: [*immediates],
            ACCESSED: [
                AccessedRecord(e.query_execution_id, e.tables_accessed)
                for e in executions
                if isinstance(e, TableExecution) and e.tables_accessed is not None
            ],
        }
