"""Ctrl-C, SIGTERM and SIGHUP: the first asks the work to stop and tidy up, the second ends at once.

SIGHUP comes when the terminal or the connection to it is closed.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import TypeVar

import anyio

from kada_athena_async.aws.garbage_collection import frozen_while_open
from kada_athena_async.cli import COLLECTIONS, Interrupted

T = TypeVar("T")

# Windows has none.
_SIGHUP = getattr(signal, "SIGHUP", signal.SIGTERM)
_ENDING = (signal.SIGINT, signal.SIGTERM, _SIGHUP)

# Kubernetes kills 30 s after SIGTERM; what is not tidied up by then the next run recovers.
GRACE_S = 20.0


def run_until_signalled(work: Callable[[], Awaitable[T]], *, on_signal: Callable[[], None]) -> T:
    """The result of *work*, run in an event loop of its own.

    Args:
        on_signal: Called at the first signal, to say that it was received.

    Raises:
        Interrupted: If a signal cancelled the work before it was through.
    """
    received: list[int] = []

    async def cancellable() -> T:
        loop = asyncio.get_running_loop()
        with anyio.CancelScope() as scope:

            def stop(signal_number: int, _: FrameType | None) -> None:
                if received:
                    _end_at_once(signal_number)

                received.append(signal_number)
                loop.call_soon_threadsafe(scope.cancel)
                # Not here: what was interrupted may hold the lock of the display.
                loop.call_soon_threadsafe(on_signal)
                grace = threading.Timer(GRACE_S, _end_at_once, (signal_number,))
                grace.daemon = True
                grace.start()

            with _handled(stop):
                return await work()

        raise Interrupted(received[0])

    # What is loaded stays: frozen, it is no part of any collection.
    with frozen_while_open():
        gc.set_threshold(*COLLECTIONS)
        return anyio.run(cancellable)


@contextmanager
def _handled(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    before = {number: signal.getsignal(number) for number in _ENDING}
    if before.get(_SIGHUP) is signal.SIG_IGN:
        del before[_SIGHUP]  # started by nohup, to outlive its terminal

    try:
        for number in before:
            signal.signal(number, handler)

        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)


def _end_at_once(signal_number: int) -> None:
    # A terminal that has hung up takes nothing more.
    with suppress(OSError):
        sys.stdout.flush()
        sys.stderr.flush()

    os._exit(128 + signal_number)
