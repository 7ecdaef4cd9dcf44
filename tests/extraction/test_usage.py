"""Usage of a whole run is what the sandbox's executions really read and wrote."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

from kada_athena_async import Extractor
from kada_athena_async.sandbox import Sandbox
from kada_athena_async.sandbox.estate.model import Execution

KEY = ("catalog", "schema", "table", "usage_date", "user", "event_type")
# The estate's truth does not say what EXECUTE runs; PREPARE and a plain EXPLAIN run nothing.
UNTOLD = ("EXECUTE", "PREPARE", "EXPLAIN SELECT")


def expected_uses(executions: list[Execution]) -> dict[tuple[str, ...], list[Execution]]:
    """Who read what, on which day, by the estate itself."""
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
