"""Reads and writes of each statement, against sqlglot's reading of the same text."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from kada_athena_async.sandbox.estate.model import Estate, Execution
from tests.sandbox_estate.truth import NotRead, tables_of

# Where the estate's truth is right and sqlglot's reading is not the same.
EXPLAINED = (
    "information_schema.tables",  # not a table of the estate: no usage is counted for it
    "SELECT order_id, FROM",  # sqlglot forgives the comma; Trino refuses the statement
)

# What sqlglot makes nothing of: these have nothing to read, or nobody can know it from the text.
UNREADABLE = ("SHOW ", "DESC ", "EXECUTE ", "DEALLOCATE ", "SELCT ", ";", "SELECT /* never closed")
UNREADABLE_FAILED = ("mismatched input",)


@pytest.fixture(autouse=True)
def _silence() -> Iterator[None]:
    """sqlglot logs a warning for each statement it does not parse."""
    logger = logging.getLogger("sqlglot")
    before = logger.level
    logger.setLevel(logging.ERROR)
    yield
    logger.setLevel(before)


def _is_explained(execution: Execution) -> bool:
    return any(part in execution.query for part in EXPLAINED)


def _too_large(execution: Execution) -> bool:
    return len(execution.query) > 8_000


def test_reads_and_writes_are_what_sqlglot_finds(scaled: Estate) -> None:
    """Every statement that parses refers to exactly the tables its truth says."""
    compared = 0
    for execution in scaled.executions.values():
        if _too_large(execution) or _is_explained(execution):
            continue

        try:
            reads, writes = tables_of(execution)
        except NotRead:
            reason = execution.state_change_reason or ""
            assert execution.query.startswith(UNREADABLE) or any(
                part in reason for part in UNREADABLE_FAILED
            ), execution.query
            continue

        assert (set(execution.reads), set(execution.writes)) == (reads, writes), execution.query
        compared += 1

    assert compared > 0.85 * len(scaled.executions) - 40


def test_succeeded_statements_read_what_exists(scaled: Estate) -> None:
    """A statement that succeeded had its tables; only temporary ones are gone since."""
    for execution in scaled.executions.values():
        if execution.state != "SUCCEEDED":
            continue

        for ref in execution.reads:
            assert ref.table in scaled.catalogs[ref.catalog].schemas[ref.schema].tables, ref


def test_changed_tables_are_read_too(estate: Estate) -> None:
    """MERGE, UPDATE and DELETE read their target; INSERT and CTAS do not, unless they say so."""
    for execution in estate.executions.values():
        if execution.substatement_type in ("MERGE", "UPDATE", "DELETE"):
            assert set(execution.writes) <= set(execution.reads)

        if execution.substatement_type == "CREATE_TABLE_AS_SELECT":
            assert not set(execution.writes) & set(execution.reads)


def test_unload_locations_are_in_the_text(scaled: Estate) -> None:
    """UNLOAD writes to the place its text names, and to no table."""
    for execution in scaled.executions.values():
        if execution.substatement_type == "UNLOAD":
            (location,) = execution.write_locations
            assert f"TO '{location}'" in execution.query
            assert not execution.writes

        else:
            assert not execution.write_locations
