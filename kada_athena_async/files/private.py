"""Private directories, opened so that nobody can replace them between check and use.

A run publishes what lies in its staging directory, removes what an interrupted run left there, and
takes both for its own. So before anything there is read, removed or published, every directory on
the way is opened (no link is followed), its owner and mode are read from the open descriptor, and
the operation is done relative to that descriptor: between check and use there is no path that
somebody could make lead elsewhere.
"""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

from kada_athena_async.errors import StateError

Name: TypeAlias = "str | Path"

# Windows has neither descriptors of directories nor owners as numbers; there links are looked for
# by path, as well as that can be done.
HAS_DESCRIPTORS = os.supports_dir_fd >= {
    os.mkdir,
    os.open,
    os.rename,
    os.rmdir,
    os.stat,
    os.unlink,
} and {os.listdir} <= set(os.supports_fd)

_DIRECTORY = (
    os.O_RDONLY
    | getattr(os, "O_DIRECTORY", 0)
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_CLOEXEC", 0)
)

# What a system answers to O_DIRECTORY and O_NOFOLLOW at a link or a file.
_NO_DIRECTORY = frozenset({errno.ELOOP, errno.ENOTDIR, getattr(errno, "EMLINK", errno.ELOOP)})

# Group and others.
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


@contextmanager
def reach(root: Path, path: Path) -> Iterator[tuple[int | None, Name]]:
    """A descriptor of the directory that *path* lies in, and its name there.

    Args:
        root: A private directory; its own parent is a real directory, and may be shared.
        path: *root* or something below it.

    Yields:
        None and *path* itself where the system has no descriptors of directories.

    Raises:
        StateError: *root*, or a directory between it and *path*, is a link or not ours alone.
        OSError: It cannot be opened, because it is not there for example.
    """
    names = path.relative_to(root.parent).parts
    if not HAS_DESCRIPTORS:
        for depth in range(1, len(names)):
            _refuse_link(root.parent.joinpath(*names[:depth]))

        yield None, path
        return

    fd = os.open(root.parent, _DIRECTORY)
    try:
        reached = root.parent
        for name in names[:-1]:
            reached /= name
            above, fd = fd, open_private(fd, name, reached)
            os.close(above)

        yield fd, names[-1]
    finally:
        os.close(fd)


def open_private(above: int, name: Name, path: Path) -> int:
    """A descriptor of the directory *name* in *above*; the caller closes it.

    Args:
        path: What it is called in messages.

    Raises:
        StateError: It is a link, a file, or not ours alone.
        OSError: It cannot be opened.
    """
    try:
        fd = os.open(name, _DIRECTORY, dir_fd=above)
    except OSError as exc:
        if exc.errno in _NO_DIRECTORY:
            raise _refusal(f"{path} is a link, or no directory") from None

        raise

    return checked(fd, lambda found: refuse_foreign(found, path))


def checked(fd: int, check: Callable[[os.stat_result], None]) -> int:
    """*fd*, if *check* lets pass what it is of; else it is closed.

    Raises:
        StateError: As *check*.
    """
    try:
        check(os.fstat(fd))
    except StateError:
        os.close(fd)
        raise

    return fd


def refuse_foreign(found: os.stat_result, path: Path) -> None:
    """Refuse what somebody else made or may change.

    Args:
        found: Of an open descriptor of *path*.

    Raises:
        StateError: It is not ours alone.
    """
    if not stat.S_ISDIR(found.st_mode) and not stat.S_ISREG(found.st_mode):
        raise _refusal(f"{path} is a link, or neither a file nor a directory")

    if sys.platform == "win32":
        return

    if found.st_uid != os.geteuid():
        raise _refusal(f"{path} belongs to another user (uid {found.st_uid})")

    if found.st_mode & _OTHERS_WRITE:
        raise _refusal(f"others may write to {path} (mode {stat.S_IMODE(found.st_mode):04o})")


def refuse_stranger(found: os.stat_result, path: Path, *, is_believed: bool = True) -> None:
    """Refuse a file of another user, in a directory that may be shared.

    Files of root and of the directory's owner pass: whoever named the directory trusts them.

    Args:
        is_believed: True for a file that is read to decide by: then nobody else may write to it.

    Raises:
        StateError: Another user made the file, or everybody may write to it.
    """
    if sys.platform == "win32" or not stat.S_ISREG(found.st_mode):
        return

    trusted = (os.geteuid(), 0, path.parent.stat().st_uid)
    if found.st_uid not in trusted:
        raise StateError(
            f"{path} belongs to another user (uid {found.st_uid})",
            hint="look at who made it; chown it to this user, remove it, or name another file",
        )

    if is_believed and found.st_mode & stat.S_IWOTH:
        raise StateError(
            f"everybody may write to {path} (mode {stat.S_IMODE(found.st_mode):04o})",
            hint=f"look at what is in it, then: chmod o-w {path}",
        )


def _refuse_link(path: Path) -> None:
    try:
        found = path.lstat()
    except FileNotFoundError:
        return

    # Since Python 3.12.
    is_junction = getattr(os.path, "isjunction", lambda _: False)
    if not stat.S_ISDIR(found.st_mode) or is_junction(path):
        raise _refusal(f"{path} is a link, or no directory")


def _refusal(what: str) -> StateError:
    return StateError(
        f"{what}: nothing in it was read, removed or published",
        hint="find out who made it, then move it away or name another directory",
    )
