"""Streams that share places: each gets on while the others wait for their sources."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import anyio

from kada_athena_async.concurrency import Slots, map_stream


async def same(item: int) -> int:
    """The item."""
    return item


async def test_streams_that_wait_for_their_source_hold_no_place() -> None:
    """However many streams and workers wait for a source, a stream that has items gets on."""
    slots = Slots(2)
    is_done = anyio.Event()

    async def slow() -> AsyncGenerator[int, None]:
        await is_done.wait()
        yield 1

    async def quick() -> AsyncGenerator[int, None]:
        yield 2
        yield 3

    async def wait_long() -> None:
        assert await map_stream(same, slow(), limit=20, slots=slots) == [1]

    with anyio.fail_after(5):
        async with anyio.create_task_group() as group:
            for _ in range(5):
                group.start_soon(wait_long)

            await anyio.wait_all_tasks_blocked()
            assert await map_stream(same, quick(), limit=20, slots=slots) == [2, 3]
            is_done.set()

    assert slots.in_use == 0


async def test_no_more_items_are_worked_on_than_there_are_places() -> None:
    """The places bound the work of all streams together."""
    slots = Slots(3)
    busy = most = 0

    async def numbers() -> AsyncGenerator[int, None]:
        for number in range(10):
            yield number

    async def work(item: int) -> int:
        nonlocal busy, most
        busy += 1
        most = max(most, busy)
        await anyio.sleep(0.001)
        busy -= 1
        return item

    async def one() -> None:
        assert await map_stream(work, numbers(), limit=20, slots=slots) == list(range(10))

    async with anyio.create_task_group() as group:
        group.start_soon(one)
        group.start_soon(one)

    assert most == 3
    assert slots.in_use == 0
