"""The index of lineage holds every flow once, and says what it had to leave out."""

from __future__ import annotations

import base64
import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from kada_athena_async.extracts.runs import select_runs
from kada_athena_async.files import Files
from kada_athena_async.page import lineage
from kada_athena_async.page.lineage import PAIR_CAPS, LineageFigures, lineage_figures
from kada_athena_async.page.warehouse import open_warehouse
from kada_athena_async.records import LinkageRecord
from tests.unit.page.estate import link, table, write_package


def lineage_of(directory: Path, links: list[LinkageRecord]) -> tuple[LineageFigures, Any]:
    tables = [table("sales", "lonely"), table("sales", "a")]
    write_package(directory, {"metadata_tables": tables, "linkages": links})
    with open_warehouse(select_runs(directory, "athena", Files()), None) as warehouse:
        figures = lineage_figures(warehouse)

    return figures, json.loads(gzip.decompress(base64.b64decode(figures.packed)))


def flows(index: Any) -> dict[tuple[str, str], tuple[str, int, list[tuple[str, str]]]]:
    """(source, target) -> kinds, known column pairs, told column pairs."""
    names, columns = index["tables"], index["columns"]
    found = {}
    for source, target, kind, count, pairs in zip(
        index["sources"],
        index["targets"],
        index["edge_kinds"],
        index["counts"],
        index["pairs"],
        strict=True,
    ):
        told = [(columns[a], columns[b]) for a, b in zip(pairs[::2], pairs[1::2], strict=True)]
        found[names[source], names[target]] = (index["kinds"][kind], count, told)

    return found


def test_flows_are_told_once_with_their_columns(tmp_path: Path) -> None:
    """However many statements wrote it, a flow has one entry, its kinds and its columns."""
    figures, index = lineage_of(
        tmp_path,
        [
            link("a", "b", "x", "y", "INSERT"),
            link("a", "b", "x", "y", "CTAS"),
            link("a", "b", "p", "q", "CTAS"),
            link("b", "c", kind="UPDATE"),
        ],
    )

    assert flows(index) == {
        ("a", "b"): ("CTAS, INSERT", 2, [("p", "q"), ("x", "y")]),
        ("b", "c"): ("UPDATE", 0, []),
    }
    assert (figures.edges, figures.told_edges, figures.capped_edges) == (2, 2, 0)
    # A table without lineage can be chosen too, and is told to have none.
    assert sorted(index["tables"]) == ["a", "b", "c", "lonely"]
    assert figures.first is not None
    assert index["tables"][figures.first] == "b"


def test_columns_of_a_flow_are_capped_and_it_is_said(tmp_path: Path) -> None:
    """A wide flow keeps its count and tells the first of its columns."""
    cap = PAIR_CAPS[0]
    figures, index = lineage_of(
        tmp_path, [link("a", "b", f"c{i:03d}", f"c{i:03d}") for i in range(cap + 5)]
    )

    _, count, told = flows(index)["a", "b"]
    assert (count, len(told)) == (cap + 5, cap)
    assert (figures.pair_cap, figures.capped_edges) == (cap, 1)


def test_index_stays_below_its_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the columns take too much room they are left out first, the flows stay."""
    links = [link("a", f"t{i}", f"from_{i}", f"to_{i}") for i in range(200)]
    monkeypatch.setattr(lineage, "MAX_INDEX_BYTES", 2_000)

    figures, index = lineage_of(tmp_path, links)

    assert figures.pair_cap == 0
    assert len(flows(index)) == 200
