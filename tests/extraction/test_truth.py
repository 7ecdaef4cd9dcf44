"""The extracts are the sandbox's own truth, whatever is asked and however it is written."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from kada_athena_async import Extractor, RunReport
from kada_athena_async.sandbox import Sandbox
from kada_athena_async.sandbox.estate.model import Catalog, Column, Schema, Table
from tests.conftest import Extracts, FastClock

SOURCES = ("sql", "api", "auto")


def text(value: object) -> str:
    """A value as the contract writes it; an empty field is null."""
    if value is None:
        return ""

    if isinstance(value, bool):
        return "true" if value else "false"

    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}.{value.microsecond // 1000:03d}"

    return str(value)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """All schemas that there are."""
    with Sandbox(scale=0.05) as running:
        yield running


async def extract(make: Callable[..., Extractor], **fields: Any) -> RunReport:
    async with make(mask=False, **fields) as extractor:
        return await extractor.run(manage_hwm=True)


@dataclass
class Extraction:
    """A run with all metadata from one source, which many tests look at."""

    source: str
    report: RunReport
    extracts: Extracts


@pytest.fixture(scope="module", params=SOURCES)
def extraction(
    request: pytest.FixtureRequest, sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory
) -> Extraction:
    folder = tmp_path_factory.mktemp("extraction")
    fields = {"catalogs": ["*"], "quota_share": 1.0, "mask": False}

    async def run() -> RunReport:
        config = sandbox.config(folder / "out", **fields, metadata_source=request.param)
        async with Extractor(clock=FastClock(), hwm_path=folder / "hwm", **config) as extractor:
            return await extractor.run(manage_hwm=True)

    return Extraction(request.param, asyncio.run(run()), Extracts(folder / "out"))


by_auto = pytest.mark.parametrize("extraction", ["auto"], indirect=True)


def tables_of(sandbox: Sandbox) -> list[tuple[Catalog, Schema, Table]]:
    return list(sandbox.estate.tables())


def spelt(name: str, source: str) -> str:
    """SQL knows lower case only."""
    return name.lower() if source == "sql" else name


def test_every_column_is_extracted_once(sandbox: Sandbox, extraction: Extraction) -> None:
    """Name, position, type, comment and partition key of each column are the catalog's."""
    source, report = extraction.source, extraction.report
    assert report.committed, report.failed

    found = {
        tuple(row[c] for c in ("catalog", "schema", "table", "column")): (
            row["ordinal_position"],
            row["data_type"],
            row["source_type"],
            row["is_partition_key"],
            row["comment"],
        )
        for row in extraction.extracts.rows("metadata_columns")
    }
    expected = {}
    for catalog, schema, table in tables_of(sandbox):
        for position, column in enumerate(table.current_columns, start=1):
            names = (spelt(table.name, source), spelt(column.name, source))
            key = (catalog.name, schema.name, *names)
            expected[key] = expected_column(column, position, source)

    assert found == expected
    assert report.rows["metadata_columns"] == len(expected)


def expected_column(column: Column, position: int, source: str) -> tuple[str, ...]:
    return (
        str(position),
        column.trino_type,
        "" if source == "sql" else column.type,
        text(column.is_partition_key),
        text(column.comment),
    )


def test_every_table_and_view_is_extracted_once(sandbox: Sandbox, extraction: Extraction) -> None:
    """Each table and view is there with its kind, and who found it."""
    source = extraction.source
    rows = extraction.extracts.rows("metadata_tables")
    found = {
        (r["catalog"], r["schema"], r["table"]): (r["table_type"], r["found_by"]) for r in rows
    }
    found_by = "both" if source == "auto" else source
    expected = {
        (c.name, s.name, spelt(t.name, source)): ("VIEW" if t.is_view else "TABLE", found_by)
        for c, s, t in tables_of(sandbox)
    }
    assert found == expected
    assert len(rows) == len(expected)


@by_auto
def test_details_of_tables_are_the_catalogs(sandbox: Sandbox, extraction: Extraction) -> None:
    """Format, place, owner, comment, times, parameters and keys of each Glue table are there."""
    rows = extraction.extracts.rows("metadata_tables")
    found = {(r["schema"], r["table"]): r for r in rows if r["catalog"] == "AwsDataCatalog"}
    for catalog, schema, table in tables_of(sandbox):
        if catalog.name != "AwsDataCatalog":
            continue

        row = found[schema.name, table.name]
        keys = [c.name for c in table.current_columns if c.is_partition_key]
        assert row["table_format"] == text(table.table_format)
        assert row["location"] == text(table.location)
        assert row["owner"] == text(table.owner)
        assert row["comment"] == text(table.comment)
        assert row["created_at"] == text(table.created_at)
        assert row["updated_at"] == text(table.updated_at)
        assert row["last_access_at"] == text(table.last_access_at)
        if table.table_format == "iceberg":  # Glue does not know its partition spec
            assert row["partition_keys"] == ""
        else:
            assert json.loads(row["partition_keys"]) == keys

        assert table.parameters.items() <= json.loads(row["parameters"]).items()


