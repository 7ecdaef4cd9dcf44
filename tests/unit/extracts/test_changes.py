"""Changes between two runs: what is sure is told, and a failure never looks like a deletion."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from kada_athena_async.extracts import Changes, Package, changes_between
from kada_athena_async.extracts.changes import ColumnChange, TableChange
from kada_athena_async.records import Record
from kada_athena_async.scopes import ScopeFacts
from tests.unit.extracts.making import GLUE, columns, make_package, schema_record, table


def key(name: str, schema: str = "sales") -> tuple[str, str, str]:
    return (GLUE, schema, name)


def package(
    path: Path,
    day: int,
    tables: Sequence[Record],
    columns: Sequence[Record] = (),
    completeness: Sequence[ScopeFacts] = (schema_record("sales"),),
    digest: str = "same",
) -> Package:
    records = {"metadata_tables": tables, "metadata_columns": columns}
    return make_package(path, records, day=day, completeness=completeness, digest=digest)


def test_what_came_went_and_changed_is_told(tmp_path: Path) -> None:
    """Tables, their kinds, columns and types; order means nothing, nor columns of new tables."""
    before = package(
        tmp_path,
        0,
        [table("same"), table("gone"), table("changed"), table("turned")],
        [
            *columns("same", a="int", b="varchar"),
            *columns("gone", x="int"),
            *columns("changed", a="int", b="int", c="int", d="int"),
        ],
    )
    after = package(
        tmp_path,
        1,
        [table("changed"), table("turned", "VIEW"), table("new"), table("same")],
        [
            *columns("changed", e="date", a="int", b="bigint", c="int"),
            *columns("new", y="int"),
            *columns("same", b="varchar", a="int"),
        ],
    )

    assert changes_between(before, after) == Changes(
        compared=1,
        left_out=(),
        tables=(
            TableChange(key("gone"), "TABLE", ""),
            TableChange(key("new"), "", "TABLE"),
            TableChange(key("turned"), "TABLE", "VIEW"),
        ),
        columns=(
            ColumnChange(key("changed"), "b", "int", "bigint"),
            ColumnChange(key("changed"), "d", "int", ""),
            ColumnChange(key("changed"), "e", "", "date"),
        ),
    )


@pytest.mark.parametrize("outcome", ["partial", "skipped", "denied"])
@pytest.mark.parametrize("is_first", [True, False])
def test_what_was_not_read_was_not_removed(tmp_path: Path, outcome: str, is_first: bool) -> None:
    """A schema that either run did not read wholly is left out, and said to be."""
    records = [[schema_record("sales"), schema_record("crm", outcome)], [
        schema_record("sales"), schema_record("crm")]]  # fmt: skip
    whole = [table("orders"), table("people", schema="crm")]
    parts = [table("orders")]
    if not is_first:
        records.reverse()
    tables = (parts, whole) if is_first else (whole, parts)
    before = package(tmp_path, 0, tables[0], completeness=records[0])
    after = package(tmp_path, 1, tables[1], completeness=records[1])

    assert changes_between(before, after) == Changes(compared=1, left_out=((GLUE, "crm"),))


def test_a_schema_that_nobody_speaks_of_was_removed_only_if_it_was_asked_for(
    tmp_path: Path,
) -> None:
    """Dropped: same configuration and the catalog could be listed; otherwise nobody knows."""
    both = [schema_record("sales"), schema_record("crm")]
    before = package(tmp_path, 0, [table("people", schema="crm")], completeness=both)
    dropped = package(tmp_path, 1, [])
    asked_less = package(tmp_path, 2, [], digest="other")
    broken = ScopeFacts(scope="catalog", name=(GLUE,), outcome="denied")
    unlisted = package(tmp_path, 3, [], completeness=[schema_record("sales"), broken])
    some_listed = ScopeFacts(scope="catalog", name=("*",), outcome="partial")
    in_part = package(tmp_path, 4, [], completeness=[schema_record("sales"), some_listed])

    removed = changes_between(before, dropped)
    assert removed.tables == (TableChange(key("people", "crm"), "TABLE", ""),)
    for unsure in (asked_less, unlisted, in_part):
        assert changes_between(before, unsure).tables == ()
        assert changes_between(before, unsure).left_out == ((GLUE, "crm"),)
