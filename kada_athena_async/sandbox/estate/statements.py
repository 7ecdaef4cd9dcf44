"""Statements from templates: the text with fresh literals, and the truth of what it touches.

Markers in a template:

``{sales.orders}``, ``{sales.orders o}``    a table it reads, perhaps with an alias
``{+sales.orders}``                         one it writes (creates, alters, drops)
``{*sales.orders}``                         one it reads and writes (MERGE, UPDATE, DELETE)
``{+`sales.orders}``                        the same in Hive's spelling, for DDL
``<<date>>``                                a fresh literal (``LITERALS``)
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import NamedTuple

from kada_athena_async.sandbox.estate.kinds import Kind, bare_statement, kind_of
from kada_athena_async.sandbox.estate.model import TableRef
from kada_athena_async.sandbox.estate.queries import spell, split_ref


class Statement(NamedTuple):
    """A statement with its truth."""

    sql: str
    kind: Kind
    database: str | None
    reads: tuple[TableRef, ...]
    writes: tuple[TableRef, ...]
    write_locations: tuple[str, ...] = ()


Literal = Callable[[Random, datetime], str]

_FIRST_NAMES = ("Ava", "Noah", "Mia", "Liam", "Zoë", "Søren", "Ngaire", "Hoàng")
_LAST_NAMES = ("Nguyen", "Smith", "Papadopoulos", "O''Brien", "Tanaka", "Müller")
_STATUSES = ("OPEN", "SHIPPED", "DELIVERED", "RETURNED")
_REGIONS = ("NSW", "VIC", "QLD", "WA", "SA", "TAS")


LITERALS: dict[str, Literal] = {
    "date": lambda rng, now: f"'{now - timedelta(days=int(rng.random() * 60)):%Y-%m-%d}'",
    "ts": lambda rng, now: (
        f"'{now - timedelta(minutes=int(rng.random() * 60_000)):%Y-%m-%d %H:%M:%S}'"
    ),
    "int": lambda rng, now: str(int(rng.random() * 1000)),
    "id": lambda rng, now: str(1 + int(rng.random() * 90_000)),
    "days": lambda rng, now: f"'{1 + int(rng.random() * 90)}'",
    "limit": lambda rng, now: rng.choice(("10", "50", "100", "1000")),
    "amount": lambda rng, now: f"{rng.random() * 5000:.2f}",
    "status": lambda rng, now: f"'{rng.choice(_STATUSES)}'",
    "region": lambda rng, now: f"'{rng.choice(_REGIONS)}'",
    "ids": lambda rng, now: ", ".join(str(int(rng.random() * 9999)) for _ in range(12)),
    "email": lambda rng, now: f"'user{int(rng.random() * 99_999)}@mail.example'",
    "phone": lambda rng, now: f"'+61 491 57{int(rng.random() * 9999):04d}'",
    "tfn": lambda rng, now: f"'{int(rng.random() * 900_000_000) + 100_000_000}'",
    "name": lambda rng, now: f"'{rng.choice(_FIRST_NAMES)} {rng.choice(_LAST_NAMES)}'",
    "who": lambda rng, now: f"{rng.choice(_FIRST_NAMES)} {rng.choice(_LAST_NAMES)}",
    "hour": lambda rng, now: str(int(rng.random() * 24)),
    "run": lambda rng, now: f"{int(rng.random() * 0xFFFFFF):06x}",
}

_MARKER = re.compile(r"\{([+*]?)(`?)([^{}\s$]*(?:\$[a-z]+)?)( \w+)?\}|<<(\w+)>>")
_METADATA_TABLE = re.compile(r"\$(partitions|history|files|snapshots|manifests)\Z")
_UNLOAD_TO = re.compile(r"\) TO '(s3://[^']+)'")


@dataclass(frozen=True, slots=True)
class Template:
    """A compiled template; ``fill`` makes a statement of it."""

    kind: Kind
    pieces: tuple[str | Literal, ...]
    database: str | None
    reads: tuple[TableRef, ...]
    writes: tuple[TableRef, ...]

    def fill(self, rng: Random, now: datetime) -> Statement:
        sql = "".join(piece if isinstance(piece, str) else piece(rng, now) for piece in self.pieces)
        locations = tuple(_UNLOAD_TO.findall(sql)) if self.kind.subtype == "UNLOAD" else ()
        return Statement(sql, self.kind, self.database, self.reads, self.writes, locations)


def _base(ref: TableRef) -> TableRef:
    return ref._replace(table=_METADATA_TABLE.sub("", ref.table))


def _spell(ref: TableRef, style: str, home: str | None, tick: str) -> str:
    if tick:
        return spell(ref, "hive")

    if style == "short" and ref.schema != home:
        style = "bare"

    return spell(ref, style)


def compile_template(text: str, style: str = "bare", kind: Kind | None = None) -> Template:
    """A template with its names in *style* (``queries.spell``), of the kind that it begins as.

    The statement's database is the schema of the first table in it; in the styles ``quoted`` and
    ``full`` it has none.
    """
    first = next((match[3] for match in _MARKER.finditer(text) if match[3]), None)
    home = split_ref(first).schema if first and ":" not in first else "default"
    reads: dict[TableRef, None] = {}
    writes: dict[TableRef, None] = {}
    pieces: list[str | Literal] = []
    end = 0
    for match in _MARKER.finditer(text):
        pieces.append(text[end : match.start()])
        end = match.end()
        mode, tick, name, alias, literal = match.groups()
        if literal:
            pieces.append(LITERALS[literal])
            continue

        ref = split_ref(name)
        pieces.append(_spell(ref, style, home, tick) + (alias or ""))
        if mode in ("+", "*"):
            writes[_base(ref)] = None

        if mode != "+":
            reads[_base(ref)] = None

    database = None if style in ("quoted", "full") else home
    pieces.append(text[end:])
    kind = kind or kind_of(bare_statement(text))
    return Template(kind, tuple(pieces), database, tuple(reads), tuple(writes))


def compile_all(texts: Sequence[str]) -> tuple[Template, ...]:
    """Every template in every style, for a rng to choose from."""
    return tuple(
        compile_template(text, style)
        for text in texts
        for style in ("bare", "quoted", "full", "short")
    )
