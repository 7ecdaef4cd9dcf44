"""Windows, verdicts and accounts: each finished execution is told once, whatever the order."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from functools import partial
from itertools import chain
from random import Random
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kada_athena_async.errors import ConfigError, StateError
from kada_athena_async.hwm import (
    Disposition,
    Execution,
    Ledger,
    RunState,
    Window,
    WindowPlan,
    WorkgroupState,
    classify,
    next_state,
    plan_window,
)
from kada_athena_async.hwm.run_state import OVERLAP
from kada_athena_async.hwm.window import RETENTION

NOW = datetime(2026, 11, 23, 5, tzinfo=timezone.utc)
SETTLE = timedelta(seconds=60)
LOOKBACK = timedelta(days=7)
HOUR = timedelta(hours=1)
MS = timedelta(milliseconds=1)

plan = partial(plan_window, settle=SETTLE, initial_lookback=LOOKBACK)


class Entry(NamedTuple):
    """Facts of an execution.

    Attributes:
        visible_at: When Athena's listing shows it first.
        failed_at: When it failed before it was queued once more; None if it never did.
    """

    query_id: str
    workgroup: str
    submitted_at: datetime
    completed_at: datetime
    visible_at: datetime
    failed_at: datetime | None = None
    final_state: str = "SUCCEEDED"

    def at(self, moment: datetime) -> Execution:
        """Athena's answer about it at *moment*."""
        state, completed_at = "RUNNING", None
        if moment >= self.completed_at:
            state, completed_at = self.final_state, self.completed_at
        elif self.failed_at and self.failed_at <= moment < self.failed_at + SETTLE:
            state, completed_at = "FAILED", self.failed_at

        return Execution(self.query_id, self.workgroup, state, self.submitted_at, completed_at)


def entry(
    query_id: str,
    submitted: timedelta,
    completed: timedelta,
    *,
    visible: timedelta | None = None,
    failed: timedelta | None = None,
) -> Entry:
    """An execution with times relative to ``NOW``."""
    return Entry(
        query_id,
        "primary",
        NOW + submitted,
        NOW + completed,
        NOW + (submitted if visible is None else visible),
        None if failed is None else NOW + failed,
    )


