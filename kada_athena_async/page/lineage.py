"""Flows between tables and their columns, by place, small enough to travel in a page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, groupby, islice
from operator import itemgetter

from kada_athena_async.observers.escaping import escape
from kada_athena_async.page.packing import Columns, json_text, pack
from kada_athena_async.page.warehouse import Warehouse

MAX_EDGES = 250_000
"""Flows from table to table; those of most columns go first."""

PAIR_CAPS = (40, 8, 3, 1)
"""Columns of a flow, at most; the next lower cap is taken while the pairs are too large."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineageFigures:
    """The flows of a site.

    Attributes:
        edges: A list a column, one entry for each flow of the page.
        pairs: Columns of each flow; empty if not even one a flow fits.
        count: How many flows are known; ``shown``: how many the page has.
        pair_cap: Columns of a flow, at most; 0 if the page has none.
    """

    edges: bytes
    pairs: bytes
    count: int
    shown: int
    pair_cap: int


_EDGES = f"""
    CREATE TABLE edges AS
    SELECT s.place AS source, t.place AS target, links.source AS source_id,
        links.target AS target_id, group_concat(DISTINCT kind) AS kinds,
        max(is_direct) AS is_direct, max(executions) AS executions, max(last_at) AS last_at,
        count(DISTINCT CASE WHEN source_column THEN source_column || ' ' || target_column END)
            AS pairs
    FROM links JOIN shown s ON s.id = links.source JOIN shown t ON t.id = links.target
    GROUP BY 1, 2 ORDER BY pairs DESC, 1, 2 LIMIT {MAX_EDGES}
"""

_PAIRS = """
    SELECT DISTINCT edges.source, edges.target, coalesce(source_column, 0), target_column
    FROM edges LEFT JOIN links
        ON links.source = source_id AND links.target = target_id AND source_column
    ORDER BY 1, 2, 3, 4
"""


def lineage_figures(warehouse: Warehouse, max_bytes: int) -> LineageFigures:
    """Make the lists, the columns of the flows in *max_bytes* with them."""
    warehouse.run(_EDGES)
    (count,) = warehouse.row("SELECT count(*) FROM (SELECT 1 FROM links GROUP BY source, target)")
    kinds: dict[str, int] = {}
    rows = Columns("step", "target", "kind", "direct", "executions", "lastAt", "pairs")
    before = 0
    for source, target, kind, *others in warehouse.rows(
        "SELECT source, target, kinds, is_direct, executions, substr(last_at, 1, 10), pairs "
        "FROM edges ORDER BY source, target"
    ):
        # The difference to the source before, which is small and packs well.
        number = kinds.setdefault(", ".join(sorted(escape(kind).split(","))), len(kinds))
        rows.add(source - before, target, number, *others)
        before = source

    edges = pack(chain((f'{{"kinds":{json_text(list(kinds))},"rows":',), rows.json(), ("}",)))
    for cap in PAIR_CAPS:
        # Hardly a pair takes less than one byte.
        least = warehouse.row("SELECT coalesce(sum(min(pairs, ?)), 0) FROM edges", cap)[0]
        pairs = pack(_pairs(warehouse, cap)) if least < max_bytes else b""
        if pairs and len(edges) + len(pairs) <= max_bytes:
            break
    else:
        cap, pairs = 0, b""

    return LineageFigures(edges=edges, pairs=pairs, count=count, shown=rows.count, pair_cap=cap)


def _pairs(warehouse: Warehouse, cap: int) -> Iterator[str]:
    """JSON: a flat list of name places for each flow, then the names."""
    places: dict[int, int] = {0: 0}
    yield '{"pairs":['
    flows = groupby(warehouse.rows(_PAIRS), key=itemgetter(0, 1))
    for number, (_, pairs) in enumerate(flows):
        flat = [
            places.setdefault(name, len(places))
            for _, _, *pair in islice(pairs, cap)
            if pair[0]
            for name in pair
        ]
        yield f"{',' if number else ''}[{','.join(map(str, flat))}]"

    yield '],"names":[""'
    for name in list(places)[1:]:
        (found,) = warehouse.rows("SELECT name FROM names WHERE id = ?", name)
        yield f",{json_text(escape(found[0]))}"

    yield "]}"
