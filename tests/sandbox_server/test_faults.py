"""Each fault looks to the official client as it would on AWS, and strikes where it was told to."""

from __future__ import annotations

import time
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    IncompleteReadError,
    ReadTimeoutError,
    ResponseStreamingError,
)

from kada_athena_async.errors import ConfigError
from kada_athena_async.sandbox import Sandbox
from kada_athena_async.sandbox.faults import KINDS
from tests.sandbox_server.support import (
    Client,
    ClientMaker,
    error_of,
    make_execution,
    run_query,
)

# Kind, service, what the client sees.
REFUSALS = [
    ("throttle", "athena", "ThrottlingException"),
    ("throttle", "glue", "ThrottlingException"),
    ("throttle", "s3", "SlowDown"),
    ("throttle", "sts", "Throttling"),
    ("too_many_requests", "athena", "TooManyRequestsException"),
    ("server_error", "athena", "InternalServerException"),
    ("server_error", "glue", "InternalServiceException"),
    ("server_error", "s3", "InternalError"),
    ("expired", "athena", "ExpiredTokenException"),
    ("expired", "s3", "ExpiredToken"),
    ("expired", "sts", "ExpiredToken"),
    ("access_denied", "athena", "AccessDeniedException"),
    ("access_denied", "s3", "AccessDenied"),
    ("access_denied", "sts", "AccessDenied"),
]
CALLS: dict[str, tuple[str, dict[str, Any]]] = {
    "athena": ("list_work_groups", {}),
    "glue": ("get_databases", {}),
    "s3": ("list_objects_v2", {"Bucket": "own"}),
    "sts": ("get_caller_identity", {}),
}


@pytest.mark.parametrize(("kind", "service", "expected"), REFUSALS)
def test_a_refusal_has_the_code_of_its_service(
    sandbox: Sandbox, connect: ClientMaker, kind: Any, service: str, expected: str
) -> None:
    """It strikes that service until it is cleared."""
    name, given = CALLS[service]
    call = getattr(connect(service), name)
    number = sandbox.faults.add(kind, f"{service}:*")

    refused = [error_of(call, **given)[0] for _ in range(2)]

    sandbox.faults.clear(number)
    call(**given)
    assert refused == [expected, expected]
    assert sandbox.faults.struck(number) == 2


def test_a_reset_before_the_call_leaves_no_trace(sandbox: Sandbox, athena: Client) -> None:
    """The connection breaks and nothing was done."""
    sandbox.faults.add("reset_before", "athena:StartQueryExecution", times=1)
    before = len(sandbox.estate.executions)

    with pytest.raises(ConnectionClosedError):
        run_query(athena, "SELECT 1")

    assert len(sandbox.estate.executions) == before


def test_a_reset_after_the_call_has_done_it(sandbox: Sandbox, athena: Client) -> None:
    """The connection breaks though the query was begun; the same token finds it again."""
    sandbox.faults.add("reset_after", "athena:StartQueryExecution", times=1)
    before = set(sandbox.estate.executions)
    token = {"ClientRequestToken": "t" * 32}

    with pytest.raises(ConnectionClosedError):
        run_query(athena, "SELECT 1", **token)

    (begun,) = set(sandbox.estate.executions) - before
    assert run_query(athena, "SELECT 1", **token)["QueryExecutionId"] == begun


def test_a_truncated_body_is_noticed(sandbox: Sandbox, athena: Client, s3: Client) -> None:
    """The length says more than what comes."""
    s3.put_object(Bucket="own", Key="big", Body=b"x" * 10_000)
    sandbox.faults.add("truncate", "athena:ListWorkGroups")
    sandbox.faults.add("truncate", "s3:GetObject")

    with pytest.raises(ConnectionClosedError, match="Connection was closed"):
        athena.list_work_groups()

    with pytest.raises((IncompleteReadError, ResponseStreamingError)):
        s3.get_object(Bucket="own", Key="big")["Body"].read()


