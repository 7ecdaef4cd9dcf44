"""The first signal asks to stop, the second ends at once; measured on real processes."""

from __future__ import annotations

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


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_the_first_signal_lets_the_work_tidy_up(number: signal.Signals, code: int) -> None:
    """The work is cancelled, its clean-up runs to the end, and the exit code names the signal."""
    with start(0.0) as process:
        process.send_signal(number)
        output, _ = process.communicate(timeout=30)

    assert output == f"stopping\ntidied\n{number.name}\n"
    assert process.returncode == code


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_the_second_signal_ends_at_once(number: signal.Signals, code: int) -> None:
    """Clean-up that hangs cannot hold the user."""
    with start(1000.0) as process:
        assert process.stdout is not None
        process.send_signal(number)
        assert process.stdout.readline() == "stopping\n"
        process.send_signal(number)
        output, _ = process.communicate(timeout=30)

    assert output == ""
    assert process.returncode == code


def test_work_that_ends_by_itself_returns_its_value() -> None:
    """And the handlers that were there before are back."""
    from kada_athena_async.cli.signals import run_until_signalled

    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)

    async def work() -> int:
        assert signal.getsignal(signal.SIGINT) is not before[0]
        return 7

    assert run_until_signalled(work, on_signal=lambda: None) == 7
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before
