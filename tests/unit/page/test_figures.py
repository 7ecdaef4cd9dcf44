"""Figures of the page against the rows of the extracts."""

from __future__ import annotations

import hashlib
import math
import resource
import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from random import Random
from statistics import median_low
from typing import Any

import pytest

from kada_athena_async.errors import StateError
from kada_athena_async.extracts import newest_packages
from kada_athena_async.extracts.runs import Runs, select_runs
from kada_athena_async.files import Files
from kada_athena_async.manifest import Manifest, ManifestGap, ManifestTimeline
from kada_athena_async.page.history import MAX_GROUPS, OTHERS
from kada_athena_async.page.newest_run import calls_figures, completeness_figures
from kada_athena_async.page.warehouse import open_warehouse
from kada_athena_async.prices import billed_bytes, dpu_hours, prices_of
from kada_athena_async.records import (
    EventRecord,
    PrincipalRecord,
    QueryRecord,
    TagRecord,
    UsageRecord,
    ViewRecord,
)
from kada_athena_async.scopes import SPARK, ScopeFacts
from tests.unit.page.estate import (
    CATALOG,
    END,
    SERVER,
    Records,
    column,
    complete,
    link,
    query,
    table,
    write_package,
)
from tests.unit.page.pages import head_of, make_page, parts_of, tables_of

MB = 2**20
DAY = timedelta(days=1)


def history_of(directory: Path, rows: list[QueryRecord], **manifest: Any) -> Any:
    write_package(directory, {"databaselog": rows}, **manifest)
    return head_of(directory)["history"]


def manifest_of(directory: Path, **facts: Any) -> Manifest:
    write_package(directory, {}, **facts)
    (package,) = newest_packages(directory, "athena", Files(), count=1)
    return package.manifest


def usage(name: str, what: str = "READ", at: Any = END - DAY, **values: Any) -> UsageRecord:
    facts = {"executions": 1, "scanned_bytes": 0, "user": "ann", **values}
    return UsageRecord(
        server=SERVER,
        catalog=CATALOG,
        schema="sales",
        table=name,
        usage_date=f"{at:%Y-%m-%d}",
        event_type=what,
        failed_executions=0,
        distinct_statements=1,
        last_at=at,
        **facts,
    )


def event(query_id: str, what: str) -> EventRecord:
    return EventRecord(
        *(SERVER, f"{query_id}-{what}", query_id, what, "u", CATALOG, "sales", "orders", (), END)
    )


def random_history(count: int) -> list[QueryRecord]:
    rng = Random(5)
    rows = []
    for number in range(count):
        status = rng.choice(["SUCCEEDED"] * 6 + ["FAILED", "CANCELLED"])
        rows.append(
            query(
                f"q{number}",
                rng.choice(["primary", "etl", 'it\'s, "quoted"\nand broken']),
                status=status,
                statement_type=rng.choice(["DML", "DML", "DDL", "UTILITY"]),
                scanned_bytes=rng.choice([0, 1, 10 * MB, 10 * MB + 1, rng.randrange(2**40), None]),
                substatement_type=rng.choice(["SELECT", "SELECT", "EXPLAIN", None]),
                engine_ms=rng.choice([None, 900, 7_200_000]),
                dpu_count=rng.choice([None, None, 0.0, 4.0, 6.5]),
                reused_result=rng.random() < 0.2,
                completed_at=END - timedelta(seconds=rng.randrange(40 * 86_400)),
                total_ms=rng.randrange(100_000),
                queue_ms=rng.randrange(1_000),
                fingerprint=f"f{rng.randrange(40)}",
            )
        )

    return rows


def billed(row: QueryRecord) -> int:
    """The price list, read by a person: https://aws.amazon.com/athena/pricing/."""
    scanned = row.scanned_bytes or 0
    if row.status == "FAILED" or row.reused_result or row.statement_type == "DDL":
        return 0
    if row.dpu_count:  # paid by the hour
        return 0
    if row.statement_type == "UTILITY" or row.substatement_type == "EXPLAIN":
        return max(10, math.ceil(scanned / MB)) * MB if scanned else 0
    if row.status == "CANCELLED" and not scanned and not row.engine_ms:
        return 0  # it never ran
    return max(10, math.ceil(scanned / MB)) * MB


