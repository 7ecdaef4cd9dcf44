"""The flows of the page are those of the extracts, each once, and what is left out is counted."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from kada_athena_async.extracts.runs import select_runs
from kada_athena_async.files import Files
from kada_athena_async.page.lineage import PAIR_CAPS, LineageFigures, lineage_figures
from kada_athena_async.page.warehouse import open_warehouse
from kada_athena_async.records import LinkageRecord
from tests.unit.page.estate import END, link, table, write_package
from tests.unit.page.pages import flows_of, make_page, parts_of, tables_of


def figures_of(directory: Path, links: list[LinkageRecord], max_bytes: int) -> LineageFigures:
    write_package(directory, {"linkages": links})
    with open_warehouse(select_runs(directory, "athena", Files())) as warehouse:
        return lineage_figures(warehouse, max_bytes)


def test_flows_are_shown_once_with_their_columns(tmp_path: Path) -> None:
    """However many statements wrote it, a flow has one entry, its kinds and its columns."""
    links = [
        link("a", "b", "x", "y", "INSERT"),
        link("a", "B", "x", "y", "CTAS"),
        link("a", "b", "p", "q", "CTAS"),
        link("b", "c", kind="UPDATE"),
        link("b", "c", "f", "g", "UPDATE")._replace(dependency="indirect", transformation="filter"),
    ]
    tables = [table("sales", "lonely"), table("sales", "a")]
    write_package(tmp_path, {"metadata_tables": tables, "linkages": links})

    parts = parts_of(make_page(tmp_path)[1])

    assert flows_of(parts) == {
        ("sales.a", "sales.b"): ("CTAS, INSERT", 2, [("x", "y"), ("p", "q")]),
        ("sales.b", "sales.c"): ("UPDATE", 0, []),
    }
    assert parts["head"]["lineage"] == {"count": 2, "shown": 2, "pairCap": PAIR_CAPS[0]}
    # A table without lineage is there too, and one that only lineage knows.
    known = {name: row["known"] for name, row in tables_of(parts).items()}
    assert known == {"sales.a": 1, "sales.lonely": 1, "sales.b": 0, "sales.c": 0}


def test_flows_of_earlier_nights_stay(tmp_path: Path) -> None:
    """A query that ran once is told; a view's text counts as the newest run has it."""
    night = END - timedelta(days=1)
    old = [
        link("a", "b", "x", "y", "CTAS")._replace(query_id="q1", last_at=night, executions=2),
        link("a", "v", "x", "x", "VIEW"),
    ]
    write_package(tmp_path, {"linkages": old}, end=night)
    write_package(tmp_path, {"linkages": [link("c", "v", "x", "x", "VIEW")]})

    assert set(flows_of(parts_of(make_page(tmp_path)[1]))) == {
        ("sales.a", "sales.b"),
        ("sales.c", "sales.v"),
    }
    newest = parts_of(make_page(tmp_path, since=END - timedelta(hours=1))[1])
    assert set(flows_of(newest)) == {("sales.c", "sales.v")}


def test_columns_of_a_flow_are_capped_and_counted(tmp_path: Path) -> None:
    """A wide flow keeps its count and has the first of its columns."""
    cap = PAIR_CAPS[0]
    links = [link("a", "b", f"c{i:03d}", f"c{i:03d}") for i in range(cap + 5)]
    write_package(tmp_path, {"linkages": links})

    ((_, count, told),) = flows_of(parts_of(make_page(tmp_path)[1])).values()

    assert (count, len(told)) == (cap + 5, cap)


def test_columns_are_left_out_before_flows(tmp_path: Path) -> None:
    """Where the columns take too much room they go first, and the page says how many are left."""
    links = [link("a", f"t{i}", f"from_{i}_{n}", f"to_{n}") for i in range(50) for n in range(9)]

    whole = figures_of(tmp_path / "whole", links, 1_000_000)
    small = figures_of(tmp_path / "small", links, len(whole.edges) + len(whole.pairs) - 1)
    least = figures_of(tmp_path / "least", links, len(whole.edges) + 10)

    assert (whole.pair_cap, small.pair_cap, least.pair_cap) == (40, 8, 0)
    assert {each.shown for each in (whole, small, least)} == {50}
    assert (small.pairs != b"", least.pairs) == (True, b"")
