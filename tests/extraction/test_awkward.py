"""Contents of real catalogs, asked by SQL, by the API and by both: the same answer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from kada_athena_async import Extractor
from kada_athena_async.sandbox import Sandbox
from tests.conftest import Extracts
from tests.extraction.awkward_estate import SPARK_SQL, VIEW_SQL, awkward_estate
from tests.kit.raw_aws import RawAws

NOW = datetime(2026, 11, 1, 12, 0, 0, tzinfo=timezone.utc)
SOURCES = ("sql", "api", "auto")
Row = dict[str, str]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(awkward_estate(NOW), now=lambda: NOW) as running:
        running.faults.add(
            "poison_table",
            where={"schema": "odd", "table": "v_spark"},
            message="HIVE_METASTORE_ERROR: Error listing table columns for catalog awsdatacatalog: "
            "Dialect [ATHENA 3] not present for v_spark",
        )
        yield running


class Told:
    """Extract of the estate by one run."""

    def __init__(self, out: Path) -> None:
        extracts = Extracts(out)
        (self.manifest,) = extracts.manifests()
        self.tables = self._named(extracts.rows("metadata_tables"), "table")
        self.views = self._named(extracts.rows("metadata_views"), "view")
        self.columns: dict[tuple[str, str], list[Row]] = {}
        for row in extracts.rows("metadata_columns"):
            self.columns.setdefault((row["schema"], row["table"]), []).append(row)

    @staticmethod
    def _named(rows: list[Row], name: str) -> dict[tuple[str, str], Row]:
        found = {(row["catalog"], row["schema"], row[name]): row for row in rows}
        assert len(found) == len(rows), "told twice"
        return {key[1:]: row for key, row in found.items()}

    def types(self, table: str, schema: str = "odd") -> dict[str, str]:
        return {row["column"]: row["data_type"] for row in self.columns[schema, table]}

    def scope(self, schema: str) -> dict[str, Any]:
        (found,) = (s for s in self.manifest["facts"]["completeness"] if s["name"][-1:] == [schema])
        return dict(found)


@pytest.fixture(scope="module")
def runs() -> dict[str, Told]:
    """Extracts so far, by source: each source runs once for the whole module."""
    return {}


@pytest.fixture
def told(sandbox: Sandbox, runs: dict[str, Told], tmp_path: Path, fast_clock: Any) -> Any:
    """Gives what a source tells of the estate."""

    async def ask(source: str) -> Told:
        if source not in runs:
            fields = sandbox.config(
                tmp_path / f"out-{source}", metadata_source=source, mask=False, catalogs=["*"]
            )
            async with Extractor(
                hwm_path=tmp_path / f"hwm-{source}.txt", clock=fast_clock, **fields
            ) as extractor:
                report = await extractor.run(manage_hwm=True)

            assert report.committed, report.failed
            runs[source] = Told(tmp_path / f"out-{source}")

        return runs[source]

    return ask


def truth(table: str) -> list[tuple[str, str, str]]:
    """Column, type and nullability as the estate knows them."""
    found = awkward_estate(NOW).catalogs["AwsDataCatalog"].schemas["odd"].tables[table]
    return [
        (column.name, column.trino_type, "true" if column.is_nullable else "false")
        for column in found.current_columns
    ]


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize(
    "table",
    ["plain", "spaced_types", "iceberg_exact", "iceberg_plain", "iceberg_old", "link_open"],
)
async def test_columns_are_the_same_whoever_tells_them(told: Any, source: str, table: str) -> None:
    """Names, order, types and nullability are those that a query would see."""
    rows = (await told(source)).columns["odd", table]
    found = [(row["column"], row["data_type"], row["is_nullable"]) for row in rows]
    assert found == truth(table)
    assert [row["ordinal_position"] for row in rows] == [str(n + 1) for n in range(len(rows))]


async def test_every_source_gives_the_same_columns(told: Any) -> None:
    """Row by row, of every table that all sources can read, nothing differs but who was asked."""
    rows = {}
    for source in SOURCES:
        found = await told(source)
        rows[source] = {
            (key, *(row[c] for c in ("column", "ordinal_position", "data_type", "is_nullable")))
            for key, columns in found.columns.items()
            for row in columns
            if key[0] == "odd" and key[1] not in ("delta_bare", "delta_of_spark", "v_spark")
        }

    assert rows["sql"] == rows["api"] == rows["auto"]


@pytest.mark.parametrize("source", SOURCES)
async def test_partition_keys_are_unknown_unless_somebody_knows_them(
    told: Any, source: str
) -> None:
    """An Iceberg table without a spec in Glue says null; no answer is no empty list."""
    tables = (await told(source)).tables
    keys = {name: row["partition_keys"] for (_, name), row in tables.items()}
    assert json.loads(keys["plain"]) == ["day"]
    assert keys["iceberg_plain"] == keys["iceberg_exact"] == keys["v_materialized"] == ""
    if source == "sql":  # which knows no formats and cannot tell these from Iceberg's
        assert keys["iceberg_old"] == keys["spaced_types"] == ""
    else:
        assert json.loads(keys["iceberg_old"]) == ["day(seen)", "bucket(16, id)"]
        assert json.loads(keys["spaced_types"]) == []


@pytest.mark.parametrize(
    ("view", "api", "sql"),
    [
        ("v_unpadded", (VIEW_SQL, "athena"), (VIEW_SQL, "athena")),
        ("v_garbled", ("", ""), (VIEW_SQL, "athena")),
        ("v_two_dialects", (VIEW_SQL, "athena"), (VIEW_SQL, "athena")),
        ("v_spark", (SPARK_SQL, "spark"), ("", "")),
        ("v_materialized", (SPARK_SQL, "spark"), None),
    ],
)
async def test_view_texts_are_read_in_every_dialect(
    told: Any, view: str, api: tuple[str, str], sql: tuple[str, str] | None
) -> None:
    """A text is decoded, or taken from SQL where that can be asked, and its dialect is named."""
    for source, expected in (("api", api), ("sql", sql), ("auto", api if api[0] else sql)):
        found = (await told(source)).views.get(("odd", view))
        said = found and (found["definition"], found["dialect"])
        assert said == expected, source


async def test_a_text_that_cannot_be_decoded_is_named(told: Any) -> None:
    """The manifest says which view has no text, and why."""
    scope = (await told("api")).scope("odd")
    assert scope["outcome"] == "partial"
    assert "view v_garbled: its text cannot be decoded" in scope["reason"]


async def test_a_materialized_view_has_a_format_and_a_text(told: Any) -> None:
    """Glue's materialized views are Iceberg tables whose text Spark wrote."""
    row = (await told("auto")).tables["odd", "v_materialized"]
    assert (row["table_type"], row["table_format"]) == ("VIEW", "iceberg")


