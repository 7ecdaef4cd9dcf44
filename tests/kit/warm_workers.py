"""The package's worker processes, forked from a process that has loaded the parser already.

Loading it takes a worker a fifth of a second of computing, which is more than most runs of the
tests compute besides. A forked worker is a process of its own as any, with the program, streams and
limits of a cold one, which tests of the workers themselves start.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

Fork = Callable[[Sequence[str], Sequence[int]], int]
"""Makes a process of these words, with these three descriptors as its streams; its process id."""

_BEGINS_ALIKE = "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "

_PYTHON = sys.executable

_is_cold = False


def preload() -> None:
    """Import what workers need."""
    import kada_athena_async.sql.execution_texts
    import kada_athena_async.sql.lineage
    import kada_athena_async.sql.worker_process  # noqa: F401


def fork_workers(fork: Fork) -> None:
    """From now on start the workers of this process by *fork*; where it is Linux's Python."""
    if sys.platform != "linux" or "COVERAGE_PROCESS_START" in os.environ:
        return

    start = subprocess.Popen._execute_child  # type: ignore[attr-defined]

    def execute_child(self: Any, args: Any, *rest: Any) -> None:
        if _is_cold or not _is_worker(args):
            start(self, args, *rest)
            return

        start_by(self, lambda streams: fork(args, streams), rest)

    subprocess.Popen._execute_child = execute_child  # type: ignore[attr-defined]


@contextmanager
def cold_workers() -> Iterator[None]:
    """Within the block workers start as they do for users."""
    global _is_cold
    before, _is_cold = _is_cold, True
    try:
        yield
    finally:
        _is_cold = before


def start_by(process: Any, fork: Callable[[Sequence[int]], int], rest: Sequence[Any]) -> None:
    """Do what ``_execute_child`` of ``Popen`` does by *fork*, which is given the streams.

    Args:
        rest: Its arguments after the first; their order is the same in Python 3.10 to 3.13.
    """
    pipes = rest[9:15]
    stdin, _, _, stdout, _, stderr = pipes
    streams = [
        number if given == -1 else given for number, given in enumerate((stdin, stdout, stderr))
    ]
    try:
        process.pid = fork(streams)
        process._child_created = True
    finally:
        process._close_pipe_fds(*pipes)


def _is_worker(args: Any) -> bool:
    """True for the command line of ``Worker.begin``."""
    return (
        not isinstance(args, (str, bytes, os.PathLike))
        and list(args[:2]) == [_PYTHON, "-c"]
        and args[2].startswith(_BEGINS_ALIKE)
    )


def fork_here(words: Sequence[str], streams: Sequence[int]) -> int:
    """A worker forked from this process, which has preloaded."""
    with warnings.catch_warnings():
        # Other threads do not go on in it; it uses nothing that they may hold.
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if pid:
        return pid

    try:
        _become_worker(words, streams)
    finally:
        os._exit(1)


def _become_worker(words: Sequence[str], streams: Sequence[int]) -> None:
    signal.set_wakeup_fd(-1)
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        if callable(signal.getsignal(number)):
            is_interrupt = number == signal.SIGINT
            signal.signal(number, signal.default_int_handler if is_interrupt else signal.SIG_DFL)
    for number, stream in enumerate([os.dup(stream) for stream in streams]):
        os.dup2(stream, number)
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    sys.stdin = sys.__stdin__ = opened(0, "r")
    sys.stdout = sys.__stdout__ = opened(1, "w")
    sys.stderr = sys.__stderr__ = opened(2, "w", "backslashreplace", by_line=True)
    sys.argv = ["-c", *words[3:]]
    run_text(words[2])
    os._exit(0)


def opened(number: int, mode: str, errors: str = "strict", *, by_line: bool = False) -> Any:
    """The standard stream of this descriptor."""
    buffering = 1 if by_line or os.isatty(number) else -1
    return open(number, mode, buffering, encoding="utf-8", errors=errors, closefd=False)


def run_text(program: str) -> None:
    """Run what stands after ``-c`` in a command line."""
    exec(program, {"__name__": "__main__"})  # noqa: S102 - the package's own text
