"""One part: the rows of one kind from one unit, as complete gzip members or plain CSV bytes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Lock

import anyio
from isal import isal_zlib

from kada_athena_async.column_block import Rows
from kada_athena_async.files import Files, failing
from kada_athena_async.files.digest import Digester
from kada_athena_async.files.threads import in_thread
from kada_athena_async.sinks.csv_format import encode
from kada_athena_async.sinks.journal import PartFile

# Every write is a system call and every compress call a lock of its own, so both get blocks. The
# size is fixed, because a compressor's output depends on how its input was cut: the same rows give
# the same bytes, whatever the batches were. Each block is a gzip member of its own, since ISA-L's
# state between blocks would take half a megabyte for every part that is open.
BLOCK_BYTES = 64 * 1024

HELD_BYTES = 2 * BLOCK_BYTES
"""What a unit holds of its small parts until its seal stores them: each file costs a sync when it
is made and, on a disk that frees blocks slowly, as much again when it is removed."""

# ISA-L's best trade: as fast as level 1, a little smaller. 31: a gzip frame without name or time.
_LEVEL = 2
_GZIP_FRAME = 31


def as_member(data: bytes, *, compress: bool) -> bytes:
    """*data* as a part of its own: a complete gzip member, or as it is."""
    if not compress:
        return data

    engine = isal_zlib.compressobj(level=_LEVEL, wbits=_GZIP_FRAME)
    return engine.compress(data) + engine.flush()


class PartWriter:
    """Writes one part; an async context manager that ``Staging.part`` gives out.

    Left normally, the part is durable, or so small that it will be with the seal of its unit. Left
    by an error or a cancellation, it is gone. A part without rows leaves no file.

    Args:
        on_end: Called when the block has ended.
        may_hold_bytes: Bytes that a part without a file of its own may have.

    Attributes:
        rows: Number of records written so far.
        file: The finished part after the block; None before, and if it has no rows.
        data: All its bytes, if it has no file of its own: its unit's seal stores them.
    """

    def __init__(
        self,
        path: Path,
        kind: str,
        index: int,
        *,
        compress: bool,
        files: Files,
        on_end: Callable[[PartWriter], None],
        may_hold_bytes: Callable[[], int],
    ) -> None:
        self.kind, self.rows = kind, 0
        self.file: PartFile | None = None
        self.data = b""
        self._path, self._index, self._files, self._is_packed = path, index, files, compress
        self._on_end, self._may_hold_bytes = on_end, may_hold_bytes
        self._raw, self._ready = bytearray(), bytearray()
        self._digester = Digester()
        self._fd: int | None = None
        self._is_created = self._is_over = False
        # A thread may go on when its caller was cancelled.
        self._turn = Lock()

    async def write(self, batch: Rows) -> None:
        """Append the records of *batch*, encoded and compressed in a worker thread.

        Raises:
            CommitError: The disk is full or refuses.
        """
        if batch:
            with failing(self._path):
                await in_thread(lambda: self._append(batch))

    async def __aenter__(self) -> PartWriter:
        return self

    async def __aexit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        try:
            if error is None and self.rows:
                with failing(self._path):
                    self.file = await in_thread(lambda: self._finish(self._may_hold_bytes()))
        finally:
            if self.file is None:
                with anyio.CancelScope(shield=True):
                    await in_thread(self._abandon)

            self._on_end(self)

    def _append(self, batch: Rows) -> None:
        with self._turn:
            self._refuse_if_over()
            self._raw += encode(self.kind, batch)
            self.rows += len(batch)
            while len(self._raw) >= BLOCK_BYTES:
                self._compress(BLOCK_BYTES)

    def _finish(self, may_hold_bytes: int) -> PartFile:
        with self._turn:
            self._refuse_if_over()
            if self._raw:
                self._compress(len(self._raw))

            if self._fd is None and len(self._ready) <= may_hold_bytes:
                self.data = self._taken()
            else:
                self._store()

            fd, self._fd = self._fd, None
            self._is_over = True
            if fd is not None:
                try:
                    self._files.sync(fd)
                finally:
                    self._files.close(fd)

            return PartFile(
                kind=self.kind,
                index=self._index,
                file=str(self._path),
                rows=self.rows,
                **self._digester.digest()._asdict(),
            )

    def _abandon(self) -> None:
        with self._turn:
            self._is_over = True
            fd, self._fd = self._fd, None
            if fd is not None:
                self._files.close(fd)

            if self._is_created:
                self._files.remove(self._path)

    def _refuse_if_over(self) -> None:
        if self._is_over:
            raise ValueError(f"the part {self._path.name} is closed")

    def _compress(self, count: int) -> None:
        block = bytes(self._raw[:count])
        del self._raw[:count]
        self._ready += as_member(block, compress=self._is_packed)
        if len(self._ready) >= BLOCK_BYTES:
            self._store()

    def _store(self) -> None:
        if self._fd is None:
            self._fd = self._files.create(self._path)
            self._is_created = True

        data = self._taken()
        with failing(self._path, needed_bytes=len(data)):
            self._files.write(self._fd, data)

    def _taken(self) -> bytes:
        """The bytes that are ready, counted and hashed."""
        data = bytes(self._ready)
        self._ready.clear()
        self._digester.add(data)
        return data
