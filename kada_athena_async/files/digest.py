"""The size and the hash that identify a file's content."""

from __future__ import annotations

import hashlib
from typing import NamedTuple


class Digest(NamedTuple):
    """Identity of a file's content."""

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
