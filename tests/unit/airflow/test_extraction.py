"""A run in its own thread: whatever meets the waiting thread, the run tidies up first."""

from __future__ import annotations

import os
import signal
import threading
from types import FrameType

import anyio
import pytest

from kada_athena_async.airflow.extraction import Extraction, Stopped


class TooLong(BaseException):
    """As Airflow's signal handler raises it."""


class Work:
    """Runs until it is cancelled, and then tidies up for a while."""

    def __init__(self) -> None:
        self.started = threading.Event()
        self.tidied = False

    async def __call__(self) -> str:
        try:
            self.started.set()
            await anyio.sleep_forever()
        finally:
            with anyio.CancelScope(shield=True):
                await anyio.sleep(0.05)
                self.tidied = True

        return "unreachable"


def test_what_the_work_returns_or_raises_comes_back() -> None:
    """The waiting thread gets the value, or the very error."""

    async def fails() -> None:
        raise KeyError("x")

    async def answers() -> threading.Thread:
        return threading.current_thread()

    assert Extraction(answers).run() is not threading.current_thread()
    with pytest.raises(KeyError):
        Extraction(fails).run()


def test_a_stop_lets_the_work_tidy_up() -> None:
    """Stopped is raised when it has; so it is if the stop came before the start."""
    work = Work()
    extraction = Extraction(work)
    stopper = threading.Thread(target=lambda: (work.started.wait(60), extraction.stop()))
    stopper.start()
    with pytest.raises(Stopped):
        extraction.run()

    stopper.join()
    assert work.tidied
    with pytest.raises(Stopped):
        extraction.run()


@pytest.mark.skipif(os.name != "posix", reason="sends POSIX signals")
@pytest.mark.parametrize("raises", [True, False], ids=["timeout", "kill"])
def test_a_signal_lets_the_work_tidy_up(raises: bool) -> None:
    """Airflow's two ways: a handler that raises (timeout), and one that calls on_kill."""
    work = Work()
    extraction = Extraction(work)

    def handle(number: int, frame: FrameType | None) -> None:
        if raises:
            raise TooLong

        extraction.stop()

    before = signal.signal(signal.SIGUSR1, handle)
    main = threading.main_thread().ident or 0
    sender = threading.Thread(
        target=lambda: (work.started.wait(60), signal.pthread_kill(main, signal.SIGUSR1))
    )
    try:
        sender.start()
        with pytest.raises(TooLong if raises else Stopped):
            extraction.run()
    finally:
        sender.join()
        signal.signal(signal.SIGUSR1, before)

    assert work.tidied
