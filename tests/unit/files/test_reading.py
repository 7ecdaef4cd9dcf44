"""A finished file is read off the loop, whole, and by one descriptor."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest

from kada_athena_async.files import Files
from kada_athena_async.files.finished import reading


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def test_all_pieces_come_from_one_file(tmp_path: Path) -> None:
    """Whatever gets its name meanwhile."""
    path = tmp_path / "extract"
    path.write_bytes(b"a" * 10)
    async with reading(path, Files()) as file:
        first = await file.read(6)
        (tmp_path / "other").write_bytes(b"b" * 10)
        (tmp_path / "other").replace(path)

        assert first + await file.read(6) == b"a" * 10
        assert await file.read(6) == b""


async def test_s11_a_link_is_not_read(tmp_path: Path) -> None:
    """A link in a file's place is an error, and names the path."""
    (tmp_path / "secret").write_bytes(b"s")
    (tmp_path / "extract").symlink_to(tmp_path / "secret")

    with pytest.raises(OSError, match="extract"):
        async with reading(tmp_path / "extract", Files()):
            pass


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts in /proc")
async def test_a_cancelled_reader_leaves_no_descriptor(tmp_path: Path) -> None:
    """Cancelled before, while it reads, or after: the file is closed."""
    path = tmp_path / "extract"
    path.write_bytes(bytes(1 << 20))
    await anyio.to_thread.run_sync(path.stat)
    before = descriptors()
    for steps in range(6):
        with anyio.CancelScope() as scope:
            async with reading(path, Files()) as file:
                for step in range(5):
                    if step == steps:
                        scope.cancel()

                    await file.read(1 << 18)

        assert scope.cancelled_caught == (steps < 5)
        assert descriptors() == before
