"""The file system as the engine uses it: a few operations, each of which a test can make fail."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import stat
import sys
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from kada_athena_async.files.lock import Lock
from kada_athena_async.files.mounts import kind_of_mount

READ_BYTES = 1 << 20

# Flags that only some systems have; 0 changes nothing. O_NONBLOCK keeps a FIFO that somebody put
# in a file's place from hanging the open.
_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_READ = os.O_RDONLY | _NO_FOLLOW | getattr(os, "O_NONBLOCK", 0)
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_FOLLOW

# Windows refuses to replace a file while a reader or a virus scanner holds it: access denied,
# sharing violation, lock violation. These pass within a second or two.
_WINDOWS_BUSY = frozenset({5, 32, 33})

# What a file system answers that has no way to sync a directory (some network and FUSE ones).
_CANNOT_SYNC = frozenset({errno.EINVAL, errno.ENOTSUP, errno.EBADF})


class Digest(NamedTuple):
    """What identifies a file's content."""

    size_bytes: int
    sha256: str


def is_disk_full(error: OSError) -> bool:
    """True if *error* says that the disk or the user's quota is exhausted."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT)


class Files:
    """The real file system. Every method blocks: call it in a worker thread.

    Methods raise ``OSError`` as the system does. Nothing follows a symbolic link in the last part
    of a path; files are created 0600, directories 0700. A test's subclass overrides the
    operations that change something: ``make_dir``, ``create``, ``write``, ``sync``, ``close``,
    ``sync_dir``, ``rename``, ``remove`` and ``remove_dir``; all others are made of these.

    Attributes:
        replace_waits_s: Pauses between tries to replace a file that Windows says is busy.
    """

    replace_waits_s: tuple[float, ...] = (0.05, 0.1, 0.2, 0.4, 0.8, 1.0)

    def make_dir(self, path: Path, *, mode: int = 0o700) -> None:
        """Make *path*, whose parent exists, unless it is there, be it behind a link."""
        path.mkdir(mode=mode, exist_ok=True)

    def make_private_dir(self, path: Path) -> None:
        """Make *path*, whose parent exists; one that is there must be ours alone, and no link.

        Raises:
            PermissionError: Somebody else owns *path*, or others may write to it.
            NotADirectoryError: *path* is a link or no directory.
        """
        self._refuse_foreign(path)
        self.make_dir(path)
        self._refuse_foreign(path)

    def _refuse_foreign(self, path: Path) -> None:
        try:
            found = path.lstat()
        except FileNotFoundError:
            return

        if not stat.S_ISDIR(found.st_mode):
            raise NotADirectoryError(errno.ENOTDIR, "a link or no directory", str(path))

        if sys.platform != "win32" and (found.st_uid != os.geteuid() or found.st_mode & 0o022):
            raise PermissionError(errno.EPERM, "others may write to it", str(path))

    def create(self, path: Path) -> int:
        """Create a file that does not exist yet and return its descriptor, open for writing."""
        return os.open(path, _CREATE, 0o600)

    def write(self, fd: int, data: bytes | memoryview) -> None:
        """Write all of *data*."""
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(fd, rest) :]

    def sync(self, fd: int) -> None:
        """Return when the file's content would survive a power loss.

        An error here means that the content is unknown; trying again proves nothing, because the
        kernel reports a lost write once.
        """
        os.fsync(fd)

    def close(self, fd: int) -> None:
        """Close a descriptor that ``create`` returned."""
        os.close(fd)

    def sync_dir(self, path: Path) -> None:
        """Return when the names in *path* would survive a power loss, where that can be asked."""
        if sys.platform == "win32":
            return

        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        except OSError as exc:
            if exc.errno not in _CANNOT_SYNC:
                raise
        finally:
            os.close(fd)

    def rename(self, source: Path, target: Path) -> None:
        """Give *source* the name *target* in one step; what had that name is gone."""
        for wait_s in self.replace_waits_s:
            try:
                source.replace(target)
            except OSError as exc:
                if getattr(exc, "winerror", None) not in _WINDOWS_BUSY:
                    raise
                time.sleep(wait_s)
            else:
                return

        source.replace(target)

    def remove(self, path: Path) -> None:
        """Remove a file or a link; one that is not there is fine."""
        path.unlink(missing_ok=True)

    def remove_dir(self, path: Path) -> None:
        """Remove an empty directory."""
        path.rmdir()

    def remove_tree(self, path: Path) -> None:
        """Remove *path* and all below it, following no link; one that is not there is fine."""
        try:
            with os.scandir(path) as entries:
                below = [
                    (entry.is_dir(follow_symlinks=False), Path(entry.path)) for entry in entries
                ]
        except FileNotFoundError:
            return

        for is_directory, child in sorted(below):
            if is_directory:
                self.remove_tree(child)
            else:
                self.remove(child)

        self.remove_dir(path)

    def write_new(self, path: Path, data: bytes) -> None:
        """Create *path* with *data* in it, durable; its name is durable after ``sync_dir``."""
        fd = self.create(path)
        try:
            self.write(fd, data)
            self.sync(fd)
        finally:
            self.close(fd)

    def write_durably(self, path: Path, data: bytes) -> None:
        """Make *path* hold *data*: whenever a crash comes, it holds the old content or the new."""
        beside = path.with_name(f".{path.name}.tmp")
        self.remove(beside)
        self.write_new(beside, data)
        self.rename(beside, path)
        self.sync_dir(path.parent)

    def join(self, sources: Sequence[Path], target: Path, *, head: bytes = b"") -> list[Digest]:
        """Create *target* from *head* and the bytes of *sources*, in this order, durable.

        Returns:
            The digest of *target*, then that of each source as it was read.
        """
        total, digests = _Digester(), []
        fd = self.create(target)
        try:
            if head:
                self.write(fd, head)
                total.add(head)

            for source in sources:
                digests.append(self._append(source, fd, total))

            self.sync(fd)
        finally:
            self.close(fd)

        return [total.digest(), *digests]

    def _append(self, source: Path, fd: int, total: _Digester) -> Digest:
        part = _Digester()
        reading = self.open_to_read(source)
        try:
            while block := os.read(reading, READ_BYTES):
                self.write(fd, block)
                part.add(block)
                total.add(block)
        finally:
            os.close(reading)

        return part.digest()

    def digest(self, path: Path) -> Digest:
        """The size and the SHA-256 of a file."""
        found = _Digester()
        fd = self.open_to_read(path)
        try:
            while block := os.read(fd, READ_BYTES):
                found.add(block)
        finally:
            os.close(fd)

        return found.digest()

    def read(self, path: Path, *, max_bytes: int) -> bytes:
        """A small file's content.

        Raises:
            OSError: With ``errno.EFBIG`` if it is larger than *max_bytes*, with ``errno.EINVAL``
                if it is no regular file.
        """
        fd = self.open_to_read(path)
        try:
            found = os.fstat(fd)
            if not stat.S_ISREG(found.st_mode):
                raise OSError(errno.EINVAL, "no regular file", str(path))

            if found.st_size > max_bytes:
                raise OSError(errno.EFBIG, f"larger than {max_bytes} bytes", str(path))

            blocks = []
            while block := os.read(fd, READ_BYTES):
                blocks.append(block)
        finally:
            os.close(fd)

        return b"".join(blocks)

    def open_to_read(self, path: Path) -> int:
        """A descriptor of a file to read from; the caller closes it."""
        return os.open(path, _READ)

    def names(self, path: Path) -> list[str]:
        """The names in a directory, sorted; none if it is not there."""
        try:
            return sorted(entry.name for entry in path.iterdir())
        except FileNotFoundError:
            return []

    def exists(self, path: Path) -> bool:
        """True if something has this name, be it a dangling link."""
        return os.path.lexists(path)

    def identity(self, path: Path) -> tuple[int, int]:
        """What stays the same as long as *path* is the same directory: device and inode."""
        found = path.lstat()
        return found.st_dev, found.st_ino

    def version(self, path: Path) -> str:
        """What differs between any two files that had this name, whatever they hold."""
        found = path.lstat()
        return f"{found.st_ino}-{found.st_mtime_ns}-{found.st_size}"

    def free_bytes(self, path: Path) -> int:
        """How much an unprivileged user may still write where *path* lies."""
        return shutil.disk_usage(path).free

    def mount_kind(self, path: Path) -> str:
        """The type of the file system of *path*, such as ``nfs4``; empty where nobody tells."""
        return kind_of_mount(path)

    def lock(self, path: Path, *, run_id: str, now: datetime) -> Lock:
        """Take the lock at *path*; it is given back by ``release`` or by the death of the process.

        Raises:
            LockedError: Another run holds it; the message names its process, run id and start.
        """
        return Lock.take(path, run_id=run_id, now=now)


class _Digester:
    """Counts and hashes what passes."""

    def __init__(self) -> None:
        self._size_bytes = 0
        self._hash = hashlib.sha256()

    def add(self, block: bytes) -> None:
        self._size_bytes += len(block)
        self._hash.update(block)

    def digest(self) -> Digest:
        return Digest(self._size_bytes, self._hash.hexdigest())
