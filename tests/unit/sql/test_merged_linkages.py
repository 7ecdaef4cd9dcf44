"""Edges: one row for each, in bounded memory, the same whatever was put aside on the way."""

from __future__ import annotations

import tracemalloc
from datetime import datetime, timedelta, timezone
from pathlib import Path
from random import Random

import pytest

from kada_athena_async.records import LinkageRecord
from kada_athena_async.sql.merged_linkages import MAX_FILES, LinkageMerger

AT = datetime(2026, 11, 23, tzinfo=timezone.utc)


def link(source: str, number: int | None, confidence: str = "exact") -> LinkageRecord:
    at = None if number is None else AT + timedelta(minutes=number)
    return LinkageRecord(
        "srv", "c", "s", source, "a", "c", "s", "t", "b", "INSERT",
        None if number is None else f"q{number:05}", confidence, "direct", "identity",
        None if number is None else 1, at, at,
    )  # fmt: skip


def merged(rows: list[LinkageRecord], folder: Path, max_held: int) -> list[LinkageRecord]:
    edges = LinkageMerger(folder, max_held=max_held)
    for row in rows:
        edges.add([row])
    found = [row for batch in edges.rows() for row in batch]
    edges.close()
    return found


def test_an_edge_is_one_row(tmp_path: Path) -> None:
    """It names the newest execution, counts all, and says when it was first and last seen."""
    rows = [link("x", 2), link("x", 9, "partial"), link("x", None), link("x", 1)]

    assert merged(rows, tmp_path, 10) == [
        link("x", 9)._replace(executions=3, first_at=AT + timedelta(minutes=1))
    ]


def test_a_view_alone_has_no_execution(tmp_path: Path) -> None:
    """An edge that only the text of a view shows counts no execution and has no time."""
    assert merged([link("x", None), link("x", None)], tmp_path, 10) == [link("x", None)]


def test_names_come_back_as_an_extract_has_them(tmp_path: Path) -> None:
    """What is empty stays so, and U+0000, which no extract can hold, is replaced."""
    place = link("s3://b/p", 1)._replace(source_catalog=None, source_schema=None)
    odd = link("x\x00y", 2)

    assert merged([odd, place], tmp_path, 10) == [place, odd._replace(source_table="x\ufffdy")]


def test_an_edge_takes_less_than_half_a_kilobyte(tmp_path: Path) -> None:
    """Ten thousand are held, beside everything else that a run holds."""
    columns = [(f"customer_address_{n}", f"delivery_address_{n}") for n in range(2000)]
    edges = LinkageMerger(tmp_path)
    tracemalloc.start()
    for source, target in columns:
        row = link("warehouse_orders", None)
        edges.add([row._replace(source_column=f"{source}_line", target_column=f"{target}_line")])

    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    edges.close()
    assert held / len(columns) < 500


@pytest.mark.parametrize("max_held", [1, 3, 50])
def test_what_is_put_aside_changes_nothing(tmp_path: Path, max_held: int) -> None:
    """Rows, their order and their counts are the same as if all were held; no file remains."""
    rng = Random(7)
    rows = [link(f"x{rng.randrange(40)}", rng.randrange(1000)) for _ in range(MAX_FILES * 4)]
    rng.shuffle(rows)

    assert merged(rows, tmp_path, max_held) == merged(rows, tmp_path, 10_000)
    assert [*tmp_path.iterdir()] == []
