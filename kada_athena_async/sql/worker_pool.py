"""The processes that read queries, shared by all who derive at the same time."""

from __future__ import annotations

import os
from contextlib import AbstractAsyncContextManager
from types import TracebackType

from typing_extensions import Self

from kada_athena_async.concurrency import Slots
from kada_athena_async.sql.worker import Worker, WorkerGoneError

# The second of event loops that cannot start processes, such as Windows' SelectorEventLoop, which
# Jupyter and tornado use there: https://docs.python.org/3/library/asyncio-platforms.html
_CANNOT_START = (OSError, NotImplementedError)


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

    async def __aenter__(self) -> Self:
        self._users += 1
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._users -= 1
        if self._users:
            return

        workers, self._idle, self._begun = [*self._idle, *self._begun], [], []
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
