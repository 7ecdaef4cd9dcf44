"""H13, G8: disks that are full to the last byte or inode, quotas, too many open files."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from kada_athena_async.errors import CommitError, KadaAthenaError, StateError
from kada_athena_async.files import MARK_FIELDS, Files, failing
from tests.faults.world import START, World
from tests.kit.disks import Mount, fill, small_disk

HOUR = timedelta(hours=1)

__all__ = ["small_disk"]


async def error_of(world: World, **fields: object) -> KadaAthenaError:
    """End of a run that cannot write."""
    calls = sum(world.sandbox.calls.values())
    with pytest.raises(KadaAthenaError) as caught:
        await world.run(START, **fields)

    assert sum(world.sandbox.calls.values()) == calls
    return caught.value


async def test_a_full_output_is_named_before_aws_is_asked(world: World, small_disk: Mount) -> None:
    """Not a byte is left for the lock, the first file that a run writes."""
    fill(small_disk("out", size="256k"))

    error = await error_of(world)

    assert isinstance(error, CommitError)
    assert error.exit_code == 1
    assert f"no space left for {world.out}/.athena.lock" in error.message
    assert "free space there or choose another output_path" in error.hint


async def test_a_full_disk_of_the_mark_is_named_by_what_chooses_it(
    world: World, small_disk: Mount
) -> None:
    """The mark lies on another disk than the extracts."""
    place = small_disk("marks", size="64k")
    fill(place)

    error = await error_of(world, hwm_path=place / "athena_hwm.txt")

    assert isinstance(error, CommitError)
    assert f"no space left for {place}/.athena_hwm.lock" in error.message
    assert "choose another hwm_path or hwm_store" in error.hint


async def test_a_disk_that_fills_up_under_the_mark_loses_nothing(
    world: World, small_disk: Mount
) -> None:
    """Full when the mark is to move: named, and the next run moves it without extracting again."""
    place = small_disk("marks", size="64k")

    def fill_before_commit(event: object) -> None:
        if getattr(event, "stage", "") == "commit" and type(event).__name__ == "StageStarted":
            fill(place)

    mark = place / "athena_hwm.txt"
    with pytest.raises(CommitError) as caught:
        await world.run(START, hwm_path=mark, observers=[fill_before_commit])

    assert str(place) in caught.value.message
    assert "choose another hwm_path or hwm_store" in caught.value.hint
    (place / "filler").unlink()
    await world.run(START + HOUR, hwm_path=mark)
    assert set(world.told().values()) == {1}


async def test_a_disk_out_of_inodes_is_not_called_out_of_bytes(
    world: World, small_disk: Mount
) -> None:
    """There is space, but for no further file."""
    place = small_disk("out", size="200m", nr_inodes=12)

    with pytest.raises(KadaAthenaError) as caught:
        await world.run(START)

    assert isinstance(caught.value, CommitError)
    assert f"no inode left for {place}" in caught.value.message
    assert "`df -i` counts them" in caught.value.hint


async def test_a_disk_without_an_inode_for_the_lock_is_named_as_one(
    world: World, small_disk: Mount
) -> None:
    """The lock is the first file of a run; there is space for it."""
    place = small_disk("out", size="200m", nr_inodes=1)

    error = await error_of(world)

    assert isinstance(error, CommitError)
    assert f"no inode left for {place}/.athena.lock" in error.message


@pytest.mark.parametrize(
    ("name", "words", "remedy"),
    [
        ("athena_hwm.txt", "the high-water mark", "hwm_path or hwm_store"),
        (
            "athena_state.json",
            "cannot be used: it is a directory",
            "or remove it: the high-water mark in",
        ),
        ("athena_delivery.json", "Is a directory", "move it away, or choose another hwm_path"),
        (".athena_hwm.lock", "cannot be opened: Is a directory", "choose another hwm_path"),
        ("out/.athena.lock", "cannot be opened: Is a directory", "choose another output_path"),
    ],
)
async def test_a_directory_in_the_place_of_a_file_is_named_as_one(
    world: World, name: str, words: str, remedy: str
) -> None:
    """Each file of a run: what stands there, and to move it away."""
    (world.path / name).mkdir(parents=True)
    with pytest.raises(KadaAthenaError) as caught:
        await world.run(START)

    assert str(world.path / name) in caught.value.message
    assert words in caught.value.message
    assert remedy in caught.value.hint
    assert "[Errno" not in caught.value.message
    assert "make the path writable" not in caught.value.hint


def test_a_quota_is_named_as_one() -> None:
    """The disk has space, this user not."""
    with pytest.raises(CommitError) as caught, failing(Path("/data/x")):
        raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT))

    assert "the quota of this user is used up: no space left for /data/x" in caught.value.message
    assert "ask for a larger quota" in caught.value.hint


OPENS = """
import resource, sys
from pathlib import Path
from kada_athena_async.files import Files, failing
resource.setrlimit(resource.RLIMIT_NOFILE, (24, 24))
held = []
try:
    while True:
        held.append(open("/dev/null"))
except OSError:
    pass
held.pop()
held.pop().close()
try:
    with failing(Path(sys.argv[1])):
        Files().write_durably(Path(sys.argv[1]), b"x")
        held += [open("/dev/null"), open("/dev/null")]
        Files().write_durably(Path(sys.argv[1]), b"x")
except Exception as error:
    held.clear()
    print(error)
"""


def test_too_many_open_files_have_a_remedy_of_their_own(tmp_path: Path) -> None:
    """The path is fine: it is the process's limit that is reached."""
    done = subprocess.run(
        [sys.executable, "-c", OPENS, str(tmp_path / "x")],
        capture_output=True,
        text=True,
        check=True,
    )

    assert f"cannot write {tmp_path}" in done.stdout
    assert "Too many open files" in done.stdout
    assert "raise the limit of open files (`ulimit -n`), or run fewer sites at once" in done.stdout
    assert "make the path writable" not in done.stdout


def test_a_read_only_working_directory_names_what_chooses_the_marks_place() -> None:
    """The lock beside the mark cannot be made: it is the mark that has to lie elsewhere."""
    # Where nobody may make a file, root included.
    place = Path("/proc/self/athena_hwm.lock")
    with pytest.raises(StateError) as caught:
        Files().lock(place, run_id="r", now=START, field=MARK_FIELDS)

    assert f"the lock file {place} cannot be opened" in caught.value.message
    assert "hwm_path or hwm_store" in caught.value.hint


async def test_a_run_in_a_read_only_working_directory_names_the_mark(
    world: World, small_disk: Mount
) -> None:
    """As a container's root file system is: the extracts have a place, the mark has none."""
    place = small_disk("marks", size="64k", ro=True)

    error = await error_of(world, hwm_path=place / "athena_hwm.txt")

    assert f"the lock file {place}/.athena_hwm.lock cannot be opened: Read-only" in error.message
    assert "choose another hwm_path or hwm_store" in error.hint
