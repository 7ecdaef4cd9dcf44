"""Ctrl-C and SIGTERM in the middle of a run: nothing half-done in sight, and it can go on."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.acceptance.conftest import Cli, in_sight
from tests.kit.command import start_command

pytestmark = pytest.mark.skipif(os.name != "posix", reason="sends POSIX signals")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_run_leaves_nothing_half_done(
    cli: Cli,
    environment: dict[str, str],
    configure: Callable[..., Path],
    tmp_path: Path,
    number: signal.Signals,
    code: int,
) -> None:
    """Its exit code names the signal, no extract is in sight, and the next run completes."""
    configure()
    process = start_command(
        ["run", "--json"],
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    for line in process.stdout:
        if '"unit_started"' in line:
            process.send_signal(number)
            break

    _, said = process.communicate(timeout=200)
    seen = in_sight(tmp_path / "output") if (tmp_path / "output").exists() else []
    after = cli("run", "-q")

    assert process.returncode == code, said
    assert "Traceback" not in said
    assert f"interrupted by {number.name}: nothing was committed, nothing is lost" in said
    assert "-m kada_athena_async run --json   (goes on where it stopped)" in said
    assert seen == []
    assert (after.returncode, after.stderr) == (0, "")
    assert in_sight(tmp_path / "output")


def test_a_run_that_waits_for_an_endpoint_can_be_stopped(
    environment: dict[str, str], configure: Callable[..., Path], tmp_path: Path
) -> None:
    """An address where nobody listens is named at once, and Ctrl-C ends the tries to reach it."""
    configure(endpoint_url="http://127.0.0.1:9")
    with start_command(
        ["test-connection"],
        cwd=tmp_path,
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        said = process.stderr.readline()
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=200)

    assert said == "talking to http://127.0.0.1:9\n"
    assert process.returncode == 130
