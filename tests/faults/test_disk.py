"""F07 to F12, F53, F55: disks that refuse, files that somebody changed, two runs at once."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import anyio
import pytest

from kada_athena_async.errors import (
    CommitError,
    ConfigError,
    KadaAthenaError,
    LockedError,
    StateError,
)
from kada_athena_async.events import Warned
from kada_athena_async.files import Files
from tests.faults.dying import Runner, is_alive
from tests.faults.world import START, World
from tests.unit.commit.disk import CrashingFiles, SimulatedCrash

HOUR = timedelta(hours=1)


@contextmanager
def held(pid: int) -> Iterator[None]:
    """Within the block the process stands still: it does not end, however long the block takes."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


class RefusingFiles(CrashingFiles):
    """The real file system; the k-th changing operation is refused."""

    def __init__(self, refuse_at: int, number: int) -> None:
        super().__init__()
        self.refuse_at, self.number = refuse_at, number
        self.has_refused = False
        self._guard = threading.Lock()

    def step(self) -> None:
        with self._guard:
            self.steps += 1
            is_fatal = self.steps == self.refuse_at

        if is_fatal:
            self.has_refused = True
            raise OSError(self.number, os.strerror(self.number), "the disk")


STEPS = range(2, 90, 7)
"""Operations of a run at which it is refused: the first parts, seals, joins, moves, marks."""


async def error_of(world: World, moment: datetime, files: RefusingFiles) -> KadaAthenaError | None:
    """End of a run: an error, or a commit."""
    try:
        report = await world.run(moment, files=files)
    except KadaAthenaError as exc:
        return exc

    assert report.committed, report.failed
    return None


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EIO], ids=["f07_full", "f08_error"])
async def test_a_refusal_of_the_disk_is_never_success(world: World, number: int) -> None:
    """Wherever the disk refuses: an error that names it, nothing torn in sight, then recovery."""
    await world.run(START)
    moment = START
    refused = 0
    for k in STEPS:
        moment += HOUR
        world.submit(moment - HOUR / 2)
        files = RefusingFiles(k, number)
        error = await error_of(world, moment, files)
        if error is not None:
            refused += 1
            assert error.exit_code == 1, error
            assert "the disk" in error.message
            assert error.hint

        world.check_files()
        assert set(world.told().values()) <= {1}

    assert refused >= len(STEPS) // 2
    await world.run(moment + HOUR)
    assert world.leftovers() == []
    world.check()


class SmallDisk(Files):
    """The real file system; it says how much is free, and of what kind it is."""

    def __init__(self, free_bytes: int = 1 << 40, kind: str = "ext4") -> None:
        self._free_bytes, self._kind = free_bytes, kind

    def free_bytes(self, path: Path) -> int:
        return self._free_bytes

    def mount_kind(self, path: Path) -> str:
        return self._kind


async def test_f07_no_space_is_told_before_aws_is_asked(world: World) -> None:
    """Where not even an empty run has space: exit code 1, path and bytes named, no call made."""
    with pytest.raises(CommitError) as caught:
        await world.run(START, files=SmallDisk(1_000_000))

    assert caught.value.exit_code == 1
    assert f"no space left in {world.out}: 1,000,000 bytes are free" in caught.value.message
    assert "67,108,864 should be" in caught.value.message
    assert not world.sandbox.calls
    assert world.in_sight() == []


async def warnings_of(world: World, moment: datetime, files: Files) -> list[str]:
    """Remarks of a run that commits on its disk."""
    found: list[str] = []

    def keep(event: object) -> None:
        if isinstance(event, Warned) and event.code in ("disk_space", "remote_disk"):
            found.append(event.message)

    assert (await world.run(moment, files=files, observers=[keep])).committed
    return found


async def test_f07_little_space_is_warned_of(world: World) -> None:
    """Twice what the last run left should be free; with less the run goes on, and says so."""
    assert await warnings_of(world, START, SmallDisk(67_108_863)) == [
        f"little space left in {world.out}: 67,108,863 bytes are free, 67,108,864 should be"
    ]
    assert await warnings_of(world, START + HOUR, SmallDisk(67_108_864)) == []

    last = max(world.out.glob("*_manifest_*"))
    facts = json.loads(last.read_text())
    facts["files"][0]["size_bytes"] += 100_000_000
    last.write_text(json.dumps(facts))
    (warning,) = await warnings_of(world, START + 2 * HOUR, SmallDisk(200_000_000))

    assert ": 200,000,000 bytes are free, 200,00" in warning


async def test_a_network_disk_is_warned_of(world: World) -> None:
    """Where locks and renames may not hold, the run says so of the extracts and of the mark."""
    assert await warnings_of(world, START, SmallDisk(kind="xfs")) == []
    of_extracts, of_mark = await warnings_of(world, START + HOUR, SmallDisk(kind="fuse.sshfs"))

    assert of_extracts.startswith(f"{world.out} lies on a network file system (fuse.sshfs)")
    assert of_mark.startswith(f"{world.path} lies on a network file system (fuse.sshfs)")


