"""Tables of the page: an index of all, and what there is to know of each, in packets."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import chain, groupby, islice
from operator import itemgetter
from typing import Any, NamedTuple

from kada_athena_async.extracts.table_usage import GB_BYTES, S3_USD_PER_GB_MONTH
from kada_athena_async.observers.escaping import escape
from kada_athena_async.page.history import MAX_NAME_CHARS, OTHERS, cut_sql
from kada_athena_async.page.packing import Columns, digits, json_text, pack, width_of
from kada_athena_async.page.warehouse import Warehouse
from kada_athena_async.sql import mask_sql

PACKET_TABLES = 512
MAX_EXACT = 20_000
"""Tables up to which sizes are shown to the byte."""

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


LEVELS = (
    Level(5_000, 500, 8_000, True),
    Level(1_000, 120, 2_000, True),
    Level(200, 0, 500, False),
    Level(50, 0, 0, False),
    Level(50, 0, 0, False, 5),
    Level(15, 0, 0, False, 2),
    Level(0, 0, 0, False, 0),
)

_KINDS = {"TABLE": 0, "VIEW": 1, "LOCATION": 2}

# A table is used too where a view reads it that is used.
_UNUSED = """
    CREATE TABLE used AS
    WITH RECURSIVE reached (id) AS (
        SELECT id FROM uses UNION
        SELECT source FROM links JOIN reached ON target = reached.id WHERE kind = 'VIEW'
    ) SELECT id FROM reached;
    CREATE UNIQUE INDEX used_id ON used (id);
    CREATE TABLE sure (catalog TEXT, schema TEXT, UNIQUE (catalog, schema));
"""

_TOTALS = """
    CREATE TABLE use_totals AS
    SELECT id, sum(CASE event_type WHEN 'READ' THEN executions ELSE 0 END) AS reads,
        sum(CASE event_type WHEN 'READ' THEN 0 ELSE executions END) AS writes,
        sum(failed) AS failed, sum(scanned_bytes) AS scanned,
        (SELECT count(DISTINCT who) FROM people WHERE people.id = uses.id) AS users,
        max(CASE event_type WHEN 'READ' THEN last_at END) AS read_at,
        max(CASE event_type WHEN 'READ' THEN NULL ELSE last_at END) AS written_at
    FROM uses GROUP BY id;
    CREATE UNIQUE INDEX use_totals_id ON use_totals (id);
    CREATE TABLE widths AS SELECT id, count(*) AS columns FROM columns GROUP BY id;
    CREATE UNIQUE INDEX widths_id ON widths (id);
"""

_INDEX = """
    SELECT tables.catalog, tables.schema, name, is_known, kind, coalesce(format, ''), size_bytes,
        row_count, file_count, coalesce(widths.columns, 0), coalesce(reads, 0),
        coalesce(writes, 0), coalesce(failed, 0), coalesce(scanned, 0), coalesce(users, 0),
        coalesce(read_at, ''), coalesce(written_at, ''),
        is_known AND used.id IS NULL AND sure.schema IS NOT NULL
    FROM shown JOIN tables USING (id) LEFT JOIN widths USING (id) LEFT JOIN use_totals USING (id)
        LEFT JOIN used USING (id)
        LEFT JOIN sure ON sure.catalog = tables.catalog AND sure.schema = tables.schema
    ORDER BY place
"""

_COMMON = """
    SELECT name FROM columns GROUP BY name HAVING count(*) > 2 ORDER BY count(*) DESC, name LIMIT ?
"""

_FACTS = """
    SELECT id, name, location, owner, comment, created_at, updated_at, partition_keys, stats_at,
        stats_source
    FROM shown JOIN tables USING (id) WHERE place >= ? AND place < ? ORDER BY place
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class TablesFigures:
    """The tables of a site.

    Attributes:
        index: A list a column, one entry for each table of the page.
        shown: How many tables the page names.
        unused: Known tables that no execution used.
        unused_bytes: Their size, as far as it is known.
    """

    index: bytes
    shown: int
    catalogs: int
    schemas: int
    tables: int
    views: int
    columns: int
    size_bytes: int
    unused: int
    unused_bytes: int
    doubtful_schemas: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """The figures as plain JSON values, without the index."""
        plain = {name: getattr(self, name) for name in self.__dataclass_fields__ if name != "index"}
        return {**plain, "storage_usd_per_gb": S3_USD_PER_GB_MONTH, "gb_bytes": GB_BYTES}


