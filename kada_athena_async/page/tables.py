"""Facts of each table of the page, in packets."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import groupby, islice
from operator import itemgetter
from typing import Any, NamedTuple

from kada_athena_async.observers.escaping import escape
from kada_athena_async.page.history import OTHERS, cut_sql
from kada_athena_async.page.packing import digits, json_text, pack, width_of
from kada_athena_async.page.warehouse import Warehouse
from kada_athena_async.sql.masking import mask_sql

PACKET_TABLES = 512
MAX_COMMON_NAMES = 60_000
MAX_USERS = 50
"""Users of a table in the page, for reads and for writes, at most; the others are one row."""

_SAMPLED_PACKETS = 8


class Level(NamedTuple):
    """Limits of what is shown of a table; a lower one is taken where the page grows large."""

    columns: int
    comment_chars: int
    view_chars: int
    has_days: bool
    users: int = MAX_USERS

    def left_out(self) -> list[str]:
        """Words for what the limits leave out."""
        whole = LEVELS[0]
        limits = {
            f"columns of a table beyond {self.columns:,}": self.columns < whole.columns,
            f"comments of columns beyond {self.comment_chars:,} characters": (
                self.comment_chars < whole.comment_chars
            ),
            f"view texts beyond {self.view_chars:,} characters": self.view_chars < whole.view_chars,
            "use of each table by day": not self.has_days,
            f"users of a table beyond {self.users:,}": self.users < whole.users,
        }
        return [words.replace(" beyond 0 characters", "").replace(" beyond 0", "")
                for words, is_out in limits.items() if is_out]  # fmt: skip


LEVELS = (
    Level(5_000, 500, 8_000, True),
    Level(1_000, 120, 2_000, True),
    Level(200, 0, 500, False),
    Level(50, 0, 0, False),
    Level(50, 0, 0, False, 5),
    Level(15, 0, 0, False, 2),
    Level(0, 0, 0, False, 0),
)

_COMMON = """
    SELECT name FROM columns GROUP BY name HAVING count(*) > 2 ORDER BY count(*) DESC, name LIMIT ?
"""

_FACTS = """
    SELECT id, name, location, owner, comment, created_at, updated_at, partition_keys, stats_at,
        stats_source
    FROM shown JOIN tables USING (id) WHERE place >= ? AND place < ? ORDER BY place
"""


class Details(NamedTuple):
    """Packets of ``PACKET_TABLES`` tables each, and the limits that they keep.

    Attributes:
        names: The columns' names that several tables have, once for all packets.
    """

    names: bytes
    packets: list[bytes]
    level: Level


class _Names:
    """Numbers of the columns' names that several tables have, in digits; the others stand in
    their packet."""

    def __init__(self, warehouse: Warehouse) -> None:
        found = warehouse.rows(_COMMON, MAX_COMMON_NAMES)
        names = [name for (name,) in found]
        self.width = width_of(len(names) + 1)
        # The number 0 stands for a name of the packet's own.
        self.none = digits(0, self.width)
        self.numbers = {name: digits(place, self.width) for place, name in enumerate(names, 1)}

    def packed(self) -> bytes:
        return pack(json_text({"width": self.width, "names": ["", *map(escape, self.numbers)]}))


def details(warehouse: Warehouse, shown: int, max_bytes: int) -> Details:
    """Facts about each table, in *max_bytes* together; no packets if none fits."""
    names = _Names(warehouse)
    packed = names.packed()
    max_bytes -= len(packed)
    starts = range(0, shown, PACKET_TABLES)
    every = max(1, len(starts) // _SAMPLED_PACKETS)
    for level in LEVELS:
        sample = {start: _packet(warehouse, start, level, names) for start in starts[::every]}
        if sum(map(len, sample.values())) / max(1, len(sample)) * len(starts) > max_bytes:
            continue

        packets: list[bytes] = []
        size = 0
        for start in starts:
            packets.append(sample.pop(start, b"") or _packet(warehouse, start, level, names))
            size += len(packets[-1])
            if size > max_bytes:
                break
        else:
            return Details(packed, packets, level)

    return Details(b"", [], LEVELS[-1])


@dataclass(slots=True)
class _Packet:
    """Names and types of the columns of a packet's tables, one after the other.

    Attributes:
        places, kinds: Numbers of the names, in digits, and of the types.
        own: Names that no other packet has the number of, in their order.
    """

    names: _Names
    types: dict[str, int] = field(default_factory=dict)
    places: list[str] = field(default_factory=list)
    kinds: list[int] = field(default_factory=list)
    own: list[str] = field(default_factory=list)

    def add(self, name: str, data_type: str) -> None:
        number = self.names.numbers.get(name)
        if number is None:
            self.own.append(escape(name))

        self.places.append(number or self.names.none)
        self.kinds.append(self.types.setdefault(escape(data_type), len(self.types)))

    def to_dict(self) -> dict[str, Any]:
        width = width_of(len(self.types))
        kinds = [digits(kind, width) for kind in range(len(self.types))]
        return {
            "types": list(self.types),
            "typeWidth": width,
            "kinds": "".join(map(kinds.__getitem__, self.kinds)),
            "names": "".join(self.places),
            "own": self.own,
        }


_PACKET_COLUMNS = """
    SELECT shown.id, columns.name, type, is_key, columns.comment
    FROM shown JOIN columns USING (id) WHERE place >= ? AND place < ? ORDER BY place, position
