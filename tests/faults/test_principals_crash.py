"""Each execution gets its principal once, over runs that are killed anywhere and late events."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest

from kada_athena_async.sandbox import Sandbox
from kada_athena_async.sandbox.cloudtrail import event_at
from kada_athena_async.sandbox.estate.people import person_of
from tests.faults.dying import KILLED, Runner
from tests.faults.world import START, WallClock, World
from tests.kit.small_estate import tiny_estate

pytestmark = [
    pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="kills by Linux's means"),
    pytest.mark.timeout(1800),
]

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)

GAPS = (timedelta(), 8 * HOUR, 22 * HOUR)
"""Between the runs: an event that is very late comes six hours after its execution."""

FIELDS = {"catalogs": ["AwsDataCatalog"], "attribute_users": "cloudtrail"}
SEED = 20261128

CALLS, STEPS = 19, 260
"""A run has some more of each; at the last ones it is over."""


@pytest.fixture(scope="module")
def runner() -> Iterator[Runner]:
    with Runner() as running:
        yield running


def submit(world: World, since: timedelta) -> None:
    """An execution each twenty minutes of the time before now."""
    now = world.wall.now()
    for number in range(since // (20 * MINUTE)):
        workgroup = ("primary", "adhoc")[number % 2]
        world.submit(now - 5 * MINUTE - number * 20 * MINUTE, workgroup=workgroup)


def killed_run(world: World, runner: Runner, chance: Random) -> bool:
    """A run that is killed at one of its calls or file operations; False if it ended before."""
    now = world.wall.now()
    if chance.random() < 0.5:
        number = chance.randrange(2, CALLS)
        return runner.run_until_call(world, now, number, **FIELDS) == KILLED

    return runner.run(world, now, kill_at=chance.randrange(2, STEPS), **FIELDS) == KILLED


def story(path: Path, runner: Runner, chance: Random, *, times: int) -> int:
    """Three runs, each of them killed so many *times* before it ends; how often one was killed."""
    wall = WallClock(START)
    estate = tiny_estate(START)
    for name in list(estate.workgroups):
        if name not in ("primary", "adhoc"):
            del estate.workgroups[name]

    killed = 0
    with Sandbox(estate, now=wall.now) as sandbox:
        world = World(path, sandbox, wall)
        submit(world, 40 * HOUR)
        for gap in GAPS:
            wall.time += gap
            submit(world, gap)
            for _ in range(times):
                killed += killed_run(world, runner, chance)
                wall.time += MINUTE

            assert runner.run(world, wall.time, **FIELDS) == 0

        check(world)
    return killed


def check(world: World) -> None:
    """The principals are the sandbox's truth: one for each execution whose event is there."""
    now, executions = world.wall.now(), world.sandbox.estate.executions
    told = set(world.told())
    assert set(world.told().values()) == {1}
    rows = world.rows("query_principals")
    assert set(Counter(row["query_id"] for row in rows).values()) == {1}
    wanted = {i for i in told if (at := event_at(executions[i])) and at <= now}
    assert {row["query_id"] for row in rows} == wanted
    for row in rows:
        assert row["principal_type"] == person_of(executions[row["query_id"]]).identity["type"]

    late = [m["facts"]["reconciliation"]["principals"]["late"] for m in world.manifests()]
    assert sum(late) > 0


def test_killed_runs_name_each_principal_once(tmp_path: Path, runner: Runner) -> None:
    """Three runs with late events, each killed on its way."""
    assert story(tmp_path, runner, Random(SEED), times=1) == 3


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(40))
def test_killed_anywhere_runs_name_each_principal_once(
    tmp_path: Path, runner: Runner, seed: int
) -> None:
    """The same with forty other choices of where to kill, twice a run."""
    story(tmp_path, runner, Random(f"{SEED} {seed}"), times=2)
