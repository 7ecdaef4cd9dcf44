"""The stand-in answers as the services do, in what a metadata and history extraction sees."""

from __future__ import annotations

import base64
import csv
import io
import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from benchmarks.quota_server.estate import Estate
from benchmarks.quota_server.settings import RETENTION_S, Settings
from benchmarks.quota_server.statements import Listing, interpret
from kada_athena_async.sources.statement_texts import (
    STATEMENT_COLUMNS,
    conditions_on,
    default_texts,
    fill,
)
from tests.benchmarks.calling import call, get_object, make_server, pages, rows_of, run_query

ROOT = Path(__file__).resolve().parents[2]
COLUMNS_SQL = (
    "SELECT table_schema, table_name, column_name, ordinal_position, data_type, comment "
    "FROM information_schema.columns WHERE table_schema IN ({}) ORDER BY 1, 2, 4"
)


def test_the_pages_of_a_result_and_its_object_in_s3_hold_the_same_rows() -> None:
    """GetQueryResults and the CSV agree, header included, and 999 rows follow it on page one."""
    server = make_server(schemas=3, tables=90, columns=7)
    query_id = run_query(server, COLUMNS_SQL.format("'schema_0000', 'schema_0002'"))
    rows = rows_of(server, query_id)
    _, document = call(server, "Athena.GetQueryExecution", QueryExecutionId=query_id)
    location = document["QueryExecution"]["ResultConfiguration"]["OutputLocation"]
    _, body, _ = get_object(server, location)

    assert len(rows) == 1 + 2 * 90 * 7
    assert rows[0] == [
        "table_schema",
        "table_name",
        "column_name",
        "ordinal_position",
        "data_type",
        "comment",
    ]
    assert [[cell or "" for cell in row] for row in rows] == list(
        csv.reader(io.StringIO(body.decode()))
    )
    assert rows[1:] == sorted(rows[1:], key=lambda row: (row[0], row[1], int(row[3] or 0)))
    first = call(server, "Athena.GetQueryResults", QueryExecutionId=query_id)[1]
    assert len(first["ResultSet"]["Rows"]) == 1000


def test_any_range_of_an_object_is_the_slice_of_the_whole() -> None:
    """Whatever two offsets are asked for, the bytes are those of the whole object."""
    server = make_server(schemas=4, tables=150, columns=3, giant_schemas=1, giant_tables=300)
    query_id = run_query(server, "SELECT * FROM information_schema.columns")
    location = f"s3://results/primary/{query_id}.csv"
    status, whole, _ = get_object(server, location)
    rng = random.Random(11)

    assert status == 200
    for _ in range(300):
        start = rng.randrange(len(whole))
        stop = rng.randrange(start, len(whole) + 50)
        status, part, headers = get_object(server, location, f"bytes={start}-{stop}")
        assert (status, part) == (206, whole[start : stop + 1])
        last = min(stop, len(whole) - 1)
        assert headers["Content-Range"] == f"bytes {start}-{last}/{len(whole)}"


def test_a_null_has_no_value_in_a_page_and_no_quotes_in_the_object() -> None:
    """Both forms of a result can tell a null from an empty text."""
    server = make_server(schemas=1, tables=1, columns=3)
    query_id = run_query(server, "SELECT column_name, comment FROM information_schema.columns")
    _, body, _ = get_object(server, f"s3://results/primary/{query_id}.csv")

    assert rows_of(server, query_id)[1] == ["column_0001", None]
    assert body.splitlines()[1] == b'"column_0001",'
    assert body.splitlines()[3] == b'"column_0003","What column 3 means, in ""words"""'


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("SELECT table_name FROM information_schema.tables WHERE table_schema = 'schema_0001'", 40),
        ("select v.table_name from information_schema.views v", 6),
        (
            'SELECT * FROM "awsdatacatalog"."information_schema"."tables" WHERE table_schema IN '
            "('schema_0000') AND table_name IN ('object_000003', 'object_000019', 'nothing')",
            2,
        ),
        ("SELECT schema_name FROM information_schema.schemata", 3),
        ("SELECT count_me FROM elsewhere", 1),
        (
            "SELECT table_name FROM information_schema.tables WHERE table_schema <> "
            "'information_schema' AND table_type = 'VIEW'",
            6,
        ),
    ],
)
def test_a_statement_gets_the_rows_it_asks_for(sql: str, expected: int) -> None:
    """Schemas and tables named in the WHERE clause, and no others, are in the result."""
    server = make_server(schemas=3, tables=40, columns=2)

    assert len(rows_of(server, run_query(server, sql))) == 1 + expected


