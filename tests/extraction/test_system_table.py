"""The history from Athena's system table is the history of the API, each execution once."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kada_athena_async.errors import ConfigError
from kada_athena_async.sandbox import Sandbox
from kada_athena_async.sandbox.estate.model import TableRef
from kada_athena_async.sandbox.execute.system_tables import COLUMNS, PARAMETER_SECRET
from tests.faults.world import START, WallClock
from tests.kit.small_estate import make_execution, tiny_estate

HOUR = timedelta(hours=1)
OLDEST = make_execution(9001, submitted_at=START - timedelta(days=60))


@pytest.fixture
def sandbox(wall: WallClock) -> Iterator[Sandbox]:
    estate = tiny_estate(START)
    estate.system_table_lag = timedelta(minutes=5)
    with Sandbox(estate, now=wall.now) as running:
        # The table was turned on long ago: it reaches back further than any window.
        running.submit(OLDEST)
        for number in range(120):
            submitted_at = START - timedelta(hours=30) + timedelta(minutes=14 * number)
            running.submit(make_execution(2000 + number, submitted_at=submitted_at))

        yield running


@pytest.fixture
def run_at(extractor: Any, wall: WallClock) -> Any:
    """Runs the extraction at a given moment of the wall clock."""

    async def run(moment: datetime, source: str = "system_table", **fields: Any) -> Any:
        wall.time = moment
        settings = {
            "metadata_source": "api",
            "catalogs": ["AwsDataCatalog"],
            "history_source": source,
            "clock": wall,
            **fields,
        }
        async with extractor(**settings) as made:
            return await made.run(manage_hwm=True)

    return run


def published(read_extracts: Any, tmp_path: Path) -> Counter[str]:
    """Count of publications of each execution."""
    return Counter(row["query_id"] for row in read_extracts(tmp_path / "out").rows("databaselog"))


def finished(sandbox: Sandbox, since: datetime, before: datetime) -> Counter[str]:
    """Each execution that ended in a time, our own statements too."""
    return Counter(
        i
        for i, e in sandbox.estate.executions.items()
        if e.is_final and since <= (e.completed_at or e.submitted_at) < before
    )


def test_nothing_lists_the_system_catalog(sandbox: Sandbox) -> None:
    """The table is asked by name; the estate has no such catalog."""
    assert "s3tablescatalog/aws-athena" not in sandbox.estate.catalogs


async def test_the_rows_are_those_of_the_api(
    sandbox: Sandbox, run_at: Any, read_extracts: Any, tmp_path: Path
) -> None:
    """Column for column, but for fields that the table lacks."""
    by_table = await run_at(START, name="table")
    assert by_table.calls["athena:StartQueryExecution"] > 2
    rows = read_extracts(tmp_path / "out").rows("databaselog")
    for path in (tmp_path / "out").iterdir():
        if path.is_file():
            path.unlink()

    await run_at(START, source="api", name="api", settle_seconds=900)
    by_api = {r["query_id"]: r for r in read_extracts(tmp_path / "out").rows("databaselog")}

    assert len(rows) > 100
    for row in rows:
        assert row == by_api[row["query_id"]]


EACH_AFTER_EACH = {
    ("api", "api", "system_table"),
    ("system_table", "system_table", "api"),
}


@pytest.mark.parametrize(
    "sources",
    [
        # Each source first and last, and each after each.
        pytest.param(s, marks=[] if s in EACH_AFTER_EACH else [pytest.mark.slow])
        for s in itertools.product(("api", "system_table"), repeat=3)
    ],
    ids="-".join,
)
async def test_each_execution_comes_once_whichever_source_is_asked(
    sources: tuple[str, ...], sandbox: Sandbox, run_at: Any, read_extracts: Any, tmp_path: Path
) -> None:
    """Three runs with every order of sources; long, late and running executions among them."""
    running = make_execution(3000, submitted_at=START - 5 * HOUR, state="RUNNING")
    sandbox.submit(running)
    first = await run_at(START, source=sources[0])
    sandbox.finish(running.query_execution_id, completed_at=START + HOUR)
    for number in range(30):
        sandbox.submit(
            make_execution(4000 + number, submitted_at=START + timedelta(minutes=4 * number))
        )
    long = make_execution(3001, submitted_at=START - 3 * HOUR, took_ms=3 * 3_600_000 + 1_800_000)
    sandbox.submit(long)
    await run_at(START + 3 * HOUR, source=sources[1])
    last = await run_at(START + 6 * HOUR, source=sources[2])

    told = published(read_extracts, tmp_path)
    wanted = finished(sandbox, first.start, last.end)
    assert set(told.values()) == {1}
    assert set(wanted) <= set(told)


async def test_an_execution_that_the_table_does_not_show_yet_comes_from_the_api(
    sandbox: Sandbox, run_at: Any, read_extracts: Any, tmp_path: Path
) -> None:
    """The newest page of the API is the witness; the late row is not published a second time."""
    sandbox.estate.system_table_lag = timedelta(hours=2)
    report = await run_at(START)
    told = published(read_extracts, tmp_path)
    newest = max(
        finished(sandbox, report.start, report.end),
        key=lambda i: sandbox.estate.executions[i].submitted_at,
    )
    assert told[newest] == 1

    sandbox.estate.system_table_lag = timedelta(0)
    await run_at(START + HOUR)

    assert set(published(read_extracts, tmp_path).values()) == {1}


async def test_off_by_name_is_refused_before_anything_is_extracted(
    sandbox: Sandbox, run_at: Any
) -> None:
    """The sentence says what to turn on, or what to write instead."""
    sandbox.estate.system_table_lag = None
    with pytest.raises(ConfigError, match=r"system tables are off in this account and Region"):
        await run_at(START)


async def test_auto_takes_the_api_where_the_table_is_off(sandbox: Sandbox, run_at: Any) -> None:
    """Said once, as a warning."""
    sandbox.estate.system_table_lag = None
    report = await run_at(START, source="auto")

    assert report.committed
    assert report.rows["databaselog"] > 100
    assert sum("Athena's system table is not used" in w for w in report.warnings) == 1


async def test_a_table_that_does_not_reach_back_far_enough_is_not_relied_on(
    sandbox: Sandbox, run_at: Any, read_extracts: Any, tmp_path: Path
) -> None:
    """Turned on lately it would lose what came before: the API is asked, and a warning says so."""
    del sandbox.estate.executions[OLDEST.query_execution_id]
    report = await run_at(START, source="auto", initial_lookback_days=45)

    assert any("it holds from" in warning for warning in report.warnings)
    assert set(finished(sandbox, report.start, report.end)) <= set(
        published(read_extracts, tmp_path)
    )


async def test_a_first_window_reaches_as_far_back_as_the_table_does(
    sandbox: Sandbox, run_at: Any, read_extracts: Any, tmp_path: Path
) -> None:
    """Beyond the 45 days of the API, up to what is asked for or what the table holds."""
    older = make_execution(9002, submitted_at=START - timedelta(days=50))
    sandbox.submit(older)
    report = await run_at(START, initial_lookback_days=400)

    told = published(read_extracts, tmp_path)
    assert told[older.query_execution_id] == 1
    assert timedelta(0) < report.start - OLDEST.submitted_at <= timedelta(seconds=1)
    assert report.gaps == ()
    assert set(told.values()) == {1}


def submit_more_than_a_page(sandbox: Sandbox, workgroup: str = "primary") -> None:
    """Executions of the last hour before START: the newest page of the API shows no older ones."""
    for number in range(60):
        at = START - HOUR + timedelta(seconds=30 * number)
        made = make_execution(6000 + number, submitted_at=at, workgroup=workgroup)
        if workgroup != "primary":
            made.query_execution_id = f"{workgroup}-{number}"

        sandbox.submit(made)


async def test_a_query_that_ran_when_the_table_was_turned_on_does_not_stand_for_its_time(
    sandbox: Sandbox, run_at: Any, read_extracts: Any, tmp_path: Path
) -> None:
    """Submitted before the window and ended in the table, while what ended before it is not."""
    first = await run_at(START - 4 * HOUR, source="api")
    sandbox.estate.system_table_since = START - 2 * HOUR
    sandbox.submit(make_execution(5000, submitted_at=START - 6 * HOUR, took_ms=15_000_000))
    submit_more_than_a_page(sandbox)
    report = await run_at(START, source="auto")

    assert any("it holds from" in warning for warning in report.warnings)
    wanted = finished(sandbox, first.start, report.end)
    assert published(read_extracts, tmp_path) == wanted


async def test_a_workgroup_whose_history_begins_before_the_table_is_read_by_the_api(
    sandbox: Sandbox, run_at: Any, read_extracts: Any, tmp_path: Path
) -> None:
    """One that was left out so far; the others come from the table, which holds their window."""
    old = make_execution(5000, submitted_at=START - timedelta(days=9), workgroup="adhoc")
    sandbox.submit(old)
    sandbox.estate.system_table_since = START - timedelta(days=3)
    submit_more_than_a_page(sandbox, "adhoc")
    first = await run_at(START - 4 * HOUR, source="api", workgroups=["primary"])
    report = await run_at(START, source="auto")

    said = [warning for warning in report.warnings if "system table is not used" in warning]
    assert len(said) == 1
    assert "workgroup adhoc" in said[0]
    assert report.calls["athena:ListQueryExecutions"] > 2
    assert published(read_extracts, tmp_path) == finished(sandbox, first.start, report.end)


async def test_a_table_that_holds_more_than_the_api_is_read_though_the_window_begins_before_both(
    sandbox: Sandbox, run_at: Any, read_extracts: Any, tmp_path: Path
) -> None:
    """Sixty days without a run, a table of fifty: ten days are the gap, and no more."""
    older = make_execution(9002, submitted_at=START - timedelta(days=49))
    sandbox.submit(older)
    first = await run_at(START - timedelta(days=60), source="api")
    sandbox.estate.system_table_since = older.submitted_at
    report = await run_at(START)

    told = published(read_extracts, tmp_path)
    assert told[older.query_execution_id] == 1
    (gap,) = {(gap["start"], gap["end"]) for gap in manifest_of(report)["facts"]["gaps"]}
    assert gap == (f"{first.end:%Y-%m-%dT%H:%M:%SZ}", "2026-09-13T12:00:01Z")


async def test_a_completion_of_1970_in_the_table_stands_for_none(
    sandbox: Sandbox, run_at: Any, read_extracts: Any, tmp_path: Path
) -> None:
    """As in an answer of the API: the execution counts as ended when it was submitted."""
    cancelled = make_execution(5000, submitted_at=START - 3 * HOUR, state="CANCELLED")
    cancelled.completed_at = datetime(1970, 1, 1, tzinfo=START.tzinfo)
    sandbox.submit(cancelled)
    submit_more_than_a_page(sandbox)
    await run_at(START)

    assert published(read_extracts, tmp_path)[cancelled.query_execution_id] == 1


async def test_a_long_lookback_asks_the_api_where_the_table_is_young(
    sandbox: Sandbox, run_at: Any
) -> None:
    """Then 45 days are all that there is, and no gap is reported."""
    del sandbox.estate.executions[OLDEST.query_execution_id]
    report = await run_at(START, initial_lookback_days=400)

    assert report.start == START - timedelta(days=45)
    assert report.gaps == ()


@pytest.mark.parametrize("column", ["query_execution_id", "state", "completion_date_time"])
async def test_without_an_essential_column_the_api_is_asked(
    column: str, sandbox: Sandbox, run_at: Any
) -> None:
    """The warning names the column."""
    sandbox.estate.system_table_without = frozenset({column})
    report = await run_at(START)

    assert report.committed
    assert any("has no column for" in warning for warning in report.warnings)


async def test_optional_columns_that_are_missing_leave_fields_empty(
    sandbox: Sandbox, run_at: Any, read_extracts: Any, tmp_path: Path
) -> None:
    """Nothing else is lost."""
    sandbox.estate.system_table_without = frozenset(
        {"data_scanned_in_bytes", "tables_accessed", "principal_arn"}
    )
    await run_at(START)

    rows = read_extracts(tmp_path / "out").rows("databaselog")
    assert len(rows) > 100
    assert any(row["scanned_bytes"] in ("", None) for row in rows)


async def test_values_of_parameterised_statements_are_never_selected(
    sandbox: Sandbox, run_at: Any, tmp_path: Path
) -> None:
    """No statement of ours names the column, and no file holds the planted value."""
    await run_at(START, compress=False, attribute_users="system_table")

    ours = [e.query for e in sandbox.estate.executions.values() if "kada_athena_async" in e.query]
    assert any("query_executions" in sql for sql in ours)
    assert not any("execution_parameters" in sql or "*" in sql.split("*/")[-1] for sql in ours)
    assert not [text for text in contents_below(tmp_path) if PARAMETER_SECRET.encode() in text]


def manifest_of(report: Any) -> Any:
    """The manifest of a run, decoded."""
    return msgspec.json.decode(report.manifest.read_bytes())


def contents_below(directory: Path) -> list[bytes]:
    """The bytes of every file below *directory*."""
    return [path.read_bytes() for path in directory.rglob("*") if path.is_file()]


ORDERS = TableRef("AwsDataCatalog", "sales", "orders")
CUSTOMERS = TableRef("AwsDataCatalog", "sales", "customers")
BY_CUSTOMER = TableRef("AwsDataCatalog", "sales", "orders_by_customer")
SPELT = TableRef("awsdatacatalog", "SALES", "Orders")
ELSEWHERE = TableRef("AwsDataCatalog", "sales", "nobody_reads_this")


async def test_tables_accessed_is_a_second_opinion_on_our_reads(
    sandbox: Sandbox, run_at: Any
) -> None:
    """Planted differences are counted by kind, and nothing else differs."""
    planted = [
        ("SELECT total FROM sales.orders", (SPELT,)),
        ("SELECT total FROM sales.orders", ()),
        ("SELECT 1", (ELSEWHERE,)),
        ("SELECT * FROM sales.best_customers", (BY_CUSTOMER, ORDERS, CUSTOMERS)),
    ]
    for number, (query, accessed) in enumerate(planted):
        made = make_execution(5000 + number, submitted_at=START - HOUR, query=query)
        sandbox.submit(made)
        sandbox.estate.system_table_accessed[made.query_execution_id] = accessed

    failed = make_execution(5100, submitted_at=START - HOUR, state="FAILED")
    sandbox.submit(failed)
    sandbox.estate.system_table_accessed[failed.query_execution_id] = (ELSEWHERE,)
    report = await run_at(START)

    counts = manifest_of(report)["facts"]["reconciliation"]["derive"]
    compared = counts.pop("reads_compared")
    assert compared > 120
    assert counts == {
        "reads_agreed": compared - 2,
        "reads_only_in_events": 1,
        "reads_only_in_system_table": 1,
        "reads_of_views": 1,
        "reads_below_views": 3,
    }


async def test_a_form_of_tables_accessed_that_is_not_known_costs_nothing(
    sandbox: Sandbox, run_at: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A column of another type is not selected: the history is whole, nothing is compared."""
    monkeypatch.setitem(COLUMNS, "tables_accessed", "map(varchar, varchar)")
    report = await run_at(START)

    assert report.rows["databaselog"] > 100
    assert not [e for e in sandbox.estate.executions.values() if "AS JSON" in e.query]
    assert "derive" not in manifest_of(report)["facts"]["reconciliation"]


async def test_the_table_names_the_principals(
    sandbox: Sandbox, run_at: Any, read_extracts: Any, tmp_path: Path
) -> None:
    """Each execution has its ARN at once, with the table as source."""
    report = await run_at(START, source="api", attribute_users="system_table")

    rows = read_extracts(tmp_path / "out").rows("query_principals")
    assert {row["source"] for row in rows} == {"system_table"}
    assert len(rows) > 0.8 * report.rows["databaselog"]
    assert "cloudtrail:LookupEvents" not in report.calls


async def test_auto_asks_the_table_where_cloudtrail_is_denied(
    sandbox: Sandbox, run_at: Any, read_extracts: Any, tmp_path: Path
) -> None:
    """The better source that is allowed."""
    sandbox.faults.add("access_denied", "cloudtrail:LookupEvents")
    await run_at(START, source="api", attribute_users="auto")

    rows = read_extracts(tmp_path / "out").rows("query_principals")
    assert {row["source"] for row in rows} == {"system_table"}
