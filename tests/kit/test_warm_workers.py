"""Workers that are forked from a warm process: as if they had been started anew."""

from __future__ import annotations

import os
import resource
import signal
import sys
from pathlib import Path

import pytest

from kada_athena_async.sql.names import Context
from kada_athena_async.sql.parse_request import ParseRequest
from kada_athena_async.sql.worker import Worker
from tests.kit.command import ROOT, run_command
from tests.kit.warm_workers import cold_workers

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="forks by Linux's means")


def about_me() -> dict[str, object]:
    """Facts of the process in which this is called that a worker may depend on."""
    return {
        "parent": os.getppid(),
        "open files": sorted(int(path.name) for path in Path("/proc/self/fd").iterdir())[:-1],
        "memory": resource.getrlimit(resource.RLIMIT_AS),
        "interrupt": signal.getsignal(signal.SIGINT) is signal.default_int_handler,
        "end": signal.getsignal(signal.SIGTERM) is signal.SIG_DFL,
        "path": sys.path,
        "Region": os.environ.get("KADA_ATHENA_REGION"),
        "directory": str(Path.cwd()),
    }


SCRIPT = """
import anyio
from kada_athena_async.sql.names import Context
from kada_athena_async.sql.parse_request import ParseRequest
from kada_athena_async.sql.worker import Worker
from tests.kit.test_warm_workers import about_me

async def main():
    worker = await Worker.begin()
    await worker.ready()
    about = await worker.call(about_me)
    question = ParseRequest("SELECT a FROM t", "trino", Context("c", "s"))
    (reading,) = await worker.read(None, [question])
    await worker.kill()
    print(about["open files"], about["interrupt"], about["end"], len(reading) > 1)

anyio.run(main)
"""


def test_a_forked_command_forks_its_workers(tmp_path: Path) -> None:
    """They have their three streams alone, begin with no handlers of signals, and answer."""
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)

    done = run_command([], script=script, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)})

    assert done.stdout == "[0, 1, 2] True True True\n", done.stderr


async def test_a_forked_worker_is_as_a_cold_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same parent, streams, limits, path and variables; the same bytes for a question."""
    monkeypatch.setenv("KADA_ATHENA_REGION", "nowhere-1")
    question = ParseRequest("SELECT a FROM t WHERE b = ?", "trino", Context("c", "s"))
    found = []
    for is_cold in (True, False):
        if is_cold:
            with cold_workers():
                worker = await Worker.begin()
        else:
            worker = await Worker.begin()
        await worker.ready()
        found.append((await worker.call(about_me), await worker.read(None, [question])))
        await worker.kill()

    assert found[0] == found[1]
    assert found[0][0]["parent"] == os.getpid()
