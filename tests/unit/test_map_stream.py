"""Streams that share places: each gets on while the others wait for their sources."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import anyio

from kada_athena_async.concurrency import Slots, map_stream


async def test_streams_that_wait_for_their_source_hold_one_place_each() -> None:
    """Twenty workers in line for a slow source leave the other places to the other streams."""
    slots = Slots(4)
    all_waiting = anyio.Event()
    waiting = 0

    async def slow() -> AsyncGenerator[int, None]:
        nonlocal waiting
        waiting += 1
        if waiting == slots.limit:
            all_waiting.set()

        await all_waiting.wait()
        yield 1

    async def same(item: int) -> int:
        return item

    async def one() -> None:
        assert await map_stream(same, slow(), limit=20, slots=slots) == [1]

    with anyio.fail_after(5):
        async with anyio.create_task_group() as group:
            for _ in range(slots.limit):
                group.start_soon(one)

    assert slots.in_use == 0