@pytest.mark.parametrize("source", SOURCES)
async def test_a_link_that_leads_nowhere_is_no_plain_table(told: Any, source: str) -> None:
    """Its target is named where Glue tells it, nobody invents a format, its schema is partial."""
    found = await told(source)
    row = found.tables["odd", "link_orphan"]
    assert (row["table_format"], row["partition_keys"]) == ("", "")
    assert ("odd", "link_orphan") not in found.columns
    scope = found.scope("odd")
    assert scope["outcome"] == "partial"
    if source == "sql":
        assert "link_orphan: no source gives its columns" in scope["reason"]
    else:
        target = "999988887777.shared.lost"
        assert f"link_orphan is a link to {target}, which cannot be resolved" in scope["reason"]
        assert json.loads(row["parameters"])["resource_link.target"] == target


@pytest.mark.parametrize("source", ["api", "auto"])
async def test_a_link_that_is_resolved_names_its_target(told: Any, source: str) -> None:
    """It has its target's columns and format, and says what it stands for."""
    row = (await told(source)).tables["odd", "link_open"]
    assert row["table_format"] == "hive"
    assert json.loads(row["parameters"])["resource_link.target"] == "999988887777.shared.rates"


@pytest.mark.parametrize("source", ["api", "auto"])
async def test_tables_that_differ_in_case_only_are_both_told(told: Any, source: str) -> None:
    """Each of a federated source's twins has its own columns."""
    found = await told(source)
    assert {name for schema, name in found.tables if schema == "default"} == {
        "Orders",
        "orders",
        "carts",
    }
    assert found.types("Orders", "default") == {"id": "bigint", "total": "double"}
    assert found.types("orders", "default") == {"id": "bigint", "note": "varchar"}
    assert found.scope("default")["outcome"] == "complete"


@pytest.mark.parametrize("source", ["api", "auto"])
async def test_schemas_that_differ_in_case_only_keep_their_own_tables(
    told: Any, source: str
) -> None:
    """SQL, which would mix them, is not asked about such schemas."""
    found = await told(source)
    assert found.types("bills", "Sales") == {"id": "bigint"}
    assert found.types("bills", "sales") == {"note": "varchar"}


