"""What the page counts is what the extracts hold."""

from __future__ import annotations

import gzip
import math
import os
import traceback
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

import pytest

from kada_athena_async.commit import Manifest, ManifestTimeline
from kada_athena_async.errors import StateError
from kada_athena_async.extracts import newest_packages
from kada_athena_async.extracts.runs import select_runs
from kada_athena_async.files import Files
from kada_athena_async.page import warehouse as warehouse_module
from kada_athena_async.page.estate import completeness_figures, estate_figures
from kada_athena_async.page.history import (
    MAX_CHARTED,
    MAX_WORKGROUPS,
    OTHERS,
    HistoryFigures,
    history_figures,
)
from kada_athena_async.page.run_calls import calls_figures
from kada_athena_async.page.warehouse import Warehouse, open_warehouse
from kada_athena_async.prices import billed_bytes, dpu_hours, prices_of
from kada_athena_async.records import QueryRecord
from kada_athena_async.report import ScopeFacts
from tests.unit.page.estate import END, Records, query, schema, table, write_package

MB = 2**20
PRICES = prices_of("sa-east-1")


@contextmanager
def warehouse_of(directory: Path, records: Records, **manifest: Any) -> Iterator[Warehouse]:
    write_package(directory, records, **manifest)
    with open_warehouse(select_runs(directory, "athena", Files()), None) as warehouse:
        yield warehouse


def history_of(directory: Path, rows: list[QueryRecord], **manifest: Any) -> HistoryFigures:
    with warehouse_of(directory, {"databaselog": rows}, **manifest) as warehouse:
        return history_figures(warehouse, lambda sql, *_: sql.upper(), PRICES)


def manifest_of(directory: Path, **facts: Any) -> Manifest:
    write_package(directory, {}, **facts)
    (package,) = newest_packages(directory, "athena", Files(), count=1)
    return package.manifest


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
    if row.status == "CANCELLED" and not scanned and row.engine_ms is None:
        return 0  # it never ran
    return max(10, math.ceil(scanned / MB)) * MB


@pytest.mark.parametrize("compress", [True, False])
def test_sums_equal_the_extracts(tmp_path: Path, compress: bool) -> None:
    """Totals, workgroups, hours, days and statements are what a plain loop over the rows gives."""
    rows = random_history(600)

    figures = history_of(tmp_path, rows, compress=compress)

    assert figures.executions == 600
    assert figures.failed == sum(row.status == "FAILED" for row in rows)
    assert figures.scanned_bytes == sum(row.scanned_bytes or 0 for row in rows)
    assert figures.billed_bytes == sum(map(billed, rows))
    assert figures.dollars == pytest.approx(sum(map(billed, rows)) / 2**40 * 9.0)
    hours = sum((row.dpu_count or 0) * (row.engine_ms or 0) / 1000 / 3600 for row in rows)
    assert figures.dpu_hours == pytest.approx(hours)
    assert sum(each.dpu_hours for each in figures.workgroups) == pytest.approx(hours)
    assert {w.workgroup: w.executions for w in figures.workgroups} == Counter(
        row.workgroup for row in rows
    )
    for each in figures.workgroups:
        mine = [row for row in rows if row.workgroup == each.workgroup]
        assert each.billed_bytes == sum(map(billed, mine))
        assert each.median_ms == median(row.total_ms or 0 for row in mine)

    times = [(row.workgroup, row.status, row.completed_at) for row in rows]
    assert {(w, hour): n for w, hour, n in figures.hours} == Counter(
        (workgroup, at.hour) for workgroup, _, at in times if at
    )
    assert {(begin.date(), status): n for begin, status, n in figures.periods} == Counter(
        (at.date(), status) for _, status, at in times if at
    )
    costs = Counter[str]()
    for row in rows:
        costs[row.fingerprint or ""] += billed(row)
    assert [f.billed_bytes for f in figures.fingerprints] == [
        cost for _, cost in costs.most_common(len(figures.fingerprints))
    ]


