"""The processes that read queries and mask texts, shared by all who run at the same time."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager

import anyio
from typing_extensions import Self

from kada_athena_async.concurrency import Slots, offload
from kada_athena_async.sql.execution_texts import ExecutionText, MaskedText, mask_texts
from kada_athena_async.sql.worker import Worker, WorkerGoneError

# The second of event loops that cannot start processes, such as Windows' SelectorEventLoop, which
# Jupyter and tornado use there: https://docs.python.org/3/library/asyncio-platforms.html
_CANNOT_START = (OSError, NotImplementedError)

_FEW_TEXTS = 300
"""A thread masks as many sooner than a process starts."""

_MASK_S = 60.0
"""For one batch, which takes milliseconds."""


class WorkerPool:
    """Starts processes when they are needed; when its last user leaves, none is left.

    Each user enters it with ``async with``, any number of times, all in one event loop.

    Args:
        size: Processes; by default one for each core but one.
    """

    def __init__(self, size: int | None = None) -> None:
        self.size = size or max(1, (os.cpu_count() or 1) - 1)
        self._slots = Slots(self.size)
        self._users = 0
        self._begun: list[Worker] = []
        self._idle: list[Worker] = []
        self._can_start = True
        self._texts: Worker | None = None
        self._texts_seen = 0
        self._texts_turn = anyio.Lock()

    async def __aenter__(self) -> Self:
        self._users += 1
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self._users -= 1
        if self._users:
            return

        workers, self._idle, self._begun = [*self._idle, *self._begun], [], []
        if self._texts is not None:
            workers.append(self._texts)
        self._texts = None
        for worker in workers:
            await worker.kill()

    async def anticipate(self) -> None:
        """Start a process that will be needed: loading the parser takes it half a second."""
        if self._idle or self._begun or not self._can_start:
            return

        try:
            self._begun.append(await Worker.begin())
        except _CANNOT_START:
            self._can_start = False

    def acquire(self) -> AbstractAsyncContextManager[None]:
        """A context in which one process at a time may be taken."""
        return self._slots.acquire()

    async def take(self) -> Worker | None:
        """An idle process or a new one; None where processes cannot be started."""
        if self._idle:
            return self._idle.pop()

        if not self._can_start:
            return None

        try:
            worker = self._begun.pop() if self._begun else await Worker.begin()
            await worker.ready()
        except (WorkerGoneError, *_CANNOT_START):
            self._can_start = False
            return None

        return worker

    def give_back(self, worker: Worker) -> None:
        """Keep *worker*, which answered all it was asked, for whoever comes next."""
        self._idle.append(worker)

    async def mask(
        self, texts: Sequence[ExecutionText], *, mask: bool, keep_s3_locations: bool
    ) -> list[MaskedText]:
        """Result of ``mask_texts``, from a process of its own once there are many texts.

        Not one of those that parse: a statement that hangs the parser must not keep the history
        waiting. Where there is no such process, a thread of this one does it.
        """
        self._texts_seen += len(texts)
        arguments = (tuple(texts), mask, keep_s3_locations)
        if self._texts_seen > _FEW_TEXTS:
            async with self._texts_turn:
                found = await self._masked(arguments)
            if found is not None:
                return found

        return await offload(lambda: mask_texts(*arguments))

    async def _masked(self, arguments: tuple[object, ...]) -> list[MaskedText] | None:
        if not self._can_start or not self._users:
            return None

        worker, self._texts = self._texts, None
        try:
            if worker is None:
                worker = await Worker.begin(parses=False)
                await worker.ready()
            with anyio.fail_after(_MASK_S):
                found: list[MaskedText] = await worker.call(mask_texts, *arguments)
        except (WorkerGoneError, TimeoutError, *_CANNOT_START):
            self._texts_seen = 0
            if worker is not None:
                await worker.kill()
            return None
        except BaseException:
            if worker is not None:
                await worker.kill()
            raise

        self._texts = worker
        return found
