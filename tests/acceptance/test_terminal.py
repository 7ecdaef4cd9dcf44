"""The command on a terminal: a live picture that leaves a summary behind."""

from __future__ import annotations

import os
import re
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

if sys.platform == "win32":
    pytest.skip("needs a POSIX pseudo-terminal", allow_module_level=True)

import fcntl
import pty
import termios

STYLE = re.compile(r"\x1b\[[0-9;]*m")
CURSOR = re.compile(r"\x1b\[[0-9;?]*[A-HJKhl]")


def on_terminal(
    arguments: list[str], *, columns: int, cwd: Path, environment: dict[str, str]
) -> tuple[int, str, str]:
    """Exit code, what the terminal got, and what went to stdout, which is a pipe."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    with subprocess.Popen(
        [sys.executable, "-m", "kada_athena_async", *arguments],
        cwd=cwd,
        env={"TERM": "xterm-256color", **environment},
        stdin=theirs,
        stdout=subprocess.PIPE,
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

        assert process.stdout is not None
        data = process.stdout.read().decode()

    os.close(ours)
    return process.returncode, seen.decode(), data


@pytest.mark.parametrize("columns", [40, 80, 200])
def test_a_run_is_drawn_and_leaves_its_summary(
    configure: Callable[..., Path], environment: dict[str, str], tmp_path: Path, columns: int
) -> None:
    """Progress moves, the summary stays, stdout gets nothing, and nothing but styles and cursor."""
    configure()

    code, seen, data = on_terminal(["run"], columns=columns, cwd=tmp_path, environment=environment)

    text = CURSOR.sub("", STYLE.sub("", seen))
    assert (code, data) == (0, ""), text
    assert STYLE.search(seen)
    assert CURSOR.search(seen)
    assert "committed after" in text
    assert "metadata_tables" in text
    assert "\x1b" not in text


def test_no_colour_is_honoured(
    configure: Callable[..., Path], environment: dict[str, str], tmp_path: Path
) -> None:
    """NO_COLOR leaves the picture and takes the colours (https://no-color.org)."""
    configure()

    code, seen, _ = on_terminal(
        ["run"], columns=80, cwd=tmp_path, environment={**environment, "NO_COLOR": "1"}
    )

    assert code == 0
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]m", seen)


def test_a_dumb_terminal_gets_lines(
    configure: Callable[..., Path], environment: dict[str, str], tmp_path: Path
) -> None:
    """TERM=dumb, as in editors: no control sequence at all."""
    configure()

    code, seen, _ = on_terminal(
        ["run"], columns=80, cwd=tmp_path, environment={**environment, "TERM": "dumb"}
    )

    assert code == 0
    assert "committed after" in seen
    assert "\x1b" not in seen
