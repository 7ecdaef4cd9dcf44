"""Fields inside the types of columns."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kada_athena_async.sources.nested_fields import fields_of
from tests.kit.growth import MAX_GROWTH, cpu_growth


def test_each_named_field_is_told_with_its_path() -> None:
    """Rows in rows, in arrays and in the values of maps, each with its type and place."""
    found = fields_of(
        "row(lat double, at timestamp(6) with time zone, items array(row(sku varchar, parts "
        'map(varchar, row("a b" decimal(9,2))))))'
    )
    assert [tuple(field) for field in found] == [
        (".lat", "lat", 1, 1, "double"),
        (".at", "at", 2, 1, "timestamp(6) with time zone"),
        (
            ".items",
            "items",
            3,
            1,
            'array(row(sku varchar, parts map(varchar, row("a b" decimal(9,2)))))',
        ),
        (".items[].sku", "sku", 1, 2, "varchar"),
        (".items[].parts", "parts", 2, 2, 'map(varchar, row("a b" decimal(9,2)))'),
        (".items[].parts{}.a b", "a b", 1, 3, "decimal(9,2)"),
    ]


@pytest.mark.parametrize(
    ("data_type", "paths"),
    [
        ("array(array(row(x integer)))", ["[][].x"]),
        ("map(row(k integer), row(v integer))", ["{}.v"]),
        ("row(integer, varchar)", [".field1", ".field2"]),
        ('row("q""x" integer)', ['.q"x']),
        ('row("a,b" integer, "c)" varchar)', [".a,b", ".c)"]),
        ("array(varchar)", []),
        ("map(varchar, integer)", []),
        ("varchar", []),
        ("", []),
        ("struct<a:row(x>", []),
        ("row(", []),
        ("row()", []),
        ("row(a integer", []),
        ("row(a integer))", []),
        ('row("a integer)', []),
    ],
)
def test_paths_say_where_a_field_lies(data_type: str, paths: list[str]) -> None:
    """``[]`` is an array's element, ``{}`` a map's value; what is no type has no fields."""
    assert [field.path for field in fields_of(data_type)] == paths


LEAVES = ["integer", "varchar(3)", "decimal(9,2)", "timestamp(6) with time zone", "uuid"]


@st.composite
def types(draw: st.DrawFn, depth: int = 4) -> tuple[str, list[tuple[str, str]]]:
    """A type, and path and type of each field in it."""
    kind = draw(st.sampled_from(["leaf", "row", "array", "map"])) if depth else "leaf"
    if kind == "leaf":
        return draw(st.sampled_from(LEAVES)), []

    if kind != "row":
        inner, fields = draw(types(depth=depth - 1))
        mark = "[]" if kind == "array" else "{}"
        spelt = f"array({inner})" if kind == "array" else f"map(varchar, {inner})"
        return spelt, [(mark + path, data_type) for path, data_type in fields]

    spelt_fields, found = [], []
    for number in range(draw(st.integers(1, 3))):
        inner, fields = draw(types(depth=depth - 1))
        name = f"f{number}"
        spelt_fields.append(f"{name} {inner}")
        found.append((f".{name}", inner))
        found += [(f".{name}{path}", data_type) for path, data_type in fields]

    return f"row({', '.join(spelt_fields)})", found


@given(types())
def test_every_tree_of_types_is_read(made: tuple[str, list[tuple[str, str]]]) -> None:
    """However types are nested, each field is told once, before those in it."""
    data_type, expected = made
    assert [(field.path, field.data_type) for field in fields_of(data_type)] == expected


@pytest.mark.parametrize(
    "piece", ["row(", "row(a ", "array(", '"', "a integer, ", "row(a integer, ", " ", ",", ")"]
)
def test_long_types_are_read_in_linear_time(piece: str) -> None:
    """Eight times the text takes about eight times as long, never 64 times."""
    assert (
        cpu_growth(fields_of, lambda size: "row(" + piece * (size // len(piece) | 1), 262_144)
        < MAX_GROWTH
    )
