"""Index of the tables of a page, each with its size and use, and what they are together."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from typing import Any

from kada_athena_async.extracts.table_usage import GB_BYTES, S3_USD_PER_GB_MONTH
from kada_athena_async.observers.escaping import escape
from kada_athena_async.page.packing import Columns, json_text, pack
from kada_athena_async.page.warehouse import Warehouse

MAX_EXACT = 20_000
"""Tables up to which sizes are shown to the byte."""

_LESS = 0.9
"""The names that stay may be longer than those that go."""

_KINDS = {"TABLE": 0, "VIEW": 1, "LOCATION": 2}

# A table is used too where a view reads it that is used.
_UNUSED = """
    CREATE TABLE used AS
    WITH RECURSIVE reached (id) AS (
        SELECT id FROM in_use UNION
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


@dataclass(frozen=True, slots=True, kw_only=True)
class TablesFigures:
    """The tables of a site.

    Attributes:
        index: A list a column, one entry for each table of the page.
        shown: How many tables the page names.
        unused: Known tables that no execution used.
        unused_bytes: Their size, as far as it is known.
        doubts: What may have happened and no run holds, a sentence each.
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
    doubts: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """The figures as plain JSON values, without the index."""
        plain = {name: getattr(self, name) for name in self.__dataclass_fields__ if name != "index"}
        return {**plain, "storage_usd_per_gb": S3_USD_PER_GB_MONTH, "gb_bytes": GB_BYTES}


def tables_figures(warehouse: Warehouse, max_bytes: int) -> TablesFigures:
    """Make the index in *max_bytes*, and count what the newest run found.

    Where the names of all tables are too many, the page has those that are used or linked.
    """
    sure, doubtful = warehouse.runs.complete_schemas()
    warehouse.run(_UNUSED + _TOTALS)
    warehouse.many("INSERT INTO sure VALUES (?, ?)", sure)
    index, shown = _index(warehouse)
    while len(index) > max_bytes and shown:
        warehouse.show_tables(min(shown - 1, int(shown * max_bytes / len(index) * _LESS)))
        index, shown = _index(warehouse)

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
    return TablesFigures(
        index=index,
        shown=shown,
        catalogs=max(catalogs, len(listed)),
        schemas=max(schemas, len(named)),
        tables=tables,
        views=views,
        columns=columns,
        size_bytes=size,
        unused=unused,
        unused_bytes=unused_bytes,
        doubtful_schemas=tuple(escape(".".join(each)) for each in doubtful),
        doubts=tuple(escape(each) for each in warehouse.runs.doubts()),
    )


def _index(warehouse: Warehouse) -> tuple[bytes, int]:
    """The index of the tables that are shown, and how many they are."""
    scopes: dict[tuple[str, str], int] = {}
    formats: dict[str, int] = {}
    rows = Columns(
        *("scope", "name", "kind", "known", "format", "size", "rows", "files", "columns"),
        *("reads", "writes", "failed", "scanned", "users", "readAt", "writtenAt", "unused"),
    )
    is_exact = warehouse.row("SELECT count(*) FROM shown")[0] <= MAX_EXACT
    for row in warehouse.rows(_INDEX):
        catalog, schema, name, is_known, kind, table_format, size, *others = row
        scope = scopes.setdefault((escape(catalog), escape(schema)), len(scopes))
        form = formats.setdefault(escape(table_format), len(formats))
        kind_number = _KINDS.get(kind, 0)
        if not is_exact:
            size, others[6] = _rounded(size), _rounded(others[6])

        rows.add(scope, escape(name), kind_number, is_known, form, size, *others)

    lists = {"scopes": list(scopes), "formats": list(formats)}
    packed = pack(chain((f'{{"lists":{json_text(lists)},"rows":',), rows.json(), ("}",)))
    return packed, rows.count


def _rounded(size_bytes: int | None) -> int | float | None:
    """Four significant digits, which is more than is shown, where that is shorter."""
    return size_bytes if size_bytes is None or size_bytes < 100_000 else float(f"{size_bytes:.3e}")
