"""Result objects are split exactly, however they are cut into chunks."""

from __future__ import annotations

import csv

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kada_athena_async.aws.result_csv import Cells, ResultCsv

Row = list[str | None]

# What the format gives a meaning to, and the mark that stands for NULL while we read.
texts = st.text(st.sampled_from(["a", "ß", ",", '"', "\n", "\r", "\x01", " "]), max_size=6)


def written(rows: list[Row]) -> bytes:
    """*rows* as Athena writes them."""
    return "".join(
        ",".join("" if c is None else '"' + c.replace('"', '""') + '"' for c in row) + "\n"
        for row in rows
    ).encode()


def read(data: bytes, *, chunk_bytes: int) -> list[Row]:
    parser = ResultCsv()
    rows: list[Row] = []
    for first in range(0, len(data), chunk_bytes):
        rows += rows_of(parser.feed(data[first : first + chunk_bytes]))

    return rows + rows_of(parser.finish())


def rows_of(cells: Cells) -> list[Row]:
    return [[*row] for row in zip(*cells, strict=True)]


@given(
    width=st.integers(1, 4),
    data=st.data(),
    chunk_bytes=st.integers(1, 40),
    has_last_line_feed=st.booleans(),
)
@settings(max_examples=300, deadline=None, derandomize=True)
def test_what_athena_writes_is_read_back(
    width: int, data: st.DataObject, chunk_bytes: int, has_last_line_feed: bool
) -> None:
    """NULL, the empty string, quotes, commas and line feeds in values, cut anywhere."""
    row = st.lists(st.none() | texts, min_size=width, max_size=width)
    rows = data.draw(st.lists(row, min_size=1, max_size=8))
    content = written(rows)
    if not has_last_line_feed and rows[-1] != [None]:
        content = content[:-1]

    assert read(content, chunk_bytes=chunk_bytes) == rows


def test_a_value_may_be_longer_than_the_csv_module_takes() -> None:
    """A view's text may have 262,144 bytes; the module's limit is half of that, or what a caller
    has set."""
    rows: list[Row] = [["v", "x" * 1000, None], ["w", "", "y"]]
    limit = csv.field_size_limit(100)
    try:
        assert read(written(rows), chunk_bytes=1 << 20) == rows
    finally:
        csv.field_size_limit(limit)


def test_a_byte_order_mark_is_no_part_of_the_header() -> None:
    """Whoever copied the object back may have put one there."""
    assert read(b'\xef\xbb\xbf"a","b"\n', chunk_bytes=2) == [["a", "b"]]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b'"a","b\n', "ends in the middle of a value"),
        (b'"a","b"\n"c"\n', "rows of the result object differ in length"),
        (b"a,b\nc\n", "rows of the result object differ in length"),
        (b"\x1f\x8b\x08\x00\n", "is not UTF-8"),
    ],
)
def test_an_object_that_is_no_result_is_refused(data: bytes, words: str) -> None:
    """In words of ours, not in those of Python's codecs and iterators."""
    with pytest.raises(ValueError, match=words):
        read(data, chunk_bytes=100)
