"""Reads finished parts back into records: the inverse of ``csv_format``, streaming.

Not the standard library's reader, whose limit of 131,072 characters a field is global to the
process, while a query of Athena may have 262,144.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from types import UnionType
from typing import BinaryIO, TypeAlias, cast, get_args, get_type_hints

from isal import igzip

from kada_athena_async.records import RECORD_TYPES, Record
from kada_athena_async.sinks.part import PartFile

BLOCK_BYTES = 256 * 1024
BATCH_RECORDS = 500
"""Records of a batch; of the longest queries that is 130 MB, of the usual ones half a megabyte."""
BATCH_CHARS = 4_000_000

_FIELD = re.compile(r'(?:"((?:[^"]|"")*)"|([^,"]*))(?:,|$)', re.DOTALL)

Parse: TypeAlias = Callable[[str], object]


def read_part(part: PartFile, *, is_packed: bool) -> Iterator[list[Record]]:
    """Batches of the records of *part*, in order; None where a field is empty.

    Raises:
        OSError: It cannot be read.
        ValueError: It is not what ``csv_format`` writes.
    """
    make, parsers = RECORD_TYPES[part.kind], _PARSERS[part.kind]
    batch: list[Record] = []
    held_chars = 0
    for line in _lines(part, is_packed=is_packed):
        fields = line.split(",") if '"' not in line else _fields(line)
        batch.append(make._make(parse(text) for parse, text in zip(parsers, fields, strict=True)))
        held_chars += len(line)
        if len(batch) >= BATCH_RECORDS or held_chars > BATCH_CHARS:
            yield batch
            batch, held_chars = [], 0

    if batch:
        yield batch


def _lines(part: PartFile, *, is_packed: bool) -> Iterator[str]:
    """Rows without their line feed; one may hold line feeds between double quotes."""
    decode = codecs.getincrementaldecoder("utf-8")().decode
    pieces: list[str] = []
    is_open = False
    tail = ""
    opener: BinaryIO = (
        cast(BinaryIO, igzip.IGzipFile(part.path, "rb"))  # type: ignore[no-untyped-call]
        if is_packed
        else part.path.open("rb")
    )
    with opener as file:
        while block := file.read(BLOCK_BYTES):
            lines = (tail + decode(block)).split("\n")
            tail = lines.pop()
            for line in lines:
                pieces.append(line)
                is_open ^= line.count('"') % 2 == 1
                if not is_open:
                    yield "\n".join(pieces)
                    pieces = []

    if tail or pieces:
        raise ValueError(f"the part {part.path.name} ends in the middle of a row")


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


def _flag(text: str) -> object:
    return text == "true" if text else None


def _time(text: str) -> object:
    return datetime.fromisoformat(text).replace(tzinfo=timezone.utc) if text else None


def _json(text: str) -> object:
    value = json.loads(text) if text else None
    return tuple(value) if isinstance(value, list) else value


def _parser(hint: object) -> Parse:
    members = set(get_args(hint)) if isinstance(hint, UnionType) else {hint}
    for kind, parse in ((bool, _flag), (datetime, _time), (int, _number)):
        if kind in members:
            return parse

    if str in members:
        return _text if type(None) in members else _required_text

    return _json


_PARSERS: dict[str, tuple[Parse, ...]] = {
    kind: tuple(_parser(hint) for hint in get_type_hints(record).values())
    for kind, record in RECORD_TYPES.items()
}
