"""Places: the long are served before the short, and nobody is forgotten."""

from __future__ import annotations

import anyio

from kada_athena_async.concurrency import Slots


async def test_what_is_short_waits_for_what_is_long() -> None:
    """A long query that begins late keeps everybody waiting at the end; a short one does not."""
    slots = Slots(1)
    order: list[str] = []

    async def work(name: str, *, is_short: bool) -> None:
        async with slots.acquire(goes_last=is_short):
            order.append(name)

    async with anyio.create_task_group() as group, slots.acquire():
        for name in ("short 1", "long 1", "short 2", "long 2"):
            group.start_soon(lambda name=name: work(name, is_short=name.startswith("short")))
            await anyio.wait_all_tasks_blocked()

    assert order == ["long 1", "long 2", "short 1", "short 2"]
    assert slots.in_use == 0


async def test_a_short_one_that_leaves_the_line_is_forgotten() -> None:
    """Cancelled while it waits it takes no place with it."""
    slots = Slots(1)
    async with slots.acquire():
        with anyio.move_on_after(0):
            async with slots.acquire(goes_last=True):
                raise AssertionError("there is no place")

    assert slots.in_use == 0
    async with slots.acquire():
        assert slots.in_use == 1
