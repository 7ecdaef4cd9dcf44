"""A process that has imported the command line, and forks one that runs it for each order.

An order comes over the socket whose number is the first argument: JSON with ``words`` (of the
command line), ``directory`` and ``environment``, and the three descriptors to use as stdin, stdout
and stderr. The answer is the process id, sent when the new process has no parent any more.

A new process differs from a cold one in what it has imported, and in nothing else that a program
can see: arguments, directory, environment, streams and name are its own, and it ends as an
interpreter ends.
"""

from __future__ import annotations

import array
import atexit
import gc
import importlib
import json
import os
import pkgutil
import runpy
import socket
import sys
import threading
from pathlib import Path
from typing import Any

from tests.kit import warm_workers
from tests.kit.sdk_models import preload_models

MAX_ORDER_BYTES = 1 << 20


def preload() -> None:
    """Import what commands need, as far as it reads nothing of the environment."""
    import aiobotocore.session  # noqa: F401

    import kada_athena_async.cli
    import kada_athena_async.engine.extractor

    if sys.version_info >= (3, 11):  # DuckDB before 2.0, the last for 3.10, starts a thread
        import kada_athena_async.sandbox

    # A command loads what it needs only; here, whatever any needs.
    for module in pkgutil.walk_packages(kada_athena_async.cli.__path__, "kada_athena_async.cli."):
        importlib.import_module(module.name)

    preload_models()
    warm_workers.preload()
    warm_workers.fork_workers(warm_workers.fork_here)
    assert threads() == 1, "a fork would lose threads"
    # Else each child's garbage collector would walk, and so copy, all of the starter's memory.
    gc.collect()
    gc.freeze()


def threads() -> int:
    """The threads of this process, where the system says so those of libraries too."""
    tasks = Path("/proc/self/task")
    return len(list(tasks.iterdir())) if tasks.is_dir() else threading.active_count()


def next_order(client: socket.socket) -> dict[str, Any] | None:
    """An order in the process that is to carry it out; None when there will be no more."""
    while True:
        data, ancillary, _, _ = client.recvmsg(MAX_ORDER_BYTES, socket.CMSG_SPACE(3 * 4))
        if not data:
            return None

        streams = array.array("i")
        for _, _, numbers in ancillary:
            streams.frombytes(numbers)

        between = os.fork()
        if between == 0:
            pid = os.fork()
            if pid == 0:
                client.close()
                for number, stream in enumerate(streams):
                    os.dup2(stream, number)
                for stream in streams:
                    os.close(stream)
                order: dict[str, Any] = json.loads(data)
                return order

            client.send(b"%d" % pid)
            os._exit(0)

        for stream in streams:
            os.close(stream)
        os.waitpid(between, 0)
        client.send(b"orphaned")


def become(order: dict[str, Any]) -> None:
    """Make this process look as if it had been started for *order*."""
    os.chdir(order["directory"])
    os.environ.clear()
    os.environ.update(order["environment"])
    sys.orig_argv = order["words"]
    sys.argv = order["words"][2 if order["words"][1] in ("-m", "-c") else 1 :]
    # With ``-m`` the current directory comes first, else the script's; then PYTHONPATH.
    first = Path.cwd() if order["words"][1] == "-m" else Path(sys.argv[0]).parent
    paths = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    sys.path[:] = [str(first), *paths, *(path for path in sys.path[1:] if path not in paths)]
    # https://docs.python.org/3/library/sys.html#sys.stdin says how the interpreter opens them.
    has_locale = any(map(os.environ.get, ("LC_ALL", "LC_CTYPE", "LANG")))
    errors = "strict" if has_locale else "surrogateescape"
    sys.stdin = sys.__stdin__ = warm_workers.opened(0, "r", errors)
    sys.stdout = sys.__stdout__ = warm_workers.opened(1, "w", errors)
    sys.stderr = sys.__stderr__ = warm_workers.opened(2, "w", "backslashreplace", by_line=True)


def main() -> None:
    client = socket.socket(fileno=int(sys.argv[1]))
    preload()
    client.send(b"ready")
    order = next_order(client)
    if order is not None:
        become(order)
        try:
            if order["words"][1] == "-m":
                runpy.run_module(order["words"][2], run_name="__main__", alter_sys=True)
            elif order["words"][1] == "-c":
                warm_workers.run_text(order["words"][2])
            else:
                runpy.run_path(order["words"][1], run_name="__main__")
        except SystemExit as ended:
            end(ended)
            raise


def end(ended: SystemExit) -> None:
    """End with the code of *ended* as an interpreter does, but for what libraries undo at exit.

    In a fork of what had loaded them they crashed at that, once in some thousand processes.
    """
    code = ended.code or 0
    if not isinstance(code, int):
        return

    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError):
        return  # the interpreter knows what to say of it

    os._exit(code & 0xFF)


if __name__ == "__main__":
    main()
