"""The file system's refusals, and what the user can do about each."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kada_athena_async.errors import CommitError

MARK_FIELDS = "hwm_path or hwm_store"
"""Fields that choose the place of the high-water mark."""

OUTPUT_FIELD = "output_path"
"""Field that chooses the place of the extracts."""

_FULL = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))

_REMEDIES = {
    errno.EROFS: "the file system is read-only: remount it or choose another {field}",
    errno.EACCES: "give this user the right to write there, or choose another {field}",
    errno.EPERM: "give this user the right to write there, or choose another {field}",
    errno.EIO: "the disk reports an error: check it before running again",
    errno.ENOENT: "the directory is not there: make it, then run again, or choose another {field}",
    errno.EISDIR: "a directory stands in a file's place: move it away, or choose another {field}",
    errno.ENOTDIR: "a part of the path is no directory: choose another {field}",
    errno.ELOOP: "a link stands where none may: look at who made it, or choose another {field}",
    errno.ENAMETOOLONG: "choose a shorter {field}",
    errno.EFBIG: "raise the limit of file sizes (`ulimit -f`), or choose another {field}",
    errno.EMFILE: "raise the limit of open files (`ulimit -n`), or run fewer sites at once",
    errno.ENFILE: "the machine's limit of open files is reached: raise fs.file-max, or end what "
    "holds them",
    errno.ENOSPC: "free space there or choose another {field}, then run again; nothing is lost",
}
"""errno -> what to do; ``{field}`` is the configuration key that chooses the place."""


def is_disk_full(error: OSError) -> bool:
    """True if *error* says that the disk or the user's quota is exhausted."""
    return error.errno in _FULL


def remedy_of(error: OSError, field: str = OUTPUT_FIELD) -> str:
    """The remedy of *error*.

    Args:
        field: What chooses the place that refused.
    """
    default = "make the path writable, then run again; nothing is lost"
    return _REMEDIES.get(error.errno or 0, default).format(field=field)


@contextmanager
def failing(path: Path, *, needed_bytes: int = 0, field: str = OUTPUT_FIELD) -> Iterator[None]:
    """Turn an ``OSError`` of the block into a ``CommitError`` that names *path* and what to do.

    Args:
        path: What the block writes, for a system that names no file.
        needed_bytes: How much the block wants to write; named when the disk is full.
        field: The configuration key that chooses the place.
    """
    try:
        yield
    except OSError as exc:
        raise _explain(exc, path, needed_bytes, field) from exc


def _explain(error: OSError, path: Path, needed_bytes: int, field: str) -> CommitError:
    place = error.filename or path
    if not is_disk_full(error):
        return CommitError(
            f"cannot write {place}: {error.strerror or error}", hint=remedy_of(error, field)
        )

    again = "then run again; nothing is lost"
    if error.errno != errno.ENOSPC:
        return CommitError(
            f"the quota of this user is used up: no space left for {place}",
            hint=f"free space there, ask for a larger quota or choose another {field}, {again}",
        )

    if _has_no_inode(path):
        return CommitError(
            f"no inode left for {place}: the file system has space, but for no further file",
            hint=f"remove files there (`df -i` counts them) or choose another {field}, {again}",
        )

    needed = f"; {needed_bytes:,} bytes are needed" if needed_bytes else ""
    return CommitError(f"no space left for {place}{needed}", hint=remedy_of(error, field))


def _has_no_inode(path: Path) -> bool:
    """True if the file system of *path* has free blocks and no free inode."""
    if not hasattr(os, "statvfs"):
        return False

    for place in (path, *path.parents):
        try:
            found = os.statvfs(place)
        except OSError:
            continue

        # Some file systems make inodes as they need them, and count none.
        return found.f_files > 0 and found.f_favail == 0 and found.f_bavail > 0

    return False