@pytest.mark.parametrize("compress", [True, False])
def test_sums_equal_the_extracts(tmp_path: Path, compress: bool) -> None:
    """Totals, days, workgroups, hours and statements are what a plain loop over the rows gives."""
    rows = random_history(600)

    figures = history_of(tmp_path, rows, compress=compress, region="sa-east-1")

    totals = figures["totals"]
    assert totals["executions"] == 600
    assert totals["failed"] == sum(row.status == "FAILED" for row in rows)
    assert totals["cancelled"] == sum(row.status == "CANCELLED" for row in rows)
    assert totals["scanned"] == sum(row.scanned_bytes or 0 for row in rows)
    assert totals["billed"] == sum(map(billed, rows))
    hours = sum((row.dpu_count or 0) * (row.engine_ms or 0) / 1000 / 3600 for row in rows)
    assert totals["dpu_hours"] == pytest.approx(hours)
    assert figures["usd_per_tb"] == 9.0
    for each in figures["workgroups"]:
        mine = [row for row in rows if row.workgroup.replace("\n", r"\n") == each["name"]]
        assert each["n"] == len(mine)
        assert each["billed"] == sum(map(billed, mine))
        assert each["queue_ms"] == sum(row.queue_ms or 0 for row in mine)
        assert each["median_ms"] == median_low(row.total_ms or 0 for row in mine)
        times = sorted(row.total_ms or 0 for row in mine)
        assert each["p95_ms"] == times[math.ceil(0.95 * len(mine)) - 1]

    days = figures["days"]
    by_day = Counter(f"{row.completed_at:%Y-%m-%d}" for row in rows)
    failed = Counter(f"{row.completed_at:%Y-%m-%d}" for row in rows if row.status == "FAILED")
    assert dict(zip(days["day"], days["n"], strict=True)) == by_day
    assert [failed[day] for day in days["day"]] == days["failed"]
    assert sum(days["billed"]) == totals["billed"]
    by_hour = Counter((row.workgroup.replace("\n", r"\n"), row.completed_at.hour) for row in rows)  # type: ignore[union-attr]
    for name, counts in zip(*figures["hours"].values(), strict=True):
        assert counts == [by_hour[name, hour] for hour in range(24)]

    costs = Counter[str]()
    for row in rows:
        costs[row.fingerprint or ""] += billed(row)
    assert {each["fingerprint"]: each["billed"] for each in figures["statements"]} == costs


def test_the_price_list_is_read_right() -> None:
    """Bytes and DPU hours of each kind of execution, by a second reading of the list."""
    for row in random_history(600):
        found = billed_bytes(
            status=row.status,
            statement_type=row.statement_type,
            substatement_type=row.substatement_type,
            scanned_bytes=row.scanned_bytes,
            is_reused=bool(row.reused_result),
            dpu_count=row.dpu_count,
            engine_ms=row.engine_ms,
        )
        assert found == billed(row), row
        hours = (row.dpu_count or 0) * (row.engine_ms or 0) / 3_600_000
        assert dpu_hours(row.dpu_count, row.engine_ms) == pytest.approx(hours)


def test_a_table_made_by_a_query_is_charged_as_one() -> None:
    """Athena may call CREATE TABLE AS SELECT DDL, which is free: it scans all the same."""
    facts: dict[str, Any] = {"status": "SUCCEEDED", "statement_type": "DDL", "is_reused": False}
    facts |= {"scanned_bytes": 20 * MB, "dpu_count": None, "engine_ms": 5}

    assert billed_bytes(substatement_type="CREATE_TABLE_AS_SELECT", **facts) == 20 * MB
    assert billed_bytes(substatement_type="CREATE_TABLE", **facts) == 0


