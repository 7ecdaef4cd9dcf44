"""What the file system's refusals mean to the user."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kada_athena_async.errors import CommitError
from kada_athena_async.files.system import is_disk_full


@contextmanager
def failing(path: Path, *, needed_bytes: int = 0) -> Iterator[None]:
    """Turn an ``OSError`` of the block into a ``CommitError`` that names *path* and what to do.

    Args:
        path: What the block writes, for a system that names no file.
        needed_bytes: How much the block wants to write; told when the disk is full.
    """
    try:
        yield
    except OSError as exc:
        raise _explain(exc, path, needed_bytes) from exc


def _explain(error: OSError, path: Path, needed_bytes: int) -> CommitError:
    place = error.filename or path
    if is_disk_full(error):
        needed = f"; {needed_bytes:,} bytes are needed" if needed_bytes else ""
        return CommitError(
            f"no space left for {place}{needed}",
            hint="free space there or choose another output_path, then run again; nothing is lost",
        )

    hints = {
        errno.EROFS: "the file system is read-only: remount it or choose another output_path",
        errno.EACCES: "give this user the right to write there",
        errno.EPERM: "give this user the right to write there",
        errno.EIO: "the disk reports an error: check it before running again",
        errno.ENOENT: "the directory vanished during the run: make it again, then run again",
    }
    return CommitError(
        f"cannot write {place}: {error.strerror or error}",
        hint=hints.get(error.errno or 0, "make the path writable, then run again; nothing is lost"),
    )