def test_the_database_and_the_loop_bill_alike() -> None:
    """``show`` counts in Python what the page counts in SQL."""
    for row in random_history(600):
        found = billed_bytes(
            status=row.status,
            statement_type=row.statement_type,
            substatement_type=row.substatement_type,
            scanned_bytes=row.scanned_bytes,
            is_reused=bool(row.reused_result),
            dpu_count=row.dpu_count,
            has_run=row.status != "CANCELLED" or row.engine_ms is not None,
        )
        assert found == billed(row), row
        hours = (row.dpu_count or 0) * (row.engine_ms or 0) / 3_600_000
        assert dpu_hours(row.dpu_count, row.engine_ms) == pytest.approx(hours)


def test_a_terabyte_costs_what_the_region_asks() -> None:
    """A thousand of the smallest queries cost five cents less a little in us-east-1."""
    assert prices_of("us-east-1").scanned_usd(2**40) == 5.0
    assert round(prices_of("us-east-1").scanned_usd(1_000 * 10 * MB), 4) == 0.0477
    assert prices_of("sa-east-1").scanned_usd(2**40) == 9.0
    assert prices_of("us-east-1").dpu_usd(10) == pytest.approx(3.0)


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


def test_many_workgroups_are_summed_up(tmp_path: Path) -> None:
    """What does not fit stands together under one name, and nothing is lost from the sums."""
    count = MAX_WORKGROUPS + 7
    rows = [query(f"q{i}-{j}", f"w{i:04d}") for i in range(count) for j in range(1 + (i < 3))]

    figures = history_of(tmp_path, rows)

    told = {w.workgroup: w.executions for w in figures.workgroups}
    assert len(told) == MAX_WORKGROUPS + 1
    assert told[OTHERS] == 7
    assert sum(told.values()) == len(rows)
    assert figures.workgroup_count == count
    assert len({workgroup for workgroup, *_ in figures.hours}) == MAX_CHARTED + 1
    assert sum(n for *_, n in figures.hours) == len(rows)


def test_failures_are_named_by_what_stays_the_same(tmp_path: Path) -> None:
    """An error's name, or the words before the first value; positions and values do not split."""
    reasons = [
        "COLUMN_NOT_FOUND: line 1:8: Column ? cannot be resolved",
        "COLUMN_NOT_FOUND: line 9:9: Column ? cannot be resolved",
        "line 4:9: mismatched input ?. Expecting: ?",
        "line 1:1: mismatched input ?. Expecting: ?",
        "Query exhausted resources at this scale factor",
        None,
    ]
    rows = [
        query(f"q{i}", status="FAILED", status_reason=reason, error_category=2)
        for i, reason in enumerate(reasons)
    ]

    figures = history_of(tmp_path, [*rows, query("fine")])

    assert {(f.kind, f.executions, f.blamed) for f in figures.failures} == {
        ("COLUMN_NOT_FOUND", 2, "user"),
        ("mismatched input", 2, "user"),
        ("Query exhausted resources at this scale factor", 1, "user"),
        ("no reason given", 1, "user"),
    }


def test_sample_is_the_most_expensive_and_masked(tmp_path: Path) -> None:
    """Of statements that differ in literals the one that scanned most is shown, masked."""
    rows = [
        query("small", query="select small", scanned_bytes=20 * MB),
        query("large", query="select large\nfrom t", scanned_bytes=900 * MB),
        query("free", query="create table", statement_type="DDL", fingerprint="g"),
    ]

    (only,) = history_of(tmp_path, rows).fingerprints

    assert (only.executions, only.sample) == (2, "SELECT LARGE\nFROM T")


def test_estate_is_counted_by_schema(tmp_path: Path) -> None:
    """Tables, views, formats and the sizes that the catalog knows, an empty schema included."""
    records = {
        "metadata_schemas": [schema("sales"), schema("empty")],
        "metadata_tables": [
            table("sales", "a", parameters={"totalSize": "500"}),
            table("sales", "b", table_format="iceberg", parameters={"totalSize": "junk"}),
            table("sales", "c", parameters={"totalSize": "1500"}),
            table("sales", "v", table_format=None),
        ],
    }
    with warehouse_of(tmp_path, records) as warehouse:
        figures = estate_figures(warehouse)

    told = [(s.schema, s.tables, s.views, s.formats, s.size_bytes) for s in figures.schemas]
    assert told == [("sales", 3, 1, "hive 2, iceberg 1", 2000), ("empty", 0, 0, "", None)]
    assert figures.formats == (("hive", 2), ("iceberg", 1))
    assert [(t, size) for *_, t, size in figures.largest] == [("c", 1500), ("a", 500)]
    assert figures.sized_tables == 2


