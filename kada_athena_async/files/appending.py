"""A file that others may have put in place, opened to be appended to."""

from __future__ import annotations

import errno
import os
import sys
from functools import partial
from pathlib import Path

from kada_athena_async.errors import StateError
from kada_athena_async.files.private import checked, refuse_stranger

_FLAGS = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_CLOEXEC", 0)
_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)

# As many as Linux follows.
_MAX_LINKS = 40

# Streams of this process have names there, which are links that only the kernel can follow.
_KERNELS = (Path("/dev"), Path("/proc"))


def open_to_append(path: Path) -> int:
    """A descriptor of *path*, made for its owner alone if it is not there; the caller closes it.

    Links are followed as long as this user or root made them.

    Raises:
        StateError: Another user made the link or the file.
        OSError: It cannot be opened.
    """
    found = path.absolute()
    for _ in range(_MAX_LINKS):
        if sys.platform == "win32" or any(kernels in found.parents for kernels in _KERNELS):
            return os.open(found, _FLAGS, 0o600)

        try:
            fd = os.open(found, _FLAGS | _NO_FOLLOW, 0o600)
        except OSError as error:
            if error.errno != errno.ELOOP:
                raise
        else:
            return checked(fd, partial(refuse_stranger, path=found, is_believed=False))

        owner = found.lstat().st_uid
        if owner not in (os.geteuid(), 0):
            raise StateError(
                f"{found} is a link of another user (uid {owner})", hint="name another file"
            )

        found = found.parent / found.readlink()

    raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path))
