"""Statements and results of a run that reads metadata by SQL: few, and read the short way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kada_athena_async import Extractor
from kada_athena_async.sandbox import Sandbox
from kada_athena_async.sandbox.estate.model import Schema
from tests.conftest import Extracts
from tests.kit.estates import few_schemas

TABLES = 60
"""Of one schema: so many that their columns are more than a page of GetQueryResults."""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """The usual estate and one schema of many tables."""
    with few_schemas(scale=0.02) as running:
        schemas = running.estate.catalogs["AwsDataCatalog"].schemas
        like = next(table for table in schemas["sales"].tables.values() if not table.is_view)
        tables = [replace(like, name=f"many_{number:03d}") for number in range(TABLES)]
        schemas["many"] = Schema(name="many", tables={table.name: table for table in tables})
        yield running


def started(sandbox: Sandbox, relation: str) -> list[str]:
    """Statements on a relation of information_schema that were run so far, but for failed ones."""
    return [
        execution.query
        for execution in sandbox.estate.executions.values()
        if f"information_schema.{relation}" in execution.query and "kada" in execution.query
    ]


def view_texts(out: Path) -> dict[tuple[str, str], str]:
    rows = Extracts(out).rows("metadata_views")
    return {(row["schema"], row["view"]): row["definition"] for row in rows}


async def test_the_texts_of_a_catalogs_views_come_by_one_statement(
    sandbox: Sandbox, extractor: Any, tmp_path: Path
) -> None:
    """However many schemas and units there are: a statement costs more than all of their rows.

    If one view breaks it, the views of each batch are asked for by themselves, and none loses its
    text.
    """
    fields = {"metadata_source": "sql", "catalogs": ["AwsDataCatalog"], "on_error": "fail"}
    async with extractor(**fields) as made:
        await made.run(start_hwm="2020-01-01 00:00:00")

    texts = view_texts(tmp_path / "out")
    with_text = {schema for (schema, _), text in texts.items() if text}
    assert len(with_text) > 1
    assert len(started(sandbox, "views")) == 1

    broken = sandbox.faults.add(
        "failed_query", where={"query": "*information_schema.views*"}, times=1, message="broken"
    )
    async with Extractor(**sandbox.config(tmp_path / "again", **fields)) as made:
        await made.run(start_hwm="2020-01-01 00:00:00")

    assert sandbox.faults.struck(broken) == 1
    assert view_texts(tmp_path / "again") == texts
    assert len(started(sandbox, "views")) > 3


async def test_a_large_result_is_read_from_s3_without_its_first_page(
    sandbox: Sandbox, extractor: Any, tmp_path: Path
) -> None:
    """A page takes a third of a second and holds 1,000 rows: the object has them all at once."""
    async with extractor(
        metadata_source="auto", catalogs=["AwsDataCatalog"], include_schemas=["*.many"]
    ) as made:
        report = await made.run(start_hwm="2020-01-01 00:00:00")

    assert report.calls["athena:StartQueryExecution"] == 1
    assert report.calls["s3:GetObject"] == 1
    assert "athena:GetQueryResults" not in report.calls
    rows = Extracts(tmp_path / "out").rows("metadata_tables")
    assert [row["found_by"] for row in rows] == ["both"] * TABLES


async def test_a_bucket_that_denies_is_asked_once_and_the_pages_stand_in(
    sandbox: Sandbox, extractor: Any, tmp_path: Path
) -> None:
    """No call in vain for each statement, and no column is lost."""
    sandbox.faults.add("access_denied", "s3:GetObject")
    try:
        async with extractor(
            metadata_source="auto", catalogs=["AwsDataCatalog"], include_schemas=["*.many"]
        ) as made:
            report = await made.run(start_hwm="2020-01-01 00:00:00")
    finally:
        sandbox.faults.clear()

    assert report.calls["s3:GetObject"] == 1
    assert report.calls["athena:GetQueryResults"] >= 1
    rows = Extracts(tmp_path / "out").rows("metadata_tables")
    assert [row["found_by"] for row in rows] == ["both"] * TABLES
