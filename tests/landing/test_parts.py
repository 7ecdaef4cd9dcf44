"""A file is read for the landing off the loop, whole, and by one descriptor."""

from __future__ import annotations

import hashlib
from contextlib import aclosing
from pathlib import Path

import anyio
import pytest

from kada_athena_async.errors import DeliveryError
from kada_athena_async.files import Files
from kada_athena_async.files.digest import NamedFile
from kada_athena_async.landing.parts import PART_BYTES, read_parts

CONTENT = bytes(2 * PART_BYTES + 1)
FACTS = NamedFile(
    name="extract", size_bytes=len(CONTENT), sha256=hashlib.sha256(CONTENT).hexdigest()
)


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def test_all_parts_come_from_one_file(tmp_path: Path) -> None:
    """Whatever gets its name meanwhile."""
    path = tmp_path / "extract"
    path.write_bytes(CONTENT)
    sizes = []
    async with aclosing(read_parts(Files(), path, FACTS)) as parts:
        async for part in parts:
            sizes.append(len(part.data))
            (tmp_path / "other").write_bytes(b"b" * 10)
            (tmp_path / "other").replace(path)

    assert sizes == [PART_BYTES, PART_BYTES, 1]


async def test_s11_a_link_is_not_read(tmp_path: Path) -> None:
    """A link in a file's place is an error, and names the path."""
    (tmp_path / "secret").write_bytes(CONTENT)
    (tmp_path / "extract").symlink_to(tmp_path / "secret")

    with pytest.raises(DeliveryError, match="extract cannot be read"):
        await anext(read_parts(Files(), tmp_path / "extract", FACTS))


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts in /proc")
async def test_a_cancelled_reader_leaves_no_descriptor(tmp_path: Path) -> None:
    """Cancelled before, while it reads, or after: the file is closed."""
    path = tmp_path / "extract"
    path.write_bytes(CONTENT)
    await anyio.to_thread.run_sync(path.stat)
    before = descriptors()
    for steps in range(4):
        with anyio.CancelScope() as scope:
            if steps == 0:
                scope.cancel()

            async with aclosing(read_parts(Files(), path, FACTS)) as parts:
                async for part in parts:
                    if part.number == steps:
                        scope.cancel()

        assert scope.cancelled_caught == (steps < 3)
        assert descriptors() == before