def test_our_own_statements_are_understood() -> None:
    """Each statement that the package ships gets the columns it names, for the schemas named."""
    server = make_server(schemas=3, tables=40, columns=2)
    expected = {"COLUMNS_SQL": 160, "TABLES_SQL": 80, "VIEWS_SQL": 4, "SCHEMATA_SQL": 3}
    for name, text in default_texts().items():
        conditions = conditions_on(["schema_0000", "schema_0002"])
        if name == "SCHEMATA_SQL":
            conditions = ["schema_name <> 'information_schema'"]

        sql = fill(text, catalog="AwsDataCatalog", conditions=conditions, run_id="run")
        rows = rows_of(server, run_query(server, sql))
        assert tuple(rows[0]) == STATEMENT_COLUMNS[name]
        assert len(rows) == 1 + expected[name]
        assert rows[1:] == sorted(rows[1:], key=lambda row: [cell or "" for cell in row[:3]])


def test_a_statement_that_is_not_understood_fails_and_says_so() -> None:
    """A predicate that would be answered wrongly is an error, not a wrong answer."""
    server = make_server(schemas=1)
    query_id = run_query(
        server, "SELECT table_name FROM information_schema.tables WHERE table_name LIKE 'a%'"
    )
    _, document = call(server, "Athena.GetQueryExecution", QueryExecutionId=query_id)
    status = document["QueryExecution"]["Status"]

    assert status["State"] == "FAILED"
    assert "LIKE" in status["StateChangeReason"]


def test_more_than_a_hundred_prefixes_cost_a_walk_through_the_whole_catalog() -> None:
    """Push-down is given up beyond 100 schemas, and the engine walks all of them."""
    estate = Estate(Settings(schemas=200, tables=10, columns=10))
    walked = []
    for count in (100, 101):
        names = ", ".join(f"'schema_{number:04d}'" for number in range(count))
        asked = interpret(COLUMNS_SQL.format(names), estate)
        assert isinstance(asked, Listing)
        walked.append(asked.walked_rows)

    assert walked == [10_000, 20_000]


def test_scans_of_one_statement_cost_their_sum_and_each_has_a_hundred_prefixes() -> None:
    """Rows come in order of name, whichever scan has them; one scan too wide walks the catalog."""
    server = make_server(schemas=2, tables=300, columns=2)
    estate = Estate(Settings(schemas=2, tables=300, columns=2))
    names = [f"object_{number:06d}" for number in range(299, 49, -1)]

    def scan(some: list[str]) -> str:
        (condition,) = conditions_on(["schema_0001"], some[:100])
        more = "".join(f", '{name}'" for name in some[100:])
        sql = f"SELECT table_schema, table_name FROM information_schema.columns WHERE {condition}"
        return f"{sql.removesuffix(')')}{more})"

    def walked(*scans: str) -> int:
        asked = interpret(" UNION ALL ".join(scans), estate)
        assert isinstance(asked, Listing)
        return asked.walked_rows

    by_hundred = [scan(names[:100]), scan(names[100:200]), scan(names[200:])]
    assert walked(*by_hundred) == 250 * 2
    assert walked(scan(names[:101]), scan(names[101:])) == 2 * 600 * 2

    rows = rows_of(server, run_query(server, " UNION ALL ".join(by_hundred) + " ORDER BY 1, 2"))
    assert rows[1:] == [["schema_0001", name] for name in sorted(names) for _ in range(2)]


