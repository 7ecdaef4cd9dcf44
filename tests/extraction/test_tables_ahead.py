"""A run asks for tables before it needs them, and asks once."""

from __future__ import annotations

import asyncio
import gc
import json
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from random import Random

import anyio
import anyio.lowlevel
import pytest

from kada_athena_async import Extractor
from kada_athena_async.aws.client import AwsClient
from kada_athena_async.aws.decode import DECODED
from kada_athena_async.aws.pacing import Pacer
from kada_athena_async.aws.session import AwsSession, Identity
from kada_athena_async.concurrency import SystemClock
from kada_athena_async.sandbox import Sandbox
from kada_athena_async.sandbox.wire import Reply, Request
from tests.kit.raw_aws import JSON_TYPE, Forward, RawAws
from tests.kit.small_estate import tiny_estate

NOW = datetime(2026, 11, 1, 12, tzinfo=timezone.utc)
PATIENCE_S = 20.0


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """One for all tests, none of which changes anything there."""
    with Sandbox(tiny_estate(NOW), now=lambda: NOW) as running:
        yield running


@pytest.fixture
def aws(sandbox: Sandbox) -> Iterator[RawAws]:
    with RawAws(sandbox) as running:
        yield running


def through(aws: RawAws, place: Path) -> Extractor:
    fields = aws.config(place / "out", metadata_source="api", bucket="")
    return Extractor(hwm_path=place / "hwm.txt", **fields)


def asked_tables(aws: RawAws) -> Counter[str]:
    """Schema -> times that Glue was asked for its tables."""
    return Counter(
        request["DatabaseName"] for name, request in aws.requests if name == "glue:GetTables"
    )


async def test_tables_are_asked_for_while_schemas_are_listed(aws: RawAws, tmp_path: Path) -> None:
    """Glue's second page of schemas comes when the first tables were asked for, each once."""
    are_asked = threading.Event()
    were_asked: list[bool] = []

    def tables(_: Request, forward: Forward) -> Reply:
        are_asked.set()
        return forward()

    def more_to_come(_: Request, forward: Forward) -> Reply:
        reply = forward()
        page = {**json.loads(reply.body), "NextToken": "more"}
        return replace(reply, body=json.dumps(page).encode())

    def last_page(_: Request, __: Forward) -> Reply:
        were_asked.append(are_asked.wait(PATIENCE_S))
        return Reply(
            status=200,
            headers=(JSON_TYPE,),
            body=b'{"DatabaseList": []}',
        )

    aws.respond("glue:GetTables", tables)
    aws.respond("glue:GetDatabases", more_to_come, calls=(1,))
    aws.respond("glue:GetDatabases", last_page, calls=(2,))
    report = await through(aws, tmp_path).run(start_hwm="2026-10-31 00:00:00", end_hwm=NOW)

    assert report.committed
    assert were_asked == [True]
    assert set(asked_tables(aws).values()) == {1}


async def test_a_run_without_a_window_asks_for_no_tables(aws: RawAws, tmp_path: Path) -> None:
    """Nothing is listed ahead for a run that has nothing to do."""
    report = await through(aws, tmp_path).run(start_hwm=NOW, end_hwm=NOW)

    assert not report.committed
    assert not asked_tables(aws)


async def test_a_unit_asks_for_two_schemas_at_a_time(aws: RawAws, tmp_path: Path) -> None:
    """The answer about the first schema of the last unit comes after the call for its second."""
    is_asked = threading.Event()
    were_asked: list[bool] = []
    names = [f"s{number:03}" for number in range(120)]

    def nothing(request: Request, _: Forward) -> Reply:
        schema = json.loads(request.body)["DatabaseName"]
        if schema == names[-1]:
            is_asked.set()
        elif schema == names[-2]:
            were_asked.append(is_asked.wait(PATIENCE_S))

        return Reply(status=200, headers=(JSON_TYPE,), body=b'{"TableList": []}')

    aws.answer("glue:GetDatabases", {"DatabaseList": [{"Name": name} for name in names]})
    aws.respond("glue:GetTables", nothing)
    report = await through(aws, tmp_path).run(start_hwm="2026-10-31 00:00:00", end_hwm=NOW)

    assert report.committed
    assert were_asked == [True]
    assert asked_tables(aws) == Counter(names)


def client_of(aws: RawAws) -> AwsClient:
    sandbox, clock = aws.sandbox, SystemClock()
    identity = Identity(
        region=sandbox.region, key=sandbox.access_key_id, secret=sandbox.secret_access_key
    )
    return AwsClient(
        AwsSession(identity, endpoint_url=aws.endpoint_url),
        pacer=Pacer(quota_share=1.0, clock=clock),
        clock=clock,
        rng=Random(7),
        notify=lambda event: None,
    )


def held_calls() -> list[asyncio.Task[object]]:
    """Calls that were begun ahead and of which something is still held."""
    return [
        found
        for found in gc.get_objects()
        if isinstance(found, asyncio.Task)
        and getattr(found.get_coro(), "__qualname__", "") == "AwsClient._call"
    ]


async def test_an_answer_that_was_taken_is_let_go(aws: RawAws) -> None:
    """A run of many schemas holds the pages that wait, not all that it has asked for ahead."""
    async with client_of(aws) as client:
        for _ in range(2):
            client.call_ahead("athena", "ListWorkGroups", "", MaxResults=50)

        assert len(held_calls()) == 1
        answer = await client.call("athena", "ListWorkGroups", MaxResults=50)
        assert answer[DECODED].work_groups
        del answer
        await anyio.lowlevel.checkpoint()  # the loop holds what has just woken us
        assert held_calls() == []

    assert sum(aws.calls.values()) == 1


async def test_a_call_that_nobody_takes_ends_with_the_client(aws: RawAws) -> None:
    """Leaving waits for no answer; what went wrong with it is nobody's matter."""
    has_begun, is_over = threading.Event(), threading.Event()

    def wait(_: Request, forward: Forward) -> Reply:
        has_begun.set()
        is_over.wait(PATIENCE_S)
        return forward()

    aws.respond("athena:ListWorkGroups", wait)
    async with client_of(aws) as client:
        client.call_ahead("athena", "ListWorkGroups", "", MaxResults=50)
        await anyio.to_thread.run_sync(has_begun.wait)

    assert [call.cancelled() for call in held_calls()] == [True]
    is_over.set()
