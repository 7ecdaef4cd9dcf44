"""Catalogs, databases and tables, through Athena and through Glue."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from kada_athena_async.sandbox import Sandbox
from kada_athena_async.sandbox.estate.model import Catalog
from tests.sandbox_server.support import NOW, Client, all_pages, error_of, make_table

DEFAULT = {"CatalogName": "AwsDataCatalog"}


def test_athena_describes_a_table_with_its_storage_among_the_parameters(athena: Client) -> None:
    """TableMetadata has no owner, no view text and no location of its own."""
    tables = athena.list_table_metadata(**DEFAULT, DatabaseName="s", Expression="^t000$")

    (table,) = tables["TableMetadataList"]
    assert [c["Name"] for c in table["Columns"]] == ["id"]
    assert [c["Name"] for c in table["PartitionKeys"]] == ["dt"]
    assert table["Columns"][0]["Comment"] == 'an "id",\nin two lines'
    assert table["Parameters"] == {
        "classification": "parquet",
        "comment": "a table",
        "location": "s3://data/t000/",
        "serde.serialization.lib": "org.example.SerDe",
    }
    one = athena.get_table_metadata(**DEFAULT, DatabaseName="s", TableName="t000")
    assert one["TableMetadata"] == table


def test_glue_tells_more_than_athena(athena: Client, glue: Client) -> None:
    """A dropped Iceberg column is marked in Glue only, and a view's text is there only."""
    by_glue = {
        table["Name"]: table
        for page in all_pages(glue.get_tables, "TableList", DatabaseName="s")
        for table in page
    }
    by_athena = athena.get_table_metadata(**DEFAULT, DatabaseName="s", TableName="iceberg")

    columns = by_glue["iceberg"]["StorageDescriptor"]["Columns"]
    assert [c.get("Parameters") for c in columns] == [None, {"iceberg.field.current": "false"}]
    assert [c["Name"] for c in by_athena["TableMetadata"]["Columns"]] == ["id", "gone"]
    text = by_glue["v"]["ViewOriginalText"]
    definition = json.loads(base64.b64decode(text.removeprefix("/* Presto View: ")[:-3]))
    assert definition["originalSql"] == "SELECT id FROM s.t000"
    assert by_glue["v"]["Parameters"] == {
        "presto_view": "true",
        "comment": "Presto View",
        "classification": "parquet",
    }
    assert by_glue["t000"]["CreateTime"] < NOW
    matching = glue.get_tables(DatabaseName="s", Expression="^t00.$")["TableList"]
    assert [table["Name"] for table in matching] == [f"t00{n}" for n in range(10)]
    assert glue.get_table(DatabaseName="s", Name="v")["Table"] == by_glue["v"]


def test_a_hive_view_is_raw_text_in_glue(sandbox: Sandbox, glue: Client) -> None:
    """Only Athena's own views are wrapped."""
    sandbox.estate.catalogs["AwsDataCatalog"].schemas["s"].tables["hive_view"] = make_table(
        "hive_view", view_sql="select 1", view_dialect="hive", table_type="VIRTUAL_VIEW"
    )

    table = glue.get_table(DatabaseName="s", Name="hive_view")["Table"]

    assert table["ViewOriginalText"] == "select 1"
    assert "presto_view" not in table["Parameters"]


def test_names_over_128_are_listed_but_cannot_be_asked_for(athena: Client, glue: Client) -> None:
    """Athena's model is narrower than Glue's."""
    name = "l" * 140
    tables = athena.list_table_metadata(**DEFAULT, DatabaseName="s", Expression="^lll")

    refused = error_of(athena.get_table_metadata, **DEFAULT, DatabaseName="s", TableName=name)

    assert [t["Name"] for t in tables["TableMetadataList"]] == [name]
    assert (refused[0], "128" in refused[1]) == ("InvalidRequestException", True)
    assert glue.get_table(DatabaseName="s", Name=name)["Table"]["Name"] == name


def test_types_are_cut_at_4096_by_athena(sandbox: Sandbox, athena: Client, glue: Client) -> None:
    """Glue has the whole type."""
    tables = sandbox.estate.catalogs["AwsDataCatalog"].schemas["s"].tables
    column = tables["t000"].columns[0]
    wide = type(column)(name="wide", type="struct<" + "a" * 5000 + ":int>", trino_type="row")
    tables["wide"] = make_table("wide", columns=(wide,))

    by_athena = athena.get_table_metadata(**DEFAULT, DatabaseName="s", TableName="wide")

    by_glue = glue.get_table(DatabaseName="s", Name="wide")["Table"]
    assert len(by_athena["TableMetadata"]["Columns"][0]["Type"]) == 4096
    assert by_glue["StorageDescriptor"]["Columns"][0]["Type"] == wide.type


def test_catalogs_are_listed_without_their_parameters(sandbox: Sandbox, athena: Client) -> None:
    """Only GetDataCatalog tells parameters and description."""
    sandbox.estate.catalogs["other"] = Catalog(
        name="other",
        type="GLUE",
        status="CREATE_COMPLETE",
        description="theirs",
        parameters={"catalog-id": "999999999999"},
    )

    summaries = athena.list_data_catalogs()["DataCatalogsSummary"]

    assert summaries == [
        {"CatalogName": "AwsDataCatalog", "Type": "GLUE"},
        {"CatalogName": "dynamo", "Type": "LAMBDA"},
        {"CatalogName": "other", "Type": "GLUE", "Status": "CREATE_COMPLETE"},
    ]
    assert athena.get_data_catalog(Name="other")["DataCatalog"]["Parameters"] == {
        "catalog-id": "999999999999"
    }


def test_a_federated_catalog_answers_through_athena(athena: Client) -> None:
    """Its databases and tables are there, under its name in any case."""
    databases = athena.list_databases(CatalogName="DYNAMO")["DatabaseList"]
    tables = athena.list_table_metadata(CatalogName="dynamo", DatabaseName="default")

    assert [d["Name"] for d in databases] == ["default"]
    assert [t["Name"] for t in tables["TableMetadataList"]] == ["t"]


def test_a_broken_connector_is_a_metadata_exception(sandbox: Sandbox, athena: Client) -> None:
    """On demand one catalog's connector fails, without an inner error code; others work."""
    sandbox.faults.add("metadata_exception", where={"catalog": "dynamo"})

    code, message = error_of(athena.list_databases, CatalogName="dynamo")

    assert code == "MetadataException"
    assert message.startswith("Failed to invoke lambda function due to")
    assert athena.list_databases(**DEFAULT)["DatabaseList"]


@pytest.mark.parametrize(
    ("service", "name", "given", "expected"),
    [
        ("athena", "list_databases", {"CatalogName": "no"}, "InvalidRequestException"),
        ("athena", "list_table_metadata", {**DEFAULT, "DatabaseName": "no"}, "MetadataException"),
        (
            "athena",
            "get_table_metadata",
            {**DEFAULT, "DatabaseName": "s", "TableName": "no"},
            "MetadataException",
        ),
        ("glue", "get_tables", {"DatabaseName": "no"}, "EntityNotFoundException"),
        ("glue", "get_table", {"DatabaseName": "s", "Name": "no"}, "EntityNotFoundException"),
    ],
)
def test_what_does_not_exist_is_refused(
    athena: Client, glue: Client, service: str, name: str, given: dict[str, Any], expected: str
) -> None:
    """Each service says so in its own way; Athena wraps what Glue says."""
    client = {"athena": athena, "glue": glue}[service]

    code, message = error_of(getattr(client, name), **given)

    assert code == expected
    assert ("EntityNotFoundException" in message) == (expected == "MetadataException")