class Runs:
    """Runs in a row over a ledger; knows what each emitted."""

    def __init__(self, ledger: Sequence[Entry], *, seed: int = 0) -> None:
        self.ledger = ledger
        self.hwm: datetime | None = None
        self.state: RunState | None = None
        self.emitted: list[list[str]] = []
        self.late: list[str] = []
        self.counts: list[dict[str, int]] = []
        self._chance = Random(seed)

    def run(self, now: datetime, *, denied: frozenset[str] = frozenset()) -> WindowPlan:
        """One run at *now*; what the workgroups of *denied* hold is not seen by it."""
        window_plan = plan(now, self.hwm, self.state)
        self.emitted.append([])
        self.counts.append({})
        if window_plan.window is None:
            return window_plan

        accounts = []
        for workgroup in sorted({e.workgroup for e in self.ledger} - denied):
            account = Ledger(window_plan.of_workgroup(workgroup))
            for query_id in self._candidates(account, window_plan, workgroup, now):
                self._judge(account, query_id, now)

            closed = account.close()
            accounts.append(closed)
            self.counts[-1] |= closed.counts

        self.hwm = window_plan.window.end
        self.state = next_state(self.hwm, window_plan.previous, accounts)
        return window_plan

    def _candidates(
        self, account: Ledger, window_plan: WindowPlan, workgroup: str, now: datetime
    ) -> list[str]:
        since = window_plan.of_workgroup(workgroup).listed_since
        listed = [
            e.query_id
            for e in self.ledger
            if e.workgroup == workgroup and e.visible_at <= now and since <= e.submitted_at <= now
        ]
        self._chance.shuffle(listed)
        seen_twice = listed + listed[: len(listed) // 3]
        return list(dict.fromkeys(account.unfinished() + account.admit(seen_twice)))

    def _judge(self, account: Ledger, query_id: str, now: datetime) -> None:
        truth = next(e for e in self.ledger if e.query_id == query_id)
        classified = account.classify(truth.at(now))
        if classified.disposition is Disposition.EMIT:
            self.emitted[-1].append(query_id)
            self.late += [query_id] * classified.is_late


def run_at(ledger: Sequence[Entry], *moments: timedelta) -> Runs:
    """Runs at moments relative to ``NOW``."""
    runs = Runs(ledger)
    for moment in moments:
        runs.run(NOW + moment)

    return runs


@st.composite
def ledgers(draw: st.DrawFn) -> list[Entry]:
    """Executions of two workgroups within four days, some long, late to be listed, or requeued."""
    seconds = st.integers(0, 4 * 86_400 * 1000).map(lambda ms: timedelta(milliseconds=ms))
    lives = st.one_of(
        st.integers(0, 120_000), st.integers(0, 8 * 3_600_000), st.integers(0, 3 * 86_400_000)
    ).map(lambda ms: timedelta(milliseconds=ms))
    delays = st.one_of(st.just(timedelta(0)), st.timedeltas(timedelta(0), OVERLAP + SETTLE))
    entries = []
    for index in range(draw(st.integers(1, 25))):
        submitted_at = NOW + draw(seconds)
        life = draw(lives)
        failed_at = submitted_at + life / 2 if life < SETTLE and draw(st.booleans()) else None
        entries.append(
            Entry(
                f"q{index}",
                draw(st.sampled_from(["primary", "reports"])),
                submitted_at,
                submitted_at + life,
                submitted_at + draw(delays),
                failed_at,
                draw(st.sampled_from(["SUCCEEDED", "FAILED", "CANCELLED"])),
            )
        )

    return entries


@settings(max_examples=150, deadline=None)
@given(
    ledger=ledgers(),
    moments=st.lists(st.timedeltas(timedelta(0), timedelta(days=7)), min_size=1, max_size=12),
    denials=st.lists(st.sampled_from([frozenset(), frozenset(), frozenset({"reports"})])),
    seed=st.integers(0, 1000),
)
def test_each_execution_is_emitted_once(
    ledger: list[Entry],
    moments: list[timedelta],
    denials: list[frozenset[str]],
    seed: int,
) -> None:
    """F21: runs at any times, any listing order, late visibility, denied workgroups: the ledger."""
    runs = Runs(ledger, seed=seed)
    runs.run(NOW)
    for index, moment in enumerate(sorted(moments)):
        denied = denials[index] if index < len(denials) else frozenset()
        runs.run(NOW + moment, denied=denied)

    runs.run(NOW + timedelta(days=9))

    assert sorted(chain(*runs.emitted)) == sorted(e.query_id for e in ledger)


@settings(max_examples=120, deadline=None)
@given(
    ledger=ledgers(),
    gaps=st.lists(st.timedeltas(timedelta(minutes=2), timedelta(hours=9)), min_size=2, max_size=9),
    losses=st.lists(st.booleans()),
)
def test_without_state_nothing_comes_twice(
    ledger: list[Entry], gaps: list[timedelta], losses: list[bool]
) -> None:
    """With a lost state only what was late or long is lost; nothing is doubled, then or later."""
    runs, now = Runs(ledger), NOW + timedelta(days=2)
    runs.run(now)
    for index, gap in enumerate(gaps):
        if index < len(losses) and losses[index]:
            runs.state = None

        now += gap
        runs.run(now)

    emitted = list(chain(*runs.emitted))
    assert len(emitted) == len(set(emitted))


def test_what_a_run_without_state_passes_over_stays_passed_over() -> None:
    """Emitted, then the state is lost: later runs must not take it for news."""
    minute = timedelta(minutes=1)
    runs = Runs([entry("a", -10 * minute, -9 * minute)])
    runs.run(NOW)
    runs.state = None
    runs.run(NOW + 10 * minute)
    runs.run(NOW + 20 * minute)

    assert runs.emitted == [["a"], [], []]


def test_f13_running_at_the_end_belongs_to_the_next_run() -> None:
    """Running at the end of one window, finished in the next: once, there, marked late."""
    runs = run_at([entry("a", -HOUR, HOUR)], timedelta(0), 2 * HOUR)

    assert runs.emitted == [[], ["a"]]
    assert runs.late == ["a"]
    assert runs.counts[0]["pending"] == 1


def test_f14_a_query_of_three_days_is_waited_for() -> None:
    """Seen running by each run of three days, it is carried by its id and emitted once."""
    days = [timedelta(days=n) for n in range(5)]
    runs = run_at([entry("a", -HOUR, timedelta(days=3, hours=1))], *days)

    assert runs.emitted == [[], [], [], [], ["a"]]


def test_f15_back_to_queued_changes_nothing() -> None:
    """An unfinished execution is waited for, whichever unfinished state it is in."""
    runs = run_at([], timedelta(0))
    window_plan = plan(NOW + 2 * HOUR, runs.hwm, runs.state)
    history = window_plan.of_workgroup("primary")
    for state in ("QUEUED", "RUNNING"):
        execution = Execution("a", "primary", state, NOW, None)
        assert classify(execution, history).disposition is Disposition.PENDING


def test_f16_failed_then_queued_again_is_one_row() -> None:
    """A failure younger than the settling time is not frozen: the row tells the final state."""
    second = timedelta(seconds=1)
    retried = entry("a", -40 * second, 30 * second, failed=-20 * second)
    runs = run_at([retried], timedelta(0), HOUR)

    assert runs.emitted == [[], ["a"]]


def test_f17_the_start_is_in_the_end_is_not() -> None:
    """Completed at the start: in; at the end: in the next; a millisecond before the end: in."""
    end = -SETTLE
    ledger = [
        entry("at end", -HOUR, end),
        entry("before end", -HOUR, end - MS),
        entry("at first start", -timedelta(days=7), -timedelta(days=7)),
    ]
    runs = run_at(ledger, timedelta(0), HOUR)

    assert [sorted(ids) for ids in runs.emitted] == [["at first start", "before end"], ["at end"]]


def test_f18_listable_late_is_found_by_the_overlap() -> None:
    """Finished before the mark and listable after the run: the next run emits it once, as late."""
    hidden = entry("a", -10 * SETTLE, -9 * SETTLE, visible=SETTLE)
    runs = run_at([hidden], timedelta(0), HOUR, 2 * HOUR)

    assert runs.emitted == [[], ["a"], []]
    assert runs.late == ["a"]


def test_f19_listable_after_the_overlap_is_outside_the_promise() -> None:
    """Later than overlap and settling time it counts as an earlier run's: counted, not emitted."""
    hidden = entry("a", -3 * HOUR, -3 * HOUR, visible=HOUR)
    runs = Runs([hidden])
    runs.run(NOW)
    window_plan = plan(NOW + 2 * HOUR, runs.hwm, runs.state)
    account = Ledger(window_plan.of_workgroup("primary"))
    account.admit(["a"])

    assert account.classify(hidden.at(NOW + 2 * HOUR)).disposition is Disposition.BEFORE
    assert account.close().counts["before"] == 1


def test_f20_the_same_id_twice_is_one_row() -> None:
    """On two pages it is admitted once; in another workgroup's listing it is not this unit's."""
    window_plan = plan(NOW, None)
    account = Ledger(window_plan.of_workgroup("primary"))

    assert account.admit(["a", "b", "a"]) == ["a", "b"]

    mine = Execution("a", "primary", "SUCCEEDED", NOW - HOUR, NOW - HOUR)
    assert account.classify(mine).disposition is Disposition.EMIT
    assert (
        account.classify(mine._replace(query_id="b", workgroup="x")).disposition
        is Disposition.ELSEWHERE
    )
    assert account.admit(["a", "b"]) == []

    counts = account.close().counts
    assert (counts["listed"], counts["emitted"], counts["elsewhere"]) == (2, 1, 1)


def test_f23_a_scan_that_broke_off_is_repeated_without_loss() -> None:
    """F23: what was admitted and not answered for is asked for again, what was answered is not."""
    account = Ledger(plan(NOW, None).of_workgroup("primary"))
    account.admit(["a", "b"])
    done = Execution("a", "primary", "SUCCEEDED", NOW - HOUR, NOW - HOUR)
    account.classify(done)

    assert account.admit(["a", "b", "c"]) == ["b", "c"]

    for query_id in ("b", "c"):
        account.classify(done._replace(query_id=query_id))

    assert account.close().counts["listed"] == 3


def test_f25_an_execution_that_athena_omits_fails_the_account() -> None:
    """An id that was asked for and never answered for stops the commit."""
    account = Ledger(plan(NOW, None).of_workgroup("primary"))
    account.admit(["a", "b"])
    account.classify(Execution("a", "primary", "SUCCEEDED", NOW - HOUR, NOW - HOUR))

    message = r"listed 2 executions of workgroup primary and answered for 1; without answer: b"
    with pytest.raises(StateError, match=message):
        account.close()


def test_an_answer_nobody_asked_for_fails_the_account() -> None:
    """An id that comes twice, or unasked, would be a double."""
    account = Ledger(plan(NOW, None).of_workgroup("primary"))
    account.admit(["a"])
    account.classify(Execution("a", "primary", "SUCCEEDED", NOW - HOUR, NOW - HOUR))

    with pytest.raises(StateError, match="came twice"):
        account.classify(Execution("a", "primary", "SUCCEEDED", NOW - HOUR, NOW - HOUR))


def test_f42_a_mark_older_than_athenas_memory_is_a_gap() -> None:
    """Sixty days old: both bounds of what is lost are told, the rest is extracted."""
    hwm = NOW - timedelta(days=60)
    window_plan = plan(NOW, hwm)

    assert window_plan.window == Window(hwm, NOW - SETTLE)
    assert window_plan.gaps == {"retention": Window(hwm, NOW - RETENTION)}


def test_f43_a_mark_set_back_reads_again_and_says_so() -> None:
    """The time since the new mark is read again; what an earlier run told of it comes again."""
    hwm = NOW - timedelta(days=1)
    window_plan = plan(NOW, hwm, RunState(hwm=NOW - HOUR))

    assert window_plan.window == Window(hwm, NOW - SETTLE)
    assert not window_plan.follows
    assert window_plan.gaps == {}
    assert [code for code, _ in window_plan.notes] == ["mark_edited"]


def test_f43_a_mark_set_forward_is_a_gap() -> None:
    """The time between the mark that was reached and the one that was set is named as skipped."""
    window_plan = plan(NOW, NOW - HOUR, RunState(hwm=NOW - timedelta(days=1)))

    assert window_plan.gaps == {"operator": Window(NOW - timedelta(days=1), NOW - HOUR)}


DAY = timedelta(days=1)
LONG = {"long": NOW - 6 * DAY}


def marked(mark: datetime) -> WorkgroupState:
    """A workgroup in which one query has been under way for days."""
    return WorkgroupState(hwm=mark, pending=LONG, recent={"told": mark})


def chosen(hwm: datetime, start: datetime, **ends: datetime) -> tuple[WindowPlan, WindowPlan]:
    """A start chosen on the command line, and the same one written into the mark."""
    left = RunState(hwm=hwm, workgroups={"primary": marked(hwm), "lagging": marked(hwm - 4 * DAY)})
    asked = plan(NOW, hwm, left, start=start, **ends)
    return asked, plan(NOW, start, left, **ends)


@pytest.mark.parametrize("how", [0, 1], ids=["start_hwm", "edited mark"])
@pytest.mark.parametrize("days", [3, 0.5], ids=["back", "forward"])
def test_a_chosen_start_forgets_no_query_that_is_under_way(how: int, days: float) -> None:
    """A query that has run for longer than any listing reaches back is asked for by its id."""
    history = chosen(NOW - DAY, NOW - days * DAY)[how].of_workgroup("primary")

    assert history.window.start == NOW - days * DAY
    assert history.unfinished == LONG
    assert history.previous is None

    account = Ledger(history)
    done = Execution("long", "primary", "SUCCEEDED", LONG["long"], NOW - HOUR)
    assert account.admit(account.unfinished()) == ["long"]
    assert account.classify(done).disposition is Disposition.EMIT


def test_a_query_that_ended_in_skipped_time_is_skipped() -> None:
    """A mark set forward leaves out what ended before it, however long it was unfinished."""
    history = chosen(NOW - DAY, NOW - HOUR)[0].of_workgroup("primary")
    account = Ledger(history)
    account.unfinished()
    done = Execution("long", "primary", "SUCCEEDED", LONG["long"], NOW - 2 * HOUR)

    assert account.classify(done).disposition is Disposition.BEFORE


@pytest.mark.parametrize("how", [0, 1], ids=["start_hwm", "edited mark"])
def test_a_chosen_start_forgets_no_workgroup_that_lags_behind(how: int) -> None:
    """It is read from its own mark; not if the mark will not move, for then it comes again."""
    back = chosen(NOW - DAY, NOW - 2 * DAY)[how].of_workgroup("lagging")
    forward = chosen(NOW - DAY, NOW - HOUR)[how].of_workgroup("lagging")
    older = chosen(NOW - DAY, NOW - 3 * DAY, end=NOW - 2 * DAY)[how].of_workgroup("lagging")

    assert (back.window.start, back.previous) == (NOW - 5 * DAY, marked(NOW - 5 * DAY))
    assert back.gaps == {}
    assert (forward.window.start, forward.previous) == (NOW - HOUR, None)
    assert forward.gaps == {"operator": Window(NOW - 5 * DAY, NOW - HOUR)}
    assert (older.window.start, older.previous) == (NOW - 3 * DAY, None)
    assert older.gaps == {}


def test_f44_an_end_in_the_future_is_clamped() -> None:
    """An execution that has not settled is not extracted, whoever asks for it, and that is said."""
    window_plan = plan(NOW, NOW - HOUR, end=NOW + HOUR)

    assert window_plan.window == Window(NOW - HOUR, NOW - SETTLE)
    assert [code for code, _ in window_plan.notes] == ["clamped"]


def test_f44_start_equal_to_end_is_nothing_to_do() -> None:
    """An empty window is no error."""
    window_plan = plan(NOW, None, start=NOW - HOUR, end=NOW - HOUR)

    assert window_plan.window is None


def test_f44_start_after_end_is_refused() -> None:
    """The command is wrong, and the message says in which value."""
    with pytest.raises(ConfigError, match="start_hwm = 2026-11-23 04:00:00") as caught:
        plan(NOW, None, start=NOW - HOUR, end=NOW - 2 * HOUR)

    assert caught.value.exit_code == 2


def test_a_mark_in_the_future_is_not_trusted() -> None:
    """A clock that jumped or a typing error must not skip what happens until then."""
    with pytest.raises(StateError, match="2026-11-24 05:00:00 UTC lies in the future"):
        plan(NOW, NOW + timedelta(days=1))


def test_a_mark_within_the_settling_time_is_nothing_to_do() -> None:
    """A run right after another has nothing to extract yet."""
    window_plan = plan(NOW, NOW - timedelta(seconds=5))

    assert window_plan.window is None


def test_a_naive_start_is_utc() -> None:
    """The vendor's marks have no zone; they are UTC."""
    start = datetime(2026, 11, 23, 1, 2, 3, 999)  # noqa: DTZ001 - this is what is tested
    window_plan = plan(NOW, None, start=start)

    assert window_plan.window is not None
    assert window_plan.window.start == datetime(2026, 11, 23, 1, 2, 3, tzinfo=timezone.utc)


def test_f51_what_athena_forgot_expires() -> None:
    """An id that never finishes is waited for no longer than Athena remembers it."""
    known = WorkgroupState(
        hwm=NOW - HOUR, pending={"old": NOW - timedelta(days=46), "young": NOW - timedelta(days=1)}
    )
    state = RunState(hwm=NOW - HOUR, workgroups={"primary": known})
    window_plan = plan(NOW, NOW - HOUR, state)
    account = Ledger(window_plan.of_workgroup("primary"))

    assert account.unfinished() == ["young"]

    account.defer("young", why="missing")
    closed = account.close()
    assert closed.counts["expired"] == closed.counts["missing"] == 1
    assert closed.next.pending == {"young": NOW - timedelta(days=1)}


def test_f24_what_may_not_be_seen_is_asked_for_again() -> None:
    """An unauthorised id is counted and carried, so that it comes once the right is there."""
    hidden = entry("a", -2 * HOUR, -2 * HOUR)
    window_plan = plan(NOW, None)
    account = Ledger(window_plan.of_workgroup("primary"))
    account.admit(["a"])
    account.defer("a", why="unauthorised")
    closed = account.close()
    state = next_state(NOW - SETTLE, None, [closed])
    later = plan(NOW + HOUR, NOW - SETTLE, state)
    account = Ledger(later.of_workgroup("primary"))

    assert closed.counts["unauthorised"] == 1
    assert account.unfinished() == ["a"]
    assert account.classify(hidden.at(NOW + HOUR)).is_late


def test_f52_an_unknown_state_is_unfinished_and_reported() -> None:
    """A state that Athena may invent tomorrow loses no row."""
    account = Ledger(plan(NOW, None).of_workgroup("primary"))
    account.admit(["a"])
    classified = account.classify(Execution("a", "primary", "PAUSED", NOW - HOUR, None))

    assert classified.disposition is Disposition.PENDING
    assert classified.is_unknown_state
    assert account.close().counts["unknown_state"] == 1


def test_f52_without_completion_the_submission_decides() -> None:
    """A final execution that says no completion time is placed by its submission."""
    history = plan(NOW, None).of_workgroup("primary")
    execution = Execution("a", "primary", "FAILED", NOW - HOUR, None)

    assert classify(execution, history).disposition is Disposition.EMIT
    assert classify(execution._replace(submitted_at=NOW), history).disposition is Disposition.LATER


def test_a_workgroup_that_appears_later_is_read_from_its_beginning() -> None:
    """One that no run has read yet starts at the first run's lookback, not at the mark."""
    runs = run_at([entry("a", -HOUR, -HOUR)], timedelta(0))
    window_plan = plan(NOW + HOUR, runs.hwm, runs.state)

    assert window_plan.of_workgroup("primary").window.start == NOW - SETTLE
    assert window_plan.of_workgroup("new").window.start == NOW + HOUR - LOOKBACK


def test_a_window_is_whole_seconds_in_utc() -> None:
    """A time that the mark's text cannot hold cannot be a bound."""
    with pytest.raises(ValueError, match="whole seconds in UTC"):
        Window(NOW - HOUR, NOW - MS)

    with pytest.raises(ValueError, match="ends after it starts"):
        Window(NOW, NOW)
