"""A program that runs the real extractor in children of its own, which die where they are told.

Reads an order a line on stdin (JSON: ``fields``, ``arguments`` of the run, ``hwm_path``, ``now``,
``kill_at``), forks, and tells the child's ``pid``, then its ``status``. With ``said_path`` an error
of ours is written there, and its exit code is the child's, as the command line does. A child is
forked from a process that has imported everything and opened nothing, so that a crash costs what a
run costs, and no more.
"""

from __future__ import annotations

import faulthandler
import gc
import json
import os
import signal
import sys
import threading
from datetime import datetime
from pathlib import Path
from typing import Any

import anyio

from kada_athena_async import Extractor, RunReport
from kada_athena_async.errors import KadaAthenaError
from tests.faults.world import WallClock
from tests.kit.sdk_models import preload_models
from tests.kit.warm_workers import fork_here, fork_workers, preload
from tests.unit.commit.disk import CrashingFiles


class KillingFiles(CrashingFiles):
    """The real file system; the process is killed at its k-th changing operation."""

    def __init__(self, kill_at: int) -> None:
        super().__init__()
        self.kill_at = kill_at
        self._guard = threading.Lock()

    def step(self) -> None:
        with self._guard:
            self.steps += 1
            if self.steps == self.kill_at:
                os.kill(os.getpid(), signal.SIGKILL)


def run(order: dict[str, Any]) -> int:
    """The exit code of one run; how many operations it had is left in ``steps_path``."""
    files = KillingFiles(order.get("kill_at", 0))

    async def work() -> RunReport:
        extractor = Extractor(
            clock=WallClock(datetime.fromisoformat(order["now"])),
            files=files,
            hwm_path=order["hwm_path"] or None,
            **order["fields"],
        )
        async with extractor:
            return await extractor.run(**order.get("arguments", {"manage_hwm": True}))

    try:
        report = anyio.run(work)
    except KadaAthenaError as exc:
        if "said_path" not in order:
            raise

        Path(order["said_path"]).write_text(str(exc))
        return exc.exit_code

    if report.failed and "said_path" in order:
        Path(order["said_path"]).write_text(str(report.failed))

    if "steps_path" in order:
        Path(order["steps_path"]).write_text(str(files.steps))

    return report.exit_code


def main() -> None:
    faulthandler.enable()
    preload()
    preload_models()
    fork_workers(fork_here)
    # Else each child's garbage collector would walk, and so copy, all that was imported.
    gc.collect()
    gc.freeze()
    for line in sys.stdin:
        order = json.loads(line)
        pid = os.fork()
        if pid == 0:
            code = 70
            try:
                code = run(order)
            finally:
                sys.stderr.flush()
                os._exit(code)

        sys.stdout.write(json.dumps({"pid": pid}) + "\n")
        sys.stdout.flush()
        _, status = os.waitpid(pid, 0)
        sys.stdout.write(json.dumps({"status": os.waitstatus_to_exitcode(status)}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
