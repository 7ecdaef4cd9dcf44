"""A command on a real pseudo-terminal."""

from __future__ import annotations

import os
import struct
import subprocess
from pathlib import Path

import pytest

from tests.kit.command import start_command


def on_terminal(
    arguments: list[str], *, columns: int, cwd: Path, environment: dict[str, str]
) -> tuple[int, str, str]:
    """Exit code, what the terminal got, and what went to stdout, which is a pipe."""
    return _on_terminal(arguments, columns, cwd, environment, stdout=subprocess.PIPE)


def all_on_terminal(
    arguments: list[str], *, width: int, cwd: Path, environment: dict[str, str]
) -> tuple[int, str]:
    """Exit code, and what a terminal got, stdout too."""
    code, seen, _ = _on_terminal(arguments, width, cwd, environment, stdout=None)
    return code, seen.replace("\r\n", "\n")


def _on_terminal(
    arguments: list[str],
    columns: int,
    cwd: Path,
    environment: dict[str, str],
    *,
    stdout: int | None,
) -> tuple[int, str, str]:
    fcntl, pty, termios = map(pytest.importorskip, ("fcntl", "pty", "termios"))
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    with start_command(
        arguments,
        cwd=cwd,
        env={"TERM": "xterm-256color", **environment},
        stdin=theirs,
        stdout=theirs if stdout is None else stdout,
        stderr=theirs,
    ) as process:
        os.close(theirs)
        seen = b""
        while True:
            try:
                block = os.read(ours, 65536)
            except OSError:  # Linux says EIO when the last writer has gone.
                break

            if not block:
                break

            seen += block

        data = "" if process.stdout is None else process.stdout.read().decode()

    os.close(ours)
    return process.returncode, seen.decode(), data