@by_auto
def test_statistics_are_those_of_the_catalogs_writers(
    sandbox: Sandbox, extraction: Extraction
) -> None:
    """Rows, bytes and files are what crawlers, Hive and Spark wrote; unknown ones are null."""
    rows = extraction.extracts.rows("metadata_tables")
    found = {(r["schema"], r["table"]): r for r in rows if r["catalog"] == "AwsDataCatalog"}
    sources = set()
    for catalog, schema, table in tables_of(sandbox):
        if catalog.name != "AwsDataCatalog":
            continue

        said, row = table.parameters, found[schema.name, table.name]
        sizes = (row["row_count"], row["size_bytes"], row["file_count"])
        expected: tuple[str, str, str] = ("", "", "")
        if "recordCount" in said:
            expected = (said["recordCount"], said["sizeKey"], said["objectCount"])
        elif "numRows" in said:
            expected = (said["numRows"].replace("-1", ""), said["totalSize"], said["numFiles"])
        elif "spark.sql.statistics.numRows" in said:
            prefix = "spark.sql.statistics"
            expected = (said[f"{prefix}.numRows"], said[f"{prefix}.totalSize"], "")

        assert sizes == expected, table.name
        assert bool(row["stats_at"]) == bool(row["stats_source"]) == any(expected)
        sources.add(row["stats_source"])

    assert sources == {"", "crawler", "hive", "spark"}


def test_fields_inside_types_are_extracted(sandbox: Sandbox, extraction: Extraction) -> None:
    """Each field of a struct is a row, whoever told the type, with the type that Trino gives it."""
    rows = extraction.extracts.rows("metadata_fields")
    found = {(r["schema"], r["table"], r["field_path"]): r for r in rows}
    assert len(found) == len(rows)
    parts = found["logistics", "customs_declarations", "items[].parts[].weight"]
    keys = ("column", "field_name", "ordinal_position", "depth", "data_type")
    assert [parts[key] for key in keys] == ["items", "weight", "2", "2", "double"]
    structs = sum(
        column.type.count(":")
        for _, _, table in tables_of(sandbox)
        for column in table.current_columns
    )
    assert len(rows) == structs


def test_view_texts_are_as_their_authors_wrote_them(
    sandbox: Sandbox, extraction: Extraction
) -> None:
    """Each view's definition and dialect is there; SQL shows none of Hive's views."""
    source, rows = extraction.source, extraction.extracts.rows("metadata_views")
    found = {
        (r["schema"], r["view"]): (r["definition"], r["dialect"])
        for r in rows
        if r["catalog"] == "AwsDataCatalog"
    }
    expected = {
        (s.name, t.name): (t.view_sql, t.view_dialect)
        if source != "sql" or t.view_dialect == "athena"
        else ("", "")
        for c, s, t in tables_of(sandbox)
        if t.is_view and c.name == "AwsDataCatalog"
    }
    assert found == expected


@by_auto
def test_catalogs_schemas_and_users_are_extracted(sandbox: Sandbox, extraction: Extraction) -> None:
    """Every catalog, every schema and every workgroup is there with what AWS says of it."""
    extracts = extraction.extracts
    catalogs = {r["catalog"]: r for r in extracts.rows("metadata_catalogs")}
    assert {n: r["catalog_type"] for n, r in catalogs.items()} == {
        c.name: c.type for c in sandbox.estate.catalogs.values()
    }
    assert all(
        catalogs[c.name]["description"] == text(c.description)
        for c in sandbox.estate.catalogs.values()
    )
    schemas = {(r["catalog"], r["schema"]): r for r in extracts.rows("metadata_schemas")}
    truth = {
        (c.name, s.name): s for c in sandbox.estate.catalogs.values() for s in c.schemas.values()
    }
    assert schemas.keys() == truth.keys()
    for key, schema in truth.items():
        assert schemas[key]["description"] == text(schema.description)

    users = {r["workgroup"]: r for r in extracts.rows("users")}
    assert users.keys() == sandbox.estate.workgroups.keys()
    for name, workgroup in sandbox.estate.workgroups.items():
        assert users[name]["user"] == f"athena_workgroup_{name}"
        assert users[name]["state"] == workgroup.state
        assert users[name]["engine_version"] == workgroup.engine_version
        assert users[name]["description"] == text(workgroup.description)


