"""F27, F28: throttling is answered by calling less, and retries are not free."""

from __future__ import annotations

import threading
from datetime import timedelta
from pathlib import Path

from kada_athena_async.retry import RetryBudget
from kada_athena_async.sandbox import Sandbox
from kada_athena_async.sandbox.estate.model import Workgroup
from tests.faults.dying import calls_of
from tests.faults.world import START, WallClock, World
from tests.kit.small_estate import make_execution, tiny_estate

HOUR = timedelta(hours=1)
STORM_S = 60


class HurriedClock(WallClock):
    """Waiting takes a thousandth of the time: ten minutes are over in less than a second."""

    SPEED = 1000


def busy_estate_world(path: Path, sandbox: Sandbox, wall: WallClock) -> World:
    world = World(path, sandbox, wall)
    path.mkdir()
    return world


async def test_f27_a_storm_of_throttles_is_sat_out(tmp_path: Path) -> None:
    """Every call is throttled for a minute: we call less and less, then go on; all is told."""
    wall = WallClock()
    estate = tiny_estate(START)
    for number in range(20):
        name = f"team-{number:02d}"
        estate.workgroups[name] = Workgroup(name=name)
        for minute in range(300):
            execution = make_execution(
                1000 * number + minute, submitted_at=START - HOUR * 2, workgroup=name
            )
            estate.executions[execution.query_execution_id] = execution

    with Sandbox(estate, now=wall.now) as sandbox:
        calm = busy_estate_world(tmp_path / "calm", sandbox, wall)
        await calm.run(START)
        least = calls_of(sandbox)

        stormy = busy_estate_world(tmp_path / "stormy", sandbox, wall)
        storm = sandbox.faults.add("throttle", "*")
        end = threading.Timer(STORM_S / wall.SPEED, sandbox.faults.clear, (storm,))

        def begin(event: object) -> None:
            # Not before: on a busy machine the storm would be over when the first call is made.
            if type(event).__name__ == "RetryScheduled" and end.ident is None:
                end.start()

        report = await stormy.run(START, observers=[begin])
        end.join()
        spent = calls_of(sandbox) - least
        struck = sandbox.faults.struck(storm)
        assert report.committed, report.failed
        assert sum(report.throttles.values()) == struck > 0
        # A minute at the rates we begin with would be thousands of calls in vain.
        assert spent <= 1.2 * least + 60, (spent, least, struck)
        stormy.check()


async def test_f27_throttles_in_the_middle_of_a_run_cost_few_calls(tmp_path: Path) -> None:
    """When a storm breaks out while many calls are under way, one answer slows them all down."""
    wall = WallClock()
    estate = tiny_estate(START)
    for number in range(40):
        name = f"team-{number:02d}"
        estate.workgroups[name] = Workgroup(name=name)

    with Sandbox(estate, now=wall.now) as sandbox:
        calm = busy_estate_world(tmp_path / "calm", sandbox, wall)
        await calm.run(START)
        least = calls_of(sandbox)

        stormy = busy_estate_world(tmp_path / "stormy", sandbox, wall)
        end = threading.Timer(STORM_S / wall.SPEED, sandbox.faults.clear)

        def break_out(event: object) -> None:
            if type(event).__name__ == "PlanReady":
                sandbox.faults.add("throttle", "*")
                end.start()

        report = await stormy.run(START, observers=[break_out])
        end.join()
        assert report.committed, report.failed
        assert sum(report.throttles.values()) > 5
        assert calls_of(sandbox) - least <= 1.2 * least + 120
        stormy.check()


async def test_f28_throttled_for_ever_the_run_ends_by_name(tmp_path: Path) -> None:
    """Ten minutes of nothing but throttles end the workgroup, and the error names the call."""
    wall = HurriedClock()
    with Sandbox(tiny_estate(START), now=wall.now) as sandbox:
        world = busy_estate_world(tmp_path / "world", sandbox, wall)
        sandbox.faults.add("throttle", "athena:ListQueryExecutions", where={"workgroup": "adhoc"})
        report = await world.run(START)
        assert not report.committed
        (failed,) = report.failed
        assert failed.unit_id == "history/adhoc"
        assert "athena:ListQueryExecutions was tried" in failed.reason
        assert "ThrottlingException" in failed.reason
        assert (world.in_sight(), world.mark()) == ([], None)

        sandbox.faults.clear()
        await world.run(START + HOUR)
        world.check()


async def test_f28_a_service_that_is_down_is_not_hammered(tmp_path: Path) -> None:
    """However many callers an operation has, they spend one budget of retries between them."""
    wall = HurriedClock()
    estate = tiny_estate(START)
    for number in range(120):
        estate.workgroups[f"team-{number:02d}"] = Workgroup(name=f"team-{number:02d}")

    with Sandbox(estate, now=wall.now) as sandbox:
        world = busy_estate_world(tmp_path / "world", sandbox, wall)
        down = sandbox.faults.add("server_error", "athena:ListQueryExecutions")
        report = await world.run(START)
        units = len([o for o in report.outcomes if o.unit_id.startswith("history/")])
        assert len(report.failed) == units
        retries = RetryBudget.CAPACITY // RetryBudget.RETRY_COST
        assert sandbox.faults.struck(down) <= units + retries
        assert world.in_sight() == []