def tables_figures(warehouse: Warehouse) -> TablesFigures:
    """Make the index, and count what it holds."""
    sure, doubtful = warehouse.runs.complete_schemas()
    warehouse.run(_UNUSED + _TOTALS)
    warehouse.many("INSERT INTO sure VALUES (?, ?)", sure)
    scopes: dict[tuple[str, str], int] = {}
    formats: dict[str, int] = {}
    rows = Columns(
        *("scope", "name", "kind", "known", "format", "size", "rows", "files", "columns"),
        *("reads", "writes", "failed", "scanned", "users", "readAt", "writtenAt", "unused"),
    )
    is_exact = warehouse.row("SELECT count(*) FROM shown")[0] <= MAX_EXACT
    for row in warehouse.rows(_INDEX):
        catalog, schema, name, is_known, kind, table_format, size, *others = row
        scope = scopes.setdefault((_text(catalog), _text(schema)), len(scopes))
        form = formats.setdefault(_text(table_format), len(formats))
        kind_number = _KINDS.get(kind, 0)
        if not is_exact:
            size, others[6] = _rounded(size), _rounded(others[6])

        rows.add(scope, _text(name), kind_number, is_known, form, size, *others)

    totals = warehouse.row(
        """SELECT count(DISTINCT catalog), count(DISTINCT catalog || char(0) || schema),
        sum(kind <> 'VIEW'), sum(kind = 'VIEW'), (SELECT count(*) FROM columns), sum(size_bytes),
        sum(is_unused), sum(is_unused * coalesce(size_bytes, 0))
        FROM (SELECT *, id NOT IN (SELECT id FROM used) AND EXISTS (SELECT 1 FROM sure
            WHERE sure.catalog = tables.catalog AND sure.schema = tables.schema) AS is_unused
            FROM tables WHERE is_known)"""
    )
    catalogs, schemas, tables, views, columns, size, unused, unused_bytes = (n or 0 for n in totals)
    newest = warehouse.runs.newest
    named = {row for row in newest.rows("metadata_schemas", "catalog", "schema")}
    listed = {row[0] for row in newest.rows("metadata_catalogs", "catalog")}
    lists = {"scopes": list(scopes), "formats": list(formats)}
    return TablesFigures(
        index=pack(chain((f'{{"lists":{json_text(lists)},"rows":',), rows.json(), ("}",))),
        shown=rows.count,
        catalogs=max(catalogs, len(listed)),
        schemas=max(schemas, len(named)),
        tables=tables,
        views=views,
        columns=columns,
        size_bytes=size,
        unused=unused,
        unused_bytes=unused_bytes,
        doubtful_schemas=tuple(_text(".".join(each)) for each in doubtful),
    )


class Details(NamedTuple):
    """Packets of ``PACKET_TABLES`` tables each, and the limits that they keep.

    Attributes:
        names: The columns' names that several tables have, once for all packets.
    """

    names: bytes
    packets: list[bytes]
    level: Level


class _Names:
    """Numbers of the columns' names that several tables have; the others stand in their packet."""

    def __init__(self, warehouse: Warehouse) -> None:
        found = warehouse.rows(_COMMON, MAX_COMMON_NAMES)
        # The number 0 stands for a name of the packet's own.
        self.numbers = {name: place for place, (name,) in enumerate(found, 1)}
        self.width = width_of(len(self.numbers) + 1)

    def packed(self) -> bytes:
        return pack(json_text({"width": self.width, "names": ["", *map(_text, self.numbers)]}))


def details(warehouse: Warehouse, shown: int, max_bytes: int) -> Details:
    """Facts about each table, in *max_bytes* together; no packets if none fits."""
    names = _Names(warehouse)
    packed = names.packed()
    max_bytes -= len(packed)
    starts = range(0, shown, PACKET_TABLES)
    every = max(1, len(starts) // _SAMPLED_PACKETS)
    for level in LEVELS:
        sample = [len(_packet(warehouse, start, level, names)) for start in starts[::every]]
        if sum(sample) / max(1, len(sample)) * len(starts) > max_bytes:
            continue

        packets: list[bytes] = []
        size = 0
        for start in starts:
            packets.append(_packet(warehouse, start, level, names))
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
        places, kinds: Numbers of the names and of the types.
        own: Names that no other packet has the number of, in their order.
    """

    names: _Names
    types: dict[str, int] = field(default_factory=dict)
    places: list[int] = field(default_factory=list)
    kinds: list[int] = field(default_factory=list)
    own: list[str] = field(default_factory=list)

    def add(self, name: str, data_type: str) -> None:
        number = self.names.numbers.get(name, 0)
        if not number:
            self.own.append(_text(name))

        self.places.append(number)
        self.kinds.append(self.types.setdefault(_text(data_type), len(self.types)))

    def to_dict(self) -> dict[str, Any]:
        width = width_of(len(self.types))
        return {
            "types": list(self.types),
            "typeWidth": width,
            "kinds": "".join(digits(kind, width) for kind in self.kinds),
            "names": "".join(digits(place, self.names.width) for place in self.places),
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


def _table(rows: _Rows, row: tuple[Any, ...], level: Level, packet: _Packet) -> dict[str, Any]:
    """The facts of a table; what is unknown is left out."""
    id_, name, location, owner, comment, created, updated, keys, stats_at, stats_source = row
    people = rows.people.take(id_)
    facts = {
        # Most locations hold the table's name, which stands in the index already.
        "location": [_text(part) for part in (location or "").split(name, 1)] if location else None,
        "owner": _text(owner or ""),
        "comment": escape(comment or "", limit=max(level.comment_chars, 60)),
        "created": (created or "")[:10],
        "updated": (updated or "")[:10],
        "keys": _text(keys or ""),
        "statsAt": (stats_at or "")[:10],
        "statsSource": _text(stats_source or ""),
        **_columns(rows.columns.take(id_, level.columns), level, packet),
        "tags": [[_text(column), _text(tag)] for column, tag in rows.tags.take(id_)],
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
        [_text(who), count, (last or "")[:16], _text(client)] for who, count, last, client in shown
    ]
    others = sum(row[1] for row in rows[level.users :])
    return [*found, [OTHERS, others, "", ""]] if others else found


def _rounded(size_bytes: int | None) -> int | float | None:
    """Four significant digits, which is more than is shown, where that is shorter."""
    return size_bytes if size_bytes is None or size_bytes < 100_000 else float(f"{size_bytes:.3e}")


def _text(text: str) -> str:
    return escape(text, limit=MAX_NAME_CHARS)
