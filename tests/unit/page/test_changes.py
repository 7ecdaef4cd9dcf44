"""What changed is told where both runs are sure, and nowhere else."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from kada_athena_async.extracts import newest_packages
from kada_athena_async.extracts.runs import Runs
from kada_athena_async.files import Files
from kada_athena_async.page.changes import ChangesFigures, changes_figures
from kada_athena_async.page.warehouse import open_warehouse
from kada_athena_async.report import ScopeFacts
from tests.unit.page.estate import CATALOG, END, Records, column, complete, table, write_package


def changes_of(
    directory: Path,
    before: Records,
    after: Records,
    *,
    told_before: Sequence[ScopeFacts],
    told_after: Sequence[ScopeFacts],
    **manifest: Any,
) -> ChangesFigures:
    write_package(directory, before, end=END - timedelta(days=1), completeness=told_before)
    write_package(directory, after, completeness=told_after, **manifest)
    newest, earlier = newest_packages(directory, "athena", Files(), count=2)
    with open_warehouse(Runs(packages=(newest,)), earlier) as warehouse:
        figures = changes_figures(warehouse, earlier)

    assert figures is not None
    return figures


def told(figures: ChangesFigures) -> dict[str, list[tuple[str, str, str, str]]]:
    return {
        each.title: [(c.table, c.column, c.before, c.after) for c in each.changes]
        for each in figures.lists
        if each.count
    }


def test_each_kind_of_change_is_told_once(tmp_path: Path) -> None:
    """Columns of a table that came or went as a whole are not told beside it."""
    before = {
        "metadata_tables": [table("sales", "kept"), table("sales", "gone")],
        "metadata_columns": [
            column("sales", "kept", "same"),
            column("sales", "kept", "dropped", "date"),
            column("sales", "kept", "widened", "integer"),
            column("sales", "gone", "c"),
        ],
    }
    after = {
        "metadata_tables": [table("sales", "kept"), table("sales", "new", table_format=None)],
        "metadata_columns": [
            column("sales", "kept", "same"),
            column("sales", "kept", "widened", "bigint"),
            column("sales", "kept", "added", "varchar"),
            column("sales", "new", "c"),
        ],
    }

    figures = changes_of(
        tmp_path, before, after, told_before=[complete("sales")], told_after=[complete("sales")]
    )

    assert told(figures) == {
        "Tables added": [("new", "", "", "VIEW")],
        "Tables removed": [("gone", "", "TABLE", "")],
        "Columns added": [("kept", "added", "", "varchar")],
        "Columns removed": [("kept", "dropped", "date", "")],
        "Columns of another type": [("kept", "widened", "integer", "bigint")],
    }


def test_failure_never_looks_like_a_deletion(tmp_path: Path) -> None:
    """A schema that one of the runs did not read completely takes no part, and is counted."""
    before = {"metadata_tables": [table("sales", "a"), table("hr", "b")]}

    figures = changes_of(
        tmp_path,
        before,
        {},
        told_before=[complete("sales"), complete("hr")],
        told_after=[complete("sales"), complete("hr", "denied")],
    )

    assert told(figures) == {"Tables removed": [("a", "", "TABLE", "")]}
    assert (figures.compared, figures.left_out) == (1, 1)


def test_schema_that_came_is_told_if_both_asked_for_the_same(tmp_path: Path) -> None:
    """Under the same configuration, an unknown schema is a new one; under another it may be old."""
    after = {"metadata_tables": [table("new", "a")]}
    sides: dict[str, Any] = {"told_before": [], "told_after": [complete("new")]}

    same = changes_of(tmp_path / "same", {}, after, **sides)
    other = changes_of(tmp_path / "other", {}, after, config_digest="another", **sides)

    assert told(same) == {"Tables added": [("a", "", "", "TABLE")]}
    assert (told(other), other.left_out) == ({}, 1)


def test_schema_of_a_catalog_that_could_not_be_listed_takes_no_part(tmp_path: Path) -> None:
    """It is missing because nobody could look."""
    unlisted = ScopeFacts(scope="catalog", name=(CATALOG,), outcome="denied")

    figures = changes_of(
        tmp_path,
        {"metadata_tables": [table("sales", "a")]},
        {},
        told_before=[complete("sales")],
        told_after=[unlisted],
    )

    assert (told(figures), figures.left_out) == ({}, 1)
