"""Flows between tables, as an index small enough to travel in a page."""

from __future__ import annotations

import base64
import gzip
from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

import msgspec

from kada_athena_async.observers.safe import safe
from kada_athena_async.page.warehouse import Warehouse

MAX_TABLES = 150_000
"""Tables that can be chosen; those with lineage go first."""

MAX_EDGES = 250_000
"""Flows from table to table; those of most columns go first."""

PAIR_CAPS = (20, 8, 3, 1, 0)
"""Columns shown of a flow, at most; the next lower cap is taken while the index is too large."""

MAX_INDEX_BYTES = 6_000_000
"""Of the index in the page, compressed and as text. A page of 10 MB still opens from a mail."""


ValueT = TypeVar("ValueT", bound=Hashable)


class LineageIndex(msgspec.Struct, frozen=True, kw_only=True):
    """Lineage by number: everything is stored once and referred to by its place.

    Attributes:
        scopes: ``[catalog, schema]`` pairs.
        tables: Names; ``table_scopes`` holds the scope of each.
        kinds: Such as ``"CTAS, INSERT"``.
        columns: Names; an empty one is an unknown column.
        sources, targets, edge_kinds, counts: One entry a flow; *counts* are the column pairs known
            of it, of which ``pairs`` may hold fewer.
        pairs: One list a flow: source column, target column, source column, ...
    """

    scopes: list[tuple[str, str]]
    tables: list[str]
    table_scopes: list[int]
    kinds: list[str]
    columns: list[str]
    sources: list[int]
    targets: list[int]
    edge_kinds: list[int]
    counts: list[int]
    pairs: list[list[int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class LineageFigures:
    """The lineage of the run.

    Attributes:
        packed: The index as JSON, gzip and base64, for the page's script.
        tables, edges: How many there are; ``told_*``: how many of them the index holds.
        pair_cap: Columns shown of a flow, at most.
        capped_edges: Flows with more columns than that.
        first: Place of the table with most flows, shown first; None if there is none.
    """

    packed: str
    tables: int
    told_tables: int
    edges: int
    told_edges: int
    pair_cap: int
    capped_edges: int
    first: int | None


_PREPARE = (
    f"""
    CREATE TABLE flows AS
    SELECT source_catalog, source_schema, source_table,
        target_catalog, target_schema, target_table,
        string_agg(DISTINCT linkage_type, ', ' ORDER BY linkage_type) AS kinds,
        (count(DISTINCT (source_column, target_column))
            FILTER (source_column IS NOT NULL))::INTEGER AS pairs
    FROM links GROUP BY ALL ORDER BY 8 DESC, 1, 2, 3, 4, 5, 6 LIMIT {MAX_EDGES}
    """,
    """
    CREATE TABLE linked AS
    SELECT source_catalog AS catalog, source_schema AS schema, source_table AS "table" FROM flows
    UNION SELECT target_catalog, target_schema, target_table FROM flows
    """,
    f"""
    CREATE TABLE numbered AS
    SELECT catalog, schema, "table",
        row_number() OVER (ORDER BY rank, catalog, schema, "table")::INTEGER - 1
        AS place
    FROM (
        SELECT catalog, schema, "table", rank FROM (
            SELECT *, 0 AS rank FROM linked
            UNION ALL SELECT catalog, schema, "table", 1 FROM tables
                ANTI JOIN linked USING (catalog, schema, "table")
        ) ORDER BY rank, catalog, schema, "table"
        LIMIT greatest({MAX_TABLES}, (SELECT count(*) FROM linked))
    )
    """,
    """
    CREATE TABLE edges AS
    SELECT row_number() OVER (ORDER BY s.place, t.place)::INTEGER - 1 AS edge,
        s.place AS source, t.place AS target, kinds, pairs
    FROM flows
    JOIN numbered s ON s.catalog IS NOT DISTINCT FROM source_catalog
        AND s.schema IS NOT DISTINCT FROM source_schema AND s."table" = source_table
    JOIN numbered t ON t.catalog IS NOT DISTINCT FROM target_catalog
        AND t.schema IS NOT DISTINCT FROM target_schema AND t."table" = target_table
    """,
    f"""
    CREATE TABLE pairs AS
    SELECT edge, source_column, target_column,
        row_number() OVER (PARTITION BY edge ORDER BY source_column, target_column) AS rank
    FROM (
        SELECT DISTINCT edge, source_column, target_column
        FROM links
        JOIN numbered s ON s.catalog IS NOT DISTINCT FROM source_catalog
            AND s.schema IS NOT DISTINCT FROM source_schema AND s."table" = source_table
        JOIN numbered t ON t.catalog IS NOT DISTINCT FROM target_catalog
            AND t.schema IS NOT DISTINCT FROM target_schema AND t."table" = target_table
        JOIN edges ON source = s.place AND target = t.place
        WHERE source_column IS NOT NULL
    ) QUALIFY rank <= {PAIR_CAPS[0]}
    """,
)


def lineage_figures(warehouse: Warehouse) -> LineageFigures:
    """Make the index: flows deduplicated by table, columns capped until it is small enough."""
    for statement in _PREPARE:
        warehouse.run(statement)

    (tables,) = warehouse.row(
        """SELECT count(*) FROM (SELECT catalog, schema, "table" FROM tables UNION
        SELECT source_catalog, source_schema, source_table FROM links UNION
        SELECT target_catalog, target_schema, target_table FROM links)"""
    )
    (flows,) = warehouse.row(
        """SELECT count(*) FROM (SELECT DISTINCT source_catalog, source_schema, source_table,
        target_catalog, target_schema, target_table FROM links)"""
    )
    index = _index(warehouse)
    for cap in PAIR_CAPS:
        if cap and _least_bytes(warehouse, cap) > MAX_INDEX_BYTES:
            continue  # not worth the memory of trying

        index = _with_pairs(warehouse, index, cap)
        packed = _packed(index)
        if len(packed) <= MAX_INDEX_BYTES:
            break

    degrees = Counter(index.sources) + Counter(index.targets)
    return LineageFigures(
        packed=packed,
        tables=tables,
        told_tables=len(index.tables),
        edges=flows,
        told_edges=len(index.sources),
        pair_cap=cap,
        capped_edges=sum(count > cap for count in index.counts),
        first=max(degrees, key=lambda place: (degrees[place], -place), default=None),
    )


def _index(warehouse: Warehouse) -> LineageIndex:
    """The index without columns."""
    scopes: _Places[tuple[str, str]] = _Places()
    kinds: _Places[str] = _Places()
    names = warehouse.rows('SELECT catalog, schema, "table" FROM numbered ORDER BY place')
    table_scopes = [scopes.place((safe(row[0] or ""), safe(row[1] or ""))) for row in names]
    edges = warehouse.rows("SELECT source, target, kinds, pairs FROM edges ORDER BY edge")
    edge_kinds = [kinds.place(edge[2]) for edge in edges]
    return LineageIndex(
        scopes=scopes.values,
        tables=[safe(row[2]) for row in names],
        table_scopes=table_scopes,
        kinds=kinds.values,
        columns=[],
        sources=[edge[0] for edge in edges],
        targets=[edge[1] for edge in edges],
        edge_kinds=edge_kinds,
        counts=[edge[3] for edge in edges],
        pairs=[],
    )


def _with_pairs(warehouse: Warehouse, index: LineageIndex, pair_cap: int) -> LineageIndex:
    columns: _Places[str] = _Places()
    pairs: list[list[int]] = [[] for _ in index.sources]
    shown = warehouse.rows(
        "SELECT edge, source_column, coalesce(target_column, '') FROM pairs WHERE rank <= ? "
        "ORDER BY edge, rank",
        pair_cap,
    )
    for edge, source, target in shown:
        pairs[edge] += (columns.place(safe(source)), columns.place(safe(target)))

    return msgspec.structs.replace(index, columns=columns.values, pairs=pairs)


def _least_bytes(warehouse: Warehouse, pair_cap: int) -> int:
    """Lower bound of the size of an index's columns, in bytes.

    A third of the letters of their names, and two bytes a pair; names that are like each other take
    less than others, hardly less than this.
    """
    letters, pairs = warehouse.row(
        """WITH shown AS (SELECT * FROM pairs WHERE rank <= ?)
        SELECT (SELECT coalesce(sum(length(name)), 0) FROM (
            SELECT source_column AS name FROM shown UNION SELECT target_column FROM shown)),
            (SELECT count(*) FROM shown)""",
        pair_cap,
    )
    return int(letters // 3 + 2 * pairs)


class _Places(Generic[ValueT]):
    """Values, each stored once, in the order in which they were first asked for."""

    def __init__(self) -> None:
        self._places: dict[ValueT, int] = {}

    def place(self, value: ValueT) -> int:
        return self._places.setdefault(value, len(self._places))

    @property
    def values(self) -> list[ValueT]:
        return list(self._places)


def _packed(index: LineageIndex) -> str:
    return base64.b64encode(gzip.compress(msgspec.json.encode(index), 6, mtime=0)).decode()
