"""The standard streams, which may be closed, full, or read by nobody."""

from __future__ import annotations

import errno
import os
import sys
from typing import TextIO


def open_standard_streams() -> None:
    """Open the null device as each standard stream that is closed, as after ``>&-``.

    Else the next file that is opened gets its number, and what is meant for the terminal with it.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            opened = os.open(os.devnull, os.O_RDWR)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)

            os.set_inheritable(number, True)
            stream = os.fdopen(number, "w" if number else "r", encoding="utf-8")
            setattr(sys, name, stream)


def write_line(stream: TextIO, line: str) -> OSError | None:
    """Write *line*; why it is lost, unless nobody is there to read it."""
    try:
        # A terminal of another encoding shows an escape instead of failing.
        encoding = stream.encoding or "utf-8"
        stream.write(line.encode(encoding, "backslashreplace").decode(encoding) + "\n")
        stream.flush()
    except OSError as error:
        discard(stream)
        # Who read us has gone: `| head`, or the terminal.
        return None if error.errno in (errno.EPIPE, errno.EIO) else error

    return None


def discard(stream: TextIO) -> None:
    """Drop all further output; Python's own flush at exit needs an open descriptor."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
