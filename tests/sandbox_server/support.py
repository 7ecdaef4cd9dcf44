"""A tiny estate, official clients, and what tests do with them again and again."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from kada_athena_async.sandbox import Sandbox
from kada_athena_async.sandbox.estate.model import (
    Catalog,
    Column,
    Estate,
    Execution,
    Schema,
    Table,
    Workgroup,
)

NOW = datetime(2026, 11, 23, 5, 0, tzinfo=timezone.utc)
SESSION = boto3.Session(region_name="ap-southeast-2")
NO_RETRIES = Config(
    retries={"total_max_attempts": 1, "mode": "standard"}, connect_timeout=60, read_timeout=60
)
Client = Any
ClientMaker = Callable[..., Client]


def make_table(name: str, **changes: Any) -> Table:
    """A plain table with a string column and a partition key."""
    columns = (
        Column(name="id", type="string", trino_type="varchar", comment='an "id",\nin two lines'),
        Column(name="dt", type="date", trino_type="date", is_partition_key=True),
    )
    fields: dict[str, Any] = {
        "table_type": "EXTERNAL_TABLE",
        "table_format": "hive",
        "columns": columns,
        "location": f"s3://data/{name}/",
        "serde": "org.example.SerDe",
        "comment": "a table",
        "created_at": NOW - timedelta(days=9),
        "parameters": {"classification": "parquet"},
    }
    return Table(name=name, **{**fields, **changes})


def make_execution(number: int, *, workgroup: str = "primary", **changes: Any) -> Execution:
    """An execution that was submitted *number* minutes ago and took a second and a half."""
    submitted_at = NOW - timedelta(minutes=number)
    fields: dict[str, Any] = {
        "query_execution_id": str(UUID(int=number)),
        "query": f"SELECT {number}",
        "workgroup": workgroup,
        "submitted_at": submitted_at,
        "state": "SUCCEEDED",
        "statement_type": "DML",
        "completed_at": submitted_at + timedelta(milliseconds=1500),
        "total_ms": 1500,
        "scanned_bytes": 10,
    }
    return Execution(**{**fields, **changes})


def make_estate() -> Estate:
    """Two catalogs with 120 tables, five workgroups, 130 executions."""
    view = make_table(
        "v",
        table_type="VIRTUAL_VIEW",
        table_format=None,
        view_sql="SELECT id FROM s.t000",
        view_dialect="athena",
        comment=None,
    )
    iceberg = make_table(
        "iceberg",
        table_format="iceberg",
        parameters={"table_type": "ICEBERG"},
        columns=(
            Column(name="id", type="int", trino_type="integer"),
            Column(name="gone", type="int", trino_type="integer", is_current=False),
        ),
    )
    long_name = make_table("l" * 140)
    tables = {t.name: t for t in [make_table(f"t{n:03d}") for n in range(120)]}
    tables |= {t.name: t for t in (view, iceberg, long_name)}
    catalogs = {
        "AwsDataCatalog": Catalog(
            name="AwsDataCatalog",
            type="GLUE",
            schemas={
                "s": Schema(name="s", description="the schema", tables=tables),
                **{f"empty{n:03d}": Schema(name=f"empty{n:03d}") for n in range(119)},
            },
        ),
        "dynamo": Catalog(
            name="dynamo",
            type="LAMBDA",
            schemas={"default": Schema(name="default", tables={"t": make_table("t")})},
        ),
    }
    workgroups = {
        w.name: w
        for w in (
            Workgroup(name="primary"),
            Workgroup(name="enforced", output_location="s3://own/here", is_enforced=True),
            Workgroup(name="managed", has_managed_results=True),
            Workgroup(name="off", state="DISABLED"),
            Workgroup(name="spark", engine_version="PySpark engine version 3"),
            *(Workgroup(name=f"w{n:02d}") for n in range(60)),
        )
    }
    executions = [make_execution(n) for n in range(1, 131)]
    executions += [make_execution(n, workgroup="off") for n in range(201, 204)]
    return Estate(
        account_id="123456789012",
        region="ap-southeast-2",
        catalogs=catalogs,
        workgroups=workgroups,
        executions={e.query_execution_id: e for e in executions},
    )


def connect_to(sandbox: Sandbox, service: str, **keys: Any) -> Client:
    given = {
        "aws_access_key_id": sandbox.access_key_id,
        "aws_secret_access_key": sandbox.secret_access_key,
        "region_name": sandbox.region,
        "config": NO_RETRIES,
        **keys,
    }
    return SESSION.client(service, endpoint_url=sandbox.endpoint_url, **given)


def session_keys(credentials: Mapping[str, str]) -> dict[str, str]:
    """Credentials of AssumeRole as a client takes them."""
    return {
        "aws_access_key_id": credentials["AccessKeyId"],
        "aws_secret_access_key": credentials["SecretAccessKey"],
        "aws_session_token": credentials["SessionToken"],
    }


def error_of(call: Callable[..., object], **parameters: object) -> tuple[str, str]:
    """The code and message with which *call* is refused."""
    with pytest.raises(ClientError) as refused:
        call(**parameters)

    error = refused.value.response["Error"]
    return error["Code"], error["Message"]


def run_query(
    athena: Client, query: str, *, location: str | None = "s3://own/results", **parameters: Any
) -> dict[str, Any]:
    """Runs *query* to its end; the QueryExecution."""
    if location:
        parameters["ResultConfiguration"] = {"OutputLocation": location}

    query_id = athena.start_query_execution(QueryString=query, **parameters)["QueryExecutionId"]
    return wait_for(athena, query_id)


def wait_for(athena: Client, query_id: str) -> dict[str, Any]:
    deadline_s = time.monotonic() + 30
    while time.monotonic() < deadline_s:
        found = athena.get_query_execution(QueryExecutionId=query_id)["QueryExecution"]
        if found["Status"]["State"] not in ("QUEUED", "RUNNING"):
            return dict(found)

        time.sleep(0.005)

    raise AssertionError(f"{query_id} does not end")


def read_object(s3: Client, location: str) -> bytes:
    bucket, _, key = location.removeprefix("s3://").partition("/")
    return bytes(s3.get_object(Bucket=bucket, Key=key)["Body"].read())


def all_pages(call: Callable[..., Any], member: str, **parameters: Any) -> list[list[Any]]:
    """The items of each page, to the end."""
    pages = []
    while True:
        answer = call(**parameters)
        pages.append(answer[member])
        if "NextToken" not in answer:
            return pages

        parameters["NextToken"] = answer["NextToken"]