@pytest.mark.parametrize("engine_ms", [None, 0])
def test_what_was_cancelled_in_the_queue_is_free(engine_ms: int | None) -> None:
    """The engine had no time for it, whether Athena writes that as none or leaves it out."""
    facts: dict[str, Any] = {"status": "CANCELLED", "statement_type": "DML", "is_reused": False}
    facts |= {"substatement_type": "SELECT", "scanned_bytes": 0, "dpu_count": None}

    assert billed_bytes(engine_ms=engine_ms, **facts) == 0
    assert billed_bytes(engine_ms=5, **facts) == 10 * MB


def test_a_terabyte_costs_what_the_region_asks() -> None:
    """A thousand of the smallest queries cost five cents less a little in us-east-1."""
    assert prices_of("us-east-1").scanned_usd(2**40) == 5.0
    assert round(prices_of("us-east-1").scanned_usd(1_000 * 10 * MB), 4) == 0.0477
    assert prices_of("sa-east-1").scanned_usd(2**40) == 9.0
    assert prices_of("us-east-1").usd_per_dpu_hour == 0.3


def test_a_price_says_where_it_comes_from() -> None:
    """Configured, of the Region, or of us-east-1 because nobody knows that of the Region."""
    configured = prices_of("sa-east-1", usd_per_tb=4.5, usd_per_dpu_hour=0.25)
    assert (configured.usd_per_tb, configured.tb_source) == (4.5, "as configured")
    assert (configured.usd_per_dpu_hour, configured.dpu_source) == (0.25, "as configured")
    assert prices_of("sa-east-1").tb_source == "list price of sa-east-1"
    unknown = prices_of("mars-north-1")
    assert (unknown.usd_per_tb, unknown.usd_per_dpu_hour) == (5.0, 0.3)
    assert unknown.tb_source == unknown.dpu_source
    assert unknown.tb_source == "list price of us-east-1, as that of mars-north-1 is not known here"
    assert prices_of("").tb_source == "list price of us-east-1, as the Region is not known here"


def test_partial_days_are_marked(tmp_path: Path) -> None:
    """A day is whole where the windows of all runs, joined, cover it and no gap cuts it."""
    noon = END + timedelta(hours=12)
    rows = [query(f"q{n}", completed_at=noon - n * DAY - timedelta(hours=1)) for n in range(4)]
    for number, end in enumerate((noon - 2 * DAY, noon - DAY, noon)):
        write_package(tmp_path, {"databaselog": rows[3 - number : 4 - number]}, end=end)

    days = head_of(tmp_path)["history"]["days"]
    assert (days["day"], days["partial"]) == (["2026-11-22", "2026-11-23", "2026-11-24"], [1, 0, 0])

    write_package(tmp_path, {"databaselog": rows[:1]}, end=noon)
    gap = ManifestGap(kind="lost", start=END - DAY, end=END - DAY + timedelta(hours=1))
    write_package(tmp_path, {"databaselog": rows[1:2]}, end=noon - DAY, gaps=(gap,))
    days = head_of(tmp_path)["history"]["days"]
    assert dict(zip(days["day"], days["partial"], strict=True))["2026-11-24"] == 1
    since = END - timedelta(hours=14)
    days = head_of(tmp_path, since=since)["history"]["days"]
    assert (days["day"][0], days["partial"][0]) == ("2026-11-24", 1)


def test_many_workgroups_are_summed_up(tmp_path: Path) -> None:
    """Rows that do not fit stand together under one name, and nothing is lost from the sums."""
    count = MAX_GROUPS + 7
    rows = [query(f"q{i}-{j}", f"w{i:04d}") for i in range(count) for j in range(1 + (i < 3))]

    figures = history_of(tmp_path, rows)

    told = {each["name"]: each["n"] for each in figures["workgroups"]}
    assert len(told) == MAX_GROUPS + 1
    assert told[OTHERS] == 7
    assert sum(told.values()) == len(rows)
    assert sum(map(sum, figures["hours"]["counts"])) == len(rows)


