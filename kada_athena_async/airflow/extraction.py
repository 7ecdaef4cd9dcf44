"""A run in a thread of its own, which the task's own thread waits for and may stop."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from concurrent.futures import CancelledError, Future
from typing import Generic, TypeVar

from anyio.from_thread import start_blocking_portal

T = TypeVar("T")


class Stopped(Exception):
    """Raised by ``Extraction.run`` when ``stop`` was called, after the run has tidied up."""


class Extraction(Generic[T]):
    """Runs *work* in an event loop in another thread.

    Airflow kills a task by a signal, and ends one that takes too long by an exception that its
    signal handler raises. Both meet the main thread, anywhere. There must be nothing of the run's
    there but waiting: an exception in the middle of an event loop would leave it in pieces.
    """

    def __init__(self, work: Callable[[], Awaitable[T]]) -> None:
        self._work = work
        self._running: Future[T] | None = None
        self._is_stopped = False

    def run(self) -> T:
        """The result of *work*.

        Whatever is raised here while it goes on (a task's timeout, Ctrl-C) cancels it, and is
        raised on once it has tidied up.

        Raises:
            Stopped: ``stop`` was called before it was through.
        """
        with start_blocking_portal() as portal:
            self._running = portal.start_task_soon(self._work)
            if self._is_stopped:
                self._running.cancel()

            try:
                return self._running.result()
            except CancelledError:
                pass

        raise Stopped

    def stop(self) -> None:
        """Ask the run to stop and tidy up; returns at once, for signal handlers call it."""
        self._is_stopped = True
        if self._running is not None:
            self._running.cancel()
