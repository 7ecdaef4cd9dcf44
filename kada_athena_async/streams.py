"""Streams of items that are worked on side by side, within places and room that they share."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from heapq import heappop, heappush
from typing import Generic, TypeAlias, TypeVar

import anyio
from anyio.abc import TaskGroup

from kada_athena_async.concurrency import Slots

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")


class Ahead:
    """Room for items that streams have read and nobody works on yet, over all of these streams.

    Args:
        limit: The sum of their sizes beyond which no stream reads on, unless nothing of its own
            waits.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._held = 0
        self._changed = anyio.Event()

    def hold(self, size: int) -> None:
        """Count an item that was read; a negative *size* for one that is taken."""
        self._held += size
        changed, self._changed = self._changed, anyio.Event()
        changed.set()

    async def wait_while(self, is_waiting: Callable[[], object]) -> None:
        """Return when there is room, or *is_waiting* does not hold."""
        while self._held >= self._limit and is_waiting():
            await self._changed.wait()


Source: TypeAlias = "AsyncGenerator[ItemT | AsyncGenerator[ItemT, None], None]"
"""Items; a source among them is read beside the one that gave it."""


async def map_stream(
    function: Callable[[ItemT], Awaitable[ResultT]],
    source: Source[ItemT],
    *,
    limit: int,
    slots: Slots,
    ahead: Ahead | None = None,
    size: Callable[[ItemT], int] = lambda _: 1,
) -> list[ResultT]:
    """Apply *function* to the items of *source* as they come; results in the order of the items.

    At most *limit* items are worked on at a time, each while one of *slots* (shared with other
    streams) is held; of those that wait, the largest goes first. One item waits, and more as far as
    there is room *ahead*: so what is in memory is bounded over all streams together.
    The first error cancels the rest and is raised as itself; sources are closed in any case.
    """
    stream = _Stream(function, limit, slots, ahead or Ahead(0), size)
    try:
        async with anyio.create_task_group() as group:
            stream.start(group, source)
    finally:
        stream.let_go()

    if stream.failures:
        raise stream.failures[0]

    return [stream.results[number] for number in sorted(stream.results)]


class _Stream(Generic[ItemT, ResultT]):
    """The items of a ``map_stream`` on their way."""

    def __init__(
        self,
        function: Callable[[ItemT], Awaitable[ResultT]],
        limit: int,
        slots: Slots,
        ahead: Ahead,
        size: Callable[[ItemT], int],
    ) -> None:
        self._function, self._slots, self._ahead, self._size = function, slots, ahead, size
        self._waiting: list[tuple[int, int, ItemT]] = []
        self._count = 0
        # A worker lives while there are items that no other has claimed: a run has dozens of
        # streams, most of which have work for one or two.
        self._idle, self._unclaimed = limit, 0
        self.results: dict[int, ResultT] = {}
        self.failures: list[Exception] = []

    def let_go(self) -> None:
        """Give back the room of the items that nobody works on any more."""
        self._ahead.hold(sum(less for less, _, _ in self._waiting))

    def start(self, group: TaskGroup, source: Source[ItemT]) -> None:
        group.start_soon(self._watch, group, lambda: self._read(group, source))

    async def _watch(self, group: TaskGroup, task: Callable[[], Awaitable[None]]) -> None:
        try:
            await task()
        except Exception as exc:
            self.failures.append(exc)
            group.cancel_scope.cancel()

    async def _read(self, group: TaskGroup, source: Source[ItemT]) -> None:
        async with aclosing(source):
            async for item in source:
                if isinstance(item, AsyncGenerator):
                    self.start(group, item)
                else:
                    self._put(group, item)
                    del item
                    await self._ahead.wait_while(lambda: self._waiting)

    def _put(self, group: TaskGroup, item: ItemT) -> None:
        self._count += 1
        size = self._size(item)
        heappush(self._waiting, (-size, self._count, item))
        self._ahead.hold(size)
        self._unclaimed += 1
        if self._idle:
            self._idle -= 1
            group.start_soon(self._watch, group, self._work)

    async def _work(self) -> None:
        while self._unclaimed:
            self._unclaimed -= 1
            await self._step()

        self._idle += 1

    async def _step(self) -> None:
        """Work on one item; a function, so that a worker in line holds no item any more."""
        # A stream that waits for its source takes no place.
        async with self._slots.acquire():
            less, number, item = heappop(self._waiting)
            self._ahead.hold(less)
            self.results[number] = await self._function(item)
