"""Calls to a stand-in in this process, without a socket and without waiting."""

from __future__ import annotations

import json
from typing import Any

from benchmarks.quota_server.server import QuotaServer
from benchmarks.quota_server.settings import Settings
from kada_athena_async.sandbox.wire import Request

UNLIMITED = 1e9
"""A quota_scale at which nothing is throttled."""


def make_server(**settings: Any) -> QuotaServer:
    """A stand-in that answers at once and throttles nothing, unless told otherwise."""
    return QuotaServer(Settings(**{"latency_scale": 0.0, "quota_scale": UNLIMITED, **settings}))


def send(server: QuotaServer, request: Request) -> tuple[int, bytes, dict[str, str]]:
    """Status, body and headers of the answer."""
    _, make = server.receive(request)
    reply = make()
    return reply.status, reply.body or b"".join(reply.chunks), dict(reply.headers)


def call(server: QuotaServer, operation: str, **members: Any) -> tuple[int, dict[str, Any]]:
    """Status and document that ``Athena.X`` or ``Glue.X`` answers."""
    service, _, name = operation.partition(".")
    target = {"Athena": "AmazonAthena", "Glue": "AWSGlue"}[service]
    status, body, _ = send(
        server,
        Request(
            method="POST",
            path="/",
            query="",
            headers={"x-amz-target": f"{target}.{name}"},
            body=json.dumps(members).encode(),
        ),
    )
    return status, json.loads(body)


def pages(server: QuotaServer, operation: str, **members: Any) -> list[dict[str, Any]]:
    """All pages of a listing."""
    found = []
    token = None
    while True:
        extra: dict[str, Any] = {} if token is None else {"NextToken": token}
        status, document = call(server, operation, **members, **extra)
        assert status == 200, document
        found.append(document)
        token = document.get("NextToken")
        if token is None:
            return found


def get_object(
    server: QuotaServer, location: str, byte_range: str = ""
) -> tuple[int, bytes, dict[str, str]]:
    """Status, body and headers of an S3 GET of ``s3://bucket/key``."""
    request = Request(
        method="GET",
        path="/" + location.removeprefix("s3://"),
        query="",
        headers={"range": byte_range},
        body=b"",
    )
    return send(server, request)


def run_query(server: QuotaServer, sql: str, **members: Any) -> str:
    """The id of a new query."""
    status, document = call(server, "Athena.StartQueryExecution", QueryString=sql, **members)
    assert status == 200, document
    return str(document["QueryExecutionId"])


def rows_of(server: QuotaServer, query_id: str) -> list[list[str | None]]:
    """All rows of GetQueryResults, the header first where there is one; None for a null."""
    return [
        [datum.get("VarCharValue") for datum in row["Data"]]
        for page in pages(server, "Athena.GetQueryResults", QueryExecutionId=query_id)
        for row in page["ResultSet"]["Rows"]
    ]
