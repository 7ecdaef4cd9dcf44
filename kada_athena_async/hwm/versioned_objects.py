"""Small objects with versions, in which a high-water mark can be kept away from this machine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionedObject:
    """A small object with its content.

    Attributes:
        version: Changes with each write; what a conditional write is compared with.
    """

    data: bytes
    version: str


class VersionedObjects(Protocol):
    """A place that keeps small objects by name, and of two writers lets at most one win.

    The methods raise ``KadaAthenaError`` and nothing else.
    """

    @property
    def place(self) -> str:
        """A URL that names the place, without secrets."""

    async def read(self, name: str) -> VersionedObject | None:
        """The content of an object; None if there is none."""

    async def write(self, name: str, data: bytes, *, replaces: str | None) -> str | None:
        """Store an object if nobody has changed it since.

        Args:
            replaces: The version that is to be replaced; None if nothing may be there.

        Returns:
            The new version; None if the object is not, or no longer, what *replaces* says. An
            object that holds just *data* already counts as written: the answer may have been
            lost.
        """
