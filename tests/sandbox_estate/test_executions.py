"""The history: states, times, statistics and places that could come from Athena."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest

from kada_athena_async.sandbox.estate.build import build_estate
from kada_athena_async.sandbox.estate.extremes import MAX_QUERY_BYTES
from kada_athena_async.sandbox.estate.model import Estate, Execution
from kada_athena_async.sandbox.estate.sentinels import SENTINEL_SECRETS
from tests.sandbox_estate.conftest import NOW

DAY = timedelta(days=1)


def test_times_are_athenas(scaled: Estate) -> None:
    """Submitted within 45 days, completed after that and before now, in whole milliseconds."""
    for execution in scaled.executions.values():
        assert NOW - 45 * DAY < execution.submitted_at < NOW
        assert execution.submitted_at.microsecond % 1000 == 0
        if execution.completed_at is not None:
            assert execution.submitted_at < execution.completed_at < NOW
            assert execution.is_final

        elif execution.is_final:
            assert execution.state == "CANCELLED"


def test_statistics_add_up(scaled: Estate) -> None:
    """Total is preprocessing, queue, engine and service; planning is a part of engine."""
    for execution in scaled.executions.values():
        if execution.completed_at is None:
            assert execution.total_ms is None
            continue

        elapsed = execution.completed_at - execution.submitted_at
        assert execution.total_ms == elapsed / timedelta(milliseconds=1)
        if execution.engine_ms is None:
            assert execution.state == "CANCELLED"
            assert execution.total_ms == execution.queue_ms
            continue

        assert execution.queue_ms is not None
        assert execution.service_ms is not None
        assert execution.preprocessing_ms is not None
        before_ms = execution.preprocessing_ms + execution.queue_ms
        assert execution.total_ms == before_ms + execution.engine_ms + execution.service_ms
        assert execution.planning_ms is None or execution.planning_ms <= execution.engine_ms


def test_ids_are_random_uuids(scaled: Estate) -> None:
    """Ids are version 4 UUIDs, as Athena's are."""
    assert all(UUID(identifier).version == 4 for identifier in scaled.executions)


def test_most_succeed(estate: Estate) -> None:
    """The mix of states is an ordinary day's."""
    states = Counter(execution.state for execution in estate.executions.values())

    assert 0.88 < states["SUCCEEDED"] / 5_000 < 0.96
    assert 0.03 < states["FAILED"] / 5_000 < 0.10
    assert 0.01 < states["CANCELLED"] / 5_000 < 0.04
    assert (states["RUNNING"], states["QUEUED"]) == (4, 3)


def test_failures_say_why(scaled: Estate) -> None:
    """FAILED carries a reason, a category and a type; SUCCEEDED none of them."""
    for execution in scaled.executions.values():
        says = (execution.state_change_reason, execution.error_category, execution.error_type)
        if execution.state == "FAILED":
            assert all(part is not None for part in says)
            assert execution.error_message == execution.state_change_reason

        if execution.state in ("SUCCEEDED", "QUEUED", "RUNNING"):
            assert says == (None, None, None)


def test_results_lie_where_the_workgroup_says(scaled: Estate) -> None:
    """The workgroup's location, no location with managed results, a text file for utilities."""
    for execution in scaled.executions.values():
        group = scaled.workgroups[execution.workgroup]
        location = execution.output_location
        if group.has_managed_results:
            assert location is None
            continue

        assert location is not None
        assert execution.query_execution_id in location
        assert location.startswith(group.output_location or "s3://")
        if execution.statement_type in ("DDL", "UTILITY"):
            assert location.endswith(".txt")


def test_workgroups_are_of_every_kind(scaled: Estate) -> None:
    """Enabled and disabled, enforced, managed, Spark; a description with quotes and commas."""
    groups = scaled.workgroups.values()
    disabled = next(group for group in groups if group.state == "DISABLED")
    of_disabled = [e for e in scaled.executions.values() if e.workgroup == disabled.name]

    assert "primary" in scaled.workgroups
    assert sum(group.is_spark for group in groups) == 1
    assert any(group.is_enforced for group in groups)
    assert sum(group.has_managed_results for group in groups) == 1
    assert any('"' in (g.description or "") and "," in (g.description or "") for g in groups)
    assert {group.description for group in groups} >= {None, ""}
    assert not any(scaled.workgroups[e.workgroup].is_spark for e in scaled.executions.values())
    assert all(e.submitted_at < NOW - 20 * DAY for e in of_disabled)


def test_disabled_workgroup_has_a_history(estate: Estate) -> None:
    """Executions from before it was switched off are still there."""
    assert sum(e.workgroup == "legacy_reports" for e in estate.executions.values()) > 20


def test_days_have_their_rhythm(estate: Estate) -> None:
    """People work by day and on weekdays, loads run by night (Sydney time)."""
    local = [
        (execution.submitted_at + timedelta(hours=10), execution.workgroup)
        for execution in estate.executions.values()
    ]
    people = [moment for moment, group in local if group == "adhoc"]
    loads = [moment for moment, group in local if group == "etl_nightly"]

    assert sum(moment.weekday() >= 5 for moment in people) < 0.12 * len(people)
    assert sum(8 <= moment.hour < 19 for moment in people) > 0.8 * len(people)
    assert sum(1 <= moment.hour < 5 for moment in loads) > 0.7 * len(loads)


def test_failures_and_explanations_may_have_scanned(estate: Estate) -> None:
    """A timeout and an EXPLAIN ANALYZE have read data; a plain EXPLAIN has not."""
    executions = estate.executions.values()
    explained = [e for e in executions if e.query.startswith("EXPLAIN")]

    assert any(e.state == "FAILED" and e.scanned_bytes for e in executions)
    assert any(e.scanned_bytes for e in explained)
    assert all("ANALYZE" in e.query for e in explained if e.scanned_bytes)


