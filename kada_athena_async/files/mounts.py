"""Kind of the file system below a path."""

from __future__ import annotations

import re
from pathlib import Path

_MOUNTS = Path("/proc/self/mountinfo")

# Renames may not be atomic there, syncs may be put off, and a lock may not hold on other machines.
_REMOTE = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "9p", "fuse"})

_ESCAPED = re.compile(r"\\([0-7]{3})")


def kind_of_mount(path: Path) -> str:
    """The type of the file system of *path*, such as ``ext4``; empty if unknown."""
    try:
        table = _MOUNTS.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return ""

    return find_mount(table, path.resolve())


def find_mount(table: str, path: Path) -> str:
    """The type of the file system of *path* by the mounts in *table* (proc(5), mountinfo).

    The longest mount point wins, and of several mounts on one point the last, which hides the rest.
    """
    deepest, found = -1, ""
    for line in table.splitlines():
        before, dash, after = line.partition(" - ")
        fields = before.split(" ")
        if not dash or len(fields) < 5:
            continue

        # Blanks and the like stand in it as octal bytes.
        plain = _ESCAPED.sub(lambda code: chr(int(code[1], 8)), fields[4])
        point = Path(plain)
        if path.is_relative_to(point) and len(point.parts) >= deepest:
            deepest, found = len(point.parts), after.split(" ")[0]

    return found


def is_remote(kind: str) -> bool:
    """True for file systems of another machine, and those that a program makes up (FUSE)."""
    return kind in _REMOTE or kind.startswith("fuse.")
