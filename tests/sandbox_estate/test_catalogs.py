"""The catalogs hold a table of every kind that Athena knows, at any scale."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kada_athena_async.sandbox.estate.hive_types import trino_type
from kada_athena_async.sandbox.estate.model import Catalog, Estate, Table
from tests.sandbox_estate.conftest import NOW


def _glue(estate: Estate) -> dict[str, Table]:
    return {
        f"{schema.name}.{table.name}": table
        for catalog, schema, table in estate.tables()
        if catalog.type == "GLUE"
    }


def test_catalogs_are_of_every_type_and_state(scaled: Estate) -> None:
    """Glue's, Lambda's, Hive's, a federated one, and one that was never made."""
    kinds = [(c.type, c.status) for c in scaled.catalogs.values()]

    assert kinds == [
        ("GLUE", None),
        ("LAMBDA", None),
        ("HIVE", "CREATE_COMPLETE"),
        ("FEDERATED", "CREATE_COMPLETE"),
        ("FEDERATED", "CREATE_FAILED"),
    ]
    assert not scaled.catalogs["snowflake_finance"].schemas
    assert not scaled.catalogs["AwsDataCatalog"].schemas["zz_decommissioned"].tables
    assert "default" in scaled.catalogs["AwsDataCatalog"].schemas


_KINDS: dict[str, Callable[[Table], bool]] = {
    "parquet": lambda t: "ParquetHiveSerDe" in (t.serde or ""),
    "csv": lambda t: "OpenCSVSerde" in (t.serde or ""),
    "json": lambda t: "JsonSerDe" in (t.serde or ""),
    "orc": lambda t: "OrcSerde" in (t.serde or ""),
    "avro": lambda t: "AvroSerDe" in (t.serde or ""),
    "hudi": lambda t: t.table_format == "hudi",
    "delta": lambda t: t.table_format == "delta",
    "delta with dummy columns": lambda t: [c.type for c in t.columns] == ["array<string>"],
    "iceberg": lambda t: (
        t.parameters.get("table_type") == "ICEBERG" and "metadata_location" in t.parameters
    ),
    "iceberg that lost a column": lambda t: (
        t.table_format == "iceberg" and not all(c.is_current for c in t.columns)
    ),
    "partitioned": lambda t: any(c.is_partition_key for c in t.columns),
    "two partition keys": lambda t: sum(c.is_partition_key for c in t.columns) == 2,
    "projected": lambda t: t.parameters.get("projection.enabled") == "true",
    "no table type": lambda t: t.table_type is None,
    "managed": lambda t: t.table_type == "MANAGED_TABLE",
    "customer": lambda t: t.table_type == "customer",
    "name at Athena's limit": lambda t: len(t.name) == 128,
    "name over Athena's limit": lambda t: 128 < len(t.name) <= 255,
    "hyphen": lambda t: "-" in t.name,
    "dollar": lambda t: "$" in t.name,
    "other script": lambda t: not t.name.isascii(),
    "reserved word": lambda t: t.name in ("select", "order"),
    "leading digit": lambda t: t.name[0].isdigit(),
    "leading underscore": lambda t: t.name.startswith("_"),
    "upper case in columns": lambda t: any(c.name != c.name.lower() for c in t.columns),
    "type over 4,096 characters": lambda t: any(len(c.type) > 4096 for c in t.columns),
    "deep type": lambda t: any(c.type.count("<") >= 4 for c in t.columns),
    "comment with quotes": lambda t: '"' in (t.comment or ""),
    "comment with a newline": lambda t: "\n" in (t.comment or ""),
    "empty column comment": lambda t: any(c.comment == "" for c in t.columns),
    "column comment missing": lambda t: any(c.comment is None for c in t.columns),
    "column comment in emoji": lambda t: any("🚚" in (c.comment or "") for c in t.columns),
    "last access known": lambda t: t.last_access_at is not None,
    "last access unknown": lambda t: t.last_access_at is None,
    "Presto view": lambda t: t.view_dialect == "athena",
    "Hive view": lambda t: t.view_dialect == "hive",
}


