"""Queries run, end in a state, and leave their results where and how Athena does."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from kada_athena_async.sandbox import Sandbox
from tests.sandbox_server.support import (
    Client,
    ClientMaker,
    error_of,
    read_object,
    run_query,
    wait_for,
)

NULLS = "SELECT * FROM (VALUES ('a', NULL), ('', 'q\"x'), ('two\nlines', 'é')) AS t (x, y)"


def cells(rows: list[dict[str, Any]]) -> list[list[str | None]]:
    return [[datum.get("VarCharValue") for datum in row["Data"]] for row in rows]


def read_csv(body: bytes) -> list[list[str | None]]:
    """Athena's CSV by hand: a bare field is NULL, a quoted one is text."""
    rows: list[list[str | None]] = [[]]
    text = body.decode()
    at = 0
    while at < len(text):
        value: str | None = None
        if text[at] == '"':
            value, at = "", at + 1
            while text[at] != '"' or text[at : at + 2] == '""':
                value += text[at]
                at += 2 if text[at] == '"' else 1

            at += 1

        rows[-1].append(value)
        if text[at] == "\n":
            rows.append([])

        at += 1

    return rows[:-1]


def test_a_select_has_a_header_row_in_results_and_object(athena: Client, s3: Client) -> None:
    """GetQueryResults and the CSV object hold the same cells, NULL and empty text apart."""
    execution = run_query(athena, NULLS)

    answer = athena.get_query_results(QueryExecutionId=execution["QueryExecutionId"])

    expected = [["x", "y"], ["a", None], ["", 'q"x'], ["two\nlines", "é"]]
    location = execution["ResultConfiguration"]["OutputLocation"]
    assert location == f"s3://own/results/{execution['QueryExecutionId']}.csv"
    assert cells(answer["ResultSet"]["Rows"]) == expected
    assert read_csv(read_object(s3, location)) == expected
    assert read_object(s3, f"{location}.metadata")
    info = answer["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]
    assert [(c["Name"], c["Type"]) for c in info] == [("x", "varchar"), ("y", "varchar")]


def test_a_row_of_a_single_null_is_an_empty_line(athena: Client, s3: Client) -> None:
    """So NULL differs from the empty text, which is two quotes."""
    query = "SELECT * FROM (VALUES (CAST(NULL AS varchar)), ('')) AS t (x)"

    execution = run_query(athena, query)

    body = read_object(s3, execution["ResultConfiguration"]["OutputLocation"])
    assert body == b'"x"\n\n""\n'


def test_the_header_row_counts_on_the_first_page_only(athena: Client, s3: Client) -> None:
    """1,000 rows a page at most: 999 of data on the first, no header on the others."""
    query = "SELECT n FROM UNNEST(sequence(1, 2500)) AS t (n)"
    query_id = run_query(athena, query)["QueryExecutionId"]
    pages = []
    token: dict[str, str] = {}
    while True:
        answer = athena.get_query_results(QueryExecutionId=query_id, **token)
        pages.append(cells(answer["ResultSet"]["Rows"]))
        if "NextToken" not in answer:
            break

        token = {"NextToken": answer["NextToken"]}

    assert [len(page) for page in pages] == [1000, 1000, 501]
    assert [row for page in pages for row in page] == [["n"], *([str(n)] for n in range(1, 2501))]
    code, message = error_of(athena.get_query_results, QueryExecutionId=query_id, MaxResults=1001)
    assert (code, "1000" in message) == ("InvalidRequestException", True)


def test_a_utility_statement_has_no_header_row(athena: Client, s3: Client) -> None:
    """SHOW TABLES gives text without a header, in the pages and in the object."""
    execution = run_query(athena, "SHOW TABLES IN s 'iceberg'")

    answer = athena.get_query_results(QueryExecutionId=execution["QueryExecutionId"])

    location = execution["ResultConfiguration"]["OutputLocation"]
    assert execution["StatementType"] == "UTILITY"
    assert location.endswith(".txt")
    assert cells(answer["ResultSet"]["Rows"]) == [["iceberg"]]
    assert read_object(s3, location) == b"iceberg\n"


def test_information_schema_tells_what_the_estate_holds(athena: Client) -> None:
    """The SQL is really run: a dropped Iceberg column is not among the columns."""
    query = "SELECT column_name FROM information_schema.columns WHERE table_name = 'iceberg'"

    execution = run_query(athena, query, QueryExecutionContext={"Catalog": "AwsDataCatalog"})

    answer = athena.get_query_results(QueryExecutionId=execution["QueryExecutionId"])
    assert cells(answer["ResultSet"]["Rows"]) == [["column_name"], ["id"]]
    assert execution["QueryExecutionContext"]["Catalog"] == "awsdatacatalog"


def test_a_wrong_statement_ends_failed_with_its_reason(athena: Client) -> None:
    """FAILED carries the reason, the error's category and type; its results are refused."""
    execution = run_query(athena, "SELECT nothing FROM nowhere.at_all")

    status = execution["Status"]
    assert (status["State"], status["AthenaError"]["ErrorCategory"]) == ("FAILED", 2)
    assert status["StateChangeReason"] == status["AthenaError"]["ErrorMessage"]
    assert "CompletionDateTime" in status
    code, message = error_of(
        athena.get_query_results, QueryExecutionId=execution["QueryExecutionId"]
    )
    assert (code, "FAILED" in message) == ("InvalidRequestException", True)


def test_a_query_is_queued_then_running_then_done(sandbox: Sandbox, athena: Client) -> None:
    """It stands in each state as long as it was told, and its results are refused before it ends.

    Three queries, each in another state, so that none of them has to be met in time.
    """
    for state, queue_s, engine_s in (
        ("QUEUED", 600, 0),
        ("RUNNING", 0, 600),
        ("SUCCEEDED", 0.3, 0.3),
    ):
        sandbox.behaviour.queue_s, sandbox.behaviour.engine_s = queue_s, engine_s
        started = athena.start_query_execution(
            QueryString="SELECT 1", ResultConfiguration={"OutputLocation": "s3://own/r"}
        )
        query_id = started["QueryExecutionId"]
        if state == "SUCCEEDED":
            status = wait_for(athena, query_id)["Status"]
        else:
            execution = athena.get_query_execution(QueryExecutionId=query_id)["QueryExecution"]
            status = execution["Status"]
            code, message = error_of(athena.get_query_results, QueryExecutionId=query_id)
            assert code == "InvalidRequestException"
            assert f"Current state: {state}" in message

        assert status["State"] == state

    took = status["CompletionDateTime"] - status["SubmissionDateTime"]
    assert took.total_seconds() >= 0.6


def test_a_stopped_query_ends_cancelled(sandbox: Sandbox, athena: Client) -> None:
    """StopQueryExecution cancels what has not ended, and leaves alone what has."""
    done = run_query(athena, "SELECT 1")["QueryExecutionId"]
    sandbox.behaviour.engine_s = 60
    started = athena.start_query_execution(
        QueryString="SELECT 1", ResultConfiguration={"OutputLocation": "s3://own/r"}
    )

    for query_id in (done, started["QueryExecutionId"]):
        athena.stop_query_execution(QueryExecutionId=query_id)

    assert wait_for(athena, started["QueryExecutionId"])["Status"]["State"] == "CANCELLED"
    assert wait_for(athena, done)["Status"]["State"] == "SUCCEEDED"


def test_the_same_token_begins_one_query(athena: Client) -> None:
    """The same token with the same request gives the same id; with another it is refused."""
    token = str(uuid4())
    request = {
        "QueryString": "SELECT 1",
        "ClientRequestToken": token,
        "ResultConfiguration": {"OutputLocation": "s3://own/r"},
    }

    first, again = (athena.start_query_execution(**request) for _ in range(2))

    assert first["QueryExecutionId"] == again["QueryExecutionId"]
    changed = {**request, "QueryString": "SELECT 2"}
    assert error_of(athena.start_query_execution, **changed) == (
        "InvalidRequestException",
        "Idempotent parameters do not match",
    )


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("SELECT 1; SELECT 2", "Only one sql statement is allowed"),
        ("SELECT '" + "x" * 262_144 + "'", "262144"),
    ],
)
def test_some_queries_are_refused_at_once(athena: Client, query: str, says: str) -> None:
    """More than one statement, or more than 262,144 bytes, never becomes an execution."""
    code, message = error_of(
        athena.start_query_execution,
        QueryString=query,
        ResultConfiguration={"OutputLocation": "s3://own/r"},
    )

    assert (code, says in message) == ("InvalidRequestException", True)


