"""Usage of a whole run is what the sandbox's executions really read and wrote."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from kada_athena_async import Extractor
from kada_athena_async.extracts import Package
from kada_athena_async.extracts.advice import advice
from kada_athena_async.extracts.runs import Runs, select_runs
from kada_athena_async.extracts.table_usage import unused_tables
from kada_athena_async.extracts.users import user_totals
from kada_athena_async.files import Files
from kada_athena_async.page import PageWriter
from kada_athena_async.records import QueryRecord
from kada_athena_async.sandbox import Sandbox
from kada_athena_async.sandbox.estate.model import Execution
from tests.unit.page.pages import flows_of, parts_of, tables_of

KEY = ("catalog", "schema", "table", "usage_date", "user", "event_type")
# The estate's truth does not say what EXECUTE runs; PREPARE and a plain EXPLAIN run nothing.
UNTOLD = ("EXECUTE", "PREPARE", "EXPLAIN SELECT")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """All schemas that there are."""
    with Sandbox(scale=0.05) as running:
        yield running


def expected_uses(executions: list[Execution]) -> dict[tuple[str, ...], list[Execution]]:
    """Readers of each table by day, by the estate itself."""
    found = defaultdict(list)
    for execution in executions:
        at = execution.completed_at or execution.submitted_at
        user = f"athena_workgroup_{execution.workgroup}"
        for ref in execution.reads:
            names = (ref.catalog, ref.schema.lower(), ref.table.lower())
            found[(*names, f"{at:%Y-%m-%d}", user, "READ")].append(execution)

    return found


async def test_reads_are_those_of_the_estate(
    sandbox: Sandbox, extractor: Callable[..., Extractor], read_extracts: Any, tmp_path: Path
) -> None:
    """Executions, distinct statements, bytes and the last time of each table, day and user."""
    async with extractor(metadata_source="api") as made:
        report = await made.run(manage_hwm=True)
    extracts = read_extracts(tmp_path / "out")
    rows = {tuple(row[name] for name in KEY): row for row in extracts.rows("usage")}
    assert report.rows["usage"] == len(rows) == len(extracts.rows("usage"))

    log = {row["query_id"]: row for row in extracts.rows("databaselog")}
    done = [sandbox.estate.executions[i] for i in log if log[i]["status"] == "SUCCEEDED"]
    told = [e for e in done if not e.query.lstrip().upper().startswith(UNTOLD)]
    others = {k[:3] for k in expected_uses([e for e in done if e not in told])}
    others |= {("AwsDataCatalog", "customers", "customer")}
    checked = 0
    for key, executions in expected_uses(told).items():
        if key[:3] in others:
            continue

        row = next(row for k, row in rows.items() if tuple(map(str.lower, k)) == lowered(key))
        shares = [Fraction(e.scanned_bytes or 0, len(set(e.reads))) for e in executions]
        assert int(row["executions"]) == len(executions), key
        assert row["failed_executions"] == "0"
        prints = {log[e.query_execution_id]["fingerprint"] for e in executions}
        assert int(row["distinct_statements"]) == len(prints)
        assert abs(int(row["scanned_bytes"]) - sum(shares)) <= len(executions)
        last = max(log[e.query_execution_id]["completed_at"] for e in executions)
        assert row["last_at"] == last
        checked += 1

    assert checked > 100


def lowered(key: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(map(str.lower, key))


async def test_usage_counts_the_events(
    sandbox: Sandbox, extractor: Callable[..., Extractor], read_extracts: Any, tmp_path: Path
) -> None:
    """With events of failed executions too: each READ and WRITE of a table once, no byte lost."""
    async with extractor(metadata_source="api", include_failed_events=True) as made:
        await made.run(manage_hwm=True)
    extracts = read_extracts(tmp_path / "out")
    log = {row["query_id"]: row for row in extracts.rows("databaselog")}
    seen: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for row in extracts.rows("events"):
        if row["event_type"] in ("READ", "WRITE") and row["catalog"]:
            names = (row["catalog"], row["schema"], row["table"])
            key = (*names, row["occurred_at"][:10], row["user"], row["event_type"])
            seen[key].add(row["query_id"])

    rows = extracts.rows("usage")
    assert {tuple(r[n] for n in KEY): int(r["executions"]) for r in rows} == {
        key: len(ids) for key, ids in seen.items()
    }
    assert {tuple(r[n] for n in KEY): int(r["failed_executions"]) for r in rows} == {
        key: sum(log[i]["status"] == "FAILED" for i in ids) for key, ids in seen.items()
    }
    readers = {i for key, ids in seen.items() if key[-1] == "READ" for i in ids}
    scanned = sum(int(log[i]["scanned_bytes"] or 0) for i in readers)
    assert sum(int(r["scanned_bytes"]) for r in rows) == scanned > 0
    assert any(r["event_type"] == "WRITE" for r in rows)


async def test_history_over_the_runs_of_two_nights(
    sandbox: Sandbox, extractor: Callable[..., Extractor], read_extracts: Any, tmp_path: Path
) -> None:
    """Users with dollars, advice with evidence, and nothing called unused that was used."""
    middle = f"{sandbox.now() - timedelta(days=20):%Y-%m-%d %H:%M:%S}"
    for window in ({"end_hwm": middle}, {}):
        async with extractor(metadata_source="api", usd_per_tb=7.0) as made:
            report = await made.run(manage_hwm=True, **window)
            assert report.committed, report.failed

    runs = select_runs(tmp_path / "out", "athena", Files())
    assert len(runs.packages) == 2
    log = [row for p in runs.packages for row in read_log(p)]
    assert len(log) == len({row["query_id"] for row in log}) > 200
    totals = user_totals(runs)
    assert sum(total.executions for total in totals) == len(log)
    assert sum(t.usd for t in totals) == pytest.approx(sum(map(usd, log)), abs=0.001)
    hours = sum(float(r["dpu_count"] or 0) * int(r["engine_ms"] or 0) / 3.6e6 for r in log)
    assert sum(t.dpu_hours for t in totals) == pytest.approx(hours, abs=0.001)

    unused = {(t.schema.lower(), t.table.lower()) for t in unused_tables(runs).tables}
    ids = {row["query_id"] for row in log if row["status"] == "SUCCEEDED"}
    done = [e for i, e in sandbox.estate.executions.items() if i in ids]
    told = [e for e in done if not e.query.lstrip().upper().startswith(UNTOLD)]
    used = {(r.schema.lower(), r.table.lower()) for e in told for r in e.reads}
    assert unused
    assert not unused & used

    page = page_of(runs, tmp_path / "page.html")
    totals_told = page["head"]["history"]["totals"]
    assert totals_told["executions"] == len(log)
    assert totals_told["failed"] == sum(row["status"] == "FAILED" for row in log)
    assert totals_told["billed"] / 2**40 * 7 == pytest.approx(sum(map(usd, log)), abs=0.001)
    tables = tables_of(page)
    assert {name.lower() for name, row in tables.items() if row["unused"]} == {
        ".".join(each) for each in unused
    }
    truth = sandbox.estate.catalogs["AwsDataCatalog"].schemas["sales"].tables["orders"]
    names = [column.name.lower() for column in truth.columns if column.is_current]
    assert tables["sales.orders"]["names"] == names
    assert ("sales.orders", "sales.orders_enriched") in flows_of(page)

    found = advice(runs)
    assert len(found) == page["head"]["advice"]["count"]
    assert {f.kind for f in found} >= {"no_partition_filter", "unused_table"}
    known = {row["query_id"] for row in log}
    assert all(set(f.evidence) <= known and (f.evidence or "unused" in f.kind) for f in found)
    assert [f.usd for f in found] == sorted((f.usd for f in found), reverse=True)


def page_of(runs: Runs, target: Path) -> dict[str, Any]:
    writer = PageWriter(1, files=Files())
    writer.add(runs)
    writer.write(target)
    return parts_of(target.read_text(encoding="utf-8"))


def read_log(package: Package) -> list[dict[str, str]]:
    names = QueryRecord._fields
    return [dict(zip(names, row, strict=True)) for row in package.rows("databaselog", *names)]


def usd(row: dict[str, str]) -> float:
    """The price list, read by a person."""
    scanned = int(row["scanned_bytes"] or 0)
    is_free = row["status"] == "FAILED" or row["reused_result"] == "true"
    if is_free or row["statement_type"] == "DDL" or float(row["dpu_count"] or 0):
        return 0.0
    is_utility = row["statement_type"] == "UTILITY" or row["substatement_type"] == "EXPLAIN"
    if not scanned and is_utility:
        return 0.0
    if not scanned and row["status"] == "CANCELLED" and not row["engine_ms"]:
        return 0.0
    return max(10, -(-scanned // 2**20)) * 2**20 / 2**40 * 7.0
