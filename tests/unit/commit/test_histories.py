"""Any history of submissions, runs, crashes and accidents: the union of manifests is the ledger."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from random import Random

import anyio
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from kada_athena_async.files import Files
from tests.kit.in_place import work_in_place
from tests.unit.commit.disk import CrashingFiles, ForgetfulFiles, SimulatedCrash
from tests.unit.commit.miniature import (
    T0,
    WORKGROUPS,
    Entry,
    Miniature,
    check_complete,
    check_in_sight,
    published,
)

SETTLE = timedelta(seconds=60)
MEMORY = Path("/dev/shm")
steps = st.integers(1, 110)


@pytest.fixture(autouse=True, scope="module")
def _in_place() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as monkeypatch:
        work_in_place(monkeypatch)
        yield


async def test_a_lost_state_loses_no_long_query(tmp_path: Path) -> None:
    """Waited for longer than the wide overlap reaches, and found again by the manifest's ids."""
    hour = timedelta(hours=1)
    entries = [Entry("long", "primary", T0, T0 + 20 * hour)]
    world = Miniature(tmp_path / "world", files=Files(), entries=entries)
    for moment in (1, 14, 21):
        world.store.state_path.unlink(missing_ok=True)
        await world.run(T0 + moment * hour)

    check_complete(tmp_path / "world", T0 + 21 * hour - SETTLE, entries)


class Histories(RuleBasedStateMachine):
    """Time passes, executions come and go, runs run and die, and people meddle."""

    def __init__(self) -> None:
        super().__init__()
        self.disk = Path(tempfile.mkdtemp(dir=MEMORY if MEMORY.is_dir() else None))
        self.root = self.disk / "world"
        self.now = T0
        self.entries: list[Entry] = []
        self.is_clean = True
        self._live(Files())

    def teardown(self) -> None:
        self.now += timedelta(days=2)
        self._live(Files())
        self.now += timedelta(minutes=5)
        self._live(Files())
        check_complete(self.root, self.now - SETTLE, self.entries)
        shutil.rmtree(self.disk)

    def _live(self, files: Files) -> None:
        async def run() -> None:
            await Miniature(self.root, files=files, entries=self.entries).run(self.now)

        anyio.run(run)

    def _die(self, files: CrashingFiles) -> None:
        self.is_clean = False
        try:
            self._live(files)
        except SimulatedCrash:
            return

        self.is_clean = True

    @rule(
        workgroup=st.sampled_from(WORKGROUPS),
        life=st.one_of(st.integers(0, 120), st.integers(0, 86_400)),
        delay=st.sampled_from([0, 0, 90, 3600]),
    )
    def submit(self, workgroup: str, life: int, delay: int) -> None:
        """An execution, short or long, listed at once or up to an hour late."""
        self.entries.append(
            Entry(
                f"q{len(self.entries)}",
                workgroup,
                self.now,
                self.now + timedelta(seconds=life),
                timedelta(seconds=delay),
            )
        )

    @rule(seconds=st.one_of(st.integers(1, 300), st.integers(300, 4 * 3600)))
    def wait(self, seconds: int) -> None:
        """Time passes."""
        self.now += timedelta(seconds=seconds)

    @rule()
    def run(self) -> None:
        """A run that comes through."""
        self.now += timedelta(seconds=1)
        self._live(Files())
        self.is_clean = True

    @rule(k=steps)
    def kill(self, k: int) -> None:
        """A run that is killed at some file operation."""
        self.now += timedelta(seconds=1)
        self._die(CrashingFiles(k))

    @rule(k=steps, seed=st.integers(0, 10_000))
    def lose_power(self, k: int, seed: int) -> None:
        """A run during which the power fails."""
        self.now += timedelta(seconds=1)
        dying = ForgetfulFiles(self.root, k)
        self._die(dying)
        if not self.is_clean:
            left = self.disk / "left"
            dying.leave(left, Random(seed))
            shutil.rmtree(self.root)
            left.rename(self.root)

    @precondition(lambda self: self.is_clean)
    @rule()
    def lose_state(self) -> None:
        """Somebody removes the state file; the manifest knows what it knew."""
        (self.root / "marks" / "athena_state.json").unlink(missing_ok=True)

    @rule()
    def clear_staging(self) -> None:
        """Somebody tidies up, unless a first run has not got its mark yet."""
        if (self.root / "marks" / "athena_hwm.txt").exists():
            for path in (self.root / "out").glob(".athena-staging/*"):
                if not list(path.glob("commit.json")):
                    shutil.rmtree(path)

    @invariant()
    def what_is_in_sight_is_whole(self) -> None:
        """At any moment a consumer sees whole commits, and no execution twice."""
        check_in_sight(self.root)
        found = published(self.root / "out")
        assert len(found) == len(set(found))


class ManyHistories(Histories):
    """The same, for as long as it takes."""


SETTINGS = settings(
    max_examples=20,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
Histories.TestCase.settings = SETTINGS
ManyHistories.TestCase.settings = settings(SETTINGS, max_examples=600)
TestHistories = Histories.TestCase
TestManyHistories = pytest.mark.slow(ManyHistories.TestCase)
