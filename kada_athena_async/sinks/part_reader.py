"""Reads finished parts back into records: the inverse of ``csv_format``, streaming.

Not the standard library's reader, whose limit of 131,072 characters a field is global to the
process, while a query of Athena may have 262,144.
"""

from __future__ import annotations

import codecs
import csv
import json
import re
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TypeAlias, cast, get_type_hints

from isal import igzip, isal_zlib

from kada_athena_async.errors import StateError
from kada_athena_async.files import WHOLE
from kada_athena_async.manifest import PublishedPackage
from kada_athena_async.records import ColumnRecord, TableColumns, column_type
from kada_athena_async.staged_records import STAGED_TYPES, StagedRecord

if TYPE_CHECKING:
    from kada_athena_async.sinks.journal import PartFile

BLOCK_BYTES = 256 * 1024
BATCH_RECORDS = 500
"""Records of a batch; of the longest queries that is 130 MB, of the usual ones half a megabyte."""
BATCH_CHARS = 4_000_000

LINES_AT_ONCE = 10_000
"""Rows that ``read_table_columns`` looks at in one call: some milliseconds."""

_DAMAGE: tuple[type[Exception], ...] = (
    EOFError,
    ValueError,
    IndexError,
    csv.Error,
    cast("type[Exception]", isal_zlib.error),
)
"""What readers raise over other bytes than were written; or an ``OSError`` without a number."""

_COLUMN = ColumnRecord._fields.index("column")

_FIELD = re.compile(r'(?:"((?:[^"]|"")*)"|([^,"]*))(?:,|$)', re.DOTALL)

Parse: TypeAlias = Callable[[str], object]


def read_parts(parts: Iterable[PartFile], *, is_packed: bool) -> Iterator[list[StagedRecord]]:
    """Batches of the records of *parts*, in order, also over their ends; None for an empty field.

    Raises:
        OSError: It cannot be read.
        ValueError: It is not what ``csv_format`` writes.
    """
    batch: list[StagedRecord] = []
    held_chars = 0
    for part in parts:
        make, parsers = STAGED_TYPES[part.kind], _PARSERS[part.kind]
        for line in _lines(part.path, part.within, is_packed=is_packed):
            fields = line.split(",") if '"' not in line else _fields(line)
            found = (parse(text) for parse, text in zip(parsers, fields, strict=True))
            batch.append(make._make(found))
            held_chars += len(line)
            if len(batch) >= BATCH_RECORDS or held_chars > BATCH_CHARS:
                yield batch
                batch, held_chars = [], 0

    if batch:
        yield batch


async def read_batches(
    parts: Iterable[PartFile], *, is_packed: bool
) -> AsyncGenerator[list[StagedRecord], None]:
    """The batches of ``read_parts``, each read in a worker thread."""
    # Not at the top: who reads published extracts needs no event loop.
    from kada_athena_async.concurrency import offload  # noqa: PLC0415

    batches = read_parts(parts, is_packed=is_packed)
    while batch := await offload(lambda: next(batches, None)):
        yield batch


def read_table_columns(
    part: PartFile,
    *,
    is_packed: bool,
    lines_at_once: int = LINES_AT_ONCE,
) -> Iterator[list[TableColumns]]:
    """The names of the columns in *part*, a part of columns, by table.

    A table may come in pieces; of every *lines_at_once* rows there is a list, so that no call
    takes long.

    Raises:
        OSError, ValueError: As ``read_parts``.
    """
    found: list[TableColumns] = []
    # What all rows of a table begin with: read once for each table.
    prefix = "\n"
    columns: list[str] = []
    for number, line in enumerate(_lines(part.path, part.within, is_packed=is_packed), start=1):
        if not line.startswith(prefix):
            head = line.split(",", _COLUMN)
            is_plain = '"' not in line or not any('"' in field for field in head[:_COLUMN])
            fields = head if is_plain else _fields(line)
            catalog, schema, table = fields[1:_COLUMN]
            columns = []
            found.append(TableColumns(catalog, schema, table, columns))
            prefix = f"{','.join(head[:_COLUMN])}," if is_plain else "\n"

        rest = line[len(prefix) :] if prefix != "\n" else ""
        is_plain = bool(rest) and rest[0] != '"'
        columns.append(rest[: rest.index(",")] if is_plain else _fields(line)[_COLUMN])

        if number % lines_at_once == 0:
            yield found
            found, prefix = [], "\n"

    yield found


