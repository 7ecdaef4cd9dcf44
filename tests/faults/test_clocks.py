"""F40 to F44: clocks that are wrong, zones, marks that somebody set, bounds that make no sense."""

from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone

import pytest

from kada_athena_async.errors import ConfigError, StateError
from tests.faults.world import SETTLE, START, World

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)


def now() -> datetime:
    return datetime.now(timezone.utc)


async def test_f40_a_clock_that_is_ahead_does_not_skip_time(live_world: World) -> None:
    """Two hours ahead: the window ends by AWS's clock, it is said, and nothing is passed over."""
    world = live_world
    late = world.submit(now() + 2 * MINUTE)
    report = await world.run(now() + 2 * HOUR)
    assert report.committed
    assert now() - SETTLE - MINUTE < report.end <= now() - SETTLE
    assert "this machine's clock is 2 h ahead of AWS's" in report.warnings
    assert world.told()[late] == 0


async def test_f40_a_clock_that_is_behind_loses_nothing(live_world: World) -> None:
    """Two hours behind: the window ends there; set right, the next run tells the rest, once."""
    world = live_world
    world.submit(now() - HOUR)
    report = await world.run(now() - 2 * HOUR)
    assert report.end <= now() - 2 * HOUR
    assert "this machine's clock is 2 h behind AWS's" in report.warnings

    await world.run(now())
    world.check()


async def test_f40_a_clock_that_is_set_back_between_runs_repeats_nothing(world: World) -> None:
    """The mark lies in the future of the clock: refused, the mark stays, later runs go on."""
    await world.run(START)
    mark = world.mark()
    with pytest.raises(StateError) as caught:
        await world.run(START - 2 * HOUR)

    assert "lies in the future" in caught.value.message
    assert world.mark() == mark
    await world.run(START + HOUR)
    world.check()


def zone(name: str, moment: str) -> object:
    return pytest.param(name, datetime.fromisoformat(f"{moment}+00:00"), id=name.split("/")[1])


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="sets the zone of the process")
@pytest.mark.parametrize(
    ("name", "change"),
    [zone("Europe/Berlin", "2026-10-25T01:00:00"), zone("America/New_York", "2026-03-08T07:00:00")],
)
async def test_f41_the_hour_that_comes_twice_or_never_is_told_once(
    world: World, monkeypatch: pytest.MonkeyPatch, name: str, change: datetime
) -> None:
    """Marks are UTC whatever the machine's zone: no hour is lost or doubled when clocks change."""
    monkeypatch.setenv("TZ", name)
    time.tzset()
    try:
        for quarter in range(-6, 8):
            world.submit(change + quarter * 15 * MINUTE)

        for half_hour in range(-2, 4):
            await world.run(change + half_hour * 30 * MINUTE)
            assert world.mark() == change + half_hour * 30 * MINUTE - SETTLE

        world.check()
    finally:
        monkeypatch.undo()
        time.tzset()


async def test_f43_a_mark_set_back_repeats_nothing_and_says_so(world: World) -> None:
    """A day back by hand: what is published of that day is left out, and the warning says so."""
    world.submit(START - 3 * DAY)
    world.submit(START - 12 * HOUR)
    first = await world.run(START)
    (world.hwm_path).write_text(f"{START - DAY:%Y-%m-%d %H:%M:%S}\n")
    report = await world.run(START + HOUR)
    assert report.committed
    assert report.start == first.end
    assert any("is published already is left out" in warning for warning in report.warnings)
    await world.run(START + 2 * HOUR)
    world.check()


async def test_f43_a_mark_set_forward_is_a_gap_of_the_operator(world: World) -> None:
    """History skipped on purpose is named with both bounds; a lost state is not a first run."""
    await world.run(START)
    mark = world.mark()
    (world.hwm_path).write_text(f"{START + DAY:%Y-%m-%d %H:%M:%S}\n")
    report = await world.run(START + 2 * DAY)
    assert report.gaps == (
        f"all workgroups: {mark:%Y-%m-%d %H:%M:%S} to {START + DAY:%Y-%m-%d %H:%M:%S} (operator)",
    )
    (gap,) = world.manifests()[-1]["facts"]["gaps"]
    assert gap["kind"] == "operator"


async def test_f43_a_state_that_is_lost_is_rebuilt_from_the_manifest(world: World) -> None:
    """Without its state file the next run still knows what was pending and what was told."""
    running = world.submit(START - 20 * HOUR, state="RUNNING")
    await world.run(START)
    world.state_path.unlink()
    world.sandbox.finish(running, completed_at=START + MINUTE)
    await world.run(START + HOUR)
    world.check()


async def test_f44_bounds_that_make_no_sense(world: World) -> None:
    """An end in the future is clamped, an empty window is fine, a start behind it is refused."""
    report = await world.run(START, end_hwm=START + DAY, start_hwm=START - DAY)
    assert report.end == START - SETTLE
    assert any("not settled yet" in warning for warning in report.warnings)

    empty = await world.run(
        START + HOUR, start_hwm=START - SETTLE, end_hwm=START - SETTLE, manage_hwm=False
    )
    assert (empty.committed, empty.exit_code) == (False, 0)

    with pytest.raises(ConfigError) as caught:
        await world.run(START + HOUR, start_hwm=START + DAY, manage_hwm=False)

    assert caught.value.exit_code == 2
