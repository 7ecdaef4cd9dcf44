"""The command line.

Imports next to nothing: until `main` has begun, Ctrl-C shows a traceback.
"""

from __future__ import annotations

import gc
import os
import signal

INTERRUPTED = 128 + signal.SIGINT

# Objects made between two collections of the youngest, and how often the older ones go along. By
# Python's own 700 a tenth of the start is spent on collecting modules that stay; a run loads
# 130,000 objects until its first call.
WHILE_LOADING = (200_000, 20, 20)
COLLECTIONS = (10_000, 20, 20)


class Interrupted(Exception):
    """Raised when the work was cancelled by a signal and has tidied up."""

    def __init__(self, signal_number: int) -> None:
        super().__init__(signal.Signals(signal_number).name)
        self.exit_code = 128 + signal_number


def main() -> None:
    """Console script; Ctrl-C ends it without a traceback from the start.

    Where SIGINT is ignored it stays so.
    """
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, end_at_once)

    gc.set_threshold(*WHILE_LOADING)
    from kada_athena_async.cli.streams import open_standard_streams

    open_standard_streams()
    from kada_athena_async.cli import app as application

    try:
        application.app(prog_name=application.PROGRAM)
    finally:
        gc.freeze()  # or the interpreter walks over all of it once more before it ends


def end_at_once(_number: int, _frame: object) -> None:
    """Handle Ctrl-C while there is nothing to tidy up: exit code 130, no output."""
    os._exit(INTERRUPTED)
