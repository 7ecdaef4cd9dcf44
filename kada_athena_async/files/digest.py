"""The size and the hash that identify a file's content, alone or with its name."""

from __future__ import annotations

import hashlib
import sys
from typing import Annotated, NamedTuple

import msgspec

# A name in a manifest becomes a path and a key: it may not leave its directory, whoever wrote it.
FileName = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=200)]


WHOLE = range(sys.maxsize)
"""All bytes of a file, where a range of them is asked for."""


class Digest(NamedTuple):
    """Identity of a file's content."""

    size_bytes: int
    sha256: str


class NamedFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file as a manifest or a journal describes it.

    Attributes:
        sha256: In hex.
    """

    name: FileName
    size_bytes: int
    sha256: str


class Digester:
    """Counts and hashes what passes."""

    def __init__(self) -> None:
        self._size_bytes = 0
        self._hash = hashlib.sha256()

    def add(self, block: bytes) -> None:
        """Take the next bytes."""
        self._size_bytes += len(block)
        self._hash.update(block)

    def digest(self) -> Digest:
        """The digest of all that was added."""
        return Digest(self._size_bytes, self._hash.hexdigest())
