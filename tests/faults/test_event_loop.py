"""F54: whoever shares the event loop with a run is never kept waiting by it."""

from __future__ import annotations

import asyncio
import gc
import time
from datetime import timedelta

import pytest

from tests.faults.world import START, World

LONGEST_S = 0.1
"""CPU time of one callback. Not time by the clock, which a busy machine stretches at will."""

MINUTE = timedelta(minutes=1)


class Callbacks:
    """The CPU time of each callback that the event loop ran."""

    def __init__(self) -> None:
        self.times_s: list[float] = []

    def longest_s(self) -> float:
        return max(self.times_s)


@pytest.fixture
def callbacks(monkeypatch: pytest.MonkeyPatch) -> Callbacks:
    """Measures the loop's thread while it runs a callback; other threads do not count."""
    found = Callbacks()
    run = asyncio.events.Handle._run

    def measured(handle: asyncio.events.Handle) -> None:
        before = time.thread_time()
        run(handle)
        found.times_s.append(time.thread_time() - before)

    monkeypatch.setattr(asyncio.events.Handle, "_run", measured)
    # What hundreds of tests before this one left in memory is not ours to be walked over.
    gc.collect()
    gc.freeze()
    return found


def burn(duration_s: float) -> None:
    """Take CPU time."""
    until = time.thread_time() + duration_s
    while time.thread_time() < until:
        pass


async def test_the_measure_sees_a_long_callback(callbacks: Callbacks) -> None:
    """Whatever takes the loop's CPU is seen, by as much as it took."""
    asyncio.get_running_loop().call_soon(burn, 0.15)
    await asyncio.sleep(0.01)

    assert 0.15 <= callbacks.longest_s() < 1


async def test_f54_masking_long_texts_leaves_the_loop_free(
    world: World, callbacks: Callbacks
) -> None:
    """A history of the longest statements there are, masked: no callback takes a tenth a second."""
    values = ", ".join(f"'person-{number}@example.com'" for number in range(9_000))
    text = f"SELECT * FROM sales.orders WHERE email IN ({values})"
    for number in range(40):
        world.submit(START - 5 * MINUTE, query=f"{text} AND n = {number}")

    report = await world.run(START, metadata_source="auto", mask=True)

    assert report.committed
    rows = [row for row in world.rows("databaselog") if len(row["query"]) > 20_000]
    assert len(rows) == 40
    assert not any("person-" in row["query"] for row in rows)
    assert callbacks.longest_s() < LONGEST_S


async def test_f54_a_loop_that_others_block_costs_nothing(world: World) -> None:
    """An observer that takes half a second of the loop now and then: no call is given up."""
    blocked = 0

    def hog(event: object) -> None:
        nonlocal blocked
        if type(event).__name__ in ("StageStarted", "UnitFinished") and blocked < 4:
            blocked += 1
            burn(0.5)

    report = await world.run(START, metadata_source="auto", observers=[hog])

    assert blocked == 4
    assert report.committed
    world.check()