async def test_every_finished_execution_is_extracted_as_athena_tells_it(
    sandbox: Sandbox, extractor: Any, read_extracts: Any, tmp_path: Path
) -> None:
    """All final executions of the window are there, failed and cancelled ones with reasons."""
    before = dict(sandbox.estate.executions)
    report = await extract(extractor, metadata_source="api")

    rows = {r["query_id"]: r for r in read_extracts(tmp_path / "out").rows("databaselog")}
    expected = {
        i: e
        for i, e in before.items()
        if e.is_final and report.start <= (e.completed_at or e.submitted_at) < report.end
    }
    assert rows.keys() == expected.keys()
    assert report.rows["databaselog"] == len(expected)
    for query_id, execution in expected.items():
        row = rows[query_id]
        assert row["query"] == execution.query.replace("\0", "\ufffd")
        assert row["workgroup"] == execution.workgroup
        assert row["user"] == f"athena_workgroup_{execution.workgroup}"
        assert row["catalog"] == text(execution.catalog)
        assert row["schema"] == text(execution.database)
        assert row["status"] == execution.state
        assert row["status_reason"] == text(
            execution.state_change_reason or execution.error_message
        )
        assert row["error_category"] == text(execution.error_category)
        assert row["error_type"] == text(execution.error_type)
        assert row["statement_type"] == text(execution.statement_type)
        assert row["substatement_type"] == text(execution.substatement_type)
        assert row["submitted_at"] == text(execution.submitted_at)
        assert row["completed_at"] == text(execution.completed_at)
        assert row["total_ms"] == text(execution.total_ms)
        assert row["queue_ms"] == text(execution.queue_ms)
        assert row["scanned_bytes"] == text(execution.scanned_bytes)
        assert row["service_preprocessing_ms"] == text(execution.preprocessing_ms)
        assert row["data_manifest_location"] == text(execution.data_manifest_location)
        has_error = execution.error_category is not None
        assert row["retryable"] == (text(execution.is_retryable) if has_error else "")
        assert float(row["dpu_count"] or 0) == float(execution.dpu_count or 0)

    assert {row["dpu_count"] for row in rows.values()} >= {"", "4.0", "6.5"}
    assert {row["retryable"] for row in rows.values()} == {"", "true", "false"}
    assert list(row)[-4:] == [
        "service_preprocessing_ms",
        "retryable",
        "dpu_count",
        "data_manifest_location",
    ]
    states = {row["status"] for row in rows.values()}
    assert states == {"SUCCEEDED", "FAILED", "CANCELLED"}
    disabled = {w.name for w in sandbox.estate.workgroups.values() if w.state == "DISABLED"}
    assert disabled & {row["workgroup"] for row in rows.values()}


async def test_plain_and_compressed_extracts_hold_the_same(
    sandbox: Sandbox, extractor: Any, read_extracts: Any, tmp_path: Path
) -> None:
    """``compress`` changes the file's name and its bytes, not its rows."""
    await extract(extractor, metadata_source="api", name="packed")
    await extract(extractor, metadata_source="api", name="plain", compress=False)

    for kind in ("metadata_columns", "metadata_tables", "users"):
        (packed,) = (tmp_path / "out").glob(f"packed_{kind}_*.csv.gz")
        (plain,) = (tmp_path / "out").glob(f"plain_{kind}_*.csv")
        assert read_extracts.read(packed) == read_extracts.read(plain)


async def test_same_answers_give_the_same_bytes(
    sandbox: Sandbox, extractor: Any, tmp_path: Path
) -> None:
    """Two extractions of one window differ in no byte, whatever finished first."""
    window = {"start_hwm": "2026-01-01 00:00:00"}
    window["end_hwm"] = f"{sandbox.now():%Y-%m-%d 00:00:00}"
    for name in ("first", "second"):
        async with extractor(name=name) as made:
            report = await made.run(manage_hwm=False, **window)
            assert report.committed

    out = tmp_path / "out"
    for path in out.glob("first_*.csv.gz"):
        twin = out / path.name.replace("first_", "second_")
        assert path.read_bytes() == twin.read_bytes(), path.name