def test_failures_are_those_of_the_terminal(tmp_path: Path) -> None:
    """By Athena's word or category, masked, those that were cancelled not among them."""
    reasons = [
        "COLUMN_NOT_FOUND: line 1:8: Column 'secret-4711' cannot be resolved",
        "COLUMN_NOT_FOUND: line 9:9: Column ? cannot be resolved",
        "line 4:9: mismatched input ?. Expecting: ?",
        "Query exhausted resources at this scale factor",
        None,
    ]
    rows = [
        query(f"q{i}", f"w{i}", status="FAILED", status_reason=reason, error_category=2)
        for i, reason in enumerate(reasons)
    ]
    stopped = query("c", status="CANCELLED", status_reason="Query cancelled by the user")

    figures = history_of(tmp_path, [*rows, query("fine"), stopped])

    assert [(f["kind"], f["n"], f["workgroups"]) for f in figures["failures"]] == [
        ("COLUMN_NOT_FOUND", 2, 2),
        ("user error", 2, 2),
        ("SYNTAX_ERROR", 1, 1),
    ]
    assert "4711" not in str(figures["failures"])


def test_people_and_tools_are_those_of_the_principals(tmp_path: Path) -> None:
    """By principal where one is known, else by user; one that came late counts too."""
    rows = [query("a", scanned_bytes=2**30), query("b"), query("c", "etl", status="FAILED")]
    events = [event("a", "READ"), event("b", "READ"), event("b", "READ"), event("c", "WRITE")]
    used = [usage("orders", executions=2), usage("orders", "WRITE")]
    first = {"databaselog": rows, "events": events, "usage": used}
    write_package(tmp_path, first, end=END - DAY)
    empty = dict.fromkeys(PrincipalRecord._fields)
    late = PrincipalRecord(
        **{
            **empty,
            "server": SERVER,
            "query_id": "a",
            "principal": "ann@example.com",
            "client": "dbt",
            "source": "cloudtrail",
        }
    )
    write_package(tmp_path, {"query_principals": [late]})

    parts = parts_of(make_page(tmp_path)[1])

    figures = parts["head"]["history"]
    assert {each["name"]: (each["n"], each["failed"]) for each in figures["people"]} == {
        "ann@example.com": (1, 0),
        "athena_workgroup_primary": (1, 0),
        "athena_workgroup_etl": (1, 1),
    }
    assert {each["name"]: each["n"] for each in figures["tools"]} == {"dbt": 1, "": 2}
    (orders,) = tables_of(parts).values()
    at = "2026-11-24 12:00"
    assert orders["readers"] == [
        ["ann@example.com", 1, at, "dbt"],
        ["athena_workgroup_primary", 1, at, ""],
    ]
    assert orders["writers"] == [["athena_workgroup_etl", 1, at, ""]]
    assert orders["users"] == 3


def test_sample_is_the_most_expensive_and_masked(tmp_path: Path) -> None:
    """Of statements that differ in literals the one that scanned most is shown, masked."""
    rows = [
        query("small", query="SELECT 'small'", scanned_bytes=20 * MB),
        query("large", query="SELECT 'large'\nFROM t", scanned_bytes=900 * MB, total_ms=None),
    ]

    (only,) = history_of(tmp_path, rows)["statements"]

    assert (only["n"], only["query_id"], only["sql"]) == (2, "large", "SELECT ?\nFROM t")


