"""The bytes of the extracts: records to CSV, column by column because that is fast."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timezone
from typing import Any, TypeAlias, get_type_hints

from kada_athena_async.column_block import ColumnBlock, Rows
from kada_athena_async.records import column_type
from kada_athena_async.staged_records import STAGED_TYPES

# What makes a field need quotes (RFC 4180, section 2, rules 6 and 7).
_SPECIAL = re.compile(r'[,"\r\n]')

# No UTF-8 text can hold a lone surrogate, and few readers survive NUL.
_UNWRITABLE = re.compile("[\x00\ud800-\udfff]")
_REPLACEMENT = "\ufffd"

_FLAGS = {None: "", False: "false", True: "true"}

_to_json = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode

Column: TypeAlias = Sequence[Any]


def header(kind: str) -> bytes:
    """The header row of a kind of extract."""
    return (",".join(STAGED_TYPES[kind]._fields) + "\n").encode()


def encode(kind: str, batch: Rows) -> bytes:
    """The rows of *batch* as UTF-8 CSV: ``,``, ``"`` doubled, quotes only where needed, ``\\n``.

    None is an empty field; a datetime is ``YYYY-MM-DD HH:MM:SS.mmm`` in UTC; a bool is ``true`` or
    ``false``; a tuple or a mapping is compact JSON with sorted keys. NUL and lone surrogates become
    U+FFFD. Nothing else is altered: a field that begins with ``=`` stays as it is, because the
    extracts are read by a machine and must be faithful.
    """
    if not batch:
        return b""

    columns = batch.fields if isinstance(batch, ColumnBlock) else zip(*batch, strict=True)
    texts = [write(column) for write, column in zip(_WRITERS[kind], columns, strict=True)]
    rows = "\n".join(map(",".join, zip(*texts, strict=True))) + "\n"
    try:
        if "\x00" not in rows:
            return rows.encode()
    except UnicodeEncodeError:
        pass  # the lone surrogates are replaced below, where the rare case pays for itself

    return _UNWRITABLE.sub(_REPLACEMENT, rows).encode()


def _text(column: Column) -> Column:
    # Most columns hold plain names: one join and one search over the whole column show it, and
    # spare both for each field.
    try:
        whole = "".join(column)
    except TypeError:
        column = ["" if value is None else value for value in column]
        whole = "".join(column)

    if not _SPECIAL.search(whole):
        return column

    # Data types and comments repeat a lot.
    quoted = {text: _quoted(text) for text in set(column)}
    return [quoted[text] for text in column]


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if _SPECIAL.search(text) else text


def _number(column: Column) -> Column:
    return ["" if value is None else str(value) for value in column]


def _flag(column: Column) -> Column:
    return [_FLAGS[value] for value in column]


def _time(column: Column) -> Column:
    return ["" if value is None else _moment(value) for value in column]


def _moment(value: object) -> str:
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise TypeError(f"a time of a record must be an aware datetime, not {value!r}")

    return value.astimezone(timezone.utc).isoformat(" ", "milliseconds")[:-6]


def _json(column: Column) -> Column:
    return _text([None if value is None else _compact(value) for value in column])


def _compact(value: object) -> str:
    return _to_json(dict(value) if isinstance(value, Mapping) else value)


_WRITERS_BY_TYPE: Mapping[type, Callable[[Column], Column]] = {
    bool: _flag,
    datetime: _time,
    int: _number,
    float: _number,
    str: _text,
    object: _json,
}

_WRITERS: dict[str, tuple[Callable[[Column], Column], ...]] = {
    kind: tuple(_WRITERS_BY_TYPE[column_type(hint)[0]] for hint in get_type_hints(record).values())
    for kind, record in STAGED_TYPES.items()
}
