"""Bounded concurrency, and the clock that everything waits by."""

from __future__ import annotations

from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
    Iterator,
    Sequence,
)
from contextlib import (
    AbstractAsyncContextManager,
    asynccontextmanager,
)
from datetime import datetime, timezone
from importlib import import_module
from time import monotonic
from typing import Protocol, TypeVar

import anyio
from anyio import to_thread
from anyio.lowlevel import RunVar

from kada_athena_async.errors import AbortError

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")


class Clock(Protocol):
    """Time as the engine sees it; tests pass their own."""

    def now(self) -> datetime:
        """The wall clock, aware, in UTC."""

    def monotonic(self) -> float:
        """Seconds from an arbitrary start, never going back."""

    async def sleep(self, duration_s: float) -> None:
        """Wait *duration_s* seconds, at least one turn of the event loop."""


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        return datetime.now(timezone.utc)

    def monotonic(self) -> float:
        return monotonic()

    async def sleep(self, duration_s: float) -> None:
        await anyio.sleep(duration_s)


def require_asyncio() -> None:
    """Refuse any other event loop than asyncio's.

    Raises:
        AbortError: There is none, or it is trio's.
    """
    # It loads TLS and more, which commands that only look at files have no use for.
    import asyncio  # noqa: PLC0415

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        raise AbortError(
            "kada_athena_async runs under asyncio only, as the AWS SDK below it does; "
            "this event loop is another",
            hint="under trio: trio.to_thread.run_sync with an Extractor of kada_athena_async.sync",
        ) from None


def batches(items: Sequence[ItemT], size: int) -> Iterator[list[ItemT]]:
    """*items* in their order, *size* at a time; the last batch may have fewer."""
    for first in range(0, len(items), size):
        yield list(items[first : first + size])


async def map_bounded(
    function: Callable[[ItemT], Awaitable[ResultT]], items: Iterable[ItemT], *, limit: int
) -> list[ResultT]:
    """Apply *function* to every item, at most *limit* at a time, and return results in item order.

    The first error cancels the rest and is raised as itself, never inside a group.
    """
    results: dict[int, ResultT] = {}
    failures: list[Exception] = []
    numbered = enumerate(items)

    async with anyio.create_task_group() as group:

        async def work() -> None:
            for index, item in numbered:
                try:
                    results[index] = await function(item)
                except Exception as exc:
                    failures.append(exc)
                    group.cancel_scope.cancel()
                    return

        for _ in range(limit):
            group.start_soon(work)

    if failures:
        raise failures[0]

    return [results[index] for index in sorted(results)]


class Slots:
    """A number of places that can shrink and grow while some are taken, served in order.

    Used for active queries: the limit falls when Athena says that too many run, and recovers by
    one for each query that ends without such a refusal. What is short goes last: a long query that
    begins late would keep everybody waiting at the end.
    """

    def __init__(self, limit: int) -> None:
        self.ceiling = limit
        self.limit = limit
        self.in_use = 0
        self._waiting: list[anyio.Event] = []
        self._waiting_last: list[anyio.Event] = []

    def acquire(self, *, goes_last: bool = False) -> AbstractAsyncContextManager[None]:
        """A context in which one place is held.

        Args:
            goes_last: True if it may wait until no other does.
        """
        return self._held(self._waiting_last if goes_last else self._waiting)

    @asynccontextmanager
    async def _held(self, line: list[anyio.Event]) -> AsyncIterator[None]:
        await self._acquire(line)
        try:
            yield
        finally:
            self.in_use -= 1
            self._wake()

    async def _acquire(self, line: list[anyio.Event]) -> None:
        if self.in_use < self.limit and not self._waiting and not self._waiting_last:
            self.in_use += 1
            return

        turn = anyio.Event()
        line.append(turn)
        try:
            await turn.wait()
        except BaseException:
            if turn in line:
                line.remove(turn)
            else:  # the place was given to us while we were being cancelled
                self.in_use -= 1
                self._wake()

            raise

    def _wake(self) -> None:
        while self.in_use < self.limit and (line := self._waiting or self._waiting_last):
            self.in_use += 1
            line.pop(0).set()

    def shrink(self) -> None:
        """One place fewer than are in use now, but never none."""
        self.limit = max(1, min(self.limit, self.in_use) - 1)

    def allow_no_more_than(self, limit: int) -> None:
        """Never more than *limit* places from now on, if that is less than before."""
        self.ceiling = min(self.ceiling, limit)
        self.limit = min(self.limit, self.ceiling)

    def grow(self) -> None:
        """One place more, up to the number it began with."""
        if self.limit < self.ceiling:
            self.limit += 1
            self._wake()


WORKER_THREADS = 2
"""Threads for CPU and file work of one event loop: Python runs one at a time anyway, and each has a
memory arena of its own that the C library rarely gives back. Not anyio's own 40, which belong to
the service that embeds us."""

_WORKERS: RunVar[anyio.CapacityLimiter] = RunVar("kada_athena_async.workers")


def workers() -> anyio.CapacityLimiter:
    """The limiter of our worker threads in this event loop."""
    try:
        return _WORKERS.get()
    except LookupError:
        limiter = anyio.CapacityLimiter(WORKER_THREADS)
        _WORKERS.set(limiter)
        return limiter


async def offload(function: Callable[[], ResultT]) -> ResultT:
    """Call *function* in a worker thread, so that the event loop stays free meanwhile."""
    return await to_thread.run_sync(function, limiter=workers())


async def load_module(module: str) -> None:
    """Import *module* of this package in a worker thread: many take as long as a call."""
    await offload(lambda: import_module(f"{__package__}.{module}"))


async def stream_from(
    produce: Callable[[Callable[[ItemT], Awaitable[None]]], Awaitable[None]], *, buffer: int
) -> AsyncGenerator[ItemT, None]:
    """The items that *produce* sends, as they come, at most *buffer* of them waiting.

    *produce* is given the function to send with and works in a task of its own, which is over when
    the generator is closed, however that comes about. What it raises comes after its last item.

    Raises:
        AbortError: The event loop is not asyncio's.
    """
    import asyncio  # noqa: PLC0415 - see require_asyncio

    require_asyncio()
    send, receive = anyio.create_memory_object_stream[ItemT](buffer)

    async def work() -> None:
        async with send:
            await produce(send.send)

    # A bare task, because a task group must not be open while a generator yields: whoever closes
    # it may be another task. https://anyio.readthedocs.io/en/stable/cancellation.html
    task = asyncio.create_task(work())
    try:
        async for item in receive:
            yield item

        await task
    finally:
        receive.close()
        task.cancel()
        with anyio.CancelScope(shield=True):
            await asyncio.wait([task])

        if not task.cancelled():
            task.exception()  # it was raised above, or nobody is there any more to hear it
