"""What a landing is to those who deliver to it or keep marks in it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from kada_athena_async.hwm.cells import Cells

SHA256_KEY = "sha256"
"""Name of the metadata in which an object says what it holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """A file that is to be delivered, as its manifest describes it."""

    name: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """An object that lies in a landing.

    Attributes:
        sha256: In hex; empty if whoever put it there did not say.
        version: Changes with each write; what a conditional write is compared with.
    """

    size_bytes: int
    sha256: str
    version: str

    def holds(self, facts: Facts) -> bool:
        """True if the object is what *facts* describe."""
        return (self.size_bytes, self.sha256) == (facts.size_bytes, facts.sha256)


class Landing(Cells, Protocol):
    """A place that takes files, and keeps cells, by name; names are plain, without slashes.

    Its URL stays the same from run to run: the journal of deliveries knows it by that.

    Every method raises ``KadaAthenaError`` and nothing else of its SDK's: ``CredentialsError``,
    ``AccessDeniedError``, ``NotFoundError`` (no such bucket or container), ``RequestError`` or
    ``RetriesExhaustedError``; none tells a secret.
    """

    async def look(self, name: str) -> Stored | None:
        """What lies there under *name*; None if nothing does."""

    async def put(self, path: Path, facts: Facts) -> None:
        """Store the file *path* under its name, replacing what is there.

        On return the landing has confirmed every byte. Nothing half-done is in sight at any time.

        Raises:
            DeliveryError: The file is not what *facts* say, or the landing confirmed other bytes.
        """
