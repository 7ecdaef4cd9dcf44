"""The command line."""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from kada_athena_async.cli.streams import open_standard_streams

INTERRUPTED = 128 + signal.SIGINT

# Objects made between two collections of the youngest, and how often the older ones go along. By
# Python's own 700 a tenth of the start is spent on collecting modules that stay.
COLLECTIONS = (10_000, 20, 20)


class Interrupted(Exception):
    """Raised when the work was cancelled by a signal and has tidied up."""

    def __init__(self, signal_number: int) -> None:
        super().__init__(signal.Signals(signal_number).name)
        self.exit_code = 128 + signal_number


def main() -> None:
    """The console script, which Ctrl-C ends quietly from its first moment on."""
    gc.set_threshold(*COLLECTIONS)
    open_standard_streams()
    with ended_by_ctrl_c():
        # Takes a moment, in which a traceback would say where in some library we were.
        from kada_athena_async.cli import app as application

        try:
            application.app(prog_name=application.PROGRAM)
        finally:
            gc.freeze()  # or the interpreter walks over all of it once more before it ends


@contextmanager
def ended_by_ctrl_c() -> Iterator[None]:
    """Within the block Ctrl-C ends the process at once, with 130 and without a word.

    For when there is nothing to tidy up. Where SIGINT is ignored it stays so.
    """
    before = signal.getsignal(signal.SIGINT)
    if before is signal.SIG_IGN:
        yield
        return

    signal.signal(signal.SIGINT, _end)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def raised_by_ctrl_c() -> Iterator[None]:
    """Within the block Ctrl-C raises KeyboardInterrupt, so that what was begun is tidied up."""
    before = signal.getsignal(signal.SIGINT)
    if before is not _end:
        yield
        return

    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _end(_number: int, _frame: FrameType | None) -> None:
    os._exit(INTERRUPTED)
