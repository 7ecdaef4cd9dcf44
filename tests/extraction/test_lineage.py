"""Linkages and events of a whole run are the sandbox's own truth."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kada_athena_async import Extractor
from kada_athena_async.sandbox import Sandbox
from kada_athena_async.sandbox.estate.model import ColumnRef, Table
from kada_athena_async.sandbox.estate.sentinels import SENTINEL_SECRETS

MADE_ELSEWHERE = "v_made_elsewhere"
EDGE = (
    *("source_catalog", "source_schema", "source_table", "source_column"),
    *("target_catalog", "target_schema", "target_table", "target_column"),
    *("linkage_type", "dependency", "transformation"),
)
EXTRACTED = ["AwsDataCatalog", "dynamo_orders", "hive_legacy", "postgres_crm"]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(scale=0.05) as running:
        add_view_made_elsewhere(running)
        yield running


def add_view_made_elsewhere(sandbox: Sandbox) -> None:
    """To one schema a view of another schema's table, which its text names by the table alone."""
    schemas = sandbox.estate.catalogs["AwsDataCatalog"].schemas
    table = next(t for t in schemas["sales"].tables.values() if not t.is_view)
    column = table.columns[0]
    source = ColumnRef("AwsDataCatalog", "sales", table.name, column.name)
    schemas["marketing"].tables[MADE_ELSEWHERE] = Table(
        name=MADE_ELSEWHERE,
        table_type="VIRTUAL_VIEW",
        table_format=None,
        columns=(column,),
        view_sql=f'SELECT "{column.name}" FROM "{table.name}"',
        view_dialect="athena",
        view_schema="sales",
        column_sources={column.name: (source,)},
    )


async def run(make: Callable[..., Extractor], **fields: Any) -> Any:
    async with make(catalogs=EXTRACTED, metadata_source="api", **fields) as extractor:
        report = await extractor.run(manage_hwm=True)

    assert report.committed, report.failed
    return report


async def test_columns_of_views_link_to_their_sources(
    sandbox: Sandbox, extractor: Any, read_extracts: Any, tmp_path: Path
) -> None:
    """Each output column of each view is linked to exactly the columns that it comes from.

    Also where the view was made in another schema than the one it lies in.
    """
    await run(extractor, mask=False)
    rows = read_extracts(tmp_path / "out").rows("linkages")
    assert all(row["dependency"] == "direct" for row in rows if row["confidence"] == "exact")
    assert len({tuple(row[name] for name in EDGE) for row in rows}) == len(rows)
    found = defaultdict(set)
    for row in rows:
        if row["linkage_type"] == "VIEW" and row["confidence"] == "exact":
            target = (row["target_schema"], row["target_table"], row["target_column"])
            source = (row["source_schema"], row["source_table"], row["source_column"])
            found[tuple(n.lower() for n in target)].add(tuple(n.lower() for n in source))

    expected = {}
    for catalog, schema, view in sandbox.estate.tables():
        if catalog.name == "AwsDataCatalog" and view.is_view:
            for column, sources in view.column_sources.items():
                key = (schema.name.lower(), view.name.lower(), column.lower())
                expected[key] = {
                    (s.schema.lower(), s.table.lower(), s.column.lower()) for s in sources
                }

    assert MADE_ELSEWHERE in {view for _, view, _ in found}
    assert found == {key: sources for key, sources in expected.items() if sources}


async def test_events_say_what_was_read_and_written(
    sandbox: Sandbox, extractor: Any, read_extracts: Any, tmp_path: Path
) -> None:
    """Each successful execution has a READ for every table it read, and no other."""
    await run(extractor, mask=True)
    extracts = read_extracts(tmp_path / "out")
    told = {row["query_id"] for row in extracts.rows("databaselog") if row["status"] == "SUCCEEDED"}
    read = defaultdict(set)
    for row in extracts.rows("events"):
        assert row["query_id"] in told
        json.loads(row["columns"] or "[]")
        if row["event_type"] == "READ":
            read[row["query_id"]].add((row["schema"].lower(), row["table"].lower()))

    wrong = {}
    immediates = 0
    for query_id in told:
        execution = sandbox.estate.executions[query_id]
        words = execution.query.lower().split()
        # The estate's truth does not say what EXECUTE runs.
        if words[0] == "execute":
            if words[1] == "immediate" and "customers.customer" in words:
                assert read[query_id] == {("customers", "customer")}
                immediates += 1
            continue

        # PREPARE runs nothing, and EXPLAIN only with ANALYZE.
        if words[0] == "prepare" or (words[0] == "explain" and "analyze" not in words):
            assert not read[query_id]
            continue

        expected = {(r.schema.lower(), r.table.lower()) for r in execution.reads}
        if read[query_id] != expected:
            wrong[query_id] = (execution.query[:200], read[query_id], expected)

    assert not wrong
    assert immediates
    assert not any("immediates" in name for name in names_below(tmp_path))


async def test_masked_run_holds_no_planted_secret(
    sandbox: Sandbox, extractor: Any, tmp_path: Path, read_extracts: Any
) -> None:
    """No secret that the estate's statements, comments and errors hold is in any file of a run."""
    events: list[object] = []
    await run(extractor, mask=True, observers=[events.append], compress=False)

    texts = [repr(events), *texts_below(tmp_path)]
    assert len(texts) > 10
    leaks = {secret for secret in SENTINEL_SECRETS for text in texts if secret in text}
    assert not leaks


def texts_below(folder: Path) -> list[str]:
    return [path.read_text() for path in folder.rglob("*") if path.is_file()]


def names_below(folder: Path) -> list[str]:
    return [path.name for path in folder.rglob("*")]
