"""Columns of Athena's system table are looked up, days are sliced, times are read."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kada_athena_async.errors import RequestError
from kada_athena_async.sources.system_table import (
    DAYS_A_STATEMENT,
    STATEMENTS_MAX,
    day_slices,
    facts_of,
    moment_of,
    read_row,
)
from kada_athena_async.sources.tables_accessed import is_readable

ESSENTIAL = [
    "query_execution_id",
    "query_string",
    "work_group_name",
    "state",
    "submission_date_time",
    "completion_date_time",
]
NEW_YEAR = datetime(2026, 1, 1, tzinfo=timezone.utc)
MOMENTS = st.integers(0, 364 * 86_400).map(lambda s: NEW_YEAR + timedelta(seconds=s))


def test_columns_are_found_by_any_of_their_names() -> None:
    """Upper case and the other known names count; what is unknown is left alone."""
    names = [*ESSENTIAL[1:], "QUERY_ID", "principal_arn", "execution_parameters", "novelty"]

    facts = facts_of(names, None)

    assert facts.columns["query_execution_id"] == "query_id"
    assert facts.names_principals
    assert "execution_parameters" not in facts.columns.values()


def test_optional_columns_may_be_missing() -> None:
    """The essential ones are enough."""
    facts = facts_of(ESSENTIAL, None)

    assert set(facts.columns.values()) == set(ESSENTIAL)
    assert not facts.names_principals


@pytest.mark.parametrize("missing", ESSENTIAL)
def test_an_essential_column_that_is_missing_is_named(missing: str) -> None:
    """The sentence says what is missing and what to set instead."""
    with pytest.raises(
        RequestError, match=r"Athena's system table has no column for \w+"
    ) as caught:
        facts_of([name for name in ESSENTIAL if name != missing], None)

    assert 'set history_source to "api"' in str(caught.value)


@given(since=MOMENTS, length=st.timedeltas(timedelta(seconds=1), timedelta(days=400)))
def test_slices_cover_the_time_whole_in_order_and_are_few(
    since: datetime, length: timedelta
) -> None:
    """Whole days, each beginning where the one before ended, never more than the limit."""
    until = since + length
    slices = day_slices(since, until)

    assert 1 <= len(slices) <= STATEMENTS_MAX
    assert len(slices) == 1 or length > timedelta(days=DAYS_A_STATEMENT - 2)
    assert slices[0][0] <= since
    assert slices[-1][1] >= until
    assert all(a[1] == b[0] for a, b in itertools.pairwise(slices))
    assert all(t.hour == t.minute == t.second == 0 for pair in slices for t in pair)


@pytest.mark.parametrize(
    ("text", "microsecond"),
    [
        ("2026-11-28 06:00:01 UTC", 0),
        ("2026-11-28 06:00:01.5 UTC", 500_000),
        ("2026-11-28 06:00:01.123456 UTC", 123_456),
        ("2026-11-28 06:00:01.123456789", 123_456),
        ("2026-11-28T06:00:01.123Z", 123_000),
        ("2026-11-28 06:00:01.000+00:00", 0),
    ],
)
def test_times_of_any_precision_are_read(text: str, microsecond: int) -> None:
    """Trino writes as many digits as the column's type has."""
    assert moment_of(text) == datetime(2026, 11, 28, 6, 0, 1, microsecond, timezone.utc)


@pytest.mark.parametrize(
    "text", [None, "", "yesterday", "2026-11-28 06:00:01 Australia/Sydney", "2026-02-31 06:00:01"]
)
def test_what_is_no_time_is_none(text: str | None) -> None:
    """A time in another zone is not guessed at."""
    assert moment_of(text) is None


@pytest.mark.parametrize(
    ("text", "number"),
    [("7", 7), ("7.0", 7), ("1.5E7", 15_000_000), ("9007199254740993", 9_007_199_254_740_993)]
    + [(text, None) for text in ("", "many", "NaN", "Infinity", "1e999", "-", None)],
)
def test_a_cell_that_is_no_number_costs_only_itself(text: str | None, number: int | None) -> None:
    """The execution is told without it."""
    cell = dict.fromkeys(("query", "workgroup", "state", "submitted_at", "completed_at"))
    row = read_row(
        {
            **cell,
            "query_execution_id": "q",
            "error_type": text,
            "error_message": "no",
            "data_scanned_in_bytes": text,
        }
    )
    assert row.query_execution_id == "q"
    assert row.statistics
    assert row.statistics.data_scanned_in_bytes == number
    assert row.status.athena_error
    assert row.status.athena_error.error_type == number


def test_a_column_that_holds_a_structure_is_no_column_of_ours() -> None:
    """The text of a row would be taken for a state, and no execution would ever have ended."""
    assert not is_readable("status", "row(state varchar)")
    assert is_readable("status", "varchar(16)")
