"""A command that is forked from a warm process: as if it had been started by the shell."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.kit.command import ROOT, run_command, start_command

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="forks by Linux's means")

ENVIRONMENT = {"PATH": os.environ.get("PATH", ""), "PYTHONPATH": str(ROOT)}


@pytest.mark.parametrize(
    "typed",
    [
        ["--version"],
        ["run", "--bogus"],
        ["run", "--set", "output_path=there"],
        ["show", "files", "-o", "nowhere"],
    ],
    ids=" ".join,
)
def test_a_forked_command_answers_as_a_cold_one(tmp_path: Path, typed: list[str]) -> None:
    """The same exit code, and the same bytes on each stream."""
    environment = {**ENVIRONMENT, "KADA_ATHENA_REGION": "nowhere-1"}
    cold = subprocess.run(
        [sys.executable, "-m", "kada_athena_async", *typed],
        cwd=tmp_path,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    forked = run_command(typed, cwd=tmp_path, env=environment)

    assert (forked.returncode, forked.stdout, forked.stderr) == (
        cold.returncode,
        cold.stdout,
        cold.stderr,
    )
    assert forked.args == cold.args


def test_a_forked_command_is_a_child_that_a_signal_kills(tmp_path: Path) -> None:
    """Its parent is the test, its directory and variables are those asked for; SIGKILL ends it."""
    environment = {**ENVIRONMENT, "KADA_ATHENA_REGION": "nowhere-1"}
    with start_command(
        ["sandbox"], cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        about = Path(f"/proc/{process.pid}")
        status = (about / "status").read_text()
        directory = (about / "cwd").readlink()
        descriptors = {int(path.name) for path in (about / "fd").iterdir()}
        process.kill()

    assert f"\nPPid:\t{os.getpid()}\n" in status
    assert directory == tmp_path
    assert {0, 1, 2} <= descriptors
    assert process.returncode == -signal.SIGKILL
