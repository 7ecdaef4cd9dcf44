"""Column types: from Hive's spelling to Trino's, and plausible values of each."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

from kada_athena_async.sandbox.estate.identifiers import quoted

# Athena user guide, "Data types in Amazon Athena"; Trino's Hive connector, "Type mapping".
_TRINO_NAME = {
    "string": "varchar",
    "int": "integer",
    "float": "real",
    "binary": "varbinary",
    "timestamp": "timestamp(3)",
}
_PLAIN_FIELD = re.compile(r"[a-z_][a-z0-9_]*\Z")

WORDS: dict[str, tuple[str, ...]] = {
    "status": ("OPEN", "SHIPPED", "DELIVERED", "RETURNED", "HELD"),
    "region": ("NSW", "VIC", "QLD", "WA", "SA", "TAS", "NT", "ACT"),
    "depot_code": ("SYD", "MEL", "BNE", "PER", "ADL", "HBA"),
    "country": ("AU", "NZ", "SG", "FJ"),
    "currency": ("AUD", "NZD", "USD"),
    "channel": ("web", "store", "phone", "edi"),
    "category": ("parcel", "pallet", "bulk", "chilled"),
}
# What ends ends after it began: these fall into the last 20 days, other moments before.
_ENDS = frozenset({"delivered_at", "ended_at", "window_end"})
_OTHER_WORDS = ("alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel")


def split_top(text: str, separator: str) -> list[str]:
    """*text* split at *separator* wherever no bracket is open."""
    pieces, depth, start = [], 0, 0
    for position, character in enumerate(text):
        if character in "<(":
            depth += 1
        elif character in ">)":
            depth -= 1
        elif character == separator and depth == 0:
            pieces.append(text[start:position])
            start = position + 1

    return [*pieces, text[start:]]


def _arguments(hive: str) -> list[str]:
    return split_top(hive[hive.index("<") + 1 : -1], ",")


def struct_fields(hive: str) -> list[tuple[str, str]]:
    """The fields of ``struct<a:int,b:string>`` as (name, type)."""
    pairs = (split_top(field, ":") for field in _arguments(hive))
    return [(pair[0], ":".join(pair[1:])) for pair in pairs]


@functools.lru_cache(maxsize=4096)
def trino_type(hive: str) -> str:
    """Trino's spelling of a Hive type, as ``information_schema.columns.data_type`` has it."""
    if hive.startswith("array<"):
        return f"array({trino_type(hive[6:-1])})"

    if hive.startswith("map<"):
        return f"map({', '.join(trino_type(argument) for argument in _arguments(hive))})"

    if hive.startswith("struct<"):
        # Trino's Hive connector lower-cases the names of fields (its HiveTypeTranslator).
        fields = (
            f"{name if _PLAIN_FIELD.match(name) else quoted(name)} {trino_type(type_)}"
            for name, type_ in ((name.lower(), type_) for name, type_ in struct_fields(hive))
        )
        return f"row({', '.join(fields)})"

    return _TRINO_NAME.get(hive, hive)


def _text(name: str, rng: Random, row: int, now: datetime) -> str:
    words = WORDS.get(name)
    if words is not None:
        return words[(row - 1) % len(words)]

    if name == "email":
        return f"person{row}@example.com"

    return f"{_OTHER_WORDS[int(rng.random() * 8)]} {row}"


def _whole(name: str, rng: Random, row: int, now: datetime) -> int:
    # Keys come from 1..4, so that joins find each other.
    return 1 + int(rng.random() * 4) if name.endswith("_id") else 1 + int(rng.random() * 100)


def _timestamp(name: str, rng: Random, row: int, now: datetime) -> datetime:
    days_ago = rng.random() * 20 + (0 if name in _ENDS else 20)
    moment = now - timedelta(days=days_ago)
    return moment.replace(tzinfo=None, microsecond=0)


def _day(name: str, rng: Random, row: int, now: datetime) -> object:
    return (now - timedelta(days=int(rng.random() * 40))).date()


_Sample = Callable[[str, Random, int, datetime], object]
_PRIMITIVE: dict[str, _Sample] = {
    "string": _text,
    "varchar": lambda name, rng, row, now: _text(name, rng, row, now),
    "char": lambda name, rng, row, now: _text(name, rng, row, now)[:1],
    "int": _whole,
    "integer": _whole,
    "bigint": _whole,
    "smallint": _whole,
    "tinyint": lambda name, rng, row, now: 1 + int(rng.random() * 8),
    "double": lambda name, rng, row, now: int(rng.random() * 4000) / 8,
    "float": lambda name, rng, row, now: int(rng.random() * 400) / 4,
    "decimal": lambda name, rng, row, now: Decimal(int(rng.random() * 90_000)) / 100,
    "boolean": lambda name, rng, row, now: rng.random() < 0.5,
    "binary": lambda name, rng, row, now: bytes((row, int(rng.random() * 255), 0)),
    "date": _day,
    "timestamp": _timestamp,
}


@functools.lru_cache(maxsize=4096)
def sampler(hive: str) -> _Sample:
    """A function that makes a value of the Hive type *hive* for (column, rng, row, now).

    Arrays are lists, maps and structs are dicts, timestamps carry no zone (Trino's ``timestamp``
    has none).
    """
    if hive.startswith("array<"):
        item = sampler(hive[6:-1])
        return lambda name, rng, row, now: [item(name, rng, row + i, now) for i in range(2)]

    if hive.startswith("map<"):
        key, value = (sampler(argument) for argument in _arguments(hive))
        return lambda name, rng, row, now: {key(name, rng, row, now): value(name, rng, row, now)}

    if hive.startswith("struct<"):
        fields = [(field, sampler(type_)) for field, type_ in struct_fields(hive)]
        return lambda name, rng, row, now: {
            field: make(field, rng, row, now) for field, make in fields
        }

    length = re.fullmatch(r"(?:var)?char\((\d+)\)", hive)
    if length:
        width = int(length[1])
        return lambda name, rng, row, now: _text(name, rng, row, now)[:width]

    return _PRIMITIVE[hive.partition("(")[0]]
