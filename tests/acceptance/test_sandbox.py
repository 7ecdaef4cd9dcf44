"""The sandbox as a command: stays up, hands out a configuration, ends on Ctrl-C."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
from pathlib import Path

import pytest

from tests.acceptance.conftest import Cli
from tests.kit.command import start_command

pytestmark = pytest.mark.skipif(os.name != "posix", reason="sends POSIX signals")


@pytest.mark.parametrize(("number", "runs"), [(signal.SIGINT, 2), (signal.SIGTERM, 0)])
def test_it_serves_until_it_is_told_to_stop(
    cli: Cli, environment: dict[str, str], tmp_path: Path, number: signal.Signals, runs: int
) -> None:
    """Its configuration works twice in a row, and a signal is its ordinary end."""
    with start_command(
        ["sandbox", "--scale", "0.05", "--write-config", "sandbox.json"],
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        said = process.stderr.readline() + process.stderr.readline()
        done = [cli("run", "-q", "-c", "sandbox.json") for _ in range(runs)]
        process.send_signal(number)
        printed, rest = process.communicate(timeout=200)

    assert [each.returncode for each in done] == [0] * runs, [each.stderr for each in done]
    assert process.returncode == 0
    assert rest == "stopped\n"
    assert json.loads(printed) == json.loads((tmp_path / "sandbox.json").read_text())
    assert stat.S_IMODE((tmp_path / "sandbox.json").stat().st_mode) == 0o600
    assert "run -c sandbox.json" in said
    published = tmp_path / "kada-sandbox-extracts"
    assert len(list(published.glob("*_manifest_*"))) == runs


def test_a_taken_port_is_refused(cli: Cli) -> None:
    """With the way out, and no traceback."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        done = cli("sandbox", "--port", str(port))

    assert done.returncode == 2, done.stderr
    assert str(port) in done.stderr
    assert "Traceback" not in done.stderr


def test_a_configuration_that_cannot_be_written_is_named(cli: Cli) -> None:
    """One sentence about the option, not a defect of ours."""
    done = cli("sandbox", "--write-config", "no/such/place.json")

    assert done.returncode == 2, done.stderr
    assert "--write-config = 'no/such/place.json': cannot be written (No such file" in done.stderr
    assert "bug" not in done.stderr
