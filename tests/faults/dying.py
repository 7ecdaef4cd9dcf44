"""Extractor processes that die: the test's side of ``crash_runner``."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from kada_athena_async.sandbox import Sandbox
from tests.faults.world import World, fields_of

ROOT = Path(__file__).parents[2]
KILLED = -signal.SIGKILL

PATIENCE_S = 300
"""Time that a child may take; on a quiet machine it takes a second."""


class Runner:
    """A ``crash_runner`` process; use it as a context manager."""

    def __enter__(self) -> Runner:
        environment = {
            "PATH": os.environ.get("PATH", ""),
            "PYTHONPATH": str(ROOT),
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.crash_runner"],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
        )
        self._child = 0
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(200)
        self._process.stdout.close()

    def start(self, world: World, now: datetime, *, kill_at: int = 0, **fields: Any) -> int:
        """Begin a run in a child when it is *now* for the sandbox, too; its process id."""
        world.wall.time = now
        return self.order(
            fields=fields_of(world.sandbox, world.out, **fields),
            hwm_path=str(world.hwm_path),
            now=now.isoformat(),
            kill_at=kill_at,
            steps_path=str(world.path / "steps"),
        )

    def order(self, **order: Any) -> int:
        """Begin the run that ``crash_runner`` is told of by *order*; its process id."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        self._child = int(self._read()["pid"])
        return self._child

    def wait(self) -> int:
        """End of the child: its exit code, or less than 0 for the signal that killed it."""
        return int(self._read()["status"])

    def run(self, world: World, now: datetime, *, kill_at: int = 0, **fields: Any) -> int:
        """A run to its end, by itself or by the kill before its *kill_at*-th file operation."""
        self.start(world, now, kill_at=kill_at, **fields)
        return self.wait()

    def run_until_call(self, world: World, now: datetime, number: int, **fields: Any) -> int:
        """A run that is killed while it waits for the answer to its *number*-th AWS call."""
        with_fault = world.sandbox.faults.add("hang", "*", calls=number, times=1, seconds=60)
        pid = self.start(world, now, **fields)
        while not world.sandbox.faults.struck(with_fault) and is_alive(pid):
            time.sleep(0.005)

        world.sandbox.faults.clear(with_fault)
        if is_alive(pid):
            os.kill(pid, signal.SIGKILL)

        return self.wait()

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        if not select.select([self._process.stdout], [], [], PATIENCE_S)[0]:
            os.kill(self._child, signal.SIGABRT)  # it says where it stands
            raise AssertionError(f"process {self._child} does not end")

        line = self._process.stdout.readline()
        assert line, "the runner died"
        found: dict[str, Any] = json.loads(line)
        return found


def is_alive(pid: int) -> bool:
    """True if the child still runs; one that waits to be collected does not."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def steps_of(world: World) -> int:
    """Count of file operations of the last complete run in a child."""
    return int((world.path / "steps").read_text())


def calls_of(sandbox: Sandbox) -> int:
    """AWS calls so far."""
    return sum(sandbox.calls.values())
