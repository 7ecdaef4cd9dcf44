"""A run in plain lines."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from kada_athena_async.codes import WarningCode
from kada_athena_async.events import (
    CallRates,
    Event,
    PlanReady,
    RetryScheduled,
    RunFinished,
    RunStarted,
    StageStarted,
    UnitFinished,
    UnitProgress,
    UnitStarted,
    Warned,
)
from kada_athena_async.observers import NORMAL, QUIET, VERBOSE
from kada_athena_async.observers.plain import PlainLines
from kada_athena_async.redact import Redactor


def told(events: list[Event], verbosity: int) -> list[str]:
    lines: list[str] = []
    observer = PlainLines(lines.append, redact=Redactor(["canary-secret"]), verbosity=verbosity)
    for event in events:
        observer(event)

    return lines


def test_a_run_reads_like_this(run_events: list[Event]) -> None:
    """Window, plan, progress, what went wrong and what came of it."""
    assert told(run_events, NORMAL) == [
        "run 01J of athena started: 2026-10-09 05:00:00 to 2026-11-23 05:00:00 UTC, "
        "talking to http://127.0.0.1:4566",
        "1 catalog, 12 schemas, 1 workgroup, 2 units of work",
        "skipped: history/b: athena:ListQueryExecutions is denied",
        "warning: history before 2026-10-09 is gone",
        "  try: run more often",
        "committed after 3 min 20 s (14 calls, 1 throttled, 1 retry, 9.5 MB scanned)",
        "  window    2026-10-09 05:00:00 to 2026-11-23 05:00:00 UTC, 45 days",
        "  extracts  /tmp/output",
        "  files     athena_*_20261123T050000Z.csv.gz",
        "    1,200  metadata_tables      34 KB",
        "incomplete, as the manifest says too:",
        "  workgroup b: denied: athena:ListQueryExecutions is denied",
        "1 warning: gap",
    ]


def test_quiet_leaves_warnings_and_failures(run_events: list[Event]) -> None:
    """Errors are printed even to a user who asked for silence."""
    assert told(run_events, QUIET) == [
        "skipped: history/b: athena:ListQueryExecutions is denied",
        "warning: history before 2026-10-09 is gone",
        "  try: run more often",
    ]


def test_verbose_tells_each_unit_query_and_retry(run_events: list[Event]) -> None:
    """A user who asks why it is slow gets the reason."""
    lines = told(run_events, VERBOSE)

    assert "stage discover: 0.5 s" in lines
    assert "query q-1: SUCCEEDED in 1.5 s, 9.5 MB scanned" in lines
    assert "done: metadata/a: 1,200 rows in 2.0 s" in lines
    assert "throttled: athena:ListQueryExecutions, from now on 2.5 a second" in lines
    assert "again in 0.2 s: athena:ListQueryExecutions, try 2: throttled" in lines


def test_a_long_run_shows_signs_of_life() -> None:
    """Often at first, then rarer, each with figures: a log of hours stays readable."""
    lines: list[tuple[float, str]] = []
    now_s = [0.0]
    observer = PlainLines(
        lambda line: lines.append((now_s[0], line)), redact=Redactor(), clock_s=lambda: now_s[0]
    )
    workgroups = tuple(f"history/{number}" for number in range(4))
    observer(PlanReady(units=(*workgroups, "derive"), catalogs=1, schemas=1, workgroups=4))
    observer(StageStarted(stage="extract"))
    observer(UnitStarted(unit_id=workgroups[0]))
    for second in range(3 * 3600):
        now_s[0] = float(second)
        observer(CallRates(calls={"athena:ListQueryExecutions": 4 * second}, allowed={}))
        observer(UnitProgress(unit_id=workgroups[0], kind="databaselog", rows=50))

    told_at, said = zip(*lines[1:], strict=True)
    gaps = [later - sooner for sooner, later in pairwise(told_at)]
    assert gaps[:3] == [15.0, 15.0, 15.0]
    assert max(gaps) == gaps[-1] == 300.0
    assert 40 < len(said) < 70
    assert said[0] == "after 15 s: history 0 of 4, 750 rows"


def test_an_empty_window_is_no_failure() -> None:
    """A run too soon after the last one has nothing to do; its exit code says that all is well."""
    end = RunFinished(run_id="r", committed=False, exit_code=0, duration_s=0.3)

    assert told([end], NORMAL) == ["nothing to do after 0.3 s (0 calls)"]


def test_what_failed_is_added_up_at_the_end() -> None:
    """Fifty units that failed for two reasons are two lines."""
    failed = [
        UnitFinished(
            unit_id=f"metadata/c/{n}", outcome="failed", rows=0, duration_s=1, reason=f"r{n % 2}"
        )
        for n in range(49)
    ]
    end = RunFinished(run_id="r", committed=False, exit_code=1, duration_s=9000)

    assert told([*failed, end], NORMAL)[-4:] == [
        "nothing was committed: 49 of 49 units of work failed, after 2 h 30 min (0 calls)",
        "not done:",
        "  25 units: failed: r0",
        "  24 units: failed: r1",
    ]


@pytest.mark.parametrize("verbosity", [QUIET, NORMAL, VERBOSE])
def test_hostile_names_are_harmless(hostile_events: list[Event], verbosity: int) -> None:
    """No escape, no bidi control and no forged line reaches the log."""
    text = "".join(told(hostile_events, verbosity))

    assert text.isprintable()
    assert "\u202e" not in text


def test_secrets_do_not_show(run_events: list[Event]) -> None:
    """Not even when AWS repeats one in its message."""
    event = UnitFinished(
        unit_id="u", outcome="failed", rows=0, duration_s=1, reason="bad canary-secret"
    )

    assert told([event], QUIET) == ["failed: u: bad ***"]


def test_a_run_that_is_finished_first_is_told_apart(run_events: list[Event]) -> None:
    """An interrupted run tells no end of its own: a line closes it, and figures begin anew."""
    assert isinstance(run_events[0], RunStarted)
    interrupted = replace(run_events[0], run_id="01A", is_resumed=True)

    lines = told([interrupted, *run_events[1:-1], *run_events], NORMAL)

    begun = lines.index("run 01A is finished: 2 files, 1,200 rows")
    assert lines[0].startswith("run 01A of athena continues: ")
    assert lines[begun + 1 : begun + 3] == [
        "not done:",
        "  history/b: skipped: athena:ListQueryExecutions is denied",
    ]
    assert lines[begun + 3 :] == told(run_events, NORMAL)


def test_trying_in_vain_is_said() -> None:
    """Not each retry, which is ordinary, but each fifth of the same call."""
    events: list[Event] = [
        RetryScheduled(operation="sts:GetCallerIdentity", attempt=n, wait_s=1, reason="timeout")
        for n in range(1, 13)
    ]

    assert told(events, QUIET) == []
    assert told(events, NORMAL) == [
        "still trying sts:GetCallerIdentity, 5 times so far: timeout",
        "still trying sts:GetCallerIdentity, 10 times so far: timeout",
    ]


def test_quiet_ends_with_a_verdict() -> None:
    """Lines of units that failed do not say that nothing was committed at all."""
    plan = PlanReady(units=("a", "b", "c"), catalogs=1, schemas=2, workgroups=1)
    failed = UnitFinished(unit_id="a", outcome="failed", rows=0, duration_s=1, reason="down")
    end = RunFinished(run_id="r", committed=False, exit_code=1, duration_s=12)

    assert told([plan, failed, end], QUIET) == [
        "failed: a: down",
        "nothing was committed: 1 of 3 units of work failed, after 12.0 s (0 calls)",
    ]


def test_quiet_says_nothing_of_a_run_that_went_well() -> None:
    """No line at all: a scheduler that mails what is said mails nothing."""
    end = RunFinished(run_id="r", committed=True, exit_code=0, duration_s=12)

    assert told([end], QUIET) == []


def test_quiet_says_nothing_of_the_endpoint_that_was_set() -> None:
    """Whoever set it and asks for quiet knows; in any other voice it is said."""
    hint = "see AWS_ENDPOINT_URL"
    warned = Warned(code=WarningCode.ENDPOINT, message="calls go to 'http://b'", hint=hint)
    assert told([warned], QUIET) == []
    assert told([warned], NORMAL) == ["warning: calls go to 'http://b'", f"  try: {hint}"]