def test_a_view_text_is_the_same_from_show_create_information_schema_and_glue() -> None:
    """The three sources of a view's SQL agree."""
    server = make_server(schemas=1, tables=20)
    shown = rows_of(server, run_query(server, "SHOW CREATE VIEW schema_0000.object_000019"))
    selected = rows_of(
        server, run_query(server, "SELECT view_definition FROM information_schema.views")
    )
    tables = pages(server, "Glue.GetTables", DatabaseName="schema_0000")[0]["TableList"]
    stored = tables[19]["ViewOriginalText"].removeprefix("/* Presto View: ").removesuffix(" */")
    text = json.loads(base64.b64decode(stored))["originalSql"]

    assert "\n".join(row[0] or "" for row in shown).partition(" AS \n")[2] == text
    assert selected[1:] == [[text]]


@pytest.mark.parametrize(
    ("operation", "member", "size", "refusal"),
    [
        ("Athena.ListTableMetadata", "TableMetadataList", 50, "InvalidRequestException"),
        ("Glue.GetTables", "TableList", 100, "InvalidInputException"),
    ],
)
def test_a_listing_of_tables_is_paged_and_complete(
    operation: str, member: str, size: int, refusal: str
) -> None:
    """Pages are as large as the service allows, larger ones are refused, and nothing is missed."""
    server = make_server(schemas=1, tables=250)
    found = pages(server, operation, DatabaseName="schema_0000")
    status, error = call(server, operation, DatabaseName="schema_0000", MaxResults=size + 1)

    assert [len(page[member]) for page in found[:-1]] == [size] * (len(found) - 1)
    names = [table["Name"] for page in found for table in page[member]]
    assert names == [f"object_{number:06d}" for number in range(250)]
    assert (status, error["__type"]) == (400, refusal)


def test_history_is_listed_newest_first_fifty_at_a_time_in_each_workgroup() -> None:
    """Every execution is listed once, and its document has the id and workgroup asked for."""
    server = make_server(executions=330, workgroups=3)
    found: list[str] = []
    for group in ("primary", "team_0001", "team_0002"):
        listed = pages(server, "Athena.ListQueryExecutions", WorkGroup=group)
        assert [len(page["QueryExecutionIds"]) for page in listed] == [50, 50, 10]
        ids = [query_id for page in listed for query_id in page["QueryExecutionIds"]]
        _, batch = call(server, "Athena.BatchGetQueryExecution", QueryExecutionIds=ids[:50])
        times = [item["Status"]["SubmissionDateTime"] for item in batch["QueryExecutions"]]
        assert times == sorted(times, reverse=True)
        assert {item["WorkGroup"] for item in batch["QueryExecutions"]} == {group}
        found += ids

    assert len(set(found)) == 330


def test_history_ends_where_athena_forgets_it() -> None:
    """Executions older than 45 days are not listed."""
    server = make_server(executions=1000, history_s=2 * RETENTION_S, newest_age_s=0.0)
    listed = pages(server, "Athena.ListQueryExecutions", WorkGroup="primary")

    assert sum(len(page["QueryExecutionIds"]) for page in listed) in (500, 501)


def test_an_unknown_id_is_unprocessed_and_not_an_error() -> None:
    """BatchGetQueryExecution tells which ids it could not find."""
    server = make_server(executions=1)
    ids = ["00000000-0000-4000-8000-000000000000", "11111111-0000-4000-8000-000000000000"]
    status, document = call(server, "Athena.BatchGetQueryExecution", QueryExecutionIds=ids)

    assert status == 200
    assert [item["QueryExecutionId"] for item in document["QueryExecutions"]] == ids[:1]
    unprocessed = document["UnprocessedQueryExecutionIds"]
    assert [item["QueryExecutionId"] for item in unprocessed] == ids[1:]


def test_the_same_token_is_the_same_query_and_another_text_is_refused() -> None:
    """ClientRequestToken makes StartQueryExecution idempotent."""
    server = make_server()
    token = "t" * 32
    first = run_query(server, "SELECT 1", ClientRequestToken=token)

    assert run_query(server, "SELECT 1", ClientRequestToken=token) == first
    status, error = call(
        server, "Athena.StartQueryExecution", QueryString="SELECT 2", ClientRequestToken=token
    )
    assert (status, error["__type"]) == (400, "InvalidRequestException")