async def test_f09_a_directory_that_may_not_be_written_is_refused_first(world: World) -> None:
    """Nothing is asked of AWS when the extracts could not be written anyway."""
    world.out.mkdir(mode=0o700)
    world.out.chmod(0o500)
    # Root may write anywhere but here.
    out = Path("/proc/self") if os.geteuid() == 0 else world.out
    with pytest.raises((ConfigError, StateError), match=str(out.resolve())):
        await world.run(START, out=out)

    assert not world.sandbox.calls


@pytest.mark.parametrize("how", ["vanished", "replaced"])
async def test_f09_a_directory_that_changes_under_the_run_is_noticed(
    world: World, tmp_path: Path, how: str
) -> None:
    """Gone, or a link to elsewhere, in the middle of a run: an error, and nothing elsewhere."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o700)

    def change(event: object) -> None:
        if type(event).__name__ == "StageStarted" and getattr(event, "stage", "") == "commit":
            world.out.rename(tmp_path / "moved")
            if how == "replaced":
                world.out.symlink_to(elsewhere)

    with pytest.raises(CommitError) as caught:
        await world.run(START, observers=[change])

    assert caught.value.exit_code == 1
    assert list(elsewhere.iterdir()) == []
    assert world.mark() is None


async def test_f10_a_second_run_is_refused_and_the_first_goes_on(world: World) -> None:
    """While a run is going on another of the same name is refused, exit code 3, and named."""
    world.sandbox.behaviour.engine_s = 1.0
    with Runner() as runner:
        pid = runner.start(world, START, metadata_source="auto")
        while not world.sandbox.calls["athena:StartQueryExecution"]:
            assert is_alive(pid)
            await anyio.sleep(0.01)

        with held(pid), pytest.raises(LockedError) as caught:
            await world.run(START)

        assert f"process {pid}" in caught.value.message
        assert caught.value.exit_code == 3
        assert runner.wait() == 0

    world.check()


async def test_f10_the_lock_of_a_dead_process_is_taken_over(world: World) -> None:
    """A process killed with the lock in hand locks nobody out."""
    with Runner() as runner:
        assert runner.run(world, START, kill_at=9) < 0

    await world.run(START + HOUR)
    world.check()


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"null", b'{"schema_version": 1}', b"\xff\xfe junk", b'{"schema_version": "x"}'],
    ids=["empty", "cut", "null", "lacking", "binary", "mistyped"],
)
async def test_f11_a_state_that_is_junk_is_no_first_run(world: World, content: bytes) -> None:
    """Exit code 3, the file stays as it is, a remedy is named, nothing is asked of AWS."""
    await world.run(START)
    world.state_path.write_bytes(content)
    mark, calls = world.mark(), dict(world.sandbox.calls)
    with pytest.raises(StateError) as caught:
        await world.run(START + HOUR)

    assert caught.value.exit_code == 3
    assert str(world.state_path) in caught.value.message
    assert caught.value.hint
    assert world.state_path.read_bytes() == content
    assert (world.mark(), dict(world.sandbox.calls)) == (mark, calls)

    # The remedy that is named works.
    world.state_path.unlink()
    await world.run(START + HOUR)
    world.check()


async def test_f53_a_state_of_a_newer_version_is_refused(world: World) -> None:
    """An older tool does not read what a newer one wrote, and says which to run."""
    await world.run(START)
    state = json.loads(world.state_path.read_text())
    world.state_path.write_text(json.dumps({**state, "schema_version": 99, "new": 1}))
    with pytest.raises(StateError) as caught:
        await world.run(START + HOUR)

    assert "newer version" in caught.value.message
    assert len(world.manifests()) == 1


async def test_f12_a_commit_of_which_a_file_is_gone_stops_the_run(world: World) -> None:
    """Killed between manifest and mark, then a file is deleted: exit code 3, the mark stays."""
    await world.run(START)
    mark = world.mark()

    class DyingAtTheMark(CrashingFiles):
        def rename(self, source: Path, target: Path) -> None:
            if target == world.state_path:
                raise SimulatedCrash("before the state")

            super().rename(source, target)

    with pytest.raises(SimulatedCrash):
        await world.run(START + HOUR, files=DyingAtTheMark())

    copy = world.path / "copy"
    (victim,) = world.out.glob(
        f"athena_users_{START + HOUR - timedelta(minutes=1):%Y%m%dT%H%M%SZ}*"
    )
    shutil.move(victim, copy)
    with pytest.raises(StateError) as caught:
        await world.run(START + 2 * HOUR)

    assert caught.value.exit_code == 3
    assert victim.name in caught.value.message
    assert world.mark() == mark

    # Restored, as the hint says, the commit is finished without asking AWS for that window again.
    shutil.move(copy, victim)
    await world.run(START + 2 * HOUR)
    world.check()


async def test_f55_two_runs_with_one_mark_exclude_each_other(world: World, tmp_path: Path) -> None:
    """Another output directory, the same mark: the second run is refused."""
    world.sandbox.behaviour.engine_s = 1.0
    with Runner() as runner:
        pid = runner.start(world, START, metadata_source="auto")
        while not world.sandbox.calls["athena:StartQueryExecution"]:
            assert is_alive(pid)
            await anyio.sleep(0.01)

        with held(pid), pytest.raises(LockedError):
            await world.run(START, out=tmp_path / "elsewhere")

        assert runner.wait() == 0

    world.check()
