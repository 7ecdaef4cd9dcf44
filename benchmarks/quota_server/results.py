"""The rows of a result in both of its forms: pages of GetQueryResults and the object in S3.

Each object of the estate is a template into which two names are put, so a page or a byte range
costs what it holds and nothing for what stands before it.
"""

from __future__ import annotations

import bisect
import json
from collections.abc import Iterator, Sequence
from itertools import accumulate

from benchmarks.quota_server.estate import NAME_MARK, SCHEMA_MARK, Column, Estate, object_name
from benchmarks.quota_server.statements import Field, Listing

_CHUNK_OBJECTS = 64
"""Objects rendered at a time for the S3 object."""

Row = tuple[str | None, ...]


class Result:
    """Result of a finished query.

    Attributes:
        names: The result's columns, all of type varchar.
        row_count: Rows without the header.
        size_bytes: Size of the object in S3.
        is_table: True for a SELECT: pages and object begin with a header. False for the text of a
            SHOW statement, which has none.
    """

    names: tuple[str, ...]
    row_count: int
    size_bytes: int
    is_table: bool

    def rows_json(self, start: int, stop: int) -> str:
        """The rows from *start* to before *stop*, as GetQueryResults writes them, joined."""
        raise NotImplementedError

    def chunks(self, start: int, stop: int) -> Iterator[bytes]:
        """The bytes from *start* to before *stop* of the object in S3."""
        raise NotImplementedError


class SmallResult(Result):
    """Rows held in memory."""

    def __init__(self, names: Sequence[str], rows: Sequence[Row], *, is_table: bool) -> None:
        self.names = tuple(names)
        self.row_count = len(rows)
        self.is_table = is_table
        self._rows = rows
        if is_table:
            self._body = b"".join(csv_row(row) for row in [self.names, *rows])
        else:
            self._body = "\n".join("\t".join(cell or "" for cell in row) for row in rows).encode()

        self.size_bytes = len(self._body)

    def rows_json(self, start: int, stop: int) -> str:
        return ",".join(json_row(row) for row in self._rows[start:stop])

    def chunks(self, start: int, stop: int) -> Iterator[bytes]:
        yield self._body[start:stop]


class ListingResult(Result):
    """The rows of a SELECT from information_schema, made when asked for."""

    is_table = True

    def __init__(self, listing: Listing, estate: Estate) -> None:
        self._segments = listing.segments
        self._estate = estate
        templates = [_rows_of(listing, estate, is_view=is_view) for is_view in (False, True)]
        self._json = [[json_row(row) for row in rows] for rows in templates]
        self._json_whole = [",".join(rows) for rows in self._json]
        self._csv = [b"".join(csv_row(row) for row in rows).decode() for rows in templates]
        self._rows_each = len(templates[1])
        self._objects_before = [
            0,
            *accumulate(len(segment.indexes) for segment in self._segments),
        ]
        self.names = tuple(field.name for field in listing.fields)
        self.row_count = self._objects_before[-1] * self._rows_each
        self._header = csv_row(self.names)
        self._chunk_keys = [
            (number, start)
            for number, segment in enumerate(self._segments)
            for start in range(0, len(segment.indexes), _CHUNK_OBJECTS)
        ]
        sizes = (self._chunk_size(*key) for key in self._chunk_keys)
        self._bytes_before = list(accumulate(sizes, initial=len(self._header)))
        self.size_bytes = self._bytes_before[-1]

    def rows_json(self, start: int, stop: int) -> str:
        stop = min(stop, self.row_count)
        pieces = []
        position = start
        while position < stop:
            number, inside = divmod(position, self._rows_each)
            rows = min(self._rows_each - inside, stop - position)
            at = bisect.bisect_right(self._objects_before, number) - 1
            segment = self._segments[at]
            index = segment.indexes[number - self._objects_before[at]]
            is_view = self._estate.is_view(index)
            if rows == self._rows_each:
                template = self._json_whole[is_view]
            else:
                template = ",".join(self._json[is_view][inside : inside + rows])

            pieces.append(_named(template, segment.schema, index))
            position += rows

        return ",".join(pieces)

    def chunks(self, start: int, stop: int) -> Iterator[bytes]:
        if start < len(self._header):
            yield self._header[start : min(stop, len(self._header))]

        first = max(0, bisect.bisect_right(self._bytes_before, start) - 1)
        for chunk in range(first, len(self._chunk_keys)):
            begins = self._bytes_before[chunk]
            if begins >= stop:
                return

            data = self._chunk(*self._chunk_keys[chunk])
            yield data[max(0, start - begins) : stop - begins]

    def _chunk(self, number: int, start: int) -> bytes:
        segment = self._segments[number]
        indexes = segment.indexes[start : start + _CHUNK_OBJECTS]
        is_view = self._estate.is_view
        text = "".join(
            self._csv[is_view(index)].replace(NAME_MARK, object_name(index)) for index in indexes
        )
        return text.replace(SCHEMA_MARK, segment.schema).encode()

    def _chunk_size(self, number: int, start: int) -> int:
        indexes = self._segments[number].indexes[start : start + _CHUNK_OBJECTS]
        views = _count_views(indexes, self._estate)
        table_size, view_size = len(self._csv[0].encode()), len(self._csv[1].encode())
        return views * view_size + (len(indexes) - views) * table_size


