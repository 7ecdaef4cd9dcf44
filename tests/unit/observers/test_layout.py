"""The moving part of the progress, as text."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from kada_athena_async.events import (
    CallRates,
    DeliveryStarted,
    Event,
    FileDelivered,
    PlanReady,
    QueryStarted,
    RetryScheduled,
    StageStarted,
    Throttled,
    UnitAdvanced,
    UnitFinished,
    UnitProgress,
    UnitStarted,
)
from kada_athena_async.observers.layout import Screen, moving_part
from kada_athena_async.observers.run_progress import RunProgress

LIST, TABLES = "athena:ListQueryExecutions", "glue:GetTables"


def drawn(told: list[tuple[float, Event]], screen: Screen, *, now_s: float) -> list[str]:
    """The lines on *screen* at *now_s*, after what was told when."""
    progress = RunProgress()
    for at_s, event in told:
        progress = progress.after(event, at_s)

    lines = moving_part(progress, screen, now_s)
    return ["".join(piece.text for piece in line).rstrip() for line in lines]


@pytest.fixture
def half_way() -> list[tuple[float, Event]]:
    """A minute into a run: eight catalogs' units and two workgroups, half of each through."""
    metadata = tuple(f"metadata/c/{n}" for n in range(8))
    history = ("history/primary", "history/adhoc")
    told: list[tuple[float, Event]] = [
        (0, PlanReady(units=(*metadata, *history, "derive"), catalogs=1, schemas=80, workgroups=2)),
        (0, StageStarted(stage="extract")),
        *((0.0, UnitStarted(unit_id=unit)) for unit in (*metadata, *history)),
        (1, QueryStarted(unit_id=metadata[7], query_execution_id="q", workgroup="p", limit=20)),
        (50, CallRates(calls={LIST: 0, TABLES: 100}, allowed={LIST: 4, TABLES: 16})),
        (50, UnitProgress(unit_id=metadata[0], kind="metadata_columns", rows=10_000)),
    ]
    told += [
        (55, UnitFinished(unit_id=unit, outcome="done", rows=1, duration_s=1))
        for unit in metadata[:4]
    ]
    told += [(58, UnitAdvanced(unit_id=unit, share=0.5)) for unit in history for _ in range(60)]
    return [
        *told,
        (60, UnitProgress(unit_id=metadata[0], kind="metadata_columns", rows=4_000)),
        (60, Throttled(operation=TABLES, rate=11.2)),
        (60, RetryScheduled(operation=TABLES, attempt=1, wait_s=1, reason="x")),
        (60, CallRates(calls={LIST: 40, TABLES: 190}, allowed={LIST: 4, TABLES: 11.2})),
    ]


def test_it_reads_like_this_at_80_columns(half_way: list[tuple[float, Event]]) -> None:
    """Stage, time, what is left; a bar for each lane; units, queries, rates and brakes."""
    assert drawn(half_way, Screen(80, 24), now_s=60) == [
        "extracting  1 min 0 s  less than 2 min left, then lineage",
        "  metadata  ━━━━━━━━━━━━━─────────────  4/8 units         14,000 rows, 400/s",
        "  history   ━━━━━━━━━━━━━─────────────  0/2 workgroups    0 rows",
        "  now       metadata/c/4, metadata/c/5, metadata/c/6 and 3 more",
        "  queries   1 of at most 20",
        "  calls/s   ListQueryExecutions 4 of 4, GetTables 9 of 11.2",
        "  slowed by throttled glue:GetTables 1x, now 11/s, 1 retry",
    ]


def test_a_console_without_unicode_gets_ascii(half_way: list[tuple[float, Event]]) -> None:
    """Code page 437 and the like: bars and ellipsis in ASCII, names escaped."""
    told = [*half_way, (60.0, UnitStarted(unit_id="metadata/表/1"))]

    lines = drawn(told, Screen(50, 24, "cp437"), now_s=60)

    assert all(line.isascii() for line in lines)
    assert lines[1].startswith("  metadata  #####-----  4/8 units")
    assert lines[5].endswith("...")


@pytest.mark.parametrize("width", [20, 40, 80, 200])
def test_nothing_is_wider_than_the_screen(
    half_way: list[tuple[float, Event]], hostile_events: list[Event], width: int
) -> None:
    """Whatever the names: a line that wraps would not be wiped."""
    wide = "metadata/" + "表" * 100
    told = [*half_way, (60.0, UnitStarted(unit_id=wide)), *((60.0, e) for e in hostile_events)]
    told += [(61.0, UnitStarted(unit_id=wide)), (61.0, StageStarted(stage="extract"))]

    for end in range(1, len(told) + 1):
        lines = drawn(told[:end], Screen(width, 24), now_s=61)
        assert all(cell_len(line) <= width for line in lines)
        assert all(line.isprintable() for line in lines)


@pytest.mark.parametrize("height", [2, 5, 24])
def test_a_low_screen_shows_what_tells_most(
    half_way: list[tuple[float, Event]], height: int
) -> None:
    """The moving part never scrolls."""
    lines = drawn(half_way, Screen(80, height), now_s=60)

    assert len(lines) <= height - 1
    assert lines[0].startswith("extracting")


def test_bars_never_go_back() -> None:
    """Neither when a guess falls nor when a unit fails half way."""
    told: list[tuple[float, Event]] = [
        (0, PlanReady(units=("history/a", "history/b"), catalogs=0, schemas=0, workgroups=2)),
        (0, StageStarted(stage="extract")),
    ]
    filled = []
    for event in (
        UnitAdvanced(unit_id="history/a", share=0.8),
        UnitAdvanced(unit_id="history/a", share=0.3),
        UnitFinished(unit_id="history/a", outcome="failed", rows=0, duration_s=1, reason="x"),
        UnitAdvanced(unit_id="history/b", share=0.1),
        UnitFinished(unit_id="history/b", outcome="done", rows=0, duration_s=1),
    ):
        told.append((1, event))
        filled.append(drawn(told, Screen(80, 24), now_s=1)[1].count("━"))

    assert filled == sorted(filled)
    assert (filled[0], filled[-1]) == (10, 26)


def test_a_delivery_has_a_bar() -> None:
    """By bytes, with files beside it."""
    told: list[tuple[float, Event]] = [
        (0, StageStarted(stage="deliver")),
        (0, DeliveryStarted(place="s3://b", manifests=("m",), files=4, size_bytes=2_000_000)),
        (1, FileDelivered(name="a", size_bytes=1_000_000, duration_s=1)),
    ]

    assert drawn(told, Screen(80, 24), now_s=3) == [
        "delivering  3 s",
        "  landing   ━━━━━━━━━━━━━─────────────  1/4 files  977 KB",
    ]
