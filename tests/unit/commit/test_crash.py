"""Whatever dies at whatever moment: nothing is lost, nothing is published twice."""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import TypeAlias

import pytest

from kada_athena_async.errors import KadaAthenaError
from kada_athena_async.files import Files
from tests.kit.command import ROOT, run_command
from tests.kit.in_place import work_in_place
from tests.unit.commit.disk import CrashingFiles, ForgetfulFiles, SimulatedCrash
from tests.unit.commit.miniature import T0, Miniature, check_complete, check_in_sight

FIRST = T0 + timedelta(minutes=61)
SECOND = T0 + timedelta(minutes=121)
THIRD = T0 + timedelta(minutes=181)
AFTER = T0 + timedelta(minutes=241)
SETTLE = timedelta(seconds=60)

# A run has this many operations at least; a loop that ends earlier has met none of what matters.
LEAST_STEPS = 90

Disk: TypeAlias = Callable[[Path, int], ForgetfulFiles]


@pytest.fixture(autouse=True, scope="module")
def _in_place() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as monkeypatch:
        work_in_place(monkeypatch)
        yield


@pytest.fixture
def disk() -> Iterator[Path]:
    """A directory in memory where there is one: thousands of syncs cost nothing there."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as path:
        yield Path(path)


@pytest.fixture
async def template(disk: Path) -> Path:
    """A world after its first run, to be copied."""
    world = disk / "template"
    await Miniature(world, files=Files()).run(FIRST)
    check_complete(world, FIRST - SETTLE)
    return world


async def crash(world: Path, files: CrashingFiles) -> bool:
    """Do the second run until the crash; False if it came through."""
    try:
        await Miniature(world, files=files).run(SECOND)
    except SimulatedCrash:
        return True

    return False


async def recovers(world: Path) -> None:
    """After the crash, two more runs bring everything into sight, once."""
    check_in_sight(world)
    await Miniature(world, files=Files()).run(THIRD)
    await Miniature(world, files=Files()).run(AFTER)
    check_complete(world, AFTER - SETTLE)


async def test_a_process_killed_at_any_operation_costs_nothing(disk: Path, template: Path) -> None:
    """F01: a run killed at each file operation, then run again: all is published, once."""
    for k in itertools.count(1):
        world = disk / "world"
        shutil.copytree(template, world)
        if not await crash(world, CrashingFiles(k)):
            break

        await recovers(world)
        shutil.rmtree(world)

    assert k > LEAST_STEPS


DIE = """
import asyncio, os, signal, sys
from datetime import datetime
from pathlib import Path
from tests.unit.commit.disk import CrashingFiles
from tests.unit.commit.miniature import Miniature

class Killed(CrashingFiles):
    def step(self):
        self.steps += 1
        if self.steps == self.crash_at:
            os.kill(os.getpid(), signal.SIGKILL)

files = Killed(int(sys.argv[2]))
now = datetime.fromisoformat(sys.argv[3])
asyncio.run(Miniature(Path(sys.argv[1]), files=files).run(now))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
@pytest.mark.parametrize("k", [1, 38, 60, 71, 78, 88])
async def test_a_real_process_killed_costs_nothing(disk: Path, template: Path, k: int) -> None:
    """F01: the same with SIGKILL and a real process, at some of the operations."""
    script = disk / "die.py"
    script.write_text(DIE)
    killed = run_command(
        [template, str(k), SECOND.isoformat()],
        script=script,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )

    assert killed.returncode == -signal.SIGKILL
    await recovers(template)


async def lose_power(
    disk: Path, template: Path, k: int, seeds: range, *, nested: int, make: Disk = ForgetfulFiles
) -> bool:
    """Lose power at the k-th operation of a run, in several ways, also while recovering from it.

    Returns:
        False if the run has fewer operations.
    """
    world = disk / "world"
    shutil.copytree(template, world)
    dying = make(world, k)
    crashed = await crash(world, dying)
    for seed in seeds:
        chance = Random(f"{k} {seed}")
        left = disk / "left"
        dying.leave(left, chance)
        for _ in range(nested):
            await lose_power_again(left, chance)

        await recovers(left)
        shutil.rmtree(left)

    shutil.rmtree(world)
    return crashed


async def lose_power_again(world: Path, chance: Random) -> None:
    """Lose power once more, at some operation of the run that recovers."""
    check_in_sight(world)
    dying = ForgetfulFiles(world, chance.randrange(1, LEAST_STEPS))
    try:
        await Miniature(world, files=dying).run(THIRD)
    except SimulatedCrash:
        left = world.with_name(f"{world.name}-again")
        dying.leave(left, chance)
        shutil.rmtree(world)
        shutil.move(left, world)


