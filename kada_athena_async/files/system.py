"""The file system as the engine uses it: a few operations, each of which a test can make fail."""

from __future__ import annotations

import errno
import os
import shutil
import stat
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from kada_athena_async.files.digest import WHOLE, Digest, Digester
from kada_athena_async.files.lock import Lock
from kada_athena_async.files.mounts import kind_of_mount
from kada_athena_async.files.os_errors import OUTPUT_FIELD
from kada_athena_async.files.parallel import each_in_threads
from kada_athena_async.files.private import (
    HAS_DESCRIPTORS,
    Name,
    checked,
    open_private,
    reach,
    refuse_foreign,
    refuse_stranger,
)

READ_BYTES = 1 << 18  # of each of the files that are joined side by side

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


class Files:
    """The real file system. Every method blocks: call it in a worker thread.

    Methods raise ``OSError`` as the system does. Nothing follows a symbolic link in the last part
    of a path; files are created 0600, directories 0700. A test's subclass overrides the
    operations that change something: ``make_dir``, ``create``, ``write``, ``sync``, ``close``,
    ``sync_dir``, ``rename``, ``remove`` and ``remove_dir``; all others are made of these.

    What lies below a directory given to ``guard`` is reached descriptor by descriptor, and only
    while each directory on the way is ours alone; see ``files.private``.

    Attributes:
        each: Does something, made of these operations, with each of several files.
        replace_waits_s: Pauses between tries to replace a file that Windows says is busy.
    """

    _guarded: frozenset[Path] = frozenset()

    replace_waits_s: tuple[float, ...] = (0.05, 0.1, 0.2, 0.4, 0.8, 1.0)
    each = staticmethod(each_in_threads)

    def guard(self, root: Path) -> None:
        """Look at all that is in *root*, which must be ours alone, now and at every later use.

        *root* need not exist; its parent is a real directory.

        Raises:
            StateError: *root* or something in it is a link, another user's, or open to others; so
                does every other method from now on.
        """
        self._guarded |= {root}
        if self.exists(root):
            self._refuse_foreign_below(root)

    def _refuse_foreign_below(self, path: Path) -> None:
        self._refuse_foreign(path)
        if self._is_directory(path):
            for name in self.names(path):
                self._refuse_foreign_below(path / name)

    @contextmanager
    def _at(self, path: Path) -> Iterator[tuple[int | None, Name]]:
        """The handle by which to use *path*: a descriptor and a name, or None and the path
        itself."""
        root = next((r for r in self._guarded if path == r or r in path.parents), None)
        if root is None:
            yield None, path
            return

        with reach(root, path) as place:
            try:
                yield place
            except OSError as exc:
                # The system names what it was given, which is no path here.
                if exc.filename == path.name:
                    exc.filename = str(path)

                raise

    @contextmanager
    def _open_dir(self, path: Path) -> Iterator[int]:
        with self._at(path) as (above, name):
            if above is None:
                fd = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            else:
                fd = open_private(above, name, path)

            try:
                yield fd
            finally:
                os.close(fd)

    def make_dir(self, path: Path, *, mode: int = 0o700) -> None:
        """Make *path*, whose parent exists, unless it is there, be it behind a link."""
        with self._at(path) as (above, name):
            if above is None:
                path.mkdir(mode=mode, exist_ok=True)
                return

            with suppress(FileExistsError):
                os.mkdir(name, mode, dir_fd=above)

    def make_private_dir(self, path: Path) -> None:
        """Make *path*, whose parent exists; one that is there must be ours alone, and no link.

        Raises:
            StateError: *path* is a link or a file, another user's, or open to others.
        """
        self._refuse_foreign(path)
        self.make_dir(path)
        self._refuse_foreign(path)

    def _refuse_foreign(self, path: Path) -> None:
        with self._at(path) as (above, name):
            try:
                found = os.stat(name, dir_fd=above, follow_symlinks=False)
            except FileNotFoundError:
                return

        refuse_foreign(found, path)

    def create(self, path: Path) -> int:
        """Create a file that does not exist yet and return its descriptor, open for writing."""
        with self._at(path) as (above, name):
            return os.open(name, _CREATE, 0o600, dir_fd=above)

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

        with self._open_dir(path) as fd:
            try:
                os.fsync(fd)
            except OSError as exc:
                if exc.errno not in _CANNOT_SYNC:
                    raise

    def rename(self, source: Path, target: Path) -> None:
        """Give *source* the name *target* in one step; what had that name is gone."""
        for wait_s in self.replace_waits_s:
            try:
                self._replace(source, target)
            except OSError as exc:
                if getattr(exc, "winerror", None) not in _WINDOWS_BUSY:
                    raise
                time.sleep(wait_s)
            else:
                return

        self._replace(source, target)

    def _replace(self, source: Path, target: Path) -> None:
        with self._at(source) as (from_dir, old), self._at(target) as (to_dir, new):
            os.replace(old, new, src_dir_fd=from_dir, dst_dir_fd=to_dir)

    def remove(self, path: Path) -> None:
        """Remove a file or a link; one that is not there is fine."""
        with suppress(FileNotFoundError), self._at(path) as (above, name):
            os.unlink(name, dir_fd=above)

    def remove_dir(self, path: Path) -> None:
        """Remove an empty directory."""
        with self._at(path) as (above, name):
            os.rmdir(name, dir_fd=above)

    def remove_tree(self, path: Path) -> None:
        """Remove *path* and all below it, following no link; one that is not there is fine."""
        if not self.exists(path):
            return

        names, directories = self.names(path), self._directories_in(path)
        for name in sorted(directories):
            self.remove_tree(path / name)

        self.each(self.remove, [path / name for name in names if name not in directories])
        self.remove_dir(path)

    def _directories_in(self, path: Path) -> set[str]:
        """Names of the directories in a directory, by one look; a link is none."""
        if not HAS_DESCRIPTORS:
            return {name for name in self.names(path) if self._is_directory(path / name)}

        with self._open_dir(path) as fd, os.scandir(fd) as entries:
            return {entry.name for entry in entries if entry.is_dir(follow_symlinks=False)}

    def _is_directory(self, path: Path) -> bool:
        with self._at(path) as (above, name):
            return stat.S_ISDIR(os.stat(name, dir_fd=above, follow_symlinks=False).st_mode)

    def write_new(self, path: Path, data: bytes) -> None:
        """Create *path* with *data* in it, durable; its name is durable after ``sync_dir``."""
        with self._created(path) as fd:
            self.write(fd, data)

    @contextmanager
    def _created(self, path: Path) -> Iterator[int]:
        """A descriptor of a new file, durable after the block; a failure leaves no file."""
        fd = self.create(path)
        try:
            try:
                yield fd
                self.sync(fd)
            finally:
                self.close(fd)
        except OSError:
            with suppress(OSError):
                self.remove(path)

            raise

    def write_durably(self, path: Path, data: bytes) -> None:
        """Make *path* hold *data*: whenever a crash comes, it holds the old content or the new."""
        beside = path.with_name(f".{path.name}.tmp")
        self.remove(beside)
        self.write_new(beside, data)
        self.rename(beside, path)
        self.sync_dir(path.parent)

    def join(
        self, sources: Sequence[tuple[Path, range]], target: Path, *, head: bytes = b""
    ) -> list[Digest]:
        """Create *target* from *head* and those bytes of *sources*, in this order, durable.

        Returns:
            The digest of *target*, then that of each source as it was read.
        """
        total, digests = Digester(), []
        with self._created(target) as fd:
            self.write(fd, head)
            total.add(head)
            for path, within in sources:
                part = Digester()
                for block in self._blocks(path, within):
                    self.write(fd, block)
                    part.add(block)
                    total.add(block)

                digests.append(part.digest())

        return [total.digest(), *digests]

    def digest(self, path: Path, within: range = WHOLE) -> Digest:
        """The size and the SHA-256 of a file, or of some of its bytes."""
        found = Digester()
        for block in self._blocks(path, within):
            found.add(block)

        return found.digest()

    def _blocks(self, path: Path, within: range) -> Iterator[bytes]:
        fd = self.open_to_read(path)
        try:
            os.lseek(fd, within.start, os.SEEK_SET)
            left = len(within)
            while block := os.read(fd, min(left, READ_BYTES)):
                left -= len(block)
                yield block
        finally:
            os.close(fd)

    def read(self, path: Path, *, max_bytes: int, is_shared: bool = True) -> bytes:
        """A small file's content.

        Args:
            is_shared: False if another user's file, or one that everybody may write to, is refused.

        Raises:
            StateError: It is such a file.
            OSError: With ``errno.EFBIG`` if it is larger than *max_bytes*, with ``errno.EISDIR``
                if it is a directory, with ``errno.EINVAL`` if it is no regular file either.
        """
        fd = self.open_to_read(path)
        try:
            found = os.fstat(fd)
            if stat.S_ISDIR(found.st_mode):
                raise OSError(errno.EISDIR, "it is a directory", str(path))

            if not stat.S_ISREG(found.st_mode):
                raise OSError(errno.EINVAL, "no regular file", str(path))

            if not is_shared:
                refuse_stranger(found, path)

            if found.st_size > max_bytes:
                raise OSError(errno.EFBIG, f"larger than {max_bytes} bytes", str(path))

            return b"".join(iter(lambda: os.read(fd, READ_BYTES), b""))
        finally:
            os.close(fd)

    def open_to_read(self, path: Path) -> int:
        """A descriptor of a file to read from; the caller closes it."""
        with self._at(path) as (above, name):
            fd = os.open(name, _READ, dir_fd=above)

        return fd if above is None else checked(fd, lambda found: refuse_foreign(found, path))

    def names(self, path: Path) -> list[str]:
        """The names in a directory, sorted; none if it is not there."""
        try:
            if not HAS_DESCRIPTORS:
                with self._at(path):
                    return sorted(entry.name for entry in path.iterdir())

            with self._open_dir(path) as fd:
                return sorted(os.listdir(fd))  # noqa: PTH208 - of a descriptor
        except FileNotFoundError:
            return []

    def exists(self, path: Path) -> bool:
        """True if something has this name, be it a dangling link."""
        try:
            with self._at(path) as (above, name):
                os.stat(name, dir_fd=above, follow_symlinks=False)
        except (FileNotFoundError, NotADirectoryError):
            return False

        return True

    def identity(self, path: Path) -> tuple[int, int]:
        """Device and inode: they stay the same as long as *path* is the same directory."""
        found = path.lstat()
        return found.st_dev, found.st_ino

    def version(self, path: Path) -> str:
        """A mark that differs between any two files that had this name, whatever they hold."""
        found = path.lstat()
        return f"{found.st_ino}-{found.st_mtime_ns}-{found.st_size}"

    def free_bytes(self, path: Path) -> int:
        """Bytes that an unprivileged user may still write on the file system of *path*."""
        return shutil.disk_usage(path).free

    def mount_kind(self, path: Path) -> str:
        """The type of the file system of *path*, such as ``nfs4``; empty if unknown."""
        return kind_of_mount(path)

    def lock(self, path: Path, *, run_id: str, now: datetime, field: str = OUTPUT_FIELD) -> Lock:
        """Take the lock at *path*; it is given back by ``release`` or by the death of the process.

        Args:
            field: The configuration key that chooses where the lock lies.

        Raises:
            LockedError: Another run holds it; the message names its process, run id and start.
            StateError, CommitError: It cannot be opened or written, or is not ours.
        """
        return Lock.take(path, run_id=run_id, now=now, field=field)
