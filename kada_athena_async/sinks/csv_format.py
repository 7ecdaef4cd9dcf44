"""The bytes of the extracts: records to CSV, column by column because that is fast."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timezone
from types import UnionType
from typing import TypeAlias, get_args, get_type_hints

from kada_athena_async.records import RECORD_TYPES, Record

# What makes a field need quotes (RFC 4180, section 2, rules 6 and 7).
_SPECIAL = re.compile(r'[,"\r\n]')

# No UTF-8 text can hold a lone surrogate, and few readers survive NUL.
_UNWRITABLE = re.compile("[\x00\ud800-\udfff]")
_REPLACEMENT = "\ufffd"

Column: TypeAlias = Sequence[object]


def header(kind: str) -> bytes:
    """The header row of a kind of extract."""
    return (",".join(RECORD_TYPES[kind]._fields) + "\n").encode()


def encode(kind: str, batch: Sequence[Record]) -> bytes:
    """The rows of *batch* as UTF-8 CSV: ``,``, ``"`` doubled, quotes only where needed, ``\\n``.

    None is an empty field; a datetime is ``YYYY-MM-DD HH:MM:SS.mmm`` in UTC; a bool is ``true`` or
    ``false``; a tuple or a mapping is compact JSON with sorted keys. NUL and lone surrogates become
    U+FFFD. Nothing else is altered: a field that begins with ``=`` stays as it is, because the
    extracts are read by a machine and must be faithful.
    """
    if not batch:
        return b""

    columns = zip(*batch, strict=True)
    writers = _WRITERS[kind]
    texts = [_quoted(write(column)) for write, column in zip(writers, columns, strict=True)]
    rows = "\n".join(map(",".join, zip(*texts, strict=True))) + "\n"
    try:
        if "\x00" not in rows:
            return rows.encode()
    except UnicodeEncodeError:
        pass  # the lone surrogates are replaced below, where the rare case pays for itself

    return _UNWRITABLE.sub(_REPLACEMENT, rows).encode()


def _quoted(column: list[str]) -> list[str]:
    # One search over the whole column spares one for each field: most columns hold names.
    if not _SPECIAL.search("".join(column)):
        return column

    return [
        '"' + text.replace('"', '""') + '"' if _SPECIAL.search(text) else text for text in column
    ]


def _text(column: Column) -> list[str]:
    return ["" if value is None else str(value) for value in column]


def _flag(column: Column) -> list[str]:
    return ["" if value is None else "true" if value else "false" for value in column]


def _time(column: Column) -> list[str]:
    return ["" if value is None else _moment(value) for value in column]


def _moment(value: object) -> str:
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise TypeError(f"a time of a record must be an aware datetime, not {value!r}")

    return value.astimezone(timezone.utc).isoformat(" ", "milliseconds")[:-6]


def _json(column: Column) -> list[str]:
    return ["" if value is None else _compact(value) for value in column]


def _compact(value: object) -> str:
    plain = dict(value) if isinstance(value, Mapping) else value
    return json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _writer(hint: object) -> Callable[[Column], list[str]]:
    """How a column of this type is written; a ``| None`` changes nothing."""
    members = set(get_args(hint)) if isinstance(hint, UnionType) else {hint}
    if bool in members:
        return _flag

    if datetime in members:
        return _time

    return _text if members & {str, int} else _json


_WRITERS: dict[str, tuple[Callable[[Column], list[str]], ...]] = {
    kind: tuple(_writer(hint) for hint in get_type_hints(record).values())
    for kind, record in RECORD_TYPES.items()
}