def test_an_empty_body_is_a_reply_without_members(sandbox: Sandbox, athena: Client) -> None:
    """Status 200 and nothing in it."""
    sandbox.faults.add("empty_body", "athena:ListWorkGroups")

    assert "WorkGroups" not in athena.list_work_groups()


def test_a_slow_call_is_answered_late_and_a_hanging_one_never(
    sandbox: Sandbox, athena: Client
) -> None:
    """Both hold the client for as long as told."""
    sandbox.faults.add("slow", "athena:ListWorkGroups", seconds=0.3, times=1)
    sandbox.faults.add("hang", "athena:ListDataCatalogs", seconds=0.3, times=1)

    began_s = time.monotonic()
    assert athena.list_work_groups()["WorkGroups"]
    with pytest.raises(ConnectionClosedError):
        athena.list_data_catalogs()

    assert time.monotonic() - began_s >= 0.6


def test_stopping_does_not_wait_for_a_hang(sandbox: Sandbox, connect: ClientMaker) -> None:
    """A hang ends with the sandbox."""
    athena = connect("athena", config=Config(read_timeout=0.3, retries={"total_max_attempts": 1}))
    sandbox.faults.add("hang", "athena:ListWorkGroups")
    with pytest.raises(ReadTimeoutError):
        athena.list_work_groups()

    began_s = time.monotonic()
    sandbox.stop()

    assert time.monotonic() - began_s < 60


def test_a_fault_strikes_the_calls_it_was_told_to(sandbox: Sandbox, athena: Client) -> None:
    """By number, by count, and by what the call is about."""
    sandbox.faults.add(
        "throttle", "athena:ListQueryExecutions", calls=(2, 4), where={"workgroup": "off"}
    )
    sandbox.faults.add("server_error", "athena:ListDataCatalogs", times=1)
    outcomes = []
    for _ in range(5):
        athena.list_query_executions(WorkGroup="primary")
        try:
            athena.list_query_executions(WorkGroup="off")
            outcomes.append("ok")
        except ClientError as error:
            outcomes.append(error.response["Error"]["Code"])

    assert outcomes == ["ok", "ThrottlingException", "ok", "ThrottlingException", "ok"]
    assert error_of(athena.list_data_catalogs)[0] == "InternalServerException"
    assert athena.list_data_catalogs()["DataCatalogsSummary"]


def test_chances_are_drawn_from_the_seed() -> None:
    """The same seed strikes the same calls, another one others."""
    drawn = []
    for seed in (1, 1, 2):
        sandbox = Sandbox(seed=seed, scale=0.01)
        sandbox.faults.add("throttle", probability=0.5)
        drawn.append([len(sandbox.faults.strike("athena:X", {})) for _ in range(64)])

    assert drawn[0] == drawn[1] != drawn[2]
    assert 10 < sum(drawn[0]) < 54


def test_a_query_fails_as_told(sandbox: Sandbox, athena: Client) -> None:
    """With the reason, category, type and retryability that were asked for."""
    sandbox.faults.add(
        "failed_query",
        where={"query": "*one*"},
        message="no capacity",
        category=1,
        type=1602,
        retryable=True,
    )

    status = run_query(athena, "SELECT 1 AS one")["Status"]

    assert (status["State"], status["StateChangeReason"]) == ("FAILED", "no capacity")
    assert status["AthenaError"] == {
        "ErrorCategory": 1,
        "ErrorType": 1602,
        "Retryable": True,
        "ErrorMessage": "no capacity",
    }
    assert run_query(athena, "SELECT 1 AS two")["Status"]["State"] == "SUCCEEDED"


def test_a_slow_query_takes_longer(sandbox: Sandbox, athena: Client) -> None:
    """It is RUNNING for as long as told."""
    sandbox.faults.add("slow_query", seconds=0.4)

    statistics = run_query(athena, "SELECT 1")["Statistics"]

    assert statistics["TotalExecutionTimeInMillis"] >= 400


