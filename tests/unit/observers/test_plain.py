"""A run in plain lines."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kada_athena_async.events import (
    Event,
    PlanReady,
    RetryScheduled,
    RunFinished,
    RunStarted,
    UnitFinished,
)
from kada_athena_async.observers.plain import NORMAL, QUIET, VERBOSE, PlainLines
from kada_athena_async.observers.redact import Redactor


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
        "1 of 2 units, 1,200 rows",
        "skipped: history:b: athena:ListQueryExecutions is denied",
        "2 of 2 units, 1,200 rows",
        "warning: history before 2026-10-09 is gone",
        "  try: run more often",
        "committed after 3 min 20 s (14 calls, 1 throttled, 1 retry, 10 MB scanned)",
        "       1,200 rows    35 KB  athena_metadata_tables_20261123T050000Z.csv.gz",
        "                     900 B  athena_manifest_20261123T050000Z.json",
        "1 unit not done:",
        "  skipped: history:b: athena:ListQueryExecutions is denied",
        "1 warning: gap",
    ]


def test_quiet_leaves_warnings_and_failures(run_events: list[Event]) -> None:
    """What went wrong is said even to who asked for silence."""
    assert told(run_events, QUIET) == [
        "skipped: history:b: athena:ListQueryExecutions is denied",
        "warning: history before 2026-10-09 is gone",
        "  try: run more often",
    ]


def test_verbose_tells_each_unit_query_and_retry(run_events: list[Event]) -> None:
    """Who wants to know why it is slow is told."""
    lines = told(run_events, VERBOSE)

    assert "stage discover: 0.5 s" in lines
    assert "query q-1: SUCCEEDED in 1.5 s, 10 MB scanned" in lines
    assert "done: metadata:a: 1,200 rows in 2.0 s" in lines
    assert "throttled: athena:ListQueryExecutions, from now on 2.5 a second" in lines
    assert "again in 0.2 s: athena:ListQueryExecutions, try 2: throttled" in lines


def test_a_large_plan_does_not_flood_the_log() -> None:
    """Ten thousand units give ten lines of progress, and at most five troubles at the end."""
    ids = tuple(f"u{number}" for number in range(10_000))
    events: list[Event] = [PlanReady(units=ids, catalogs=1, schemas=1, workgroups=1)]
    events += [UnitFinished(unit_id=u, outcome="done", rows=1, duration_s=1) for u in ids[:-50]]
    failed = [
        UnitFinished(unit_id=u, outcome="failed", rows=0, duration_s=1, reason="x")
        for u in ids[-50:]
    ]
    end = RunFinished(run_id="r", committed=False, exit_code=1, duration_s=9000)

    lines = told([*events, *failed, end], NORMAL)

    assert sum("of 10,000 units" in line for line in lines) == 10
    assert "nothing committed after 2 h 30 min (0 calls)" in lines
    assert lines[-1] == "  and 45 more; the whole list: --json"


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
        "1 unit not done:",
        "  skipped: history:b: athena:ListQueryExecutions is denied",
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
