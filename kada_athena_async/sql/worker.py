"""A process that reads queries or masks texts: what runs in it, and how it is spoken to.

Not multiprocessing and not ``anyio.to_process``: both run the caller's main script once more in
each new process, and a script that extracts at import, without ``if __name__ == "__main__"``, would
begin its extraction anew there.
"""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import anyio
from anyio import BrokenResourceError, ClosedResourceError, EndOfStream, IncompleteRead
from anyio.abc import Process
from anyio.streams.buffered import BufferedByteReceiveStream

from kada_athena_async.sql.parse_cache import encoded
from kada_athena_async.sql.parse_request import ParsedQuery, ParseRequest

Read = Callable[[ParseRequest], ParsedQuery]

_READY = b"ready\n"
_LENGTH_BYTES = 8
_START_S = 60.0
_END_S = 5.0
_MAX_MEMORY_BYTES = 2 << 30
_PROGRAM = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from {} import serve; serve({})"
)


class WorkerGoneError(Exception):
    """Raised in this module's parent process when its worker died or did not start."""


class Worker:
    """One process; make it with ``begin``."""

    def __init__(self, process: Process) -> None:
        self._process = process
        assert process.stdin is not None
        assert process.stdout is not None
        self._requests = process.stdin
        self._replies = BufferedByteReceiveStream(process.stdout)

    @classmethod
    async def begin(cls, *, parses: bool = True) -> Worker:
        """Start a process; wait until it is ``ready`` before it is asked anything.

        Args:
            parses: Load the parser at once.

        Raises:
            OSError: It cannot be started.
        """
        program = _PROGRAM.format(__name__, parses)
        command = [sys.executable, "-c", program, json.dumps(sys.path)]
        return cls(await anyio.open_process(command, stderr=subprocess.DEVNULL))

    async def ready(self) -> None:
        """Wait until the process has loaded the parser; end it if it does not get that far.

        Raises:
            WorkerGoneError: It did not.
        """
        try:
            with anyio.fail_after(_START_S):
                await self._receive(len(_READY))
        except BaseException as error:
            await self.kill()
            if isinstance(error, TimeoutError):
                raise WorkerGoneError("did not start") from error
            raise

    async def read(self, read: Read | None, questions: Sequence[ParseRequest]) -> list[bytes]:
        """Read a batch in the process; it is of no more use if this raises anything.

        Args:
            read: How; None for ``read_query``, which this process need not load.

        Returns:
            The readings in order, each as ``encoded`` made it.

        Raises:
            WorkerGoneError: The process died.
        """
        found: list[bytes] = await self.call(_read_all, read, tuple(questions))
        return found

    async def call(self, function: Callable[..., Any], *arguments: object) -> Any:
        """Call a module's *function* in the process; it is of no more use if this raises anything.

        Raises:
            WorkerGoneError: The process died, or the function raised.
        """
        request = pickle.dumps((function, arguments))
        try:
            await self._requests.send(len(request).to_bytes(_LENGTH_BYTES, "big") + request)
        except (BrokenResourceError, ClosedResourceError) as error:
            raise WorkerGoneError("died") from error

        length = int.from_bytes(await self._receive(_LENGTH_BYTES), "big")
        # The bytes come from our own code in a process that we started.
        return pickle.loads(await self._receive(length))

    async def _receive(self, length: int) -> bytes:
        try:
            return await self._replies.receive_exactly(length)
        except (IncompleteRead, EndOfStream, BrokenResourceError, ClosedResourceError) as error:
            raise WorkerGoneError("died") from error

    async def kill(self) -> None:
        """End the process, whatever it does."""
        with anyio.move_on_after(_END_S, shield=True):
            if self._process.returncode is None:
                with suppress(ProcessLookupError):
                    self._process.kill()
            await self._process.aclose()


def serve(parses: bool) -> None:
    """Answer requests until there are no more; the main function of a worker."""
    if parses:
        # Loaded here: this module is also the parent's, which has no use for the parser's 30 MB.
        import kada_athena_async.sql.lineage  # noqa: F401, PLC0415

    requests, replies = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr  # whatever prints must not speak between the replies
    _limit_memory()
    replies.write(_READY)
    replies.flush()
    while length := int.from_bytes(requests.read(_LENGTH_BYTES), "big"):
        function, arguments = pickle.loads(requests.read(length))
        reply = pickle.dumps(function(*arguments))
        replies.write(len(reply).to_bytes(_LENGTH_BYTES, "big") + reply)
        replies.flush()


def _read_all(read: Read | None, questions: Sequence[ParseRequest]) -> list[bytes]:
    from kada_athena_async.sql.lineage import read_query  # noqa: PLC0415

    return [encoded((read or read_query)(question)) for question in questions]


def _limit_memory() -> None:
    """A statement that makes the parser eat memory ends the worker, not the machine."""
    if sys.platform != "win32":
        import resource  # noqa: PLC0415 - Windows has none

        resource.setrlimit(resource.RLIMIT_AS, (_MAX_MEMORY_BYTES, _MAX_MEMORY_BYTES))