"""
_PACKET_TAGS = """
    SELECT shown.id, column_name, tag FROM shown JOIN tags USING (id)
    WHERE place >= ? AND place < ? ORDER BY place, tags.rowid
"""
_PACKET_VIEWS = """
    SELECT shown.id, definition, dialect FROM shown JOIN views USING (id)
    WHERE place >= ? AND place < ? AND definition <> '' ORDER BY place, views.rowid
"""
_PACKET_PEOPLE = """
    SELECT shown.id, is_read, who, executions, last_at, client FROM shown JOIN people USING (id)
    WHERE place >= ? AND place < ? ORDER BY place, executions DESC, who, client
"""
_PACKET_DAYS = """
    SELECT shown.id, day, sum(CASE event_type WHEN 'READ' THEN executions ELSE 0 END),
        sum(CASE event_type WHEN 'READ' THEN 0 ELSE executions END)
    FROM shown JOIN uses USING (id) WHERE place >= ? AND place < ?
    GROUP BY place, day ORDER BY place, day
"""


class _ByTable:
    """Rows that begin with a table's id, in the order of the tables; held are those of one."""

    def __init__(self, rows: Iterable[tuple[Any, ...]]) -> None:
        self._groups = groupby(rows, key=itemgetter(0))
        self._next = next(self._groups, None)

    def take(self, id_: int, limit: int | None = None) -> list[tuple[Any, ...]]:
        """The first *limit* rows of a table, without its id."""
        if self._next is None or self._next[0] != id_:
            return []

        found = [row[1:] for row in islice(self._next[1], limit)]
        self._next = next(self._groups, None)
        return found


class _Rows:
    """The rows of a packet's tables, read by one statement a kind."""

    def __init__(self, warehouse: Warehouse, start: int, level: Level) -> None:
        def by_table(sql: str, *, is_wanted: bool = True) -> _ByTable:
            return _ByTable(warehouse.rows(sql, start, start + PACKET_TABLES) if is_wanted else ())

        self.columns = by_table(_PACKET_COLUMNS, is_wanted=level.columns > 0)
        self.tags = by_table(_PACKET_TAGS)
        self.views = by_table(_PACKET_VIEWS, is_wanted=level.view_chars > 0)
        self.people = by_table(_PACKET_PEOPLE)
        self.days = by_table(_PACKET_DAYS, is_wanted=level.has_days)


def _packet(warehouse: Warehouse, start: int, level: Level, names: _Names) -> bytes:
    packet = _Packet(names)
    rows = _Rows(warehouse, start, level)
    tables = [
        _table(rows, row, level, packet)
        for row in warehouse.rows(_FACTS, start, start + PACKET_TABLES).fetchall()
    ]
    return pack(json_text({**packet.to_dict(), "tables": tables}))


def _around(location: str, name: str) -> list[str]:
    """*location* without the first *name* in it, which the page puts back."""
    return location.split(name, 1) if name else [location]


def _table(rows: _Rows, row: tuple[Any, ...], level: Level, packet: _Packet) -> dict[str, Any]:
    """The facts of a table; what is unknown is left out."""
    id_, name, location, owner, comment, created, updated, keys, stats_at, stats_source = row
    people = rows.people.take(id_)
    facts = {
        # Most locations hold the table's name, which stands in the index already.
        "location": [escape(part) for part in _around(location, name)] if location else None,
        "owner": escape(owner or ""),
        "comment": escape(comment or "", limit=max(level.comment_chars, 60)),
        "created": (created or "")[:10],
        "updated": (updated or "")[:10],
        "keys": escape(keys or ""),
        "statsAt": (stats_at or "")[:10],
        "statsSource": escape(stats_source or ""),
        **_columns(rows.columns.take(id_, level.columns), level, packet),
        "tags": [[escape(column), escape(tag)] for column, tag in rows.tags.take(id_)],
        "view": _view(rows.views.take(id_, 1), level),
        "readers": _users([row[1:] for row in people if row[0]], level),
        "writers": _users([row[1:] for row in people if not row[0]], level),
        "days": [list(day) for day in rows.days.take(id_)],
    }
    return {name: value for name, value in facts.items() if value}


def _columns(rows: list[tuple[Any, ...]], level: Level, packet: _Packet) -> dict[str, Any]:
    keys = []
    comments: dict[str, str] = {}
    for place, (name, data_type, is_key, comment) in enumerate(rows):
        packet.add(name, data_type)
        if is_key:
            keys.append(place)
        if comment and level.comment_chars:
            comments[str(place)] = escape(comment, limit=level.comment_chars)

    return {"columns": len(rows), "keyPlaces": keys, "comments": comments}


def _view(rows: list[tuple[Any, ...]], level: Level) -> str:
    """The masked text of a view, whether or not the extract is masked."""
    for definition, dialect in rows:
        kind = "hive" if dialect == "hive" else None
        return cut_sql(mask_sql(definition, dialect=kind), level.view_chars)

    return ""


def _users(rows: list[tuple[Any, ...]], level: Level) -> list[list[Any]]:
    """Users of a table, the most frequent first: name, executions, last time, tool."""
    shown = rows[: level.users]
    found = [
        [escape(who), count, (last or "")[:16], escape(client)]
        for who, count, last, client in shown
    ]
    others = sum(row[1] for row in rows[level.users :])
    return [*found, [OTHERS, others, "", ""]] if others else found
