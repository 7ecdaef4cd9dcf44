"""The command line as a process of its own."""

from __future__ import annotations

import atexit
import ctypes
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Any

from tests.kit.warm_workers import start_by

ROOT = Path(__file__).parents[2]

Done = subprocess.CompletedProcess[str]

_READ_AT_START = ("PYTHON", "LC_", "LANG", "TYPER_", "TERMINAL_WIDTH", "AIOHTTP_")
"""Beginnings of variables that are read when an interpreter starts, or when a module loads."""

_OWN = dict(os.environ)

_PR_SET_CHILD_SUBREAPER = 36


def command(
    arguments: list[str],
    config: Mapping[str, Any],
    directory: Path,
    environment: Mapping[str, str] | None = None,
) -> tuple[int, str]:
    """Exit code of a command under *config*, and all its output on one line.

    Args:
        environment: Added to that of the test.
    """
    (directory / "config.json").write_text(json.dumps(config))
    done = run_command(
        [*arguments, "-c", "config.json"],
        cwd=directory,
        env={**os.environ, "PYTHONPATH": str(ROOT), **(environment or {})},
    )
    return done.returncode, " ".join((done.stdout + done.stderr).split())


def run_command(
    arguments: Sequence[str | Path],
    *,
    cwd: Path,
    env: Mapping[str, str],
    script: Path | None = None,
    timeout: float = 200,
) -> Done:
    """A command to its end: exit code, stdout and stderr; its stdin is empty.

    Args:
        script: A Python program to run instead of ours.
    """
    with start_command(
        arguments,
        script=script,
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            said, errors = process.communicate(timeout=timeout)
        except BaseException:
            process.kill()
            raise

    return subprocess.CompletedProcess(process.args, process.returncode, said, errors)


def start_command(
    arguments: Sequence[str | Path],
    *,
    cwd: Path,
    env: Mapping[str, str],
    script: Path | None = None,
    **streams: Any,
) -> subprocess.Popen[Any]:
    """Start a command, or *script* instead of ours; *streams* as of ``Popen``.

    It is forked from a process that has imported the package, which saves half a second of
    computing for each. It is started anew where *env* has a variable that matters at the start, and
    on systems other than Linux.
    """
    program = [str(script)] if script else ["-m", "kada_athena_async"]
    words = [sys.executable, *program, *map(str, arguments)]
    is_own = all(
        value == _OWN.get(name)
        for name, value in env.items()
        if name.startswith(_READ_AT_START) and name != "PYTHONPATH"
    )
    made = _Forked if is_own and sys.platform == "linux" else subprocess.Popen
    return made(words, cwd=cwd, env=dict(env), **streams)


class _Forked(subprocess.Popen):  # type: ignore[type-arg]
    """A process that the starter forks instead of this one; it becomes a child of this one."""

    def _execute_child(self, args: Any, *rest: Any) -> None:
        cwd, env = rest[4:6]
        order = {"words": args, "directory": str(cwd), "environment": env}
        start_by(self, lambda streams: starter().fork(order, streams), rest)


def fork_worker(words: Sequence[str], streams: Sequence[int]) -> int:
    """A worker process of the package, forked from the starter; its process id."""
    order = {"words": list(words), "directory": str(Path.cwd()), "environment": dict(os.environ)}
    return starter().fork(order, streams)


class _Starter:
    """A ``tests.kit.starter``, which ends with this process."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._socket = ours
        self._turn = Lock()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.kit.starter", str(theirs.fileno())],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
            )
        assert ours.recv(64) == b"ready", "the starter did not start"
        atexit.register(self._end)

    def _end(self) -> None:
        self._socket.close()
        self._process.wait(60)

    def fork(self, order: Mapping[str, Any], streams: Sequence[int]) -> int:
        """Process id of a new process, which is then a child of this one."""
        with self._turn, _adopts_orphans():
            socket.send_fds(self._socket, [json.dumps(order).encode()], list(streams))
            pid = int(self._socket.recv(64))
            assert self._socket.recv(64) == b"orphaned"
        return pid


@lru_cache(maxsize=1)
def starter() -> _Starter:
    """The one of this process, started when it is first needed."""
    return _Starter()


@contextmanager
def _adopts_orphans() -> Iterator[None]:
    """Within the block a process below this one that loses its parent becomes a child of this."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    try:
        yield
    finally:
        libc.prctl(_PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)
