"""A producer's items as a generator: bounded, and nothing of it left when the reader is done."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Awaitable, Callable
from contextlib import aclosing

import anyio
import pytest
from anyio.lowlevel import checkpoint

from kada_athena_async.concurrency import stream_from

Send = Callable[[int], Awaitable[None]]


class Numbers:
    """Counts up to *total*; remembers how far it came and that it tidied up."""

    def __init__(self, total: int = 1_000) -> None:
        self.total, self.sent, self.is_over = total, 0, False

    async def produce(self, send: Send) -> None:
        try:
            for number in range(self.total):
                await send(number)
                self.sent += 1
        finally:
            await checkpoint()
            self.is_over = True


def others() -> set[asyncio.Task[object]]:
    return asyncio.all_tasks() - {asyncio.current_task()}  # type: ignore[arg-type]


async def test_all_items_come_in_order() -> None:
    """And the producer's task is over."""
    numbers = Numbers(10)

    assert [n async for n in stream_from(numbers.produce, buffer=2)] == list(range(10))
    assert numbers.is_over
    assert others() == set()


async def test_a_slow_reader_slows_the_producer_down() -> None:
    """No more than the buffer waits for him."""
    numbers = Numbers()
    async with aclosing(stream_from(numbers.produce, buffer=3)) as stream:
        await anext(stream)
        await anyio.wait_all_tasks_blocked()

        assert numbers.sent == 4


async def test_a_reader_that_breaks_off_ends_the_producer_at_once() -> None:
    """With aclosing, before the block is left: its clean-up is through."""
    numbers = Numbers()
    async with aclosing(stream_from(numbers.produce, buffer=3)) as stream:
        async for number in stream:
            if number == 5:
                break

    assert numbers.is_over
    assert others() == set()


async def test_a_reader_that_forgets_to_close_leaves_nothing_either() -> None:
    """The generator is closed when nobody holds it any more."""
    numbers = Numbers()
    async for number in stream_from(numbers.produce, buffer=3):
        if number == 5:
            break

    gc.collect()
    for _ in range(10):
        await checkpoint()

    assert numbers.is_over
    assert others() == set()


async def test_a_cancelled_reader_ends_the_producer() -> None:
    """By anyio's scopes, as a timeout around the loop does."""

    async def produce(send: Send) -> None:
        await send(1)
        await numbers.produce(send)
        await anyio.sleep_forever()

    numbers, read = Numbers(3), []
    with anyio.CancelScope() as scope:
        async with aclosing(stream_from(produce, buffer=1)) as stream:
            async for number in stream:
                read.append(number)
                if len(read) == 4:
                    scope.cancel()

    assert scope.cancelled_caught
    assert read == [1, 0, 1, 2]
    assert others() == set()


async def test_a_cancelled_task_ends_the_producer() -> None:
    """By asyncio's own Task.cancel, as servers do."""
    numbers, begun = Numbers(), asyncio.Event()

    async def read() -> None:
        async with aclosing(stream_from(numbers.produce, buffer=1)) as stream:
            async for _ in stream:
                begun.set()
                await asyncio.sleep(3600)

    task = asyncio.create_task(read())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert numbers.is_over
    assert others() == set()


async def test_what_the_producer_raises_comes_after_its_items() -> None:
    """As itself, not in a group."""

    async def produce(send: Send) -> None:
        await send(1)
        raise LookupError("no more")

    read = []

    async def read_all() -> None:
        async for number in stream_from(produce, buffer=5):
            read.append(number)

    with pytest.raises(LookupError, match="no more"):
        await read_all()

    assert read == [1]
    assert others() == set()