def test_a_table_is_told_with_its_columns_use_and_text(tmp_path: Path) -> None:
    """Index and details hold what metadata, tags, usage and view text say of it."""
    sized = table("sales", "orders")._replace(
        size_bytes=2**30, row_count=7, comment="one an order", location="s3://lake/orders/"
    )
    columns = [
        column("sales", "orders", "id")._replace(comment="key"),
        column("sales", "orders", "dt", "date")._replace(ordinal_position=2, is_partition_key=True),
    ]
    tags = [
        TagRecord(SERVER, CATALOG, "sales", "orders", "id", "pii", "yes", "lakeformation", False)
    ]
    views = [
        ViewRecord(SERVER, CATALOG, "sales", "v", "SELECT id FROM orders WHERE n = 4711", "athena")
    ]
    write_package(tmp_path, {"usage": [usage("orders", at=END - 3 * DAY)]}, end=END - 2 * DAY)
    records: Records = {
        "metadata_tables": [sized, table("sales", "v", table_format=None)],
        "metadata_columns": columns,
        "metadata_tags": tags,
        "metadata_views": views,
        "usage": [
            usage("ORDERS", executions=3, scanned_bytes=10),
            usage("orders", "WRITE", user="etl"),
        ],
    }
    write_package(tmp_path, records, completeness=[complete("sales")])

    tables = tables_of(parts_of(make_page(tmp_path)[1]))

    orders, view = tables["sales.orders"], tables["sales.v"]
    assert orders["location"] == ["s3://lake/", "/"]
    assert (orders["size"], orders["rows"], orders["comment"]) == (2**30, 7, "one an order")
    assert (orders["names"], orders["types"]) == (["id", "dt"], ["bigint", "date"])
    assert (orders["keyPlaces"], orders["comments"]) == ([1], {"0": "key"})
    assert orders["tags"] == [["id", "pii=yes"]]
    assert (orders["reads"], orders["writes"], orders["users"], orders["scanned"]) == (4, 1, 2, 10)
    assert orders["readers"] == [["ann", 4, "2026-11-24 00:00", ""]]
    assert orders["writers"] == [["etl", 1, "2026-11-24 00:00", ""]]
    assert orders["days"] == [["2026-11-22", 1, 0], ["2026-11-24", 3, 1]]
    assert (view["kind"], view["view"]) == (1, "SELECT id FROM orders WHERE n = ?")


def test_unused_are_those_of_the_terminal(tmp_path: Path) -> None:
    """Not used even through views, nor by OPTIMIZE, and only in schemas that every run read
    completely."""
    names = ("base", "old", "v", "vv", "other")
    tables = [table("sales", name)._replace(size_bytes=5) for name in names]
    half = table("half", "unknown")
    links = [link("base", "v"), link("v", "vv")]
    records: Records = {
        "metadata_tables": [*tables, half],
        "linkages": links,
        "usage": [usage("VV"), usage("old", "WRITE")],
        "databaselog": [query("q1", query="OPTIMIZE old REWRITE DATA USING BIN_PACK")],
        "events": [event("q1", "WRITE")._replace(table="old", occurred_at=END - DAY)],
    }
    outcomes = [complete("sales"), complete("half", "partial")]
    write_package(tmp_path, records, completeness=outcomes)

    parts = parts_of(make_page(tmp_path)[1])

    unused = {name for name, row in tables_of(parts).items() if row["unused"]}
    assert unused == {"sales.old", "sales.other"}
    estate = parts["head"]["estate"]
    assert (estate["unused"], estate["unused_bytes"]) == (2, 10)
    assert estate["doubtful_schemas"] == [f"{CATALOG}.half"]


def test_changes_are_since_the_run_before(tmp_path: Path) -> None:
    """Also where only the newest run is looked at; nothing is compared with nothing."""
    schemas = [complete("sales")]
    before = {"metadata_tables": [table("sales", "gone")]}
    write_package(tmp_path, before, end=END - DAY, completeness=schemas)
    assert head_of(tmp_path)["changes"] is None
    write_package(tmp_path, {"metadata_tables": [table("sales", "new")]}, completeness=schemas)

    changes = head_of(tmp_path, days=1)["changes"]

    assert changes["tables"] == [
        [f"{CATALOG}.sales.gone", "TABLE", ""],
        [f"{CATALOG}.sales.new", "", "TABLE"],
    ]
    assert (changes["tableCount"], changes["columnCount"], changes["compared"]) == (2, 0, 1)


def test_calls_are_told_with_their_peak(tmp_path: Path) -> None:
    """Rates are calls by the width of a bucket."""
    timeline = ManifestTimeline(
        started_at=END,
        bucket_s=4,
        calls={"athena:A": (8, 0, 4), "athena:B": (2,)},
        quotas={"athena:A": 5.0},
    )
    facts = {"calls": {"athena:B": 2, "athena:A": 12}, "throttles": {"athena:A": 3}}

    figures = calls_figures(manifest_of(tmp_path, timeline=timeline, **facts))

    assert [tuple(each.values()) for each in figures] == [
        ("athena:A", 12, 3, 2.0, 5.0),
        ("athena:B", 2, 0, 0.5, None),
    ]


