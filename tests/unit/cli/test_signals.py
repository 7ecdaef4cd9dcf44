"""The first signal asks to stop, the second ends at once; measured on real processes."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]

pytestmark = pytest.mark.skipif(os.name != "posix", reason="sends POSIX signals")

# Says when it is ready, tidies up in a shielded scope when cancelled, and may refuse to end.
PROGRAM = """
import sys, anyio
from kada_athena_async.cli.signals import Interrupted, run_until_signalled

async def work():
    print("ready", flush=True)
    try:
        await anyio.sleep_forever()
    finally:
        with anyio.CancelScope(shield=True):
            await anyio.sleep(float(sys.argv[1]))
            print("tidied", flush=True)

try:
    run_until_signalled(work, on_signal=lambda: print("stopping", flush=True))
except Interrupted as interrupted:
    print(interrupted, flush=True)
    sys.exit(interrupted.exit_code)
"""


def start(tidying_s: float) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(tidying_s)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_the_first_signal_lets_the_work_tidy_up(number: signal.Signals, code: int) -> None:
    """The work is cancelled, its clean-up runs to the end, and the exit code names the signal."""
    with start(0.0) as process:
        process.send_signal(number)
        output, _ = process.communicate(timeout=200)

    assert output == f"stopping\ntidied\n{number.name}\n"
    assert process.returncode == code


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_the_second_signal_ends_at_once(number: signal.Signals, code: int) -> None:
    """Clean-up that hangs cannot hold the user."""
    with start(1000.0) as process:
        assert process.stdout is not None
        process.send_signal(number)
        assert process.stdout.readline() == "stopping\n"
        process.send_signal(number)
        output, _ = process.communicate(timeout=200)

    assert output == ""
    assert process.returncode == code


def test_work_that_ends_by_itself_returns_its_value() -> None:
    """And the handlers that were there before are back."""
    from kada_athena_async.cli import COLLECTIONS
    from kada_athena_async.cli.signals import run_until_signalled

    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)

    async def work() -> int:
        assert signal.getsignal(signal.SIGINT) is not before[0]
        assert gc.get_threshold() == COLLECTIONS
        assert gc.get_freeze_count()
        return 7

    assert run_until_signalled(work, on_signal=lambda: None) == 7
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_who_was_started_to_outlive_its_terminal_does() -> None:
    """`nohup` ignores SIGHUP for the program that it starts, and that stays so."""
    with subprocess.Popen(
        ["nohup", sys.executable, "-c", PROGRAM, "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGHUP)
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=200)

    assert output == "stopping\ntidied\nSIGTERM\n"
    assert process.returncode == 143


@pytest.mark.parametrize("module", ["typing", "typer._typing"])
def test_ctrl_c_while_the_program_is_still_loading_ends_it_quietly(module: str) -> None:
    """H17: 130 and no traceback, whichever module is just being imported.

    The interpreter says on stderr what it has imported; the signal comes at the first sign of a
    module that is imported after the program has begun.
    """
    with subprocess.Popen(
        [sys.executable, "-X", "importtime", "-m", "kada_athena_async", "--version"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        bufsize=1,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.rpartition("|")[2].strip() == module:
                break

        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()

    assert "Traceback" not in rest
    assert "KeyboardInterrupt" not in rest
    assert process.returncode == 130


@pytest.mark.parametrize("form", ["code", "text"])
def test_ctrl_c_in_a_command_that_waits_for_nothing_still_tidies_up(
    form: str, tmp_path: Path
) -> None:
    """Inside a command Ctrl-C is an exception again: what was begun is undone, then 130.

    Also where it comes while Python runs a text, as it does to make a dataclass.
    """
    program = """
import os, signal, sys
from kada_athena_async.cli import end_at_once
from kada_athena_async.cli.outcome import ending
from kada_athena_async.cli.output import Output

def work():
    try:
        kill = "os.kill(os.getpid(), signal.SIGINT)"
        exec(kill if sys.argv[1] == "text" else compile(kill, "kill", "exec"))
        return 0
    finally:
        print("tidied", flush=True)

signal.signal(signal.SIGINT, end_at_once)
raise SystemExit(ending(Output(), work))
"""
    (tmp_path / "program.py").write_text(program)
    done = subprocess.run(
        [sys.executable, "-m", "program", form],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )

    assert (done.returncode, done.stdout, done.stderr) == (130, "tidied\n", "")
