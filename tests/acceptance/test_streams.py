"""Standard streams that are closed or full end no command in a traceback, and no run."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kada_athena_async.cli.outcome import ending
from kada_athena_async.cli.output import Output
from tests.kit.command import ROOT, start_command

FULL = Path("/dev/full")

needs_full = pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")


@pytest.fixture
def _root_logger() -> Iterator[None]:
    """The command line takes the root logger; give it back."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:], root.level = handlers, level


@needs_full
@pytest.mark.parametrize("arguments", [["config", "schema"], ["run", "--help"], ["--version"]])
def test_a_full_disk_behind_stdout_is_named(arguments: list[str], tmp_path: Path) -> None:
    """Whoever redirects a document to a full disk reads why it is not there."""
    with (
        FULL.open("w") as full,
        start_command(
            arguments,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=subprocess.DEVNULL,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
        ) as process,
    ):
        errors = process.communicate(timeout=200)[1]

    assert process.returncode == 1
    first, second = errors.splitlines()
    assert first == "error: cannot write to stdout: No space left on device"
    assert second.startswith("  try: ")


@needs_full
@pytest.mark.usefixtures("_root_logger")
def test_a_run_outlives_a_full_disk_behind_stdout(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its extracts are elsewhere: it says once that stdout ends, and its verdict stands."""
    monkeypatch.setattr(sys, "argv", ["kada-athena-async", "run", "--json"])

    def work() -> int:
        output.data({"committed": True}, kind="report", lines=[])
        output.data({"committed": True}, kind="report", lines=[])
        return 0

    with FULL.open("w") as full:
        monkeypatch.setattr(sys, "stdout", full)
        output = Output(as_json=True)
        assert ending(output, work) == 0

    said = capsys.readouterr().err
    assert said == "warning: stdout ends here: No space left on device\n"


def test_files_do_not_take_the_numbers_of_closed_streams(tmp_path: Path) -> None:
    """Started with all three closed, a command does its work, and its file holds only its own."""
    script = f"exec {sys.executable} -m kada_athena_async config init c.json <&- >&- 2>&-"
    done = subprocess.run(
        ["sh", "-c", script],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        timeout=200,
        check=False,
    )

    assert done.returncode == 0
    assert (tmp_path / "c.json").read_text().startswith('{\n  "key"')
