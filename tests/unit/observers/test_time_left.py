"""Phrases of the time that is left."""

from __future__ import annotations

import pytest

from kada_athena_async.events import (
    CallRates,
    Event,
    PlanReady,
    StageStarted,
    UnitAdvanced,
    UnitFinished,
    UnitStarted,
)
from kada_athena_async.observers.plain import progress
from kada_athena_async.observers.run_progress import RunProgress
from kada_athena_async.observers.time_left import Span, in_words, remaining

RATES = CallRates(calls={}, allowed={"athena:ListQueryExecutions": 4.0})


def pictured(units: tuple[str, ...], *events: Event) -> RunProgress:
    """Progress of an extraction that began at second 0."""
    run = RunProgress().after(PlanReady(units=units, catalogs=1, schemas=1, workgroups=1), 0)
    for event in (StageStarted(stage="extract"), RATES, *events):
        run = run.after(event, 0)

    return run


def done(unit_id: str, outcome: str = "done") -> UnitFinished:
    return UnitFinished(unit_id=unit_id, outcome=outcome, rows=0, duration_s=1)


METADATA = tuple(f"metadata/c/{n}" for n in range(10))


def test_nothing_is_said_without_evidence() -> None:
    """Neither at the start, nor before a share is done, nor outside the extraction."""
    started = [UnitStarted(unit_id=unit) for unit in METADATA]

    assert remaining(RunProgress(), 100) is None
    assert remaining(pictured(METADATA, *started), 100) is None
    assert remaining(pictured(METADATA, *started, done(METADATA[0])), 5) is None


def test_metadata_is_judged_by_its_units() -> None:
    """A quarter took 20 s, so three quarters take about a minute; resumed units took no time."""
    events = [UnitStarted(unit_id=METADATA[0]), *(done(unit, "resumed") for unit in METADATA[:2])]
    events += [done(unit) for unit in METADATA[2:4]]

    span = remaining(pictured(METADATA, *events), 20)

    assert span is not None
    assert span.low_s < 60 < span.high_s


def test_history_is_judged_by_pages_and_quota() -> None:
    """40 pages listed half of the time: about 40 more, at four a second; a workgroup that has not
    begun may need as many as the largest, so the upper end grows and the lower does not."""
    pages = [UnitAdvanced(unit_id="history/a", share=0.5)] * 40
    alone = remaining(pictured(("history/a",), *pages), 1)
    beside = remaining(pictured(("history/a", "history/b"), *pages), 1)

    assert alone is not None
    assert alone.low_s <= 10 <= alone.high_s
    assert beside is not None
    assert beside.low_s <= alone.low_s + 1
    assert beside.high_s >= alone.high_s + 20


def test_the_slowest_lane_decides() -> None:
    """And if one of them is unknown, nothing is said."""
    units = (*METADATA, "history/a", "derive")
    fast = [UnitStarted(unit_id=METADATA[0]), *(done(unit) for unit in METADATA[:9])]
    pages = [UnitAdvanced(unit_id="history/a", share=0.1)] * 100

    assert remaining(pictured(units, *fast), 20) is None
    span = remaining(pictured(units, *fast, *pages), 20)
    assert span is not None
    assert span.low_s > 100


def test_lineage_is_judged_once_it_has_begun() -> None:
    """By the texts that were read."""
    read = [done("metadata/c/0"), UnitStarted(unit_id="derive")]
    run = pictured(("metadata/c/0", "derive"), *read)
    assert remaining(run, 100) is None

    span = remaining(run.after(UnitAdvanced(unit_id="derive", share=0.5), 100), 100)
    assert span is not None
    assert span.low_s < 100 < span.high_s


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (Span(1, 4), "some seconds left"),
        (Span(24, 38), "20 to 40 s left"),
        (Span(4, 38), "less than 40 s left"),
        (Span(100, 200), "1 to 4 min left"),
        (Span(50, 100), "less than 2 min left"),
        (Span(600, 6000), "at least 10 min left"),
        (Span(10, 5000), ""),
        (Span(8000, 15000), "2 to 5 h left"),
    ],
)
def test_it_is_said_as_a_coarse_range(span: Span, words: str) -> None:
    """Calm figures; only the lower end where the upper is anybody's guess, or nothing."""
    assert in_words(span) == words


def test_users_are_waited_for_too() -> None:
    """The slowest lane decides: all else has ended, and a quarter of the events took 20 s."""
    units = ("history/a", "principal_events", "principals", "derive")
    events = [UnitStarted(unit_id="principal_events"), done("history/a")]

    run = pictured(units, *events, UnitAdvanced(unit_id="principal_events", share=0.25))
    span = remaining(run, 20)

    assert span is not None
    assert span.low_s < 60 < span.high_s
    assert "users 0 of 1 (25 %)" in progress(run, 20)
    assert "lineage" not in progress(run, 20)