def test_a_semicolon_in_a_text_or_at_the_end_is_one_statement(athena: Client) -> None:
    """Only a second statement is refused, not a semicolon."""
    execution = run_query(athena, "SELECT ';' AS x -- one; two\n;")

    assert execution["Status"]["State"] == "SUCCEEDED"


@pytest.mark.parametrize(
    ("workgroup", "location", "says"),
    [
        ("nowhere", "s3://own/r", "WorkGroup nowhere is not found"),
        ("off", "s3://own/r", "WorkGroup off is disabled"),
        ("spark", "s3://own/r", "does not run SQL"),
        ("primary", None, "No output location provided"),
        ("managed", "s3://own/r", "cannot be set together"),
        ("primary", "http://own/r", "not a valid S3 path"),
    ],
)
def test_a_workgroup_refuses_what_it_cannot_run(
    athena: Client, workgroup: str, location: str | None, says: str
) -> None:
    """Each rule of workgroups has its own words."""
    given = {"ResultConfiguration": {"OutputLocation": location}} if location else {}

    code, message = error_of(
        athena.start_query_execution, QueryString="SELECT 1", WorkGroup=workgroup, **given
    )

    assert (code, says in message) == ("InvalidRequestException", True)


def test_an_enforced_location_wins_silently(athena: Client, s3: Client) -> None:
    """The workgroup's own location is used whatever the client sent."""
    execution = run_query(athena, "SELECT 1", WorkGroup="enforced", location="s3://elsewhere/x")

    location = execution["ResultConfiguration"]["OutputLocation"]
    assert location == f"s3://own/here/{execution['QueryExecutionId']}.csv"
    assert read_object(s3, location)


