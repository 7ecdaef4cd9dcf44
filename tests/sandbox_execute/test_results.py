"""Result files and values are written as Athena writes them, to the byte."""

from __future__ import annotations

import struct

import pytest

from kada_athena_async.sandbox.estate.kinds import kind_of
from kada_athena_async.sandbox.execute import QueryOutcome, result_csv, result_txt
from kada_athena_async.sandbox.execute.render import render_double, render_real
from tests.sandbox_execute.conftest import Run


def test_a_csv_quotes_every_value_and_leaves_null_bare(run: Run) -> None:
    """Quotes are doubled, newlines stay, the empty string is quoted, a header comes first."""
    outcome = run(
        "SELECT id, customer, comment FROM orders "
        "LEFT JOIN (SELECT comment FROM information_schema.columns WHERE comment IS NOT NULL "
        "AND table_schema = 'shop') ON id = 1 ORDER BY id"
    )

    assert result_csv(outcome) == (
        b'"id","customer","comment"\n"1","ann","the ""key"",\nunique"\n"2","",\n"3",,\n'
    )


def test_a_single_null_is_an_empty_line(run: Run) -> None:
    """The one row that looks like none."""
    assert result_csv(run("SELECT customer FROM orders ORDER BY id DESC")) == (
        b'"customer"\n\n""\n"ann"\n'
    )


def test_an_empty_result_is_its_header(run: Run) -> None:
    """Other scripts are UTF-8."""
    assert result_csv(run('SELECT 1 AS "größe" WHERE false')) == '"größe"\n'.encode()


def test_a_text_has_no_header_and_no_quotes() -> None:
    """Tabs between values, NULL as nothing."""
    rows: list[list[str | None]] = [["a", 'b "c"'], ["d", None]]
    outcome = QueryOutcome(
        kind=kind_of("SHOW TBLPROPERTIES t"),
        columns=(("prpt_name", "string"), ("prpt_value", "string")),
        rows=rows,
    )

    assert result_txt(outcome) == b'a\tb "c"\nd\t\n'


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0.0"),
        (-0.0, "-0.0"),
        (1.0, "1.0"),
        (-1.5, "-1.5"),
        (0.001, "0.001"),
        (0.00099, "9.9E-4"),
        (0.0123, "0.0123"),
        (9999999.0, "9999999.0"),
        (1e7, "1.0E7"),
        (123456789.125, "1.23456789125E8"),
        (1e-300, "1.0E-300"),
        (1.7976931348623157e308, "1.7976931348623157E308"),
        (float("nan"), "NaN"),
        (float("-inf"), "-Infinity"),
    ],
)
def test_doubles_are_written_as_java_does(value: float, text: str) -> None:
    """Plain from a thousandth to ten million, scientific beyond."""
    assert render_double(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0.1, "0.1"), (16777216.0, "1.6777216E7"), (3.14, "3.14")]
)
def test_reals_have_the_digits_of_32_bits(value: float, text: str) -> None:
    """Not those that the wider type would need."""
    assert render_real(struct.unpack("f", struct.pack("f", value))[0]) == text