def _count_views(indexes: Sequence[int], estate: Estate) -> int:
    if isinstance(indexes, range) and indexes.step == 1:
        return estate.views_below(indexes.stop) - estate.views_below(indexes.start)

    return sum(estate.is_view(index) for index in indexes)


def _named(text: str, schema: str, index: int) -> str:
    return text.replace(SCHEMA_MARK, schema).replace(NAME_MARK, object_name(index))


def json_row(row: Row) -> str:
    """A row as GetQueryResults has it: a null is a Datum without value."""
    data = ",".join(
        "{}" if cell is None else '{"VarCharValue":' + json.dumps(cell) + "}" for cell in row
    )
    return '{"Data":[' + data + "]}"


def csv_row(row: Sequence[str | None]) -> bytes:
    """A row as Athena writes it to S3: every value in quotes, a null as nothing at all."""
    cells = ("" if cell is None else '"' + cell.replace('"', '""') + '"' for cell in row)
    return (",".join(cells) + "\n").encode()


def _rows_of(listing: Listing, estate: Estate, *, is_view: bool) -> list[Row]:
    """The rows of one object, names as marks."""
    if listing.relation == "columns":
        return [
            _row(listing.fields, _of_column(column, number))
            for number, column in enumerate(estate.columns(is_view=is_view), 1)
        ]

    common = {"table_catalog": "awsdatacatalog", "catalog_name": "awsdatacatalog"}
    values: dict[str, str | None] = {
        **common,
        "table_schema": SCHEMA_MARK,
        "schema_name": SCHEMA_MARK,
        "table_name": NAME_MARK,
        "table_type": "VIEW" if is_view else "BASE TABLE",
        "table_comment": None,
        "view_definition": estate.view_text(SCHEMA_MARK),
    }
    return [_row(listing.fields, values)]


def _of_column(column: Column, number: int) -> dict[str, str | None]:
    return {
        "table_catalog": "awsdatacatalog",
        "table_schema": SCHEMA_MARK,
        "table_name": NAME_MARK,
        "column_name": column.name,
        "ordinal_position": str(number),
        "column_default": None,
        "is_nullable": "YES",
        "data_type": column.trino_type,
        "comment": column.comment,
        "column_comment": column.comment,
        "extra_info": "partition key" if column.is_partition_key else None,
    }


def _row(fields: Sequence[Field], values: dict[str, str | None]) -> Row:
    return tuple(
        field.literal if field.source is None else values[field.source] for field in fields
    )