def test_managed_results_live_outside_of_s3(athena: Client) -> None:
    """No location is told, and the pages can be read."""
    execution = run_query(athena, "SELECT 1 AS x", WorkGroup="managed", location=None)

    answer = athena.get_query_results(QueryExecutionId=execution["QueryExecutionId"])

    assert "OutputLocation" not in execution.get("ResultConfiguration", {})
    assert execution["ManagedQueryResultsConfiguration"] == {"Enabled": True}
    assert cells(answer["ResultSet"]["Rows"]) == [["x"], ["1"]]


def test_results_are_gone_with_their_object(athena: Client, s3: Client) -> None:
    """GetQueryResults needs the object in S3."""
    execution = run_query(athena, "SELECT 1")
    s3.delete_object(Bucket="own", Key=f"results/{execution['QueryExecutionId']}.csv")

    refused = error_of(athena.get_query_results, QueryExecutionId=execution["QueryExecutionId"])

    assert refused == ("InvalidRequestException", "Could not find results")


def test_a_missing_bucket_fails_the_query(athena: Client) -> None:
    """Results that cannot be written make a query FAIL as the caller's error."""
    status = run_query(athena, "SELECT 1", location="s3://no-such-bucket/x")["Status"]

    assert status["State"] == "FAILED"
    assert (status["AthenaError"]["ErrorCategory"], status["AthenaError"]["ErrorType"]) == (2, 401)


def test_active_queries_are_limited(sandbox: Sandbox, athena: Client) -> None:
    """One more than the limit is refused until one of the others ends."""
    sandbox.behaviour.active_dml = 2
    sandbox.behaviour.engine_s = 60
    request = {
        "QueryString": "SELECT 1",
        "ResultConfiguration": {"OutputLocation": "s3://own/r"},
    }
    first = athena.start_query_execution(**request)
    athena.start_query_execution(**request)

    with pytest.raises(athena.exceptions.TooManyRequestsException) as refused:
        athena.start_query_execution(**request)

    assert refused.value.response["Reason"] == "CONCURRENT_QUERY_LIMIT_EXCEEDED"
    athena.stop_query_execution(QueryExecutionId=first["QueryExecutionId"])
    assert athena.start_query_execution(**request)["QueryExecutionId"]


def test_what_was_submitted_is_in_the_history(sandbox: Sandbox, athena: Client) -> None:
    """Our own queries are listed, described, and part of the estate's truth."""
    query_id = run_query(athena, "SELECT 1")["QueryExecutionId"]

    listed = athena.list_query_executions(MaxResults=1)["QueryExecutionIds"]

    assert listed == [query_id]
    assert sandbox.estate.executions[query_id].state == "SUCCEEDED"


def test_another_region_is_empty(connect: ClientMaker) -> None:
    """A region nobody filled has the primary workgroup and the default catalog, and no more."""
    athena = connect("athena", region_name="eu-west-1")

    assert [w["Name"] for w in athena.list_work_groups()["WorkGroups"]] == ["primary"]
    assert athena.list_query_executions()["QueryExecutionIds"] == []
    assert athena.list_databases(CatalogName="AwsDataCatalog")["DatabaseList"] == []