def test_a_poisoned_table_breaks_the_statements_that_reach_it(
    sandbox: Sandbox, athena: Client
) -> None:
    """As lost Iceberg metadata does: all columns of the schema fail, another table's do not."""
    sandbox.faults.add(
        "poison_table", where={"catalog": "AwsDataCatalog", "schema": "s", "table": "iceberg"}
    )
    columns = "SELECT * FROM information_schema.columns WHERE table_schema = 's'"

    broken = run_query(athena, columns)["Status"]
    tables = run_query(athena, columns.replace("columns", "tables"))["Status"]
    other = run_query(athena, f"{columns} AND table_name = 't000'")["Status"]

    assert (broken["State"], tables["State"], other["State"]) == (
        "FAILED",
        "SUCCEEDED",
        "SUCCEEDED",
    )
    assert (
        "Metadata not found in metadata location for table s.iceberg"
        in (broken["StateChangeReason"])
    )


def test_ids_come_back_unprocessed_as_told(sandbox: Sandbox, athena: Client) -> None:
    """One id of a batch, once."""
    ids = [make_execution(n).query_execution_id for n in (1, 2, 3)]
    sandbox.faults.add(
        "unprocessed", where={"query_execution_id": ids[1]}, code="THROTTLED", times=1
    )

    first, second = (athena.batch_get_query_execution(QueryExecutionIds=ids) for _ in range(2))

    assert [e["QueryExecutionId"] for e in first["QueryExecutions"]] == [ids[0], ids[2]]
    unprocessed = first["UnprocessedQueryExecutionIds"]
    assert [(u["QueryExecutionId"], u["ErrorCode"]) for u in unprocessed] == [(ids[1], "THROTTLED")]
    assert len(second["QueryExecutions"]) == 3


def test_too_many_requests_at_the_start_of_a_query_is_the_active_limit(
    sandbox: Sandbox, athena: Client
) -> None:
    """It carries the reason by which a client knows to wait for a slot."""
    sandbox.faults.add("too_many_requests", "athena:StartQueryExecution", times=1)

    with pytest.raises(ClientError) as refused:
        run_query(athena, "SELECT 1")

    assert refused.value.response["Reason"] == "CONCURRENT_QUERY_LIMIT_EXCEEDED"
    assert run_query(athena, "SELECT 1")["Status"]["State"] == "SUCCEEDED"


def test_any_error_can_be_asked_for(sandbox: Sandbox, athena: Client) -> None:
    """With a code, a message and a status of one's own."""
    sandbox.faults.add("error", "athena:ListWorkGroups", code="Odd", message="odd", status=418)

    with pytest.raises(ClientError) as refused:
        athena.list_work_groups()

    assert refused.value.response["Error"] == {"Code": "Odd", "Message": "odd"}
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 418


def test_quotas_throttle_if_wanted(sandbox: Sandbox, athena: Client) -> None:
    """Athena's published rates: a burst of ten listings passes, and no more while time stands."""
    sandbox.behaviour.has_rate_limits = True
    codes = []
    for _ in range(12):
        try:
            athena.list_query_executions(MaxResults=1)
            codes.append("ok")
        except ClientError as error:
            codes.append(error.response["Error"]["Code"])

    assert codes == ["ok"] * 10 + ["ThrottlingException"] * 2


@pytest.mark.parametrize(
    ("kind", "fields"),
    [("no_such", {}), ("throttle", {"colour": "red"}), ("throttle", {"where": {"hue": "red"}})],
)
def test_a_fault_that_does_not_exist_is_refused(
    sandbox: Sandbox, kind: Any, fields: dict[str, Any]
) -> None:
    """A misspelt fault would be a test that proves nothing."""
    with pytest.raises(ConfigError):
        sandbox.faults.add(kind, **fields)

    assert kind in KINDS or fields == {}
