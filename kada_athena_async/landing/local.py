"""A landing in a directory of this machine or of a mounted share."""

from __future__ import annotations

import errno
import hashlib
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import TypeVar

from kada_athena_async.errors import AccessDeniedError, DeliveryError, NotFoundError, RequestError
from kada_athena_async.files import Files, in_thread
from kada_athena_async.hwm.cells import Cell
from kada_athena_async.landing.interface import Facts, Stored

MAX_CELL_BYTES = 256 << 20

ResultT = TypeVar("ResultT")


class LocalLanding:
    """Delivers to a directory that exists; see ``Landing``.

    A file appears there under its name only when it is complete and durable. What looks at it has
    to be the same user, or root: files are 0600.
    """

    def __init__(self, path: Path, files: Files) -> None:
        self.place = path.as_uri()
        self._path = path
        self._files = files

    async def look(self, name: str) -> Stored | None:
        """What lies under *name*; reads all of it. See ``Landing``."""

        def look() -> Stored | None:
            try:
                size_bytes, sha256 = self._files.digest(self._path / name)
            except FileNotFoundError:
                return None

            return Stored(size_bytes=size_bytes, sha256=sha256, version=sha256)

        return await self._do("read", look)

    async def put(self, path: Path, facts: Facts) -> None:
        """Store *path*; see ``Landing``."""
        hidden = self._path / f".{facts.name}.part"

        def copy() -> None:
            self._files.remove(hidden)
            whole, *_ = self._files.join([path], hidden)
            if whole != (facts.size_bytes, facts.sha256):
                self._files.remove(hidden)
                raise DeliveryError(
                    f"{path} is not what its manifest says",
                    hint="restore it from a backup; or extract its window once more with --again",
                )

            self._files.rename(hidden, self._path / facts.name)
            self._files.sync_dir(self._path)

        await self._do("write", copy)

    async def read(self, name: str) -> Cell | None:
        """The content of a small file; see ``Landing``."""
        return await self._do("read", lambda: self._read(name))

    async def write(self, name: str, data: bytes, *, replaces: str | None) -> str | None:
        """Store a small file if nobody was faster; see ``Landing``.

        Writers on one machine exclude each other by a lock; on a share that is only as good as
        the share's locks.

        Raises:
            LockedError: Another process writes the same file at this moment.
        """

        def write() -> str | None:
            now = datetime.now(timezone.utc)
            with self._files.lock(self._path / f".{name}.lock", run_id="landing", now=now):
                found = self._read(name)
                if found is not None and found.data == data:
                    return found.version

                if (found.version if found else None) != replaces:
                    return None

                self._files.write_durably(self._path / name, data)
                return _version(data)

        return await self._do("write", write)

    def _read(self, name: str) -> Cell | None:
        try:
            data = self._files.read(self._path / name, max_bytes=MAX_CELL_BYTES)
        except FileNotFoundError:
            return None

        return Cell(data=data, version=_version(data))

    async def _do(self, verb: str, function: Callable[[], ResultT]) -> ResultT:
        def call() -> ResultT:
            # The directory is not made: an unmounted share would silently fill this disk.
            if not self._path.is_dir():
                raise NotFoundError(f"the directory {self._path} does not exist")

            return function()

        try:
            return await in_thread(call)
        except OSError as exc:
            if exc.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
                raise AccessDeniedError(
                    f"this user may not {verb} in {self._path}",
                    action=verb,
                    hint=f"give this user the right to {verb} there",
                ) from exc

            raise RequestError(
                f"cannot {verb} in {self._path}: {exc.strerror or exc}", code=str(exc.errno)
            ) from exc


def _version(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
