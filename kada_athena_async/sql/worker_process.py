"""The loop of a worker process: it calls the functions that it is asked for.

Apart from the parent's side, so that a worker loads no event loop and no database: it starts in
three quarters of the time.
"""

from __future__ import annotations

import pickle
import sys
from collections.abc import Callable, Sequence

from kada_athena_async.sql.parse_request import ParsedQuery, ParseRequest, encoded

Read = Callable[[ParseRequest], ParsedQuery]

READY = b"ready\n"
LENGTH_BYTES = 8
_MAX_MEMORY_BYTES = 2 << 30


def serve(parses: bool) -> None:
    """Answer requests until there are no more; the main function of a worker."""
    if parses:
        # Loaded here: the parent loads this module too, and has no use for the parser's 30 MB.
        import kada_athena_async.sql.lineage  # noqa: F401, PLC0415

    requests, replies = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr  # whatever prints must not speak between the replies
    _limit_memory()
    replies.write(READY)
    replies.flush()
    while length := int.from_bytes(requests.read(LENGTH_BYTES), "big"):
        # The bytes come from the process that started this one.
        function, arguments = pickle.loads(requests.read(length))  # noqa: S301
        reply = pickle.dumps(function(*arguments))
        replies.write(len(reply).to_bytes(LENGTH_BYTES, "big") + reply)
        replies.flush()


def read_all(read: Read | None, questions: Sequence[ParseRequest]) -> list[bytes]:
    """Readings of *questions* in order, by *read* or else ``read_query``, each as bytes."""
    from kada_athena_async.sql.lineage import read_query  # noqa: PLC0415

    return [encoded((read or read_query)(question)) for question in questions]


def _limit_memory() -> None:
    """A statement that makes the parser eat memory ends the worker, not the machine."""
    if sys.platform != "win32":
        import resource  # noqa: PLC0415 - Windows has none

        resource.setrlimit(resource.RLIMIT_AS, (_MAX_MEMORY_BYTES, _MAX_MEMORY_BYTES))
