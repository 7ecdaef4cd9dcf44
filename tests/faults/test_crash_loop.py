"""F01, F03, F34: the product killed anywhere, and what the next runs make of it.

CI kills a run at a seeded sample of its file operations and AWS calls;
``python -m pytest tests/faults/test_crash_loop.py --all-crashes`` kills one at every one of them.
"""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest

from kada_athena_async.sandbox import Sandbox
from kada_athena_async.sandbox.estate.model import Workgroup
from tests.conftest import Extracts
from tests.faults.dying import KILLED, Runner, calls_of, is_alive, steps_of
from tests.faults.test_answers import statements
from tests.faults.world import SETTLE, START, WallClock, World
from tests.kit.small_estate import make_execution, tiny_estate
from tests.kit.true_tags import true_tags

pytestmark = [
    pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="kills by Linux's means"),
    pytest.mark.timeout(1800),
]

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
SECOND, THIRD = START + HOUR, START + 2 * HOUR

SAMPLE = 3
"""Crashes of each kind in CI."""

SEED = 20261123


@dataclass
class Ground:
    """Where worlds are made from: one that has had its first run."""

    path: Path
    sandbox: Sandbox
    runner: Runner
    template: World

    def world(self) -> World:
        """A copy of the template; the one before is gone."""
        path = self.path / "world"
        if path.exists():
            shutil.rmtree(path)

        shutil.copytree(self.template.path, path)
        return World(path, self.sandbox, self.template.wall)


@pytest.fixture(scope="module")
def ground() -> Iterator[Ground]:
    """Two workgroups with something to tell in each window, all metadata, and a first run."""
    wall = WallClock(START)
    estate = tiny_estate(START)
    for name in list(estate.workgroups):
        if name not in ("primary", "adhoc"):
            del estate.workgroups[name]

    memory = Path("/dev/shm")
    with (
        tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as directory,
        Sandbox(estate, now=wall.now) as sandbox,
        Runner() as runner,
    ):
        path = Path(directory)
        template = World(path / "template", sandbox, wall)
        template.path.mkdir()
        for number in range(20):
            template.submit(START - 2 * HOUR + number * 12 * MINUTE)
            template.submit(START - 2 * HOUR + number * 12 * MINUTE, workgroup="adhoc")

        assert runner.run(template, START, metadata_source="auto") == 0
        template.check()
        yield Ground(path, sandbox, runner, template)


def recovers(ground: Ground, world: World, source: str) -> None:
    """After the crash nothing unfinished is in sight, and one more run tells all, once."""
    told = world.told()
    assert set(told.values()) == {1}
    world.check_metadata()
    assert ground.runner.run(world, THIRD, metadata_source=source) == 0
    assert world.mark() == THIRD - SETTLE
    assert world.leftovers() == []
    world.check()


def points(request: pytest.FixtureRequest, total: int, salt: str) -> list[int]:
    """Where to crash: everywhere, or at a sample that always holds the last few steps."""
    if request.config.getoption("--all-crashes"):
        return list(range(1, total + 1))

    chosen = Random(f"{SEED} {salt}").sample(range(1, total), min(SAMPLE, total - 1))
    return sorted({*chosen, total})


@pytest.mark.parametrize("source", ["api", "auto"])
def test_f01_killed_at_any_file_operation_nothing_is_lost_or_told_twice(
    request: pytest.FixtureRequest, ground: Ground, source: str
) -> None:
    """SIGKILL before the k-th file operation, then one more run: the extracts are the ledger."""
    world = ground.world()
    assert ground.runner.run(world, SECOND, metadata_source=source) == 0
    total = steps_of(world)
    assert total > 50
    killed = 0
    for k in points(request, total, f"files {source}"):
        world = ground.world()
        status = ground.runner.run(world, SECOND, kill_at=k, metadata_source=source)
        assert status in (KILLED, 0), f"operation {k} of {total}"
        killed += status == KILLED
        recovers(ground, world, source)

    assert killed > SAMPLE // 2  # a run that looks at its queries less often ends before the last


@pytest.mark.parametrize("source", ["api", "auto"])
def test_f01_killed_at_any_call_nothing_is_lost_or_told_twice(
    request: pytest.FixtureRequest, ground: Ground, source: str
) -> None:
    """SIGKILL while the k-th AWS call is under way, then one more run: the same."""
    world = ground.world()
    before = calls_of(ground.sandbox)
    assert ground.runner.run(world, SECOND, metadata_source=source) == 0
    total = calls_of(ground.sandbox) - before
    assert total > 10
    killed = 0
    for k in points(request, total, f"calls {source}"):
        world = ground.world()
        status = ground.runner.run_until_call(world, SECOND, k, metadata_source=source)
        assert status in (KILLED, 0), f"call {k} of {total}"
        killed += status == KILLED
        recovers(ground, world, source)

    assert killed > SAMPLE // 2


