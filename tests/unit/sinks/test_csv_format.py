"""The CSV contract, read back by Python's own reader."""

from __future__ import annotations

import csv
import io
import json
from datetime import datetime, timedelta, timezone
from types import MappingProxyType
from typing import get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kada_athena_async.column_block import ColumnBlock
from kada_athena_async.records import (
    KINDS,
    RECORD_TYPES,
    ColumnRecord,
    EventRecord,
    QueryRecord,
    Record,
    TableRecord,
    UserRecord,
)
from kada_athena_async.sinks.csv_format import encode, header

WHEN = datetime(2026, 11, 23, 5, 6, 7, 89_999, tzinfo=timezone.utc)

# Athena allows a query of 262,144 bytes; the reader's default limit is half of that.
csv.field_size_limit(1 << 20)


def read(data: bytes) -> list[list[str]]:
    """Rows that Python's reader makes of the bytes."""
    return list(csv.reader(io.StringIO(data.decode(), newline=""), strict=True))


def row(kind: str, **fields: object) -> Record:
    """A record with None everywhere else."""
    record = RECORD_TYPES[kind]
    return record(*(fields.get(name) for name in record._fields))


def table(**fields: object) -> list[str]:
    """The fields of one table as they are read back."""
    return read(encode("metadata_tables", [row("metadata_tables", **fields)]))[0]


@pytest.mark.parametrize("kind", KINDS)
def test_the_header_names_the_columns_in_order(kind: str) -> None:
    """A header row is the record's fields, one line."""
    assert header(kind) == ",".join(get_type_hints(RECORD_TYPES[kind])).encode() + b"\n"


def test_plain_fields_stand_unquoted() -> None:
    """Quotes are written only where a reader needs them, and a line ends with a line feed."""
    column = ColumnRecord("s", "c", "d", "t", "x", 7, "bigint", None, True, False, None)

    assert encode("metadata_columns", [column, column]) == b"s,c,d,t,x,7,bigint,,true,false,\n" * 2


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("a,b", b'"a,b"'),
        ('say "x"', b'"say ""x"""'),
        ("two\nlines", b'"two\nlines"'),
        ("two\r\nlines", b'"two\r\nlines"'),
        ("=1+1", b"=1+1"),
        (" padded ", b" padded "),
        ("\u2028\u00e9\U0001f600", "\u2028\u00e9\U0001f600".encode()),
    ],
)
def test_awkward_text_is_written_faithfully(text: str, written: bytes) -> None:
    """S3: quotes as RFC 4180 asks for, and nothing else is changed."""
    user = UserRecord(text, "u", "w", None, None, None, None)

    assert encode("users", [user]) == written + b",u,w,,,,,workgroup\n"


def test_f45_what_utf8_cannot_hold_becomes_the_replacement_character() -> None:
    """F45: NUL and lone surrogates cost themselves, not the row."""
    user = UserRecord("a\x00b", "\ud800", "x\udfffy\U0001f600", None, None, None, None)

    assert read(encode("users", [user]))[0][:3] == ["a\ufffdb", "\ufffd", "x\ufffdy\U0001f600"]


def test_f45_the_longest_query_survives() -> None:
    """F45: 262,144 bytes with all that is awkward in them come back as they went."""
    text = ("select \"a\", 'b'\r\n\u2028\x1b[31m\t" * 20_000)[:262_144]
    query = row("databaselog", server="s", query=text)

    assert read(encode("databaselog", [query]))[0][QueryRecord._fields.index("query")] == text


def test_times_are_utc_with_milliseconds() -> None:
    """Whatever the zone of the value, the text is UTC; what is below a millisecond is cut."""
    zone = timezone(timedelta(hours=11))
    fields = table(created_at=WHEN, updated_at=WHEN.astimezone(zone))

    assert fields[9:12] == ["2026-11-23 05:06:07.089", "2026-11-23 05:06:07.089", ""]


def test_a_naive_time_is_a_bug_and_said_to_be_one() -> None:
    """Nobody may guess the zone of a time."""
    with pytest.raises(TypeError, match="aware"):
        table(created_at=datetime(2026, 1, 1))  # noqa: DTZ001 - this is what is tested


def test_lists_and_mappings_are_compact_json_with_sorted_keys() -> None:
    """JSON stands in one field; other scripts stay legible in it."""
    fields = table(partition_keys=("y", "\u65e5"), parameters=MappingProxyType({"b": '"', "a": ""}))

    assert fields[TableRecord._fields.index("partition_keys")] == '["y","\u65e5"]'
    assert fields[TableRecord._fields.index("parameters")] == '{"a":"","b":"\\""}'


def test_an_empty_list_is_not_null() -> None:
    """Nobody says, and nothing there, are two things."""
    some = EventRecord("s", "e", "q", "READ", "u", None, None, "t", (), None)

    assert read(encode("events", [some, some._replace(columns=None)])) == [
        ["s", "e", "q", "READ", "u", "", "", "t", "[]", ""],
        ["s", "e", "q", "READ", "u", "", "", "t", "", ""],
    ]


def test_no_rows_are_no_bytes() -> None:
    """An empty batch writes nothing, not even a line."""
    assert encode("users", []) == b""


VALUES = {
    str: st.text(),
    int: st.integers(-(10**12), 10**12),
    float: st.floats(0, 1e9),
    bool: st.booleans(),
    datetime: st.datetimes(timezones=st.just(timezone.utc)),
}


def values(hint: object) -> st.SearchStrategy[object]:
    """Values for a column of this type, None included where it may be."""
    text = str(hint)
    if "tuple" in text:
        return st.none() | st.lists(st.text(), max_size=3).map(tuple)

    if "Mapping" in text:
        return st.none() | st.dictionaries(st.text(), st.text(), max_size=3)

    for kind, strategy in VALUES.items():
        if kind.__name__ in text:
            return st.none() | strategy if "None" in text else strategy

    raise AssertionError(text)


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_every_kind_comes_back_as_it_went(kind: str, data: st.DataObject) -> None:
    """Read by a reader that knows only the contract, each value is what it was."""
    hints = get_type_hints(RECORD_TYPES[kind])
    rows = data.draw(st.lists(st.tuples(*map(values, hints.values())), min_size=1, max_size=4))
    records = [RECORD_TYPES[kind](*fields) for fields in rows]

    assert read(encode(kind, records)) == [[expected(value) for value in fields] for fields in rows]


def expected(value: object) -> str:
    """The contract for one field."""
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case datetime():
            return f"{value:%m-%d %H:%M:%S}.{value.microsecond // 1000:03}".join(
                [f"{value.year:04}-", ""]
            )
        case tuple() | dict():
            return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    return str(value).replace("\x00", "\ufffd")


def test_a_block_of_columns_is_written_as_its_records_are() -> None:
    """Held field by field or record by record, the rows are the same bytes."""
    records = [
        ColumnRecord("srv", "c", "s", "t", "a,b", 1, "varchar", "string", True, False, None),
        ColumnRecord("srv", "c", "s", "t", "dt", 2, "date", None, False, True, 'said "so"'),
    ]
    block = ColumnBlock()
    for record in records:
        block.extend(**{name: [value] for name, value in record._asdict().items()})

    assert encode("metadata_columns", block) == encode("metadata_columns", records)
    assert len(block) == 2
