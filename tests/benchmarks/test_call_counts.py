"""For a known estate the engine makes the calls that it has to make, and no others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from benchmarks.frame import own_run
from benchmarks.standin import stand_in

pytestmark = pytest.mark.slow

ESTATE: dict[str, float] = {
    "schemas": 30,
    "tables": 60,
    "columns": 3,
    "giant_schemas": 1,
    "giant_tables": 450,
    "executions": 220,
    "workgroups": 2,
    "latency_scale": 0.01,
    "quota_scale": 1000.0,
    "rows_per_s": 1e9,
}
OBJECTS = 30 * 60 + 450
VIEWS = 30 * 3 + 22
DISCOVERY = {
    "athena:ListWorkGroups": 1,
    "athena:ListDataCatalogs": 1,
    "athena:ListQueryExecutions": 2 * 3,
    "athena:BatchGetQueryExecution": 2 * 3,
}
"""220 executions in two workgroups are three pages each, and a batch for each page."""
LOOK_AT_BUCKET = 1
"""HeadBucket, which the stand-in counts as it does GetObject."""


def run(source: str, output: Path, **config: object) -> dict[str, Any]:
    """Calls that a run reports; everything of the estate is found, whatever the source."""
    with stand_in(**ESTATE) as server:
        report = own_run(server.url, output, metadata_source=source, **config)
        log = server.log()

    found = report["found"]
    assert (found["tables"], found["columns"]) == (OBJECTS, OBJECTS * 3)
    assert (found["view_texts"], found["executions"]) == (VIEWS, 220)
    assert log["throttled"] == 0
    return {**report, "log": {name: entry["calls"] for name, entry in log["operations"].items()}}


def test_the_api_is_asked_for_each_page_once(tmp_path: Path) -> None:
    """Glue: a page of databases, a page for each schema, five for the one with 450 tables."""
    calls = run("api", tmp_path)["log"]

    expected = {**DISCOVERY, "glue:GetDatabases": 1, "glue:GetTables": 30 + 5}
    assert {name: calls.get(name) for name in expected} == expected
    # The catalog, the caller, and the scan limit of each workgroup.
    others = {"athena:GetDataCatalog": 1, "athena:GetWorkGroup": 2, "sts:GetCallerIdentity": 1}
    assert {name: calls[name] for name in calls.keys() - expected.keys()} == others


def test_sql_is_asked_in_few_statements_and_reads_no_result_twice(tmp_path: Path) -> None:
    """Each statement is started once, and its result is one page or one object."""
    calls = run("sql", tmp_path)["log"]

    statements = calls["athena:StartQueryExecution"]
    assert calls["athena:GetQueryResults"] + calls["s3:GET"] - LOOK_AT_BUCKET == statements
    # Names of 31 schemas, a list for each, all views, then columns.
    assert statements <= 1 + 31 + 1 + (31 + 4)
    assert "glue:GetTables" not in calls


def test_auto_costs_the_api_and_sql_and_nothing_besides(tmp_path: Path) -> None:
    """Glue's pages as by the API alone; SQL is asked for columns only, for Glue knows the views."""
    calls = run("auto", tmp_path)["log"]

    assert calls["glue:GetTables"] == 30 + 5
    assert calls["athena:StartQueryExecution"] <= 31 + 5
    # 60 tables and more: none has a page read before its object.
    assert calls["s3:GET"] - LOOK_AT_BUCKET == calls["athena:StartQueryExecution"]
    assert "athena:GetQueryResults" not in calls


def test_units_that_list_by_sql_do_not_wait_for_each_other(tmp_path: Path) -> None:
    """More listings than results may be read at once, with more to do than places, all end."""
    estate = {**ESTATE, "schemas": 80, "giant_schemas": 0, "executions": 0, "columns": 1}
    with stand_in(**estate) as server:
        report = own_run(server.url, tmp_path, metadata_source="sql")

    assert report["found"]["tables"] == 80 * 60
