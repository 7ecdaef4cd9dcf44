"""A directory as a landing."""

from __future__ import annotations

import os
import shutil
import sys
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from kada_athena_async.config.landing import LocalPlace
from kada_athena_async.errors import DeliveryError, RequestError
from kada_athena_async.events import FileDelivered
from kada_athena_async.files import Files
from kada_athena_async.landing import open_landing
from tests.landing.support import Deliverer, file_of, in_sight, make_package, make_surroundings


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "landing"
    path.mkdir()
    return path


@pytest.fixture
def push(out: Path, folder: Path, fast_clock: Any) -> Deliverer:
    return Deliverer(
        out, LocalPlace(path=folder), lambda **fields: make_surroundings(None, fast_clock, **fields)
    )


async def test_packages_arrive_whole_and_once(push: Deliverer, out: Path, folder: Path) -> None:
    """Files are copied, a repetition copies nothing, a lost journal neither."""
    make_package(out, 0)
    make_package(out, 1)

    await push()
    (out / ".k-delivered.json").unlink()
    report = await push()

    assert in_sight(folder) == in_sight(out)
    assert all((folder / name).read_bytes() == (out / name).read_bytes() for name in in_sight(out))
    assert (report.sent, report.skipped) == (0, 12)


async def test_nothing_half_done_is_in_sight(out: Path, folder: Path, fast_clock: Any) -> None:
    """A copy that breaks off leaves nothing under a name that a consumer would read."""

    class Full(Files):
        writes = 0

        def write(self, fd: int, data: bytes | memoryview) -> None:
            self.writes += 1
            if self.writes == 3:
                raise OSError(28, "No space left on device")

            super().write(fd, data)

    make_package(out, 0, {"users": 3 << 20})
    around = partial(make_surroundings, None, fast_clock, files=Full())

    with pytest.raises(DeliveryError, match="No space left"):
        await Deliverer(out, LocalPlace(path=folder), around)()

    assert in_sight(folder) == []


async def test_a_directory_that_is_not_there_is_not_made(
    push: Deliverer, out: Path, folder: Path
) -> None:
    """An unmounted share must not silently fill the disk below its mount point."""
    make_package(out, 0)
    shutil.rmtree(folder)

    with pytest.raises(DeliveryError, match="does not exist"):
        await push()

    folder.touch()  # noqa: ASYNC240 - as a mistake of somebody's
    with pytest.raises(DeliveryError, match="is no directory"):
        await push()

    folder.unlink()  # noqa: ASYNC240
    folder.mkdir()  # noqa: ASYNC240 - fails if it was made
    await push()
    assert in_sight(folder) == in_sight(out)


@pytest.mark.skipif(
    sys.platform == "win32" or os.geteuid() == 0, reason="rights do not hold for this user"
)
async def test_a_directory_without_rights_is_named(
    push: Deliverer, out: Path, folder: Path
) -> None:
    """The message says which right is missing where."""
    make_package(out, 0)
    folder.chmod(0o500)  # noqa: ASYNC240

    with pytest.raises(DeliveryError, match=f"may not write in {folder}"):
        await push()


async def test_another_manifest_of_the_name_is_a_conflict(
    push: Deliverer, out: Path, folder: Path
) -> None:
    """Also when it appears between our look and our write."""
    manifest = make_package(out, 0, {"users": 1})

    def interfere(event: object) -> None:
        if isinstance(event, FileDelivered):
            (folder / manifest.name).write_text("faster")

    with pytest.raises(DeliveryError, match="holds another"):
        await push(notify=interfere)

    assert (folder / manifest.name).read_text() == "faster"
    with pytest.raises(DeliveryError, match="holds another"):
        await push()


async def test_of_two_writers_one_wins(push: Deliverer, folder: Path) -> None:
    """A cell's version protects it; a writer at the same moment is refused."""
    async with open_landing(push.place, push.around) as landing:
        first = await landing.write("mark", b"1", replaces=None)
        assert first is not None
        second = await landing.write("mark", b"2", replaces=first)
        assert await landing.write("mark", b"3", replaces=first) is None
        assert await landing.write("mark", b"3", replaces=None) is None
        assert await landing.write("mark", b"2", replaces=first) == second
        now = push.around.clock.now()
        (work,) = folder.glob(".kada_athena_async-*")  # noqa: ASYNC240
        with (
            Files().lock(work / "lock", run_id="x", now=now),
            pytest.raises(RequestError, match="stopped in the middle of a write"),
        ):
            await landing.write("mark", b"4", replaces=second)

        cell = await landing.read("mark")

    assert cell is not None
    assert cell.data == b"2"


async def test_a_damaged_file_stays_here(push: Deliverer, out: Path, folder: Path) -> None:
    """A file that is not what the manifest says does not arrive."""
    make_package(out, 0, {"users": 100})
    path = file_of(out, "users")
    shutil.copy(__file__, path)

    with pytest.raises(DeliveryError, match="not what its manifest says"):
        await push()

    assert in_sight(folder) == []


async def test_a_window_extracted_again_replaces_what_we_delivered(
    push: Deliverer, out: Path, folder: Path
) -> None:
    """In a directory as in S3: what lies there gives way to its successor, the manifest too."""
    make_package(out, 0, {"users": 10})
    await push()
    make_package(out, 0, {"users": 30}, run_id="again")

    report = await push()

    assert report.sent == 2
    assert all((folder / name).read_bytes() == (out / name).read_bytes() for name in in_sight(out))


async def test_a_landing_that_is_gone_is_to_be_made_first(
    push: Deliverer, out: Path, folder: Path
) -> None:
    """No next run delivers to a directory that is not there: the sentence says what to do."""
    make_package(out, 0, {"users": 10})
    shutil.rmtree(folder)
    with pytest.raises(DeliveryError) as caught:
        await push()

    assert caught.value.hint.startswith("create it, or correct landing, then `push`")
