"""Many runs in a row with faults at random: the extracts are the ledger, and nothing piles up.

CI does a few; ``FAULTS_SOAK=200 python -m pytest tests/faults/test_soak.py`` does 200, and
``FAULTS_SEED`` plays a failure again.
"""

from __future__ import annotations

import gc
import os
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import anyio
import pytest

from kada_athena_async.errors import KadaAthenaError
from kada_athena_async.sandbox import Sandbox
from kada_athena_async.sandbox.estate.model import Workgroup
from tests.faults.test_interruption import count, descriptors, settles, threads
from tests.faults.test_state_machine import FATAL, PASSING, is_crash
from tests.faults.world import SETTLE, START, WallClock, World
from tests.kit.small_estate import tiny_estate
from tests.unit.commit.disk import CrashingFiles

RUNS = int(os.environ.get("FAULTS_SOAK", "10"))
SEED = int(os.environ.get("FAULTS_SEED", "20261123"))
MINUTE = timedelta(minutes=1)

pytestmark = [
    pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="looks into /proc"),
    pytest.mark.timeout(120 + 20 * RUNS),
]

STRUCK = (
    "athena:ListQueryExecutions",
    "athena:BatchGetQueryExecution",
    "athena:ListWorkGroups",
    "athena:StartQueryExecution",
    "athena:GetQueryResults",
    "athena:ListTableMetadata",
    "glue:GetTables",
    "glue:GetDatabases",
    "*",
)


def resident_kb() -> int:
    """Resident memory of this process, after what can be freed is."""
    gc.collect()
    status = Path("/proc/self/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS")))


def users_are_busy(world: World, chance: Random) -> None:
    for _ in range(chance.randrange(6)):
        minutes = chance.randrange(1, 40)
        world.submit(
            world.wall.time - minutes * MINUTE,
            workgroup=chance.choice(("primary", "adhoc")),
            state=chance.choice(("SUCCEEDED", "FAILED", "CANCELLED")),
        )


def run_badly(world: World, chance: Random) -> None:
    """A run with some faults, and perhaps a crash; however it ends, it ends in one of our ways."""
    faults = world.sandbox.faults
    for _ in range(chance.randrange(4)):
        kind: Any = chance.choice(PASSING + FATAL)
        probability = chance.choice((0.1, 0.5, 1.0))
        operation = chance.choice(STRUCK)
        faults.add(kind, operation, probability=probability, times=chance.randrange(1, 5))

    fields: dict[str, Any] = {
        "metadata_source": chance.choice(("api", "auto")),
        "on_error": chance.choice(("fail", "fail", "skip")),
        "rng": Random(chance.random()),
    }
    if chance.random() < 0.3:
        fields["files"] = CrashingFiles(chance.randrange(1, 120))

    try:
        anyio.run(lambda: world.run(**fields))
    except KadaAthenaError:
        pass
    except BaseException as exc:
        if not is_crash(exc):
            raise

    faults.clear()


def test_runs_in_a_row_with_random_faults_leave_nothing_but_the_ledger(tmp_path: Path) -> None:
    """After any number of bad runs a calm one tells all, once; descriptors and threads are flat."""
    chance = Random(SEED)
    wall = WallClock()
    estate = tiny_estate(START)
    estate.workgroups = {name: Workgroup(name=name) for name in ("primary", "adhoc")}
    with Sandbox(estate, now=wall.now) as sandbox:
        world = World(tmp_path, sandbox, wall)
        anyio.run(world.run)
        gc.collect()  # what other tests left to the collector would be closed in between
        open_before, memory = count(descriptors()), 0
        for number in range(RUNS):
            wall.time += chance.choice((1, 10, 45, 70)) * MINUTE
            users_are_busy(world, chance)
            run_badly(world, chance)
            assert max(world.told().values()) == 1, f"seed {SEED}, run {number}"
            if number == RUNS // 3:
                memory = resident_kb()

        for _ in range(2):
            wall.time += 2 * 60 * MINUTE
            report = anyio.run(world.run)
            assert report.committed, f"seed {SEED}: {report.failed}"

        assert world.mark() == wall.time - SETTLE
        assert world.leftovers() == [], f"seed {SEED}"
        world.check()
        gc.collect()
        # There may be fewer: at first the sandbox still closed its side of the first run.
        assert settles(lambda: count(descriptors()) <= open_before), (
            f"seed {SEED}: {open_before} before, {count(descriptors())} after"
        )
        assert settles(lambda: threads().total() == 1), threads()
        assert resident_kb() - memory < 20_000 + 200 * RUNS, f"seed {SEED}"
