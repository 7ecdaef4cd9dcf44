"""Tables, statements and failures, run by the sandbox's own engine: the estate is no backdrop."""

from __future__ import annotations

import pytest

from kada_athena_async.sandbox.estate.build import build_estate
from kada_athena_async.sandbox.estate.identifiers import quoted
from kada_athena_async.sandbox.estate.model import Estate, Execution
from kada_athena_async.sandbox.execute import QueryOutcome, execute
from tests.sandbox_estate.conftest import NOW

GLUE = "AwsDataCatalog"

# DuckDB has no IPADDRESS, and the estate has today the table that this once created.
NOT_RUN = ("IPADDRESS", "CREATE TABLE sales.returns")


@pytest.fixture(scope="module")
def own() -> Estate:
    """An estate for this module alone: its statements create and drop."""
    return build_estate(now=NOW, scale=0, extremes=False)


def _run(execution: Execution, estate: Estate) -> QueryOutcome:
    return execute(
        execution.query,
        estate=estate,
        catalog=execution.catalog or GLUE,
        database=execution.database,
    )


def test_sample_rows_are_of_their_columns_types(own: Estate) -> None:
    """Every table can be selected from: all its rows, in its columns' types."""
    for catalog, schema, table in list(own.tables()):
        if table.is_view:
            continue

        name = ".".join(map(quoted, (catalog.name, schema.name, table.name)))
        outcome = execute(f"SELECT * FROM {name}", estate=own, catalog=GLUE, database=None)

        assert outcome.error is None, name
        assert len(outcome.rows) == len(table.sample_rows)
        assert [column for column in outcome.columns if "char" not in column[1]] == [
            # DuckDB's timestamps have one precision for all tables.
            (column.name.lower(), column.trino_type.replace("timestamp(6)", "timestamp(3)"))
            for column in table.current_columns
            if "char" not in column.trino_type
        ]


def test_what_succeeded_runs(own: Estate) -> None:
    """One of each statement of the history, run again, succeeds again."""
    for execution in list(own.executions.values()):
        if execution.state != "SUCCEEDED" or any(part in execution.query for part in NOT_RUN):
            continue

        outcome = _run(execution, own)

        assert outcome.error is None, (execution.query, outcome.error)


def test_what_failed_for_its_text_fails(own: Estate) -> None:
    """A statement that names what is not there fails again, for the reason it failed before."""
    failures = [
        execution
        for execution in own.executions.values()
        if "_NOT_FOUND" in (execution.state_change_reason or "")
    ]
    for execution in failures:
        outcome = _run(execution, own)

        assert outcome.error is not None
        assert outcome.error.message == execution.error_message
        assert (outcome.error.category, outcome.error.type) == (
            execution.error_category,
            execution.error_type,
        )

    assert len(failures) >= 4
