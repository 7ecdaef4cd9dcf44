"""A failure is named in the report and in the manifest; it never looks like a deletion."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from kada_athena_async import ConfigError, Extractor
from kada_athena_async.sandbox import Sandbox
from tests.kit.estates import few_schemas


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with few_schemas(scale=0.05) as running:
        yield running


def completeness(read_extracts: Any, tmp_path: Path) -> dict[tuple[str, ...], dict[str, Any]]:
    (manifest,) = read_extracts(tmp_path / "out").manifests()
    return {tuple(scope["name"]): scope for scope in manifest["facts"]["completeness"]}


async def test_f31_denied_workgroup_fails_the_run(
    sandbox: Sandbox, extractor: Any, tmp_path: Path
) -> None:
    """By default nothing is committed, the others finish, and the workgroup is named."""
    sandbox.faults.add("access_denied", "athena:ListQueryExecutions", where={"workgroup": "adhoc"})
    async with extractor(metadata_source="api") as made:
        report = await made.run(manage_hwm=True)

    assert (report.committed, report.exit_code) == (False, 1)
    (failed,) = report.failed
    assert failed.unit_id == "history/adhoc"
    assert "athena:ListQueryExecutions is not allowed for workgroup adhoc" in failed.reason
    assert not list((tmp_path / "out").glob("*.csv*"))
    assert not (tmp_path / "athena_hwm.txt").exists()


async def test_f31_denied_workgroup_is_left_out_on_request_and_read_later(
    sandbox: Sandbox, extractor: Any, read_extracts: Any, tmp_path: Path
) -> None:
    """With ``skip`` the others commit, and once allowed its history comes from where it lagged."""
    fault = sandbox.faults.add(
        "access_denied", "athena:ListQueryExecutions", where={"workgroup": "adhoc"}
    )
    async with extractor(metadata_source="api", on_error="skip", settle_seconds=0) as made:
        first = await made.run(manage_hwm=True)
        assert first.committed
        assert completeness(read_extracts, tmp_path)["adhoc",]["outcome"] == "denied"
        told = {r["workgroup"] for r in read_extracts(tmp_path / "out").rows("databaselog")}
        assert "adhoc" not in told

        sandbox.faults.clear(fault)
        second = await made.run(manage_hwm=True)

    assert second.committed
    rows = [r for r in read_extracts(tmp_path / "out").rows("databaselog")]
    ids = [r["query_id"] for r in rows if r["workgroup"] == "adhoc"]
    expected = {
        i for i, e in sandbox.estate.executions.items() if e.workgroup == "adhoc" and e.is_final
    }
    assert sorted(ids) == sorted(expected)


async def test_f32_broken_federated_catalog_is_named(
    sandbox: Sandbox, extractor: Any, read_extracts: Any, tmp_path: Path
) -> None:
    """A Lambda that fails costs its catalog, which is skipped by name; the others are there."""
    sandbox.faults.add(
        "metadata_exception",
        "athena:*",
        where={"catalog": "dynamo_orders"},
        message="Failed to invoke lambda function due to InvalidParameter",
    )
    async with extractor(metadata_source="api", on_error="skip") as made:
        report = await made.run(manage_hwm=True)

    assert report.committed
    scope = completeness(read_extracts, tmp_path)["dynamo_orders",]
    assert scope["outcome"] == "skipped"
    assert "Failed to invoke lambda function" in scope["reason"]
    catalogs = {r["catalog"] for r in read_extracts(tmp_path / "out").rows("metadata_tables")}
    assert "AwsDataCatalog" in catalogs
    assert "dynamo_orders" not in catalogs


async def test_poison_table_is_taken_from_the_api_and_named(
    sandbox: Sandbox, extractor: Any, read_extracts: Any, tmp_path: Path
) -> None:
    """One table that breaks information_schema costs a handful of statements, and no column."""
    schema = sandbox.estate.catalogs["AwsDataCatalog"].schemas["sales"]
    poison = next(t for t in schema.tables.values() if not t.is_view)
    sandbox.faults.add(
        "poison_table",
        where={"catalog": "awsdatacatalog", "schema": "sales", "table": poison.name},
    )
    async with extractor(metadata_source="auto", catalogs=["AwsDataCatalog"]) as made:
        calm = len(made.config.catalogs)
        report = await made.run(manage_hwm=True)

    assert report.committed
    assert calm == 1
    extracts = read_extracts(tmp_path / "out")
    tables = {(r["schema"], r["table"]): r for r in extracts.rows("metadata_tables")}
    assert tables["sales", poison.name]["found_by"] == "api"
    columns = [
        r["column"]
        for r in extracts.rows("metadata_columns")
        if (r["schema"], r["table"]) == ("sales", poison.name)
    ]
    assert columns == [c.name for c in poison.current_columns]
    others = {r["found_by"] for key, r in tables.items() if key != ("sales", poison.name)}
    assert others == {"both"}
    scope = completeness(read_extracts, tmp_path)["AwsDataCatalog", "sales"]
    assert (scope["outcome"], poison.name in scope["reason"]) == ("complete", True)
    schemas = len(sandbox.estate.catalogs["AwsDataCatalog"].schemas)
    assert report.calls["athena:StartQueryExecution"] <= schemas + 6


async def test_seed_policy_is_enough(read_extracts: Any, tmp_path: Path, fast_clock: Any) -> None:
    """Under exactly the documented policy the own catalog is complete, by SQL and by API."""
    with few_schemas(scale=0.05, policy="seed") as strict:
        fields = strict.config(tmp_path / "out", quota_share=1.0)
        async with Extractor(clock=fast_clock, **fields) as made:
            report = await made.run(start_hwm="2026-01-01 00:00:00")

        assert report.committed, report.failed
        tables = {
            (r["schema"], r["table"]): r["found_by"]
            for r in read_extracts(tmp_path / "out").rows("metadata_tables")
        }
        assert set(tables.values()) == {"both"}
        assert tables.keys() == {
            (s.name, t.name) for c, s, t in strict.estate.tables() if c.name == "AwsDataCatalog"
        }


async def test_catalog_closed_to_sql_is_told_by_the_api(
    read_extracts: Any, tmp_path: Path, fast_clock: Any
) -> None:
    """The documented policy lets no statement into a registered catalog; its API stands in."""
    with few_schemas(scale=0.05, policy="seed") as strict:
        fields = strict.config(tmp_path / "out", catalogs=["hive_legacy"], quota_share=1.0)
        async with Extractor(clock=fast_clock, **fields) as made:
            report = await made.run(start_hwm="2026-01-01 00:00:00")

        assert report.committed, report.failed
        found = {r["found_by"] for r in read_extracts(tmp_path / "out").rows("metadata_tables")}
        assert found == {"api"}
        assert any("SQL on catalog hive_legacy is refused" in text for text in report.warnings)


async def test_workgroup_left_out_of_a_chosen_window_keeps_its_own_mark(
    sandbox: Sandbox, extractor: Any, read_extracts: Any, tmp_path: Path
) -> None:
    """A window that the user chose, without a denied workgroup, neither loses nor doubles it."""
    fields = {"metadata_source": "api", "on_error": "skip", "settle_seconds": 0}
    async with extractor(**fields) as made:
        first = await made.run(manage_hwm=True)
        fault = sandbox.faults.add(
            "access_denied", "athena:ListQueryExecutions", where={"workgroup": "adhoc"}
        )
        start = first.end - timedelta(hours=1)
        await made.run(manage_hwm=True, start_hwm=start)
        sandbox.faults.clear(fault)
        await made.run(manage_hwm=True)

    rows = read_extracts(tmp_path / "out").rows("databaselog")
    ids = [r["query_id"] for r in rows if r["workgroup"] == "adhoc"]
    finished = {
        i for i, e in sandbox.estate.executions.items() if e.workgroup == "adhoc" and e.is_final
    }
    assert sorted(ids) == sorted(finished)


async def test_a_configuration_that_cannot_run_discards_nothing(
    sandbox: Sandbox, extractor: Any
) -> None:
    """A misspelt catalog ends in a sentence, and the interrupted run goes on where it stopped."""
    fault = sandbox.faults.add(
        "access_denied", "athena:ListQueryExecutions", where={"workgroup": "adhoc"}
    )
    async with extractor(metadata_source="api") as made:
        first = await made.run(manage_hwm=True)

    with pytest.raises(ConfigError, match="Foo"):
        await extractor(metadata_source="api", catalogs=["Foo"]).run(manage_hwm=True)

    sandbox.faults.clear(fault)
    async with extractor(metadata_source="api") as made:
        second = await made.run(manage_hwm=True)

    finished = {unit.unit_id for unit in first.outcomes if unit.outcome != "failed"}
    continued = second.continued or second
    resumed = {unit.unit_id for unit in continued.outcomes if unit.outcome == "resumed"}
    assert second.committed
    assert resumed
    assert resumed <= finished


async def test_another_configuration_that_can_run_begins_anew(
    sandbox: Sandbox, extractor: Any
) -> None:
    """Parts extracted under the first one are discarded."""
    fault = sandbox.faults.add(
        "access_denied", "athena:ListQueryExecutions", where={"workgroup": "adhoc"}
    )
    async with extractor(metadata_source="api") as made:
        await made.run(manage_hwm=True)

    sandbox.faults.clear(fault)
    async with extractor(metadata_source="api", catalogs=["AwsDataCatalog"]) as made:
        report = await made.run(manage_hwm=True)

    assert report.committed
    assert {unit.outcome for unit in report.outcomes} == {"done"}
