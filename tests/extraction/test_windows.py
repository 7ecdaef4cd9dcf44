"""Consecutive runs tell each execution once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from kada_athena_async.sandbox import Sandbox
from tests.faults.world import START, WallClock
from tests.kit.small_estate import make_execution, tiny_estate


@pytest.fixture
def sandbox(wall: WallClock) -> Iterator[Sandbox]:
    with Sandbox(tiny_estate(START), now=wall.now) as running:
        yield running


@pytest.fixture
def run_at(extractor: Any, wall: WallClock) -> Any:
    """Runs the extraction at a given moment of the wall clock."""

    async def run(moment: datetime, **arguments: Any) -> Any:
        wall.time = moment
        fields = {"metadata_source": "api", "catalogs": ["AwsDataCatalog"], "clock": wall}
        fields |= arguments.pop("fields", {})
        async with extractor(**fields) as made:
            return await made.run(manage_hwm=True, **arguments)

    return run


def published(read_extracts: Any, tmp_path: Path) -> Counter[str]:
    rows = read_extracts(tmp_path / "out").rows("databaselog")
    return Counter(row["query_id"] for row in rows)


def finished(sandbox: Sandbox, before: datetime) -> Counter[str]:
    return Counter(
        i
        for i, e in sandbox.estate.executions.items()
        if e.is_final and (e.completed_at or e.submitted_at) < before
    )


async def test_second_run_holds_only_what_is_new(
    sandbox: Sandbox, run_at: Any, read_extracts: Any, tmp_path: Path
) -> None:
    """Two runs in a row tell every execution once, and the mark moves with the second."""
    first = await run_at(START)
    new = make_execution(900, submitted_at=START + timedelta(minutes=5))
    sandbox.submit(new)
    second = await run_at(START + timedelta(hours=1))

    assert second.start == first.end
    assert second.rows["databaselog"] == 1
    told = published(read_extracts, tmp_path)
    assert set(told.values()) == {1}
    assert told == finished(sandbox, second.end)
    mark = (tmp_path / "athena_hwm.txt").read_text()
    assert mark == f"{second.end:%Y-%m-%d %H:%M:%S}\n"


async def test_f13_query_running_at_the_end_is_told_by_the_next_run(
    sandbox: Sandbox, run_at: Any, read_extracts: Any, tmp_path: Path
) -> None:
    """A query that runs for days is carried over as pending and told once, when it is done."""
    running = make_execution(901, submitted_at=START - timedelta(hours=1), state="RUNNING")
    sandbox.submit(running)
    await run_at(START)
    await run_at(START + timedelta(days=1))
    assert published(read_extracts, tmp_path)[running.query_execution_id] == 0

    sandbox.finish(running.query_execution_id, completed_at=START + timedelta(days=2))
    await run_at(START + timedelta(days=3))
    await run_at(START + timedelta(days=4))

    assert published(read_extracts, tmp_path)[running.query_execution_id] == 1


async def test_f14_a_start_chosen_by_hand_forgets_no_query_under_way(
    sandbox: Sandbox, run_at: Any, read_extracts: Any, tmp_path: Path
) -> None:
    """A query of days, submitted long before the start that somebody asks for, is told once."""
    running = make_execution(903, submitted_at=START - timedelta(days=3), state="RUNNING")
    sandbox.submit(running)
    await run_at(START)
    sandbox.finish(running.query_execution_id, completed_at=START + timedelta(hours=1))
    await run_at(START + timedelta(hours=2), start_hwm=START - timedelta(hours=1))
    await run_at(START + timedelta(hours=3))

    assert published(read_extracts, tmp_path)[running.query_execution_id] == 1


async def test_f18_query_listable_late_is_told_once(
    sandbox: Sandbox, run_at: Any, read_extracts: Any, tmp_path: Path
) -> None:
    """An id that ListQueryExecutions shows only after its window was committed is not lost."""
    late = make_execution(902, submitted_at=START - timedelta(minutes=3))
    sandbox.behaviour.visible_after[late.query_execution_id] = START + timedelta(minutes=20)
    sandbox.submit(late)
    await run_at(START)
    assert published(read_extracts, tmp_path)[late.query_execution_id] == 0

    await run_at(START + timedelta(minutes=30))
    await run_at(START + timedelta(minutes=50))

    assert published(read_extracts, tmp_path)[late.query_execution_id] == 1


@pytest.mark.parametrize("order", ["oldest", "shuffled"])
async def test_f21_any_order_of_the_listing_gives_the_same(
    sandbox: Sandbox, run_at: Any, read_extracts: Any, tmp_path: Path, order: Any
) -> None:
    """The order of ListQueryExecutions is undocumented, and nothing depends on it."""
    for number in range(400):
        at = START - timedelta(minutes=7 * number)
        sandbox.submit(make_execution(1000 + number, submitted_at=at))

    sandbox.behaviour.history_order = order
    await run_at(START - timedelta(days=1))
    second = await run_at(START + timedelta(minutes=5))

    assert published(read_extracts, tmp_path) == finished(sandbox, second.end)


async def test_old_pages_end_the_scan(sandbox: Sandbox, run_at: Any) -> None:
    """A run after a short while lists a few pages, not the whole history."""
    for number in range(1000):
        at = START - timedelta(hours=2) - timedelta(minutes=30 * number)
        sandbox.submit(make_execution(3000 + number, submitted_at=at))

    first = await run_at(START)
    second = await run_at(START + timedelta(hours=1))

    assert first.calls["athena:ListQueryExecutions"] >= 20
    # A page for each workgroup; for the one with a long history three old ones and one ahead.
    assert second.calls["athena:ListQueryExecutions"] <= len(sandbox.estate.workgroups) + 4


async def test_empty_window_commits_nothing(run_at: Any, tmp_path: Path) -> None:
    """A run right after another finds nothing settled and says so, with one call for each list."""
    await run_at(START)
    filters = {"include_schemas": ["*.*"]}
    again = await run_at(START, fields=filters)

    assert (again.committed, again.exit_code) == (False, 0)
    assert "the window is empty" in again.warnings[-1]
    assert len(list((tmp_path / "out").glob("*manifest*"))) == 1
    assert {name: n for name, n in again.calls.items() if n != 1} == {}
    assert "glue:GetDatabases" in again.calls


async def test_f42_mark_older_than_athenas_memory_is_a_gap(
    sandbox: Sandbox, run_at: Any, tmp_path: Path, read_extracts: Any
) -> None:
    """History that Athena has forgotten is reported with both bounds, and the rest is extracted."""
    (tmp_path / "athena_hwm.txt").write_text("2026-08-01 00:00:00\n")
    report = await run_at(START)

    assert report.committed
    assert report.gaps == (
        "all workgroups: 2026-08-01 00:00:00 to 2026-09-17 12:00:00 (retention)",
    )
    (manifest,) = read_extracts(tmp_path / "out").manifests()
    assert manifest["facts"]["gaps"][0]["kind"] == "retention"


async def test_caller_with_his_own_marks_gets_nothing_twice(
    sandbox: Sandbox, extractor: Any, read_extracts: Any, tmp_path: Path, wall: WallClock
) -> None:
    """A caller who died before he stored his mark asks for the same start, and gets the rest."""
    start = START - timedelta(days=30)
    async with extractor(metadata_source="api", catalogs=["AwsDataCatalog"]) as made:
        first = await made.run(start_hwm=start, end_hwm=START - timedelta(days=1))
        second = await made.run(start_hwm=start, end_hwm=START - timedelta(hours=1))

    assert second.start == first.end
    told = published(read_extracts, tmp_path)
    assert set(told.values()) == {1}
    assert not (tmp_path / "athena_hwm.txt").exists()
