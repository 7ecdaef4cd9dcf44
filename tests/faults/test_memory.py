"""F49: what a run holds does not grow with the history that it reads."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from kada_athena_async.sandbox import Sandbox
from kada_athena_async.sandbox.estate.model import Workgroup
from tests.faults.dying import ROOT
from tests.faults.world import START, WallClock, World, fields_of
from tests.kit.small_estate import make_execution, tiny_estate

pytestmark = [
    pytest.mark.skipif(
        not Path("/proc/self/status").exists(), reason="reads the peak of memory from /proc"
    ),
]

TEXT = "SELECT '" + "x" * 10_000 + "'"

EXTRACT = """
import sys, json, anyio
from datetime import datetime
from pathlib import Path
from kada_athena_async import Extractor
from tests.faults.world import WallClock

order = json.loads(sys.argv[1])

async def work():
    clock = WallClock(datetime.fromisoformat(order["now"]))
    async with Extractor(clock=clock, hwm_path=order["hwm_path"], **order["fields"]) as extractor:
        assert (await extractor.run(manage_hwm=True)).committed

anyio.run(work)
status = Path("/proc/self/status").read_text()
print(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")))
"""


def peak_kb(path: Path, executions: int) -> int:
    """Peak of resident memory of a run over so many executions of 10,000 characters each."""
    wall = WallClock()
    estate = tiny_estate(START)
    estate.executions.clear()
    estate.workgroups = {"primary": Workgroup(name="primary")}
    for number in range(executions):
        submitted_at = START - timedelta(hours=2, seconds=number)
        execution = make_execution(number, submitted_at=submitted_at, query=TEXT)
        estate.executions[execution.query_execution_id] = execution

    path.mkdir()
    with Sandbox(estate, now=wall.now) as sandbox:
        world = World(path, sandbox, wall)
        order = {
            "fields": fields_of(sandbox, world.out),
            "hwm_path": str(world.hwm_path),
            "now": START.isoformat(),
        }
        done = subprocess.run(
            [sys.executable, "-c", EXTRACT, json.dumps(order)],
            cwd=ROOT,
            env={"PATH": os.environ.get("PATH", ""), "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        world.check()

    return int(done.stdout)


def test_f49_four_times_the_history_takes_no_more_memory(tmp_path: Path) -> None:
    """4,000 executions are 30 MB of text more than 1,000; the run holds none of it."""
    small = peak_kb(tmp_path / "small", 1_000)
    large = peak_kb(tmp_path / "large", 4_000)
    assert large - small < 12_000, f"{small} kB, then {large} kB"
