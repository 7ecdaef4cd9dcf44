"""A landing in a directory of this machine or of a mounted share."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import TypeVar

import anyio

from kada_athena_async.errors import (
    AccessDeniedError,
    DeliveryError,
    LockedError,
    NotFoundError,
    RequestError,
    StateError,
)
from kada_athena_async.files import WHOLE, Files, Lock
from kada_athena_async.files.threads import in_thread
from kada_athena_async.hwm.object_store import VersionedObject
from kada_athena_async.landing.interface import PutRequest, Stored

MAX_CELL_BYTES = 256 << 20

LOCK_WAITS_S = (0.05, 0.1, 0.2, 0.4, 0.8)
"""Pauses between tries to take the lock, which is held for two operations on files."""

ResultT = TypeVar("ResultT")


class LocalLanding:
    """Delivers to a directory that exists; see ``Landing``.

    A file appears there under its name only when it is complete and durable. What looks at it has
    to be the same user, or root: files are 0600. Half copies and the lock lie in a hidden directory
    there, one a user.

    Args:
        makes: Make the directory itself, though not those above it, with the first write; a link
            in its place is refused.
    """

    def __init__(self, path: Path, files: Files, *, makes: bool = False) -> None:
        self.place = path.as_uri()
        self._path = path
        user = "user" if sys.platform == "win32" else os.geteuid()
        self._work = path / f".kada_athena_async-{user}"
        self._files = files
        self._makes = makes

    async def probe(self, name: str) -> None:
        """Look whether anything could be stored here; see ``Landing``."""

        def look() -> None:
            if not os.access(self._path, os.W_OK | os.X_OK):
                raise PermissionError(errno.EACCES, "not writable", str(self._path))

        await self._do("write", look)

    async def look(self, name: str) -> Stored | None:
        """The file under *name*; reads all of it. See ``Landing``."""

        def look() -> Stored | None:
            try:
                version = self._files.version(self._path / name)
                size_bytes, sha256 = self._files.digest(self._path / name)
            except FileNotFoundError:
                return None

            return Stored(size_bytes=size_bytes, sha256=sha256, version=version)

        return await self._do("read", look)

    async def revoke(self, name: str) -> None:
        """Nothing to do: a file that is replaced is another one; see ``Landing``."""

    async def put(self, request: PutRequest) -> bool:
        """Store a file if what is there is what the request says; see ``Landing``."""
        await request.check()
        facts, target = request.facts, self._path / request.facts.name
        hidden = self._work / f"{facts.name}.{request.attempt}.part"

        def copy() -> None:
            self._files.make_private_dir(self._work)
            for name in self._files.names(self._work):
                # Of an attempt that was killed; or of one that was overtaken, which then fails.
                if name.startswith(f"{facts.name}.") and name.endswith(".part"):
                    self._files.remove(self._work / name)

            whole, *_ = self._files.join([(request.path, WHOLE)], hidden)
            if whole != (facts.size_bytes, facts.sha256):
                self._files.remove(hidden)
                raise DeliveryError(
                    f"{request.path} is not what its manifest says",
                    hint="restore it from a backup; or extract its window with `again=True`",
                )

        def publish() -> bool:
            with self._lock():
                if self._version(target) != request.replaces:
                    self._files.remove(hidden)
                    return False

                try:
                    self._files.rename(hidden, target)
                except FileNotFoundError:
                    return False

                self._files.sync_dir(self._path)
                return True

        await self._do("write", copy)
        return await self._do("write", publish)

    async def read(self, name: str) -> VersionedObject | None:
        """The content of a small file; see ``Landing``."""
        return await self._do("read", lambda: self._read(name))

    async def write(self, name: str, data: bytes, *, replaces: str | None) -> str | None:
        """Store a small file if nobody has changed it since; see ``Landing``.

        Writers on one machine exclude each other by a lock; on a share that is only as good as
        the share's locks.
        """

        def write() -> str | None:
            self._files.make_private_dir(self._work)
            with self._lock():
                found = self._read(name)
                if found is not None and found.data == data:
                    return found.version

                if (found.version if found else None) != replaces:
                    return None

                self._files.write_durably(self._path / name, data)
                return self._version(self._path / name)

        return await self._do("write", write)

    def _lock(self) -> Lock:
        now = datetime.now(timezone.utc)
        return self._files.lock(self._work / "lock", run_id="landing", now=now)

    def _version(self, path: Path) -> str | None:
        try:
            return self._files.version(path)
        except FileNotFoundError:
            return None

    def _read(self, name: str) -> VersionedObject | None:
        path = self._path / name
        try:
            version = self._files.version(
                path
            )  # before the content: one that is older wins nothing
            data = self._files.read(path, max_bytes=MAX_CELL_BYTES)
        except FileNotFoundError:
            return None

        return VersionedObject(data=data, version=version)

    async def _do(self, verb: str, function: Callable[[], ResultT]) -> ResultT:
        for wait_s in LOCK_WAITS_S:
            try:
                return await self._try(verb, function)
            except LockedError:
                await anyio.sleep(wait_s)

        try:
            return await self._try(verb, function)
        except LockedError as exc:
            raise RequestError(
                f"another process stopped in the middle of a write in {self._path}: {exc.message}",
                code="locked",
                hint="end that process, then run again",
            ) from exc

    async def _try(self, verb: str, function: Callable[[], ResultT]) -> ResultT:
        def call() -> ResultT:
            # The landing itself is not made: an unmounted share would silently fill this disk.
            root = self._path.parent if self._makes else self._path
            if not root.is_dir():
                wrong = "is no directory" if root.exists() else "does not exist"
                raise NotFoundError(f"the directory {root} {wrong}")

            if self._makes and self._path.is_symlink():
                raise StateError(
                    f"{self._path} is a link: nothing is read or written where it leads",
                    hint="find out who made it, then remove it",
                )

            if self._makes and verb == "write":
                self._files.make_dir(self._path)

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
