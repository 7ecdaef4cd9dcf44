"""Tables that fit a terminal of any width without hiding what tells rows apart."""

from __future__ import annotations

import io

import pytest
from rich.cells import cell_len
from rich.console import Console

from kada_athena_async.cli.grid import Grid

NAMES = ("<table", ">reads", "principal", "~what to do", "=for example")
TABLES = [f"AwsDataCatalog.some_long_schema_name.table_{n}" for n in range(3)]
EXAMPLE = "a9a4c8c3-086f-4840-bd7c-5e67fb8526a8"
REMEDY = "convert the table to Parquet or ORC, compressed: CREATE TABLE AS SELECT, or write it so"


def grid() -> Grid:
    shown = Grid(NAMES)
    for number, table in enumerate(TABLES):
        shown.add_row(table, f"{number:,}", "", REMEDY, EXAMPLE)

    return shown


def drawn(shown: Grid, width: int) -> list[str]:
    screen = Console(file=io.StringIO(), width=width)
    screen.print(shown)
    assert isinstance(screen.file, io.StringIO)
    return [line.rstrip() for line in screen.file.getvalue().splitlines()]


@pytest.mark.parametrize("width", [60, 80, 120, 200, 20_000])
def test_e4_no_row_is_hidden_and_no_line_too_long(width: int) -> None:
    """Texts to be copied are whole, sentences break between words, rows stay distinct."""
    lines = drawn(grid(), width)

    text = " ".join(" ".join(lines).split())
    assert max(map(cell_len, lines)) <= width
    assert text.count(EXAMPLE) == 3
    assert all(f"table_{n}" in text for n in range(3))
    assert all(word in text.split() for word in REMEDY.split())


def test_a_narrow_terminal_has_a_field_a_line() -> None:
    """Nothing is cut there, and what is empty is left out."""
    lines = drawn(grid(), 60)

    assert lines[:2] == [TABLES[0], "  reads        0"]
    assert not any("…" in line or "principal" in line for line in lines)


def test_a_wide_terminal_is_used() -> None:
    """Nothing is cut or wrapped that fits."""
    lines = drawn(grid(), 220)

    assert len(lines) == 4
    assert TABLES[0] in lines[1]
    assert REMEDY in lines[1]


def test_names_are_cut_where_they_are_alike() -> None:
    """Their end tells them apart: so a full name keeps its table."""
    shown = Grid(("<table", "=when"))
    shown.add_row(TABLES[1], "2026-11-28")

    (_, line) = drawn(shown, 36)

    assert line.startswith("…")
    assert line.split()[0].endswith("name.table_1")


def test_hostile_text_is_harmless_in_cells_and_blocks() -> None:
    """Markup is text, and nothing moves a cursor."""
    shown = Grid(("name", "=value"))
    shown.add_row("[red]\x1b[2J", "x" * 60)

    for width in (40, 200):
        text = "\n".join(drawn(shown, width))
        assert r"[red]\x1b[2J" in text
        assert "\x1b" not in text