def test_killed_while_it_reads_tags_a_run_has_each_tag_once(ground: Ground) -> None:
    """SIGKILL at calls all over the run, then one more run: every manifest holds every tag."""
    fields = {"metadata_source": "api", "lake_formation_tags": True}
    for k in (8, 14, 20, 26):
        world = ground.world()
        before = len(world.manifests())
        assert ground.runner.run_until_call(world, SECOND, k, **fields) == KILLED
        assert ground.runner.run(world, THIRD, **fields) == 0
        world.check()
        made = world.manifests()[before:]
        assert made
        for manifest in made:
            [name] = [f["name"] for f in manifest["files"] if f["kind"] == "metadata_tags"]
            rows = Extracts.read(world.out / name)
            found = Counter(
                (r["catalog"], r["schema"], r["table"], r["column"], r["tag_key"], r["tag_value"])
                for r in rows
            )
            assert found == Counter(tag[:6] for tag in true_tags(ground.sandbox.estate))


def test_f03_killed_while_recovering_twice_nothing_is_lost_or_told_twice(
    request: pytest.FixtureRequest, ground: Ground
) -> None:
    """A run is killed, the run that recovers from it too, and the next one: then all is told."""
    world = ground.world()
    assert ground.runner.run(world, SECOND) == 0
    total = steps_of(world)
    chance = Random(f"{SEED} recovery")
    for _ in range(total if request.config.getoption("--all-crashes") else SAMPLE):
        world = ground.world()
        for moment in (SECOND, SECOND + MINUTE, SECOND + 2 * MINUTE):
            kill_at = chance.randrange(1, total)
            assert ground.runner.run(world, moment, kill_at=kill_at) in (KILLED, 0)

        recovers(ground, world, "api")


def test_f34_a_query_that_outlives_its_run_is_found_again(ground: Ground) -> None:
    """Killed while its statements run, the next run takes up the same ones: each ran once."""
    before = statements(ground.sandbox)
    world = ground.world()
    ground.sandbox.behaviour.engine_s = 1.5
    try:
        begun = ground.sandbox.calls["athena:StartQueryExecution"]
        pid = ground.runner.start(world, SECOND, metadata_source="auto")
        while ground.sandbox.calls["athena:BatchGetQueryExecution"] == 0 or (
            ground.sandbox.calls["athena:StartQueryExecution"] < begun + 2
        ):
            assert is_alive(pid)
            time.sleep(0.01)

        os.kill(pid, signal.SIGKILL)
        assert ground.runner.wait() == KILLED
        # The same wall clock: only the interrupted run is finished, nothing else is begun.
        assert ground.runner.run(world, SECOND, metadata_source="auto") == 0
    finally:
        ground.sandbox.behaviour.engine_s = 0.0

    ran = statements(ground.sandbox) - before
    assert ran
    assert set(ran.values()) == {1}
    recovers(ground, world, "auto")


def test_a_run_killed_at_four_fifths_does_one_fifth_again(tmp_path: Path) -> None:
    """Finished units are kept: the run that continues makes about the calls that were left."""
    wall = WallClock(START)
    estate = tiny_estate(START)
    estate.workgroups.clear()
    estate.executions.clear()
    for number in range(120):
        name = f"team-{number:03d}"
        estate.workgroups[name] = Workgroup(name=name)
        execution = make_execution(number, submitted_at=START - HOUR, workgroup=name)
        estate.executions[execution.query_execution_id] = execution

    estate.workgroups["primary"] = Workgroup(name="primary")
    with Sandbox(estate, now=wall.now) as sandbox, Runner() as runner:
        whole = World(tmp_path / "whole", sandbox, wall)
        whole.path.mkdir()
        assert runner.run(whole, START) == 0
        total = calls_of(sandbox)

        world = World(tmp_path / "killed", sandbox, wall)
        world.path.mkdir()
        assert runner.run_until_call(world, START, total * 4 // 5) == KILLED
        before = calls_of(sandbox)
        assert runner.run(world, START) == 0
        again = calls_of(sandbox) - before
        world.check()

    # A fifth, the eight workgroups that were under way, and who is there at all.
    assert 0.15 * total < again < 0.33 * total, f"{again} of {total}"
