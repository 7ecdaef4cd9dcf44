"""Blocking file operations in worker threads, safe against cancellation."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack, asynccontextmanager
from typing import TypeVar

import anyio
from anyio import to_thread

from kada_athena_async.concurrency import workers
from kada_athena_async.files.lock import Lock

ResultT = TypeVar("ResultT")

# How long a cancelled caller waits for its thread: a disk that hangs must not hang the exit.
PATIENCE_S = 30.0
_GLANCE_S = 0.002


async def in_thread(function: Callable[[], ResultT]) -> ResultT:
    """Call *function* in a worker thread and return what it returns.

    When the caller is cancelled, by anyio or by a bare ``Task.cancel``, this raises only after the
    thread has let go of its files (or after ``PATIENCE_S``): a clean-up that follows never closes
    or removes a file under a thread that still writes it.
    """
    is_running, is_done = threading.Event(), threading.Event()

    def work() -> ResultT:
        is_running.set()
        try:
            return function()
        finally:
            is_done.set()

    try:
        return await to_thread.run_sync(work, limiter=workers())
    except BaseException:
        # asyncio's own cancellation passes anyio's shield inside run_sync while the thread works.
        if is_running.is_set() and not is_done.is_set():
            with anyio.move_on_after(PATIENCE_S, shield=True):
                while not is_done.is_set():  # noqa: ASYNC110 - an anyio event needs a live loop
                    await anyio.sleep(_GLANCE_S)

        raise


@asynccontextmanager
async def locks_in_thread() -> AsyncIterator[Callable[[Callable[[], Lock]], Awaitable[None]]]:
    """A function that takes locks; all of them are given back at the end of the block.

    Both in worker threads: a network file system answers late, if at all.
    """
    with ExitStack() as held:

        async def take(lock: Callable[[], Lock]) -> None:
            # Kept inside the thread, so that a lock taken while we are cancelled is kept too.
            await in_thread(lambda: held.enter_context(lock()))

        try:
            yield take
        finally:
            with anyio.CancelScope(shield=True):
                await in_thread(held.close)
