"""A file cut into parts for sending, and checked against its manifest on the way."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from kada_athena_async.concurrency import offload
from kada_athena_async.errors import DeliveryError
from kada_athena_async.files import Files
from kada_athena_async.files.digest import NamedFile
from kada_athena_async.files.finished import reading

PART_BYTES = 8 << 20
"""S3 takes no part below 5 MiB but the last; Azure's blocks may be of any size."""

PARTS_IN_FLIGHT = 2
"""Parts in memory over all files together; two fill a line of 1 Gbit/s at 100 ms."""

# S3 takes 10,000 parts an object, Azure 50,000 blocks a blob.
_MAX_PARTS = 10_000

_REMEDY = "restore it from a backup; or extract its window with `again=True`"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A piece of a file, numbered from 1."""

    number: int
    data: bytes
    sha256: bytes

    @property
    def checksum(self) -> str:
        """SHA-256 in base64, as S3 writes it."""
        return b64encode(self.sha256).decode()


def part_bytes(size_bytes: int) -> int:
    """The size of the parts of a file: 8 MiB, more only for a file above 80 GB."""
    return max(PART_BYTES, -(-size_bytes // _MAX_PARTS))


async def read_parts(files: Files, path: Path, facts: NamedFile) -> AsyncGenerator[Part, None]:
    """The parts of *path* in order; an empty file has one, empty.

    Raises:
        DeliveryError: The file cannot be read or, after its last part, is not what *facts* say.
    """
    whole, offset, number = hashlib.sha256(), 0, 0
    size = part_bytes(facts.size_bytes)
    try:
        async with reading(path, files) as file:
            while offset < facts.size_bytes or number == 0:
                number += 1
                data = await file.read(size)
                offset += len(data)
                if not data and facts.size_bytes:
                    break

                yield await offload(partial(_part, number, data, whole))
    except OSError as exc:
        raise DeliveryError(f"{path} cannot be read: {exc.strerror}", hint=_REMEDY) from exc

    if offset != facts.size_bytes or whole.hexdigest() != facts.sha256:
        raise DeliveryError(f"{path} is not what its manifest says", hint=_REMEDY)


def _part(number: int, data: bytes, whole: hashlib._Hash) -> Part:
    """Blocks for some 10 ms: 8 MiB are hashed twice, for themselves and for the whole."""
    whole.update(data)
    return Part(number=number, data=data, sha256=hashlib.sha256(data).digest())