def test_what_is_not_complete_is_listed(tmp_path: Path) -> None:
    """Complete scopes are counted, the others named; a Spark workgroup lacks nothing."""
    scopes = [
        ScopeFacts(scope="workgroup", name=("w",), outcome="denied", reason="no right"),
        ScopeFacts(scope="workgroup", name=("v",), outcome="complete"),
        ScopeFacts(scope="workgroup", name=("spark",), outcome="skipped", reason=SPARK),
    ]

    figures = completeness_figures(manifest_of(tmp_path, completeness=scopes))

    assert (figures["asked"], figures["incomplete"]) == (2, 1)
    told = {"scope": "workgroup", "name": "w", "outcome": "denied", "reason": "no right"}
    assert figures["problems"] == [told]


def test_missing_package_is_explained(tmp_path: Path) -> None:
    """With the directory, the name and what to do."""
    with pytest.raises(
        StateError, match=r"there are no extracts of 'athena' in .*\n  try: extract"
    ):
        newest_packages(tmp_path, "athena", Files(), count=1)


@pytest.mark.parametrize(("damage", "told"), [("tear", "is torn"), ("remove", "is gone")])
def test_torn_package_is_refused(tmp_path: Path, damage: str, told: str) -> None:
    """A file that is not what the manifest says is named, with the remedy."""
    write_package(tmp_path, {"databaselog": [query("q")]})
    (path,) = tmp_path.glob("*databaselog*")
    path.unlink() if damage == "remove" else path.write_bytes(path.read_bytes()[:-9])
    (package,) = newest_packages(tmp_path, "athena", Files(), count=1)

    with pytest.raises(StateError, match=f"{path.name} {told}(.|\n)*try: restore it"):
        package.check(Files())


def test_foreign_extract_is_refused(tmp_path: Path) -> None:
    """A file that is whole but of another making is named by its kind, and none of it is quoted."""
    write_package(tmp_path, {"databaselog": [query("q", scanned_bytes="secret-4711")]})

    with pytest.raises(StateError) as refused:
        make_page(tmp_path)

    assert f"an extract in {tmp_path} cannot be read as databaselog" in str(refused.value)
    assert "try: it was written by something else" in str(refused.value)
    assert "4711" not in "".join(traceback.format_exception(refused.value))


def test_an_extract_of_an_earlier_version_is_read(tmp_path: Path) -> None:
    """Columns that were appended since are null in it."""
    write_package(tmp_path, {"metadata_tables": [table("sales", "orders")]}, compress=False)
    (extract,) = tmp_path.glob("*metadata_tables*")
    lines = extract.read_text().splitlines()
    cut = "".join(line.rsplit(",", 5)[0] + "\n" for line in lines)
    manifest = next(tmp_path.glob("*manifest*"))
    text = manifest.read_text().replace(digest_of(extract.read_text()), digest_of(cut))
    manifest.write_text(
        text.replace(f'"size_bytes": {extract.stat().st_size}', f'"size_bytes": {len(cut)}')
    )
    extract.write_text(cut)

    (found,) = tables_of(parts_of(make_page(tmp_path)[1])).values()

    assert (found["name"], found["size"]) == ("orders", None)


def digest_of(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@contextmanager
def disk_of(size_bytes: int) -> Iterator[None]:
    """No file may grow larger, as on a disk that is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_lack_of_room_is_explained(tmp_path: Path) -> None:
    """A page that cannot be held is refused with the place that needs room; no value is quoted."""
    rows = [query(f"q{n}", query="x", fingerprint=f"{n:0500d}") for n in range(60_000)]
    write_package(tmp_path, {"databaselog": rows})
    runs: Runs = select_runs(tmp_path, "athena", Files())

    with (
        pytest.raises(StateError, match=r"cannot be counted in .*\n  try: make room") as refused,
        disk_of(1_000_000),
        open_warehouse(runs),
    ):
        pass

    assert "0000" not in "".join(traceback.format_exception(refused.value))
