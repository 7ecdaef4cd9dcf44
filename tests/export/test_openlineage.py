"""The events of a run, checked with OpenLineage's own schemas."""

from __future__ import annotations

import csv
import gzip
import json
import uuid
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry, Resource

from tests.export.conftest import Export

SCHEMAS = Path(__file__).parents[1] / "data/openlineage"
NAMESPACE = "awsathena://athena.ap-southeast-2.amazonaws.com"

Events = list[dict[str, Any]]


@pytest.fixture
def events(exported: Export, tmp_path: Path) -> Events:
    exported("openlineage")
    return [*map(json.loads, (tmp_path / "openlineage.ndjson").read_bytes().splitlines())]


def rows(extracts: Path, kind: str) -> list[dict[str, str]]:
    (path,) = extracts.glob(f"*_{kind}_2*.csv.gz")
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def facets_of(value: Any) -> list[dict[str, Any]]:
    """Every facet in an event, however deep."""
    if isinstance(value, list):
        return [facet for item in value for facet in facets_of(item)]

    if not isinstance(value, dict):
        return []

    own = [value] if "_schemaURL" in value else []
    return own + [facet for item in value.values() for facet in facets_of(item)]


def test_every_event_and_facet_is_valid(events: Events) -> None:
    """OpenLineage's schemas accept all events, and all facets by the schema that each names."""
    registry: Registry[Any] = Registry()
    for path in SCHEMAS.rglob("*.json"):
        schema = json.loads(path.read_text())
        registry = registry.with_resource(schema["$id"], Resource.from_contents(schema))

    registry = registry.crawl()
    checks: dict[str, Draft202012Validator] = {}

    def valid(url: str, value: object) -> None:
        if url not in checks:
            checks[url] = Draft202012Validator(
                {"$ref": url}, registry=registry, format_checker=FormatChecker()
            )

        # Its `validate` would check the schema, too, each time.
        assert next(checks[url].iter_errors(value), None) is None

    # Most facets stand in many events: each is looked at once.
    facets = {json.dumps(facet): facet for event in events for facet in facets_of(event)}
    for facet in facets.values():
        valid(facet["_schemaURL"], facet)

    for event in events:
        if event["schemaURL"] not in checks:
            valid(event["schemaURL"].split("#")[0], event)

        valid(event["schemaURL"], event)

    assert len(checks) > 15


def test_each_execution_and_each_table_is_one_event(events: Events, extracts: Path) -> None:
    """A run event an execution, whose id is the query's and whose end is its state's."""
    types = {"SUCCEEDED": "COMPLETE", "FAILED": "FAIL", "CANCELLED": "ABORT"}
    expected = {
        str(uuid.UUID(row["query_id"])): (types[row["status"]], row["fingerprint"], row["query"])
        for row in rows(extracts, "databaselog")
    }
    runs = {
        event["run"]["runId"]: (
            event["eventType"],
            event["job"]["name"],
            event["job"]["facets"]["sql"]["query"],
        )
        for event in events
        if "run" in event
    }
    assert runs == expected
    assert {kind for kind, _, _ in runs.values()} == set(types.values())

    tables = [
        f"{row['catalog']}.{row['schema']}.{row['table']}"
        for row in rows(extracts, "metadata_tables")
    ]
    assert [e["dataset"]["name"] for e in events if "dataset" in e] == tables


def test_datasets_are_named_by_the_rules(events: Events) -> None:
    """Athena's names, with the Glue table and the place in S3 as symlinks."""
    (orders,) = (
        event["dataset"]
        for event in events
        if event.get("dataset", {}).get("name") == "AwsDataCatalog.sales.orders"
    )
    assert orders["namespace"] == NAMESPACE
    glue, place = orders["facets"]["symlinks"]["identifiers"]
    assert glue["namespace"] == "arn:aws:glue:ap-southeast-2:123456789012"
    assert (glue["name"], glue["type"]) == ("table/sales/orders", "TABLE")
    assert place["namespace"].startswith("s3://")
    assert not place["name"].startswith("/")
    used = {(d["namespace"], d["name"]) for e in events for d in e.get("inputs", [])}
    assert (NAMESPACE, "AwsDataCatalog.sales.orders") in used
    assert all(namespace == NAMESPACE for namespace, _ in used)


def test_columns_have_the_fields_inside_their_types(events: Events, extracts: Path) -> None:
    """Every nested field of the extract hangs below its column."""
    found = 0

    def count(fields: list[dict[str, Any]]) -> int:
        return sum(1 + count(field.get("fields", [])) for field in fields)

    for event in events:
        for column in (
            event.get("dataset", {}).get("facets", {}).get("schema", {})["fields"]
            if ("dataset" in event)
            else []
        ):
            found += count(column.get("fields", []))

    assert found == len(rows(extracts, "metadata_fields")) > 20


def lineage_of(dataset: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = dataset["facets"].get("columnLineage", {"fields": {}})
    return found


def test_all_column_lineage_of_the_run_is_there(events: Events, extracts: Path) -> None:
    """Each edge between columns of tables is in a facet of its target, as its dependency says."""
    shown = set()
    datasets = [e["dataset"] for e in events if "dataset" in e]
    for dataset in datasets + [d for e in events for d in e.get("outputs", [])]:
        lineage = lineage_of(dataset)
        per_column = [(to, f) for to, of in lineage["fields"].items() for f in of["inputFields"]]
        for to, field in per_column + [("", f) for f in lineage.get("dataset", [])]:
            for how in field["transformations"]:
                source = (field["name"], field["field"])
                shown.add((*source, dataset["name"], to, how["type"], how["subtype"]))

    expected = {
        (
            ".".join(row[f"source_{part}"] for part in ("catalog", "schema", "table")),
            row["source_column"],
            ".".join(row[f"target_{part}"] for part in ("catalog", "schema", "table")),
            row["target_column"],
            row["dependency"].upper(),
            row["transformation"].upper(),
        )
        for row in rows(extracts, "linkages")
        if row["source_column"] and row["target_schema"] and row["transformation"]
    }
    assert {kind for *_, kind, _ in expected} == {"DIRECT", "INDIRECT"}
    assert expected <= shown


def test_lineage_of_an_execution_names_only_what_it_read(events: Events) -> None:
    """An output's column lineage comes from the inputs of the same event."""
    with_lineage = 0
    for event in events:
        inputs = {dataset["name"] for dataset in event.get("inputs", [])}
        for output in event.get("outputs", []):
            lineage = lineage_of(output)
            fields = [f for of in lineage["fields"].values() for f in of["inputFields"]]
            with_lineage += bool(fields)
            assert {field["name"] for field in fields} <= inputs

    assert with_lineage > 5


def test_failures_say_why(events: Events) -> None:
    """A failed run has the reason, as masked as in the extract, and its query's id."""
    failed = [event for event in events if event.get("eventType") == "FAIL"]
    assert failed
    for event in failed:
        facets = event["run"]["facets"]
        assert facets["errorMessage"]["message"]
        assert uuid.UUID(facets["externalQuery"]["externalQueryId"]).hex
        assert facets["externalQuery"]["source"] == "awsathena"
