"""Types: Hive's spelling to Trino's."""

from __future__ import annotations

import re
from datetime import datetime, timezone

import pytest

from kada_athena_async.sql.hive_types import trino_type


@pytest.mark.parametrize(
    ("hive", "trino"),
    [
        ("string", "varchar"),
        ("int", "integer"),
        ("tinyint", "tinyint"),
        ("bigint", "bigint"),
        ("boolean", "boolean"),
        ("date", "date"),
        ("float", "real"),
        ("double", "double"),
        ("double precision", "double"),
        ("binary", "varbinary"),
        ("timestamp", "timestamp(3)"),
        ("timestamp with local time zone", "timestamp(3) with time zone"),
        ("decimal", "decimal(10,0)"),
        ("decimal(7)", "decimal(7,0)"),
        ("DECIMAL(12, 3)", "decimal(12,3)"),
        ("varchar(65535)", "varchar(65535)"),
        ("char(3)", "char(3)"),
        ("array<string>", "array(varchar)"),
        ("map<string,array<int>>", "map(varchar, array(integer))"),
        (
            "struct<id:bigint,name:string,at:timestamp>",
            "row(id bigint, name varchar, at timestamp(3))",
        ),
        ("struct<a b:int,x-y:string,`c:d`:float>", 'row("a b" integer, "x-y" varchar, "c:d" real)'),
        ('struct<a"b:int>', 'row("a""b" integer)'),
        ("struct<1st:int>", 'row("1st" integer)'),
        (
            "array<struct<a:map<string,decimal>,b:struct<c:binary>>>",
            "array(row(a map(varchar, decimal(10,0)), b row(c varbinary)))",
        ),
        ("uniontype<int,string>", "row(tag tinyint, field0 integer, field1 varchar)"),
        (" array < int > ", "array(integer)"),
    ],
)
def test_hive_types_are_said_as_trino_says_them(hive: str, trino: str) -> None:
    """Every source of metadata gives the same type for the same column."""
    assert trino_type(hive) == trino


@pytest.mark.parametrize(
    "text",
    [
        "row(a integer, b varchar)",
        "array(varchar)",
        "timestamp(6) with time zone",
        "varchar(16)",
        "json",
        "map(varchar, array(real))",
        "hyperloglog",
    ],
)
def test_trino_types_stay(text: str) -> None:
    """Federated catalogs speak Trino's language already."""
    assert trino_type(text) == text
    assert trino_type(text.upper()) == text


@pytest.mark.parametrize(
    "junk", ["", "Array<", "map<int>", "struct<>", "struct<a>", "decimal(x)", "a<b>c", "int>"]
)
def test_junk_comes_back_in_lower_case(junk: str) -> None:
    """What is no type is not guessed at."""
    assert trino_type(junk) == junk.lower()


def test_depth_is_bounded() -> None:
    """A type nested without end costs nothing but itself."""
    deep = "array<" * 50_000 + "int" + ">" * 50_000

    assert trino_type(deep) == deep
    assert trino_type("array<" * 20 + "int" + ">" * 20) == "array(" * 20 + "integer" + ")" * 20


def test_iceberg_counts_microseconds() -> None:
    """Timestamps of Iceberg tables have six digits, nested ones too."""
    assert trino_type("array<timestamp>", timestamp_precision=6) == "array(timestamp(6))"


def test_the_estate_agrees() -> None:
    """For every column of the sandbox the conversion says what its information_schema says."""
    pytest.importorskip("duckdb")
    from kada_athena_async.sandbox.estate.build import build_estate

    estate = build_estate(now=datetime(2026, 11, 23, tzinfo=timezone.utc), scale=0.1)
    glue = [t for c, _, t in estate.tables() if c.type == "GLUE"]
    columns = {(column.type, column.trino_type) for table in glue for column in table.columns}
    assert len(columns) > 10

    # Trino's HiveTypeTranslator lower-cases field names; the sandbox may show the catalog's case.
    def folded(trino: str) -> str:
        return re.sub(r'"([a-z_][a-z0-9_]*)"', r"\1", trino.lower())

    assert {(hive, trino_type(hive)) for hive, _ in columns} == {
        (hive, folded(trino)) for hive, trino in columns
    }
