"""The history is served as AWS keeps it, gaps, delays and all."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from kada_athena_async.sandbox import Sandbox
from tests.sandbox_server.support import NOW, Client, all_pages, error_of, make_execution


def test_an_execution_is_described_as_the_estate_has_it(sandbox: Sandbox, athena: Client) -> None:
    """Times to the millisecond, figures, reasons; what is unknown is absent, not null."""
    execution = make_execution(
        7000,
        state="FAILED",
        statement_type=None,
        submitted_at=NOW - timedelta(days=2, milliseconds=877),
        completed_at=None,
        state_change_reason="no",
        error_category=2,
        error_type=1006,
        error_message="no",
        is_retryable=True,
        database="s",
        scanned_bytes=None,
    )
    sandbox.submit(execution)

    answer = athena.batch_get_query_execution(QueryExecutionIds=[execution.query_execution_id])

    found = answer["QueryExecutions"][0]
    assert found["Status"] == {
        "State": "FAILED",
        "StateChangeReason": "no",
        "SubmissionDateTime": execution.submitted_at,
        "AthenaError": {
            "ErrorCategory": 2,
            "ErrorType": 1006,
            "Retryable": True,
            "ErrorMessage": "no",
        },
    }
    assert found["QueryExecutionContext"] == {"Database": "s"}
    assert found["Statistics"]["TotalExecutionTimeInMillis"] == 1500
    assert "DataScannedInBytes" not in found["Statistics"]
    assert "StatementType" not in found
    assert answer["UnprocessedQueryExecutionIds"] == []


def test_a_batch_tells_which_ids_it_could_not_process(athena: Client) -> None:
    """Unknown ids come back apart; the others are there."""
    known, unknown = str(UUID(int=1)), str(UUID(int=9999))

    answer = athena.batch_get_query_execution(QueryExecutionIds=[unknown, known])

    assert [e["QueryExecutionId"] for e in answer["QueryExecutions"]] == [known]
    unprocessed = answer["UnprocessedQueryExecutionIds"]
    assert [(u["QueryExecutionId"], u["ErrorCode"]) for u in unprocessed] == [
        (unknown, "InvalidRequestException")
    ]


def test_a_batch_is_fifty_ids_at_most(athena: Client) -> None:
    """51 ids are refused."""
    ids = [str(UUID(int=n)) for n in range(1, 52)]

    assert error_of(athena.batch_get_query_execution, QueryExecutionIds=ids)[0] == (
        "InvalidRequestException"
    )
    assert (
        len(athena.batch_get_query_execution(QueryExecutionIds=ids[:50])["QueryExecutions"]) == 50
    )


def test_history_ends_after_45_days(sandbox: Sandbox, athena: Client) -> None:
    """Older executions are no longer listed."""
    for number, days in ((8000, 44), (8001, 46)):
        sandbox.submit(make_execution(number, submitted_at=NOW - timedelta(days=days)))

    ids = [i for p in all_pages(athena.list_query_executions, "QueryExecutionIds") for i in p]

    assert ids[-1] == str(UUID(int=8000))
    assert len(ids) == 131


def test_an_execution_can_become_visible_late(sandbox: Sandbox, athena: Client) -> None:
    """It is not listed before its moment, and can be described all the same."""
    hidden, shown = str(UUID(int=1)), str(UUID(int=2))
    sandbox.behaviour.visible_after[hidden] = NOW + timedelta(minutes=1)
    sandbox.behaviour.visible_after[shown] = NOW - timedelta(minutes=1)

    ids = athena.list_query_executions()["QueryExecutionIds"]

    assert ids[0] == shown
    assert athena.batch_get_query_execution(QueryExecutionIds=[hidden])["QueryExecutions"]


@pytest.mark.parametrize(("workgroup", "count"), [("off", 3), ("spark", 0)])
def test_disabled_and_spark_workgroups_can_be_listed(
    athena: Client, workgroup: str, count: int
) -> None:
    """A disabled workgroup keeps its history; a Spark one has none of SQL."""
    ids = athena.list_query_executions(WorkGroup=workgroup)["QueryExecutionIds"]

    assert len(ids) == count


def test_an_unknown_workgroup_is_refused(athena: Client) -> None:
    """It is not an empty one."""
    refused = error_of(athena.list_query_executions, WorkGroup="nowhere")

    assert refused == ("InvalidRequestException", "WorkGroup nowhere is not found.")


def test_a_running_execution_ends_when_told(sandbox: Sandbox, athena: Client) -> None:
    """submit and finish play the part of other tools."""
    running = make_execution(9000, state="RUNNING", completed_at=None, submitted_at=NOW)
    sandbox.submit(running)
    query_id = running.query_execution_id
    before = athena.get_query_execution(QueryExecutionId=query_id)["QueryExecution"]["Status"]

    sandbox.finish(query_id, state="FAILED", state_change_reason="told so")

    after = athena.get_query_execution(QueryExecutionId=query_id)["QueryExecution"]["Status"]
    assert (before["State"], "CompletionDateTime" in before) == ("RUNNING", False)
    assert (after["State"], after["CompletionDateTime"]) == ("FAILED", NOW)
    assert after["StateChangeReason"] == "told so"