@pytest.mark.parametrize(
    ("seeds", "nested"),
    [
        pytest.param(range(1), 1, id="sample"),
        pytest.param(
            range(1, 40), 3, id="whole", marks=[pytest.mark.slow, pytest.mark.timeout(900)]
        ),
    ],
)
async def test_power_lost_at_any_operation_costs_nothing(
    disk: Path, template: Path, seeds: range, nested: int
) -> None:
    """F02, F03: what was not synced is lost, torn or reordered, also during recovery."""
    for k in itertools.count(1):
        if not await lose_power(disk, template, k, seeds, nested=nested):
            break

    assert k > LEAST_STEPS


def liar(omit: Callable[[str, Path], bool]) -> Disk:
    """A disk whose syncs are lies where *omit* says so."""
    return lambda root, crash_at: ForgetfulFiles(root, crash_at, omit=omit)


def is_data_directory(operation: str, path: Path) -> bool:
    """The sync of ``out`` while the manifest is not in sight yet."""
    staged = list(path.glob(".athena-staging/*/out/athena_manifest_*"))
    return operation == "sync_dir" and path.name == "out" and bool(staged)


def is_manifest_directory(operation: str, path: Path) -> bool:
    """The sync of ``out`` when the manifest is in sight."""
    is_second = (path / "athena_manifest_20261101T020000Z.json").exists()
    return operation == "sync_dir" and path.name == "out" and is_second


class ManifestFirst(ForgetfulFiles):
    """Moves the manifest into sight before the data."""

    def rename(self, source: Path, target: Path) -> None:
        for manifest in source.parent.glob("athena_manifest_*"):
            if source.suffix == ".gz":
                self.note_omission()
                super().rename(manifest, target.with_name(manifest.name))

        super().rename(source, target)


class MarkFirst(ForgetfulFiles):
    """Moves the mark before the data is in sight."""

    def rename(self, source: Path, target: Path) -> None:
        if source.suffix == ".gz" and source.parent.name == "out":
            marks = self._root / "marks"
            mark = f"{SECOND - SETTLE:%Y-%m-%d %H:%M:%S}\n".encode()
            if (marks / "athena_hwm.txt").read_bytes() != mark:
                self.note_omission()
                self.write_durably(marks / "athena_hwm.txt", mark)

        super().rename(source, target)


class InPlace(ForgetfulFiles):
    """Writes the extracts where everybody sees them grow."""

    def create(self, path: Path) -> int:
        return super().create(self._in_sight(path))

    def rename(self, source: Path, target: Path) -> None:
        if source.suffix != ".gz":
            super().rename(source, target)

    def _in_sight(self, path: Path) -> Path:
        if path.suffix != ".gz" or path.parent.name != "out":
            return path

        self.note_omission()
        return self._root / "out" / path.name


MUTATIONS: dict[str, Disk] = {
    "no sync of the directory between data and manifest": liar(is_data_directory),
    "no sync of the directory between manifest and mark": liar(is_manifest_directory),
    "no sync of the journal's directory": liar(
        lambda operation, path: operation == "sync_dir" and path.parent.name == ".athena-staging"
    ),
    "no sync of directories": liar(lambda operation, path: operation == "sync_dir"),
    "no sync of files": liar(lambda operation, path: operation == "sync"),
    "no sync of the extracts": liar(
        lambda operation, path: operation == "sync" and path.suffix == ".gz"
    ),
    "no sync of the state": liar(
        lambda operation, path: operation == "sync" and "state.json" in path.name
    ),
    "no sync of the mark": liar(
        lambda operation, path: operation == "sync" and "hwm.txt" in path.name
    ),
    "no sync of the manifest": liar(
        lambda operation, path: operation == "sync" and "manifest" in path.name
    ),
    "no sync of the commit's journal": liar(
        lambda operation, path: operation == "sync" and "commit.json" in path.name
    ),
    "manifest first": ManifestFirst,
    "mark first": MarkFirst,
    "in place": InPlace,
}


@pytest.mark.parametrize("mutation", MUTATIONS)
async def test_each_omission_is_found(disk: Path, template: Path, mutation: str) -> None:
    """Each step of the protocol that is left out or swapped is found by the test above.

    Up to the step the disk is like any other, so the power is lost from there on: right after it
    and at the end first, where most are found.
    """
    world = disk / "unharmed"
    shutil.copytree(template, world)
    files = MUTATIONS[mutation](world, 0)
    assert not await crash(world, files)
    await recovers(world)

    async def lose_power_often() -> None:
        steps = range(files.first_omission, files.steps + 1)
        from_both_ends = [k for pair in zip(steps, reversed(steps), strict=True) for k in pair]
        for seeds in (range(5), range(5, 12)):
            for k in dict.fromkeys(from_both_ends):
                await lose_power(disk, template, k, seeds, nested=0, make=MUTATIONS[mutation])

    with pytest.raises((AssertionError, KadaAthenaError, OSError, ValueError)):
        await lose_power_often()
