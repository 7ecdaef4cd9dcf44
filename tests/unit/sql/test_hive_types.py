"""Types: Hive's spelling to Trino's."""

from __future__ import annotations

import re
from datetime import datetime, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kada_athena_async.sql.hive_types import trino_type
from tests.kit.growth import MAX_GROWTH, cpu_growth


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
    """A text that is no type is not guessed at."""
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
    columns = {
        (column.type, 6 if table.table_format == "iceberg" else 3, column.trino_type)
        for table in glue
        for column in table.columns
    }
    assert len(columns) > 10

    # Trino's HiveTypeTranslator lower-cases field names; the sandbox may show the catalog's case.
    def folded(trino: str) -> str:
        return re.sub(r'"([a-z_][a-z0-9_]*)"', r"\1", trino.lower())

    assert {
        (hive, digits, trino_type(hive, timestamp_precision=digits)) for hive, digits, _ in columns
    } == {(hive, digits, folded(trino)) for hive, digits, trino in columns}


@pytest.mark.parametrize(
    ("hive", "trino"),
    [
        ("map< string , array<int > >", "map(varchar, array(integer))"),
        ("array<struct<a:int> >", "array(row(a integer))"),
        ("struct<name:string COMMENT 'x',url:string>", "row(name varchar, url varchar)"),
        (
            "struct<a:decimal( 9 , 2 ) comment 'of <b>: \\' (x)',b:array<int> COMMENT \"y\">",
            "row(a decimal(9,2), b array(integer))",
        ),
        ("struct<a: int NOT NULL COMMENT '',b:double  precision>", "row(a integer, b double)"),
        ("struct<`a,b` : int , comment : string>", 'row("a,b" integer, comment varchar)'),
        ("struct<cost (usd):double>", 'row("cost (usd)" double)'),
        ("\tARRAY\n<\nSTRING\n>", "array(varchar)"),
        ("varchar( 10 )", "varchar(10)"),
    ],
)
def test_blanks_and_comments_change_nothing(hive: str, trino: str) -> None:
    """A type is the same however it is spaced, and whatever its fields are said to be."""
    assert trino_type(hive) == trino


@pytest.mark.parametrize(
    ("iceberg", "trino"),
    [
        ("timestamp", "timestamp(6)"),
        ("timestamptz", "timestamp(6) with time zone"),
        ("timestamptz_ns", "timestamp(9) with time zone"),
        ("time", "time(6)"),
        ("uuid", "uuid"),
        ("fixed[16]", "varbinary"),
        ("decimal(9, 2)", "decimal(9,2)"),
        ("list<timestamptz>", "array(timestamp(6) with time zone)"),
        (
            "struct<1: a: optional int, 2: b: required map<string,list<long>>, 3: c: optional time"
            ">",
            "row(a integer, b map(varchar, array(bigint)), c time(6))",
        ),
        ("struct<a:timestamp,b:array<timestamp>>", "row(a timestamp(6), b array(timestamp(6)))"),
        ("struct<1:int>", 'row("1" integer)'),
    ],
)
def test_iceberg_types_are_said_as_trino_says_them(iceberg: str, trino: str) -> None:
    """Iceberg's own spelling, which its writers leave beside Hive's, is understood."""
    assert trino_type(iceberg, timestamp_precision=6) == trino


LEAVES = [
    ("string", "varchar"),
    ("int", "integer"),
    ("bigint", "bigint"),
    ("timestamp", "timestamp(3)"),
    ("decimal({s}12{s},{s}3{s})", "decimal(12,3)"),
    ("varchar({s}7{s})", "varchar(7)"),
    ("double", "double"),
    ("binary", "varbinary"),
]
NAMES = [
    ("a", "a"),
    ("Total_2", "total_2"),
    ("a b", '"a b"'),
    ("`x,y:z`", '"x,y:z"'),
    ("`t``k`", '"t`k"'),
    ('q"', '"q"""'),
    ("comment", "comment"),
    ("größe", '"größe"'),
]
REMARKS = ["", "", " COMMENT 'x'", " comment 'it''s, <b>: \\' '", ' COMMENT "y, (z)"', " NOT NULL"]


@st.composite
def types(draw: st.DrawFn, depth: int = 4) -> tuple[str, str]:
    """A type as someone may have written it, and as Trino says it."""
    space = draw(st.sampled_from(["", "", " ", "  ", "\t", "\n "]))

    def spaced(text: str) -> str:
        return space + text + space

    kind = draw(st.sampled_from(["leaf", "array", "map", "struct"])) if depth else "leaf"
    if kind == "leaf":
        hive, trino = draw(st.sampled_from(LEAVES))
        cased = draw(st.sampled_from([hive, hive.upper().replace("{S}", "{s}")]))
        return spaced(cased.format(s=space)), trino

    if kind == "struct":
        fields = []
        for _ in range(draw(st.integers(1, 3))):
            hive, trino = draw(types(depth=depth - 1))
            name, said = draw(st.sampled_from(NAMES))
            remark = draw(st.sampled_from(REMARKS))
            fields.append((f"{spaced(name)}:{hive}{remark}{space}", f"{said} {trino}"))

        inner = ",".join(hive for hive, _ in fields)
        return spaced(f"struct{space}<{inner}>"), f"row({', '.join(t for _, t in fields)})"

    parts = [draw(types(depth=depth - 1)) for _ in range(1 if kind == "array" else 2)]
    inner = ",".join(hive for hive, _ in parts)
    return spaced(f"{kind}{space}<{inner}>"), f"{kind}({', '.join(t for _, t in parts)})"


@given(types())
def test_every_tree_of_types_is_converted(written: tuple[str, str]) -> None:
    """However types are nested, spaced, named and commented, Trino's spelling comes out."""
    hive, trino = written
    assert trino_type(hive) == trino


@pytest.mark.parametrize(
    "piece",
    [" ", "a", "`", "'", '"', "<", ">", ":", ",", "(", "a:int,", "'' ", "\\'", "array<", "1: "],
)
@pytest.mark.parametrize("start", ["", "struct<", "struct<a:int COMMENT '", "decimal(", "struct<`"])
@pytest.mark.parametrize("precision", [3, 6])
def test_texts_of_any_length_are_read_in_linear_time(
    start: str, piece: str, precision: int
) -> None:
    """Eight times the text takes about eight times as long, never 64 times."""

    def convert(text: str) -> None:
        trino_type(text, timestamp_precision=precision)

    growth = cpu_growth(convert, lambda size: start + piece * (size // len(piece) | 1), 262_144)
    assert growth < MAX_GROWTH
