"""A process that reads queries or masks texts, as its parent sees it.

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

from kada_athena_async.sql import worker_process
from kada_athena_async.sql.parse_request import ParseRequest
from kada_athena_async.sql.worker_process import LENGTH_BYTES, READY, Read, read_all

_START_S = 60.0
_END_S = 5.0
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
        program = _PROGRAM.format(worker_process.__name__, parses)
        command = [sys.executable, "-c", program, json.dumps(sys.path)]
        return cls(await anyio.open_process(command, stderr=subprocess.DEVNULL))

    async def ready(self) -> None:
        """Wait until the process has loaded the parser; end it if it does not get that far.

        Raises:
            WorkerGoneError: It did not.
        """
        try:
            with anyio.fail_after(_START_S):
                await self._receive(len(READY))
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
        found: list[bytes] = await self.call(read_all, read, tuple(questions))
        return found

    async def call(self, function: Callable[..., Any], *arguments: object) -> Any:
        """Call a module's *function* in the process; it is of no more use if this raises anything.

        Raises:
            WorkerGoneError: The process died, or the function raised.
        """
        request = pickle.dumps((function, arguments))
        try:
            await self._requests.send(len(request).to_bytes(LENGTH_BYTES, "big") + request)
        except (BrokenResourceError, ClosedResourceError) as error:
            raise WorkerGoneError("died") from error

        length = int.from_bytes(await self._receive(LENGTH_BYTES), "big")
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
