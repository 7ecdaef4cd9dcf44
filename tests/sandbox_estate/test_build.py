"""The estate as a whole: deterministic, scalable, large enough, nothing left to the clock."""

from __future__ import annotations

from datetime import timedelta

import pytest

from kada_athena_async.sandbox.estate.build import build_estate
from kada_athena_async.sandbox.estate.model import Estate
from tests.kit.small_estate import make_execution, make_table, tiny_estate
from tests.sandbox_estate.conftest import NOW


def test_same_arguments_give_an_equal_estate() -> None:
    """Seed and time decide everything."""
    assert build_estate(now=NOW, scale=0.1) == build_estate(now=NOW, scale=0.1)


@pytest.mark.parametrize("change", [{"seed": 8}, {"now": NOW + timedelta(hours=1)}])
def test_another_seed_or_time_gives_another_estate(change: dict[str, object]) -> None:
    """Nothing is fixed that should vary."""
    arguments: dict[str, object] = {"now": NOW, "scale": 0.1}

    assert build_estate(**arguments) != build_estate(**(arguments | change))  # type: ignore[arg-type]


def test_organisation_is_worth_looking_at(estate: Estate) -> None:
    """Full scale means hundreds of tables, dozens of views, thousands of executions."""
    tables = [table for _, _, table in estate.tables()]

    assert len(estate.catalogs) >= 3
    assert sum(len(catalog.schemas) for catalog in estate.catalogs.values()) >= 15
    assert sum(not table.is_view for table in tables) >= 300
    assert sum(table.is_view for table in tables) == 60
    assert len(estate.workgroups) >= 8
    assert len(estate.executions) == 5_000


def test_scale_multiplies() -> None:
    """Twice the scale is twice the tables, views and executions."""
    estate = build_estate(now=NOW, scale=2)
    glue = [table for catalog, _, table in estate.tables() if catalog.type == "GLUE"]

    assert sum(not table.is_view for table in glue) == 640
    assert sum(table.is_view for table in glue) == 120
    assert len(estate.executions) == 10_000


def test_names_are_where_they_are_filed(scaled: Estate) -> None:
    """Every noun is filed under its own name."""
    for catalog_name, catalog in scaled.catalogs.items():
        assert catalog.name == catalog_name
        for schema_name, schema in catalog.schemas.items():
            assert schema.name == schema_name
            assert all(name == table.name for name, table in schema.tables.items())

    assert all(name == group.name for name, group in scaled.workgroups.items())
    assert all(key == e.query_execution_id for key, e in scaled.executions.items())


def test_account_region_and_bucket_are_used() -> None:
    """The caller's account, region and bucket are the ones in ARNs and locations."""
    estate = build_estate(
        now=NOW, scale=0.1, account_id="999988887777", region="eu-west-1", results_bucket="mine"
    )
    locations = {e.output_location for e in estate.executions.values() if e.output_location}

    assert (estate.account_id, estate.region) == ("999988887777", "eu-west-1")
    assert "eu-west-1:999988887777" in estate.catalogs["dynamo_orders"].parameters["function"]
    assert all(location.startswith("s3://mine/") for location in locations)


def test_tiny_estate_has_one_of_each_kind() -> None:
    """The small estate holds what its docstring counts, the same each time."""
    estate = tiny_estate(NOW)
    tables = [table for _, _, table in estate.tables()]

    assert estate == tiny_estate(NOW)
    assert [len(estate.catalogs), len(tables), len(estate.executions)] == [2, 6, 7]
    assert sum(table.is_view for table in tables) == 2
    assert not estate.catalogs["AwsDataCatalog"].schemas["empty"].tables
    assert sorted(e.state for e in estate.executions.values()) == [
        "CANCELLED",
        "FAILED",
        "RUNNING",
        *["SUCCEEDED"] * 4,
    ]


def test_single_nouns_can_be_made() -> None:
    """A test can make one table or one execution of its own, the same each time."""
    table = make_table("t", "a bigint, b string", now=NOW, kind="iceberg", partitions="dt date")
    done = make_execution(1, submitted_at=NOW, took_ms=1_500)
    running = make_execution(2, submitted_at=NOW, state="RUNNING")

    assert [column.name for column in table.columns] == ["a", "b", "dt"]
    assert table.parameters["table_type"] == "ICEBERG"
    assert table == make_table(
        "t", "a bigint, b string", now=NOW, kind="iceberg", partitions="dt date"
    )
    assert done.completed_at == NOW + timedelta(milliseconds=1_500)
    assert (done.total_ms, running.completed_at, running.total_ms) == (1_500, None, None)
    assert done.query_execution_id != running.query_execution_id