@pytest.mark.parametrize("kind", _KINDS)
def test_every_kind_of_table_is_there(scaled: Estate, kind: str) -> None:
    """A test that needs an awkward table finds one, however small the estate."""
    assert any(map(_KINDS[kind], _glue(scaled).values()))


def test_federated_tables_say_little_of_themselves(scaled: Estate) -> None:
    """Lambda's and federated catalogs have tables of type EXTERNAL and of none."""
    kinds = {
        table.table_type
        for catalog, _, table in scaled.tables()
        if catalog.type in ("LAMBDA", "FEDERATED")
    }

    assert kinds == {"EXTERNAL", None}


def test_partition_keys_come_last(scaled: Estate) -> None:
    """Columns are in ordinal order: the partition keys after all others."""
    for _, _, table in scaled.tables():
        flags = [column.is_partition_key for column in table.columns]
        assert flags == sorted(flags), table.name


def test_column_names_differ_within_a_table(scaled: Estate) -> None:
    """Athena compares names without case, so a table has none twice."""
    for _, _, table in scaled.tables():
        names = [column.name.lower() for column in table.columns]
        assert len(names) == len(set(names)), table.name


def test_sample_rows_fit_their_columns(scaled: Estate) -> None:
    """Tables have 3 to 8 rows as wide as their columns; views have none."""
    for _, _, table in scaled.tables():
        if table.is_view:
            assert not table.sample_rows
            continue

        assert 3 <= len(table.sample_rows) <= 8, table.name
        assert {len(row) for row in table.sample_rows} == {len(table.columns)}
        for at, column in enumerate(table.columns):
            if not column.is_current:
                assert {row[at] for row in table.sample_rows} == {None}


def test_times_lie_before_now(scaled: Estate) -> None:
    """Nothing was created, changed or read in the future."""
    for catalog, schema, table in scaled.tables():
        assert isinstance(catalog, Catalog)
        assert schema.created_at is None or schema.created_at < NOW
        for moment in (table.created_at, table.updated_at, table.last_access_at):
            assert moment is None or moment < NOW, table.name


@pytest.mark.parametrize(
    ("hive", "trino"),
    [
        ("string", "varchar"),
        ("int", "integer"),
        ("float", "real"),
        ("double", "double"),
        ("bigint", "bigint"),
        ("smallint", "smallint"),
        ("tinyint", "tinyint"),
        ("boolean", "boolean"),
        ("binary", "varbinary"),
        ("date", "date"),
        ("timestamp", "timestamp(3)"),
        ("decimal(38,18)", "decimal(38,18)"),
        ("char(3)", "char(3)"),
        ("varchar(32)", "varchar(32)"),
        ("array<int>", "array(integer)"),
        ("map<string,array<double>>", "map(varchar, array(double))"),
        ("struct<a:int>", "row(a integer)"),
        ("struct<my-field:int,Other:string>", 'row("my-field" integer, other varchar)'),
        (
            "array<struct<a:decimal(10,2),b:struct<c:string,d:map<int,date>>>>",
            "array(row(a decimal(10,2), b row(c varchar, d map(integer, date))))",
        ),
    ],
)
def test_types_are_spelled_as_trino_does(hive: str, trino: str) -> None:
    """A column's two types are the same type in two languages."""
    assert trino_type(hive) == trino


def test_columns_carry_both_spellings(scaled: Estate) -> None:
    """No column was given a Trino type that is not its Hive type."""
    for _, _, table in scaled.tables():
        for column in table.columns:
            expected = trino_type(column.type)
            if table.table_format == "iceberg":  # which counts microseconds
                expected = expected.replace("timestamp(3)", "timestamp(6)")

            assert column.trino_type == expected, (table.name, column.name)