@contextmanager
def reading(package: PublishedPackage[Any], path: Path) -> Iterator[None]:
    """Within the block an extract of *package* is read.

    Raises:
        StateError: It is missing, cannot be read, or holds other bytes than were written.
    """
    try:
        yield
    except FileNotFoundError:
        raise StateError(
            f"{path} is gone, though {package.name} names it",
            hint="restore it from where it was delivered, or extract its window again",
        ) from None
    except OSError as exc:
        if exc.errno is None:
            raise torn(package, path) from None

        raise StateError(f"{path} cannot be read: {exc.strerror}") from None
    except _DAMAGE:
        raise torn(package, path) from None


def torn(package: PublishedPackage[Any], path: Path) -> StateError:
    """The error of an extract of *package* that is not what was written."""
    return StateError(
        f"{path} is torn: it holds other bytes than {package.name} says",
        hint="restore it from where it was delivered, or move it away and extract its window again",
    )


def read_values(path: Path, *columns: str) -> Iterator[list[str]]:
    """The values of some columns of the extract at *path*, whose first line names them.

    Raises:
        OSError: It cannot be read.
        ValueError: It is not what ``csv_format`` writes, or has no such column.
    """
    lines = _lines(path, WHOLE, is_packed=path.suffix == ".gz")
    if (header := next(lines, None)) is None:
        return

    names = header.split(",")
    indexes = [names.index(column) for column in columns]
    last = max(indexes)
    for line in lines:
        head = line.split(",", last + 1)
        fields = head if '"' not in "".join(head[: last + 1]) else _fields(line)
        yield [fields[index] for index in indexes]


def _lines(path: Path, within: range, *, is_packed: bool) -> Iterator[str]:
    """Rows without their line feed; one may hold line feeds between double quotes."""
    decode = codecs.getincrementaldecoder("utf-8")().decode
    pieces: list[str] = []
    tail = ""
    with path.open("rb") as stored:
        stored.seek(within.start)
        # A part in a seal is small.
        plain = stored if within == WHOLE else BytesIO(stored.read(len(within)))
        file: BinaryIO = (
            cast(BinaryIO, igzip.IGzipFile(fileobj=plain, mode="rb"))  # type: ignore[no-untyped-call]
            if is_packed
            else plain
        )
        while block := file.read(BLOCK_BYTES):
            lines = (tail + decode(block)).split("\n")
            tail = lines.pop()
            for line in lines:
                is_odd = line.count('"') % 2 == 1
                if not pieces and not is_odd:
                    yield line
                    continue

                pieces.append(line)
                if is_odd and len(pieces) > 1:
                    yield "\n".join(pieces)
                    pieces = []

    if tail or pieces:
        raise ValueError(f"the part {path.name} ends in the middle of a row")


def _fields(line: str) -> list[str]:
    found: list[str] = []
    position = 0
    while True:
        match = _FIELD.match(line, position)
        if match is None:
            raise ValueError("not a row of an extract")

        quoted, plain = match.groups()
        found.append(plain if quoted is None else quoted.replace('""', '"'))
        position = match.end()
        if position >= len(line):
            if match[0].endswith(","):
                found.append("")

            return found


def _text(text: str) -> object:
    return text or None


def _required_text(text: str) -> object:
    return text


def _number(text: str) -> object:
    return int(text) if text else None


def _decimal(text: str) -> object:
    return float(text) if text else None


def _flag(text: str) -> object:
    return text == "true" if text else None


def time_of(text: str) -> datetime | None:
    """A time as an extract has it, in UTC; None if it is empty.

    Raises:
        ValueError: It is none.
    """
    return datetime.fromisoformat(text).replace(tzinfo=timezone.utc) if text else None


def _json(text: str) -> object:
    value = json.loads(text) if text else None
    return tuple(value) if isinstance(value, list) else value


_PARSERS_BY_TYPE: dict[type, Parse] = {
    bool: _flag,
    datetime: time_of,
    int: _number,
    float: _decimal,
    str: _text,
    object: _json,
}


def _parser(hint: object) -> Parse:
    kind, may_be_null = column_type(hint)
    return _PARSERS_BY_TYPE[kind] if may_be_null or kind is not str else _required_text


_PARSERS: dict[str, tuple[Parse, ...]] = {
    kind: tuple(_parser(hint) for hint in get_type_hints(record).values())
    for kind, record in STAGED_TYPES.items()
}


def parsers_of(kind: str) -> tuple[Parse, ...]:
    """Parsers of the texts of a row of *kind* into the fields of its record, in order."""
    return _PARSERS[kind]
