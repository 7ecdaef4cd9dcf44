"""A finished file, read piece by piece off the event loop."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import anyio

from kada_athena_async.files.system import Files

if TYPE_CHECKING:
    from aiofiles.threadpool.binary import AsyncBufferedReader


@asynccontextmanager
async def reading(path: Path, files: Files) -> AsyncIterator[AsyncBufferedReader]:
    """*path*, open: all that is read comes from one file, whatever gets its name meanwhile.

    For finished files only. What is written or small goes through ``Files`` in one thread each,
    where a cancelled caller waits for the disk; a reader that is cancelled has nothing to spoil,
    and closing it waits for a read that is under way.

    Raises:
        OSError: As the system says; a link is refused.
    """

    # Loads asyncio, which commands that only look at files have no use for.
    import aiofiles  # noqa: PLC0415

    def opener(name: str, _flags: int) -> int:
        return files.open_to_read(Path(name))

    # Shielded, or the descriptor that a thread has just opened, or is to close, is nobody's.
    with anyio.CancelScope(shield=True):
        file = await aiofiles.open(path, "rb", opener=opener)

    try:
        yield file
    finally:
        with anyio.CancelScope(shield=True):
            await file.close()