def test_one_query_too_many_is_refused_until_a_slot_is_free() -> None:
    """The account's active queries are limited; a stopped one makes room."""
    server = make_server(active_dml=2, latency_scale=1000.0)
    first = run_query(server, "SELECT 1")
    run_query(server, "SELECT 2")
    status, error = call(server, "Athena.StartQueryExecution", QueryString="SELECT 3")

    assert (status, error["__type"]) == (400, "TooManyRequestsException")
    assert error["Reason"] == "CONCURRENT_QUERY_LIMIT_EXCEEDED"
    call(server, "Athena.StopQueryExecution", QueryExecutionId=first)
    run_query(server, "SELECT 3")


def test_throttled_calls_are_told_so_and_counted() -> None:
    """Beyond the burst the answer is ThrottlingException, and the log knows how many."""
    server = make_server(quota_scale=1.0)
    began_s = time.monotonic()
    answers = [call(server, "Athena.ListQueryExecutions") for _ in range(30)]
    took_s = time.monotonic() - began_s
    refused = [error for status, error in answers if status == 400]
    entry = server.log.document()["operations"]["athena:ListQueryExecutions"]  # type: ignore[index]

    assert {error["__type"] for error in refused} == {"ThrottlingException"}
    assert 10 <= 30 - len(refused) <= 11 + 5 * took_s
    assert (entry["calls"], entry["throttled"]) == (30, len(refused))


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A stand-in in a process of its own, at the real rates but answering at once."""
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.quota_server", "--latency-scale", "0", "--schemas", "3"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        yield str(json.loads(process.stdout.readline())["url"])
    finally:
        process.terminate()
        process.wait(timeout=200)
        process.stdout.close()


def test_the_sdk_understands_each_service_over_http(url: str) -> None:
    """boto3 reads a listing, an identity, a query's object by range, and a throttle as errors."""
    options = {
        "region_name": "ap-southeast-2",
        "endpoint_url": url,
        "aws_access_key_id": "AKIDEXAMPLE",
        "aws_secret_access_key": "invented",
    }
    athena = boto3.client("athena", **options)
    glue = boto3.client("glue", **options)
    s3 = boto3.client("s3", **options)
    sts = boto3.client("sts", **options)
    try:
        assert sts.get_caller_identity()["Account"] == "123456789012"
        role = sts.assume_role(RoleArn="arn:aws:iam::1:role/reader", RoleSessionName="reader")
        assert role["Credentials"]["Expiration"].tzinfo is not None
        databases = glue.get_databases()["DatabaseList"]
        assert [item["Name"] for item in databases] == ["schema_0000", "schema_0001", "schema_0002"]

        query_id = athena.start_query_execution(
            QueryString="SELECT schema_name FROM information_schema.schemata",
            ResultConfiguration={"OutputLocation": "s3://bucket/pre fix"},
        )["QueryExecutionId"]
        got = s3.get_object(Bucket="bucket", Key=f"pre fix/{query_id}.csv", Range="bytes=14-26")
        assert got["Body"].read() == b'"schema_0000"'
        with pytest.raises(s3.exceptions.NoSuchKey):
            s3.get_object(Bucket="bucket", Key="nothing.csv")

        with pytest.raises(athena.exceptions.InvalidRequestException):
            athena.list_query_executions(WorkGroup="nobody")
    finally:
        for client in (athena, glue, s3, sts):
            client.close()


def test_the_list_quota_is_delivered_over_http(url: str) -> None:
    """In any window of t seconds no more calls pass than burst + rate x t, within one."""
    client = boto3.client(
        "athena",
        region_name="ap-southeast-2",
        endpoint_url=url,
        aws_access_key_id="AKIDEXAMPLE",
        aws_secret_access_key="invented",
        config=Config(retries={"total_max_attempts": 1}),
    )
    granted = 0
    try:
        began_s = time.monotonic()
        while granted < 15:
            with suppress(ClientError):
                client.list_query_executions(MaxResults=1)
                granted += 1

        window_s = time.monotonic() - began_s
    finally:
        client.close()

    assert granted <= 10 + 5 * window_s + 1
