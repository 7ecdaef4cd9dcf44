"""A lock that dies with its process: one run at a time."""

from __future__ import annotations

import errno
import json
import os
import stat
import sys
from datetime import datetime
from pathlib import Path

from kada_athena_async.errors import LockedError, StateError
from kada_athena_async.files.os_errors import OUTPUT_FIELD, failing, is_disk_full, remedy_of
from kada_athena_async.files.private import checked, refuse_stranger

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

MAX_BYTES = 4096

# Windows locks bytes for reading too, so it locks one far behind the text that names the holder.
_WINDOWS_LOCK_AT = 1 << 20

_BEGIN = b'{"pid": '

_OPEN = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
_OPEN |= getattr(os, "O_NONBLOCK", 0)  # a FIFO that somebody put there hangs nobody
_HELD = frozenset({errno.EWOULDBLOCK, errno.EACCES, errno.EDEADLK})


class Lock:
    """A held lock; the kernel holds it, so that a dead process's file locks nobody out.

    The file stays when the lock is given back: to remove it would let two runs hold "the" lock,
    one on the old file and one on the new.
    """

    def __init__(self, path: Path, fd: int) -> None:
        self.path = path
        self._fd: int | None = fd

    @classmethod
    def take(cls, path: Path, *, run_id: str, now: datetime, field: str = OUTPUT_FIELD) -> Lock:
        """Take the lock at *path*.

        Args:
            field: The configuration key that chooses where the lock lies.

        Raises:
            LockedError: Another run holds it; raised at once.
            StateError: It cannot be opened, is a link or another user's, or holds something else
                than a lock does; it stays as it is.
            CommitError: The disk is full.
        """
        try:
            fd = os.open(path, _OPEN, 0o600)
        except OSError as exc:
            if is_disk_full(exc):
                with failing(path, field=field):
                    raise

            raise StateError(
                f"the lock file {path} cannot be opened: {exc.strerror}",
                hint=remedy_of(exc, field),
            ) from exc

        checked(fd, lambda found: _refuse_foreign(found, fd, path))
        try:
            _lock(fd)
        except OSError as exc:
            holder = _read(fd)
            os.close(fd)
            raise _refusal(path, exc, holder) from exc

        holder = {"pid": os.getpid(), "run_id": run_id, "since": f"{now:%Y-%m-%d %H:%M:%S} UTC"}
        lock = cls(path, fd)
        try:
            with failing(path, field=field):
                os.ftruncate(fd, 0)
                os.lseek(fd, 0, os.SEEK_SET)  # reading who left it moved to its end
                os.write(fd, json.dumps(holder).encode())
        except BaseException:
            lock.release()
            raise

        return lock

    def release(self) -> None:
        """Give the lock back; a second time does nothing."""
        if self._fd is not None:
            fd, self._fd = self._fd, None
            os.ftruncate(fd, 0)
            os.close(fd)

    def __enter__(self) -> Lock:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.release()


def holder_of(path: Path) -> dict[str, object]:
    """Holder that the lock file at *path* names; empty if it names none that can be read.

    It is only read. A holder that died without tidying up is named too: whether a lock is held
    only the kernel knows, and asking would stand in the way of a run that begins meanwhile.
    """
    try:
        fd = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
    except OSError:
        return {}

    try:
        return _read(fd)
    finally:
        os.close(fd)


def _refuse_foreign(found: os.stat_result, fd: int, path: Path) -> None:
    refuse_stranger(found, path)
    # Taking the lock empties the file, so it must be one of ours.
    if not stat.S_ISREG(found.st_mode) or not _is_ours(fd):
        raise StateError(
            f"{path} stands where the lock belongs, and is none",
            hint="look at what it is, then move it away",
        )


def _is_ours(fd: int) -> bool:
    """True if it is empty, or begins as a holder does: a machine that died may have cut it off.

    Zeros are what a file system leaves of bytes that it lost, and what an earlier version wrote
    before a holder.
    """
    os.lseek(fd, 0, os.SEEK_SET)
    text = os.read(fd, MAX_BYTES).lstrip(b"\0")
    return text[: len(_BEGIN)] == _BEGIN[: len(text)]


def _lock(fd: int) -> None:
    if sys.platform == "win32":
        os.lseek(fd, _WINDOWS_LOCK_AT, os.SEEK_SET)
        msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
        os.lseek(fd, 0, os.SEEK_SET)
    else:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _read(fd: int) -> dict[str, object]:
    """Writer of the file; empty if it names none that can be read."""
    try:
        os.lseek(fd, 0, os.SEEK_SET)
        found = json.loads(os.read(fd, MAX_BYTES))
    except (OSError, ValueError):
        return {}

    return found if isinstance(found, dict) else {}


def _refusal(path: Path, error: OSError, holder: dict[str, object]) -> LockedError | StateError:
    if error.errno not in _HELD:
        return StateError(
            f"the file system cannot lock {path}: {error.strerror}",
            hint="keep output_path and the high-water mark on a local disk",
        )

    pid, run_id, since = (holder.get(key, "unknown") for key in ("pid", "run_id", "since"))
    return LockedError(
        f"another run of the same name is going on: process {pid}, run {run_id}, since {since}"
        f" ({path})",
        hint="wait for it to end, or give this one another `name=...`",
    )