def test_calls_are_told_by_time(tmp_path: Path) -> None:
    """Rates are calls by the width of a bucket; what a list leaves out at its end is zero."""
    timeline = ManifestTimeline(
        started_at=END,
        bucket_s=4,
        calls={"athena:A": (8, 0, 4), "athena:B": (2,)},
        quotas={"athena:A": 5.0},
    )
    facts = {"calls": {"athena:B": 2, "athena:A": 12}, "throttles": {"athena:A": 3}}

    figures = calls_figures(manifest_of(tmp_path, timeline=timeline, **facts))

    assert [
        (o.operation, o.calls, o.throttles, o.peak_per_s, o.quota_per_s) for o in figures.operations
    ] == [
        ("athena:A", 12, 3, 2.0, 5.0),
        ("athena:B", 2, 0, 0.5, None),
    ]
    assert figures.duration_s == 12
    assert [row for row in figures.timeline if row[0] == "athena:B"] == [
        ("athena:B", 0, 0.5),
        ("athena:B", 4, 0.0),
        ("athena:B", 8, 0.0),
    ]


def test_what_is_not_complete_is_listed(tmp_path: Path) -> None:
    """Complete scopes are counted, the others named with their reason."""
    denied = ScopeFacts(scope="workgroup", name=("w",), outcome="denied", reason="no right")
    fine = ScopeFacts(scope="workgroup", name=("v",), outcome="complete")

    figures = completeness_figures(manifest_of(tmp_path, completeness=[fine, denied]))

    assert figures.outcomes == {"complete": 1, "partial": 0, "skipped": 0, "denied": 1}
    assert figures.problems == (denied,)


@pytest.mark.skipif(os.name == "nt", reason="needs names that Windows has not")
def test_any_directory_name_will_do(tmp_path: Path) -> None:
    """Quotes and wildcards in a path are letters like others: no neighbour is read with it."""
    for neighbour in ("it's xy z", "it's xyz"):
        write_package(tmp_path / neighbour, {"databaselog": [query(f"q{i}") for i in range(5)]})

    figures = history_of(tmp_path / "it's [x]*?z", [query("q")])

    assert figures.executions == 1


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
    """A file that is whole but of another making is named, and none of it is quoted."""
    path = write_package(tmp_path, {})
    (extract,) = tmp_path.glob("*metadata_tables*")
    extract.write_bytes(gzip.compress(b"server,catalog\nsecret-4711,b,c,d\n"))
    runs = select_runs(tmp_path, "athena", Files())

    with pytest.raises(StateError) as refused, open_warehouse(runs, None):
        pass

    assert f"{extract} cannot be read as metadata_tables" in str(refused.value)
    assert "try: it was written by something else" in str(refused.value)
    assert "4711" not in "".join(traceback.format_exception(refused.value))
    assert path.exists()


def test_an_extract_of_an_earlier_version_is_read(tmp_path: Path) -> None:
    """Columns that were appended since are null in it."""
    write_package(tmp_path, {"metadata_tables": [table("sales", "orders")]})
    (extract,) = tmp_path.glob("*metadata_tables*")
    lines = gzip.decompress(extract.read_bytes()).decode().splitlines()
    cut = [line.rsplit(",", 5)[0] for line in lines]
    assert cut[0].endswith("found_by")
    extract.write_bytes(gzip.compress("\n".join([*cut, ""]).encode()))

    with open_warehouse(select_runs(tmp_path, "athena", Files()), None) as warehouse:
        found = warehouse.rows('SELECT schema, "table" FROM tables')

    assert list(found) == [("sales", "orders")]


def test_lack_of_room_is_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be held is said with the place that needs room."""
    monkeypatch.setattr(warehouse_module, "MEMORY_LIMIT", "1MB")

    with (
        pytest.raises(StateError, match=r"cannot be counted in .*\n  try: make room there"),
        warehouse_of(tmp_path, {"databaselog": random_history(2_000)}),
    ):
        pass
