"""Anything may happen in any order: what is in sight is the ledger, always.

CI plays a few games; ``FAULTS_GAMES=200 python -m pytest tests/faults/test_state_machine.py`` plays
more of them, and longer ones.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections import Counter
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import anyio
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from kada_athena_async import RunReport
from kada_athena_async.errors import KadaAthenaError, StateError
from kada_athena_async.sandbox import Sandbox
from kada_athena_async.sandbox.estate.model import Workgroup
from tests.faults.world import SETTLE, START, WallClock, World, finished
from tests.kit.small_estate import tiny_estate
from tests.unit.commit.disk import CrashingFiles, SimulatedCrash

GAMES = int(os.environ.get("FAULTS_GAMES", "0"))
MINUTE = timedelta(minutes=1)

WORKGROUPS = ("primary", "adhoc")

FATAL = ("access_denied", "expired_page_token", "expired")
"""Faults that fail a unit or the run; the others are made good within it."""

PASSING = ("throttle", "server_error", "reset_before", "reset_after", "truncate", "empty_body")

STRUCK = (
    "athena:ListQueryExecutions",
    "athena:BatchGetQueryExecution",
    "athena:ListWorkGroups",
    "glue:GetTables",
)


def is_crash(error: BaseException) -> bool:
    """True if the simulated process died, in whichever task."""
    within = getattr(error, "exceptions", ())
    return isinstance(error, SimulatedCrash) or any(is_crash(child) for child in within)


class AthenaAndItsUsers(RuleBasedStateMachine):
    """Users submit, Athena moves queries on, operators meddle, runs come and die.

    The model is the sandbox's own ledger. Nothing is passed over on purpose, and nothing is ever
    told twice: not by a start that is chosen, a mark that is set back or lost, another working
    directory, a package that is extracted again, or whatever kills a run.
    """

    @initialize()
    def begin(self) -> None:
        self.path = Path(tempfile.mkdtemp(dir="/dev/shm" if Path("/dev/shm").is_dir() else None))
        self.wall = WallClock(START)
        estate = tiny_estate(START)
        estate.executions.clear()
        estate.workgroups = {name: Workgroup(name=name) for name in WORKGROUPS}
        self.sandbox = Sandbox(estate, now=self.wall.now)
        self.sandbox.start()
        self.world = World(self.path, self.sandbox, self.wall)
        self.unfinished: list[str] = []
        self.key = (self.sandbox.access_key_id, self.sandbox.secret_access_key)
        self.rotations = self.moves = 0

    def teardown(self) -> None:
        if hasattr(self, "sandbox"):
            self.play_out()
            self.sandbox.stop()
            shutil.rmtree(self.path)

    def play_out(self) -> None:
        """All ends: two calm runs later the extracts are the ledger."""
        self.sandbox.faults.clear()
        for query_id in self.unfinished:
            self.sandbox.finish(query_id, completed_at=self.wall.time)

        for _ in range(2):
            self.wall.time += timedelta(hours=2)
            report = self.run_once()
            assert isinstance(report, RunReport)
            assert report.committed, report.failed

        assert self.world.mark() == self.wall.time - SETTLE
        assert self.world.leftovers() == []
        self.balance()

    def balance(self) -> None:
        """Told exactly: every execution that was final before the mark, once."""
        mark = self.world.mark()
        assert mark is not None
        told = self.world.told()
        assert set(told) == set(finished(self.sandbox.estate, mark))
        self.check_repeats(told)
        self.world.check_metadata()
        self.world.check_files()

    def check_repeats(self, told: Counter[str]) -> None:
        """Nothing is told more than once, and no two packages share a moment."""
        assert [query_id for query_id, times in told.items() if times > 1] == []
        windows = sorted((m["start"], m["end"]) for m in self.world.manifests())
        assert all(before[1] <= after[0] for before, after in pairwise(windows))

    def run_once(self, **fields: Any) -> RunReport | KadaAthenaError | None:
        key, secret = self.key
        try:
            return anyio.run(
                lambda: self.world.run(
                    metadata_source="api", key=key, secret=secret, results="api", **fields
                )
            )
        except KadaAthenaError as exc:
            return exc
        except BaseException as exc:
            if not is_crash(exc):
                raise

            return None

    @rule(
        workgroup=st.sampled_from(WORKGROUPS),
        minutes_ago=st.integers(0, 50),
        state=st.sampled_from(
            ["SUCCEEDED", "SUCCEEDED", "FAILED", "CANCELLED", "RUNNING", "QUEUED"]
        ),
        took_ms=st.sampled_from([None, 0, 1, 999, 59_999, 60_000]),
    )
    def submit(self, workgroup: str, minutes_ago: int, state: str, took_ms: int | None) -> None:
        """A query whose submission is shown only now, up to 50 minutes late."""
        submitted_at = self.wall.time - minutes_ago * MINUTE
        if took_ms is not None and submitted_at + timedelta(milliseconds=took_ms) > self.wall.time:
            took_ms = 0

        query_id = self.world.submit(
            submitted_at, workgroup=workgroup, state=state, took_ms=took_ms
        )
        if state in ("RUNNING", "QUEUED"):
            self.unfinished.append(query_id)

    @rule(minutes_late=st.integers(1, 50), workgroup=st.sampled_from(WORKGROUPS))
    def submit_hidden(self, minutes_late: int, workgroup: str) -> None:
        """A query that ListQueryExecutions shows only some time later, within the promise."""
        query_id = self.world.submit(self.wall.time, workgroup=workgroup, took_ms=500)
        shown_at = self.wall.time + minutes_late * MINUTE
        self.sandbox.behaviour.visible_after[query_id] = shown_at

    @precondition(lambda self: self.unfinished)
    @rule(data=st.data(), state=st.sampled_from(["SUCCEEDED", "FAILED", "CANCELLED"]))
    def finish(self, data: st.DataObject, state: str) -> None:
        query_id = data.draw(st.sampled_from(self.unfinished))
        self.unfinished.remove(query_id)
        self.sandbox.finish(query_id, state=state, completed_at=self.wall.time)

    @precondition(lambda self: self.unfinished)
    @rule(data=st.data(), state=st.sampled_from(["QUEUED", "RUNNING", "PAUSED"]))
    def requeue(self, data: st.DataObject, state: str) -> None:
        """Athena moves a query back, or into a state that nobody has documented."""
        self.sandbox.finish(data.draw(st.sampled_from(self.unfinished)), state=state)

    @rule(minutes=st.sampled_from([0, 1, 5, 30, 61, 600, 3000]), seconds=st.integers(0, 59))
    def time_passes(self, minutes: int, seconds: int) -> None:
        self.wall.time += timedelta(minutes=minutes, seconds=seconds)

    @rule()
    def run(self) -> None:
        outcome = self.run_once()
        assert isinstance(outcome, RunReport), outcome
        assert outcome.exit_code == 0, outcome.failed

    @rule(crash_at=st.integers(1, 90))
    def run_and_crash(self, crash_at: int) -> None:
        outcome = self.run_once(files=CrashingFiles(crash_at))
        assert outcome is None or isinstance(outcome, RunReport), outcome

    @rule(kind=st.sampled_from(PASSING), operation=st.sampled_from(STRUCK), call=st.integers(1, 3))
    def run_with_a_passing_fault(self, kind: Any, operation: str, call: int) -> None:
        self.sandbox.faults.add(kind, operation, calls=call)
        self.run()
        self.sandbox.faults.clear()

    @rule(kind=st.sampled_from(FATAL), operation=st.sampled_from(STRUCK), call=st.integers(1, 3))
    def run_with_a_fatal_fault(self, kind: Any, operation: str, call: int) -> None:
        self.sandbox.faults.add(kind, operation, calls=(call, call + 1, call + 2))
        outcome = self.run_once()
        self.sandbox.faults.clear()
        assert outcome is not None

    @rule()
    def lose_the_state(self) -> None:
        """The last manifest stands in for it."""
        self.world.state_path.unlink(missing_ok=True)

    @precondition(lambda self: self.world.mark() is not None and not self.world.leftovers())
    @rule()
    def touch_the_mark(self) -> None:
        """An operator writes the mark that stands there already, as an editor does."""
        mark = self.world.mark()
        self.world.hwm_path.write_text(f"{mark:%Y-%m-%d %H:%M:%S}")

    @precondition(lambda self: self.world.mark() is not None and not self.world.leftovers())
    @rule(minutes=st.sampled_from([61, 200, 3000]), by_option=st.booleans())
    def set_the_mark_back(self, minutes: int, by_option: bool) -> None:
        """Somebody asks for some time once more, after a calm run: by hand, or with --start-hwm."""
        self.sandbox.behaviour.visible_after.clear()
        self.time_passes(2, 0)
        self.run()
        mark = self.world.mark()
        assert mark is not None
        start = mark - minutes * MINUTE
        self.time_passes(2, 0)
        if by_option:
            assert isinstance(self.run_once(start_hwm=start), RunReport)
        else:
            self.world.hwm_path.write_text(f"{start:%Y-%m-%d %H:%M:%S}\n")

    @precondition(lambda self: self.world.mark() is not None and not self.world.leftovers())
    @rule(is_moved=st.booleans())
    def lose_the_mark(self, is_moved: bool) -> None:
        """Mark and state are gone, or the next run starts in another working directory."""
        if is_moved:
            self.moves += 1
            elsewhere = self.path / f"cwd-{self.moves}"
            elsewhere.mkdir()
            self.world.hwm_path = elsewhere / "athena_hwm.txt"
            self.world.state_path = elsewhere / "athena_state.json"
        else:
            self.world.hwm_path.unlink()
            self.world.state_path.unlink(missing_ok=True)

    @precondition(lambda self: self.world.manifests())
    @rule(data=st.data(), is_whole=st.booleans())
    def extract_again(self, data: st.DataObject, is_whole: bool) -> None:
        """A package once more in its own window; with a part of its window it is refused."""
        manifest = data.draw(st.sampled_from(self.world.manifests()))
        start, end = (
            datetime.fromisoformat(manifest[key].replace("Z", "+00:00")) for key in ("start", "end")
        )
        middle = start + (end - start) / 2
        asked = start if is_whole else middle.replace(microsecond=0)
        outcome = self.run_once(start_hwm=asked, end_hwm=end, again=True)
        if asked == start:
            assert isinstance(outcome, RunReport), outcome
        else:
            assert isinstance(outcome, StateError), outcome

    @precondition(lambda self: self.world.manifests())
    @rule(minutes=st.integers(1, 5000), length=st.integers(1, 3000))
    def ask_for_a_window_without_the_mark(self, minutes: int, length: int) -> None:
        """A caller with own marks asks for any time: what is told is refused or left out."""
        newest = datetime.fromisoformat(self.world.manifests()[-1]["end"].replace("Z", "+00:00"))
        start = newest - minutes * MINUTE
        end = min(newest, start + length * MINUTE)
        outcome = self.run_once(start_hwm=start, end_hwm=end, manage_hwm=False)
        assert isinstance(outcome, RunReport | StateError), outcome

    @precondition(lambda self: self.world.mark() is not None)
    @rule(field=st.sampled_from(["server", "region"]))
    def come_as_somebody_else(self, field: str) -> None:
        """A configuration of another server or Region is refused and changes nothing."""
        before, seen = self.world.mark(), self.world.in_sight()
        outcome = self.run_once(
            **{field: "other.example.com" if field == "server" else "eu-west-2"}
        )
        assert isinstance(outcome, StateError), outcome
        assert (self.world.mark(), self.world.in_sight()) == (before, seen)

    @rule()
    def rotate_the_keys(self) -> None:
        """A new key for the collector; the old one goes on for a while, as it should."""
        self.rotations += 1
        key = self.sandbox.add_user(f"collector-{self.rotations}")
        self.key = (key.access_key_id, key.secret)

    @invariant()
    def nothing_is_told_twice_or_torn(self) -> None:
        if not hasattr(self, "world"):
            return

        self.check_repeats(self.world.told())
        named = {f["name"] for m in self.world.manifests() for f in m["files"]}
        assert named <= set(self.world.in_sight())


AthenaAndItsUsers.TestCase.settings = settings(
    max_examples=GAMES or 4,
    stateful_step_count=30 if GAMES else 12,
    deadline=None,
    derandomize=not GAMES,
    database=None,
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)

TestAnythingInAnyOrder = AthenaAndItsUsers.TestCase
TestAnythingInAnyOrder.pytestmark = [pytest.mark.timeout(300 + 60 * GAMES)]
