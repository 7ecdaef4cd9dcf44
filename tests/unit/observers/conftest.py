"""A whole run, told in events."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from kada_athena_async.events import (
    Event,
    FileCommitted,
    Incomplete,
    PlanReady,
    QueryFinished,
    QueryStarted,
    RetryScheduled,
    RunFinished,
    RunStarted,
    StageFinished,
    StageStarted,
    Throttled,
    UnitFinished,
    UnitProgress,
    UnitStarted,
    Warned,
)

START = datetime(2026, 10, 9, 5, 0, tzinfo=timezone.utc)
END = datetime(2026, 11, 23, 5, 0, tzinfo=timezone.utc)


@pytest.fixture
def run_events() -> list[Event]:
    """Two units: one writes tables, one is denied; a throttle, a retry, a warning, two files."""
    return [
        RunStarted(
            run_id="01J",
            name="athena",
            start=START,
            end=END,
            output_path="/tmp/output",
            endpoint_url="http://127.0.0.1:4566",
        ),
        StageStarted(stage="discover"),
        StageFinished(stage="discover", duration_s=0.5),
        PlanReady(units=("metadata/a", "history/b"), catalogs=1, schemas=12, workgroups=1),
        StageStarted(stage="extract"),
        UnitStarted(unit_id="metadata/a"),
        UnitStarted(unit_id="history/b"),
        QueryStarted(unit_id="metadata/a", query_execution_id="q-1", workgroup="primary"),
        Throttled(operation="athena:ListQueryExecutions", rate=2.5),
        RetryScheduled(
            operation="athena:ListQueryExecutions", attempt=2, wait_s=0.25, reason="throttled"
        ),
        UnitProgress(unit_id="metadata/a", kind="metadata_tables", rows=1200),
        QueryFinished(
            query_execution_id="q-1", state="SUCCEEDED", duration_s=1.5, scanned_bytes=10_000_000
        ),
        UnitFinished(unit_id="metadata/a", outcome="done", rows=1200, duration_s=2.0),
        UnitFinished(
            unit_id="history/b",
            outcome="skipped",
            rows=0,
            duration_s=0.1,
            reason="athena:ListQueryExecutions is denied",
        ),
        Warned(code="gap", message="history before 2026-10-09 is gone", hint="run more often"),
        FileCommitted(
            name="athena_metadata_tables_20261123T050000Z.csv.gz",
            kind="metadata_tables",
            rows=1200,
            size_bytes=34_567,
        ),
        FileCommitted(
            name="athena_manifest_20261123T050000Z.json", kind="manifest", rows=0, size_bytes=900
        ),
        RunFinished(
            run_id="01J",
            committed=True,
            exit_code=0,
            duration_s=200,
            rows={"metadata_tables": 1200},
            calls={"athena:ListQueryExecutions": 14},
            incomplete=(
                Incomplete(
                    scope="workgroup",
                    within="",
                    outcome="denied",
                    reason="athena:ListQueryExecutions is denied",
                    count=1,
                    names=("b",),
                ),
            ),
        ),
    ]


HOSTILE = "tables\x1b]52;c;Y2FuYXJ5\x07\x1b[2J\n2026-11-23 forged line\u202egnp.exe\u009b31m\x7f"


@pytest.fixture
def hostile_events() -> list[Event]:
    """Names and messages as an attacker who may create workgroups and views would choose them."""
    return [
        RunStarted(
            run_id="01J", name="athena", start=START, end=END, output_path="/", endpoint_url=HOSTILE
        ),
        PlanReady(units=(HOSTILE,), catalogs=1, schemas=1, workgroups=1),
        StageStarted(stage="extract"),
        UnitStarted(unit_id=HOSTILE),
        Throttled(operation=HOSTILE, rate=1),
        RetryScheduled(operation=HOSTILE, attempt=1, wait_s=1, reason=HOSTILE),
        Warned(code="x", message=HOSTILE, hint=HOSTILE),
        UnitFinished(unit_id=HOSTILE, outcome="failed", rows=0, duration_s=1, reason=HOSTILE),
        FileCommitted(name=HOSTILE, kind="metadata_tables", rows=1, size_bytes=1),
        RunFinished(
            run_id="01J",
            committed=False,
            exit_code=1,
            duration_s=1,
            incomplete=(
                Incomplete(
                    scope="schema",
                    within=HOSTILE,
                    outcome="denied",
                    reason=HOSTILE,
                    count=2,
                    names=(HOSTILE,),
                ),
            ),
        ),
    ]