_KINDS: dict[str, Callable[[Execution], object]] = {
    "failed: column": lambda e: "COLUMN_NOT_FOUND" in (e.state_change_reason or ""),
    "failed: table": lambda e: "TABLE_NOT_FOUND" in (e.state_change_reason or ""),
    "failed: syntax": lambda e: "mismatched input" in (e.state_change_reason or ""),
    "failed: reason repeats a literal": lambda e: (
        e.state == "FAILED" and "'078-05" in (e.state_change_reason or "")
    ),
    "cancelled by user": lambda e: e.state == "CANCELLED" and e.engine_ms is not None,
    "cancelled by limit": lambda e: "Bytes scanned" in (e.state_change_reason or ""),
    "cancelled in queue": lambda e: e.state == "CANCELLED" and e.engine_ms is None,
    "cancelled, no completion": lambda e: e.state == "CANCELLED" and e.completed_at is None,
    "running for days": lambda e: e.state == "RUNNING" and e.submitted_at < NOW - 2.9 * DAY,
    "queued now": lambda e: e.state == "QUEUED" and e.submitted_at > NOW - DAY / 24,
    "ran for hours": lambda e: e.is_final and (e.total_ms or 0) > 7 * 3_600_000,
    "catalog in lower case": lambda e: e.catalog == "awsdatacatalog",
    "no catalog": lambda e: e.catalog is None,
    "no database": lambda e: e.database is None,
    "no substatement": lambda e: e.substatement_type is None,
    "on a capacity reservation": lambda e: (e.dpu_count or 0) >= 4 and e.scanned_bytes,
    "cancelled after scanning": lambda e: e.state == "CANCELLED" and (e.scanned_bytes or 0) > 0,
    "wrote files": lambda e: (e.data_manifest_location or "").endswith("-manifest.csv"),
    "EXPLAIN ANALYZE is UTILITY": lambda e: (
        e.statement_type == "UTILITY" and "EXPLAIN ANALYZE" in e.query
    ),
    "unload": lambda e: bool(e.write_locations),
    "windows line ends": lambda e: "\r\n" in e.query,
    "line separator": lambda e: "\u2028" in e.query,
    "NUL": lambda e: "\x00" in e.query,
    "escape": lambda e: "\x1b" in e.query,
    "emoji": lambda e: "🚚" in e.query,
    "federated": lambda e: any(ref.catalog == "dynamo_orders" for ref in e.reads),
    "largest": lambda e: len(e.query.encode()) == MAX_QUERY_BYTES,
    "50,000 items": lambda e: e.query.count(",") > 49_000,
    "5,000 brackets": lambda e: e.query.count("(") >= 5_000,
}


@pytest.mark.parametrize("kind", _KINDS)
def test_every_kind_of_execution_is_there(scaled: Estate, kind: str) -> None:
    """A test that needs an awkward execution finds one, however small the estate."""
    assert any(map(_KINDS[kind], scaled.executions.values()))


@pytest.mark.parametrize(
    "subtype",
    [
        "SELECT",
        "CREATE_TABLE_AS_SELECT",
        "INSERT",
        "MERGE",
        "UPDATE",
        "DELETE",
        "UNLOAD",
        "OPTIMIZE",
        "VACUUM_TABLE",
        "EXECUTE",
        "PREPARE",
        "EXPLAIN",
        "SHOW_TABLES",
        "DESCRIBE_TABLE",
        "ALTER_TABLE_ADD_PARTITION",
        "MSCK_REPAIR_TABLE",
        "CREATE_VIEW",
        "DROP_VIEW",
        "CREATE_TABLE",
        "DROP_TABLE",
        "CREATE_DATABASE",
    ],
)
def test_every_kind_of_statement_is_there(scaled: Estate, subtype: str) -> None:
    """The history has every statement that people send to Athena."""
    assert any(e.substatement_type == subtype for e in scaled.executions.values())


def test_results_are_reused_and_reread(estate: Estate) -> None:
    """Dashboards come back: same statement with other literals, some answered from before."""
    reused = [e for e in estate.executions.values() if e.reused_result]

    assert len(reused) > 100
    assert {e.scanned_bytes for e in reused} == {0}
    assert {e.workgroup for e in reused} == {"bi_dashboards"}


def test_no_query_is_larger_than_athena_takes(scaled: Estate) -> None:
    """Queries are UTF-8 of 1 to 262,144 bytes."""
    for execution in scaled.executions.values():
        assert 1 <= len(execution.query.encode("utf-8")) <= MAX_QUERY_BYTES


def test_extremes_can_be_left_out() -> None:
    """Without the extremes no statement is long, and all else is there."""
    estate = build_estate(now=NOW, scale=0.1, extremes=False)

    assert max(len(execution.query) for execution in estate.executions.values()) < 2_000
    assert len(estate.executions) == 500


def test_every_sentinel_is_planted(scaled: Estate) -> None:
    """A canary test can grep for each secret: it stands in SQL or a reason, never in a name."""
    texts = [f"{e.query}\n{e.state_change_reason}" for e in scaled.executions.values()]
    texts += [table.view_sql or "" for _, _, table in scaled.tables()]
    names = [
        f"{catalog.name} {schema.name} {table.name} {table.comment} {table.parameters} "
        f"{[(column.name, column.comment) for column in table.columns]}"
        for catalog, schema, table in scaled.tables()
    ]
    text, name = "\0".join(texts), "\0".join(names)

    assert [secret for secret in SENTINEL_SECRETS if secret not in text] == []
    assert [secret for secret in SENTINEL_SECRETS if secret in name] == []
