"""Streams that share places: each gets on while the others wait for their sources."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from functools import partial

import anyio
import pytest

from kada_athena_async.concurrency import Slots
from kada_athena_async.streams import Ahead, map_stream


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

    with anyio.fail_after(60):
        async with anyio.create_task_group() as group:
            for _ in range(5):
                group.start_soon(wait_long)

            await anyio.wait_all_tasks_blocked()
            assert await map_stream(same, quick(), limit=20, slots=slots) == [2, 3]
            is_done.set()

    assert slots.in_use == 0


async def test_a_stream_has_no_more_workers_than_items() -> None:
    """A run has dozens of streams at a time, each with work for one or two of twenty workers."""
    may_go = anyio.Event()

    async def work(item: int) -> int:
        await may_go.wait()
        return item

    async def numbers() -> AsyncGenerator[int, None]:
        yield 1
        yield 2
        await may_go.wait()

    async with anyio.create_task_group() as group:
        others = len(asyncio.all_tasks())
        group.start_soon(
            partial(map_stream, work, numbers(), limit=20, slots=Slots(20), ahead=Ahead(9))
        )
        await anyio.wait_all_tasks_blocked()
        assert len(asyncio.all_tasks()) - others <= 4  # the stream, its reader, two workers
        may_go.set()


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


async def test_a_stream_reads_ahead_as_far_as_there_is_room() -> None:
    """What must be asked for page by page is read on while all places are taken."""
    slots, read = Slots(1), []

    async def numbers() -> AsyncGenerator[int, None]:
        for number in range(10):
            read.append(number)
            yield number

    async with anyio.create_task_group() as group, slots.acquire():
        group.start_soon(partial(map_stream, same, numbers(), limit=2, slots=slots, ahead=Ahead(4)))
        await anyio.wait_all_tasks_blocked()
        assert read == [0, 1, 2, 3]

    assert read == list(range(10))


async def test_streams_that_share_room_always_have_an_item_each() -> None:
    """However much another one has read, a stream whose place comes up has something to do."""
    room, slots, read = Ahead(3), Slots(1), []

    async def numbers(name: str) -> AsyncGenerator[int, None]:
        for number in range(5):
            read.append(name)
            yield number

    async with anyio.create_task_group() as group, slots.acquire():
        for name in ("first", "second"):
            group.start_soon(
                partial(map_stream, same, numbers(name), limit=1, slots=slots, ahead=room)
            )
            await anyio.wait_all_tasks_blocked()

        assert read == ["first"] * 3 + ["second"]

    assert sorted(read) == ["first"] * 5 + ["second"] * 5


async def test_of_what_waits_the_largest_goes_first() -> None:
    """What takes longest and begins last would keep everybody waiting at the end."""
    slots, done = Slots(1), []

    async def sizes() -> AsyncGenerator[int, None]:
        for size in (1, 3, 2, 3):
            yield size

    async def work(size: int) -> int:
        done.append(size)
        return size

    async with anyio.create_task_group() as group, slots.acquire():
        group.start_soon(
            partial(
                map_stream,
                work,
                sizes(),
                limit=1,
                slots=slots,
                ahead=Ahead(100),
                size=lambda size: size,
            )
        )
        await anyio.wait_all_tasks_blocked()

    assert done == [3, 3, 2, 1]


async def test_a_source_among_the_items_is_read_beside_them() -> None:
    """One that waits keeps the others from nothing; an error of it ends them all."""
    is_done = anyio.Event()

    async def slow(*, fails: bool) -> AsyncGenerator[int, None]:
        await is_done.wait()
        if fails:
            raise ValueError("broken off")

        yield 1

    async def numbers(*, fails: bool) -> AsyncGenerator[int | AsyncGenerator[int, None], None]:
        yield slow(fails=fails)
        yield 2
        is_done.set()
        yield 3

    with anyio.fail_after(60):
        found = await map_stream(same, numbers(fails=False), limit=2, slots=Slots(2))
        assert sorted(found) == [1, 2, 3]
        with pytest.raises(ValueError, match="broken off"):
            await map_stream(same, numbers(fails=True), limit=2, slots=Slots(2))