async def test_sql_says_that_it_shows_twins_as_one(told: Any) -> None:
    """SQL folds the case of names: one table with the columns of both, and the schema partial."""
    found = await told("sql")
    assert found.types("orders", "default") == {
        "id": "bigint",
        "total": "double",
        "note": "varchar",
    }
    positions = [row["ordinal_position"] for row in found.columns["default", "orders"]]
    assert positions == ["1", "2", "3"]
    scope = found.scope("default")
    assert (scope["outcome"], scope["reason"]) == (
        "partial",
        "SQL shows several tables named orders (in any case) as one",
    )


@pytest.mark.parametrize("source", SOURCES)
async def test_all_catalogs_include_nested_ones_each_table_once(told: Any, source: str) -> None:
    """``["*"]`` finds buckets of S3 Tables, but not one that Athena knows by another name."""
    found = await told(source)
    catalogs = {row["catalog"] for row in found.columns["lake", "readings"]}
    assert catalogs == {"s3tablescatalog/lake", "registered_lake"}
    rows = found.columns["lake", "readings"]
    assert [(row["column"], row["data_type"]) for row in rows[:2]] == [
        ("id", "bigint"),
        ("note", "varchar"),
    ]


async def test_nested_catalogs_that_may_not_be_listed_are_no_silence(
    sandbox: Sandbox, tmp_path: Path, fast_clock: Any
) -> None:
    """The manifest says that they were not looked for, and which right is missing."""
    with RawAws(sandbox) as aws:
        refusal = "User: x is not authorized to perform: glue:GetCatalogs on resource: *"
        aws.error("glue:GetCatalogs", "AccessDeniedException", refusal)
        fields = aws.config(tmp_path / "out", metadata_source="api", catalogs=["*"])
        async with Extractor(
            hwm_path=tmp_path / "hwm.txt", clock=fast_clock, **fields
        ) as extractor:
            report = await extractor.run(manage_hwm=True)

    assert report.committed, report.failed
    found = Told(tmp_path / "out")
    assert {row["catalog"] for row in found.tables.values()} == {
        "AwsDataCatalog",
        "dynamo_orders",
        "registered_lake",
    }
    reason = found.scope("*")["reason"]
    assert "nested and S3 Tables catalogs are not looked for" in reason
    assert "glue:GetCatalogs" in reason


async def test_a_schema_that_is_an_orphaned_link_is_said_to_be_one(
    sandbox: Sandbox, tmp_path: Path, fast_clock: Any
) -> None:
    """A link to a database that may not be read is denied as a link; the others are told."""
    link = {
        "Name": "shared",
        "TargetDatabase": {"CatalogId": "999988887777", "DatabaseName": "sales"},
    }
    with RawAws(sandbox) as aws:
        aws.alter(
            "glue:GetDatabases",
            lambda page: page["DatabaseList"].append(link),
            where={"MaxResults": 100},
        )
        for operation in ("glue:GetTables", "athena:ListTableMetadata"):
            refusal = "Insufficient Lake Formation permission(s): Required Describe on sales"
            aws.error(operation, "AccessDeniedException", refusal, where={"DatabaseName": "shared"})

        fields = aws.config(tmp_path / "out", metadata_source="api", on_error="skip")
        async with Extractor(
            hwm_path=tmp_path / "hwm.txt", clock=fast_clock, **fields
        ) as extractor:
            report = await extractor.run(manage_hwm=True)

    assert report.committed, report.failed
    found = Told(tmp_path / "out")
    scope = found.scope("shared")
    assert scope["outcome"] == "denied"
    assert scope["reason"].startswith("a link to 999988887777.sales, which cannot be resolved: ")
    assert ("odd", "plain") in found.tables


@pytest.mark.parametrize("table", ["delta_bare", "delta_of_spark"])
async def test_sql_tells_the_columns_that_glue_does_not_keep(told: Any, table: str) -> None:
    """A Delta table registered by its place alone, or by Spark with a placeholder for its columns,
    has columns by SQL and unknown partition keys; by the API it is partial."""
    both, by_api = await told("auto"), await told("api")
    assert both.types(table) == {"id": "bigint", "note": "varchar"}
    assert ("odd", table) not in by_api.columns
    assert f"{table}: no source gives its columns" in by_api.scope("odd")["reason"]
    for found in (both, by_api):
        row = found.tables["odd", table]
        place = "s3://odd/spark/" if table == "delta_of_spark" else "s3://odd/delta_bare/"
        assert (row["table_format"], row["location"]) == ("delta", place)
        assert row["partition_keys"] == ""
