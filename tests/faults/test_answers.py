"""Answers that are broken, refused or late: F26, F29, F30, F33, F35."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from kada_athena_async.aws.client import AwsClient
from kada_athena_async.aws.decode import DECODED
from kada_athena_async.aws.pacing import Pacer
from kada_athena_async.aws.session import AwsSession, Identity
from kada_athena_async.concurrency import SystemClock
from kada_athena_async.errors import CredentialsError, RetriesExhaustedError
from kada_athena_async.retry import RetryPolicy
from kada_athena_async.sandbox import Sandbox
from tests.faults.world import START, World

HOUR = timedelta(hours=1)

OPERATIONS = (
    "athena:BatchGetQueryExecution",
    "athena:GetDataCatalog",
    "athena:GetQueryResults",
    "athena:ListDataCatalogs",
    "athena:ListDatabases",
    "athena:ListQueryExecutions",
    "athena:ListTableMetadata",
    "athena:ListWorkGroups",
    "athena:StartQueryExecution",
    "glue:GetDatabases",
    "glue:GetTables",
)
"""Operations that a run of a small estate calls, beside S3."""

BROKEN = ("truncate", "empty_body", "reset_before", "reset_after", "server_error", "throttle")


def statements(sandbox: Sandbox) -> Counter[str]:
    """Our own statements as the sandbox ran them: text -> how often."""
    return Counter(
        execution.query
        for execution in sandbox.estate.executions.values()
        if "kada_athena_async" in execution.query
    )


@pytest.mark.parametrize("kind", BROKEN)
async def test_f26_a_broken_answer_is_asked_for_again(world: World, kind: Any) -> None:
    """The first answer of every operation is broken, then all is told, once."""
    struck = [world.sandbox.faults.add(kind, operation, calls=(1, 3)) for operation in OPERATIONS]
    report = await world.run(START, metadata_source="auto")
    assert report.committed, report.failed
    assert all(world.sandbox.faults.struck(number) for number in struck)
    found_by = {
        row["found_by"] for row in world.rows("metadata_tables") if row["schema"] == "sales"
    }
    assert found_by == {"both"}
    await world.run(START + HOUR, metadata_source="auto")
    world.check()


@pytest.mark.parametrize("kind", ["truncate", "reset_after", "server_error"])
async def test_f26_a_result_object_that_breaks_off_is_read_whole(world: World, kind: Any) -> None:
    """A result that comes from S3 in pieces has every row once."""
    world.sandbox.faults.add(kind, "s3:GetObject", calls=(1, 3))
    report = await world.run(START, metadata_source="sql", results="s3")
    assert report.committed, report.failed
    await world.run(START + HOUR, metadata_source="sql")
    rows = {
        (m["run_id"]): next(f["rows"] for f in m["files"] if f["kind"] == "metadata_columns")
        for m in world.manifests()
    }
    assert len(set(rows.values())) == 1


async def test_f26_an_empty_result_object_is_no_empty_schema(world: World) -> None:
    """A result object without even a header is refused: its schemas fail, nothing is in sight."""
    world.sandbox.faults.add("empty_body", "s3:GetObject")
    report = await world.run(START, metadata_source="sql", results="s3")
    assert not report.committed
    assert "not even a header row" in report.failed[0].reason
    assert world.in_sight() == []


async def test_f26_an_empty_result_object_is_made_good_by_the_pages(world: World) -> None:
    """In ``auto`` the pages of the API go on where the object has nothing to say."""
    world.sandbox.faults.add("empty_body", "s3:GetObject")
    world.sandbox.faults.add("short_page", "athena:GetQueryResults", size=4)
    report = await world.run(START, metadata_source="auto")
    assert report.committed, report.failed
    assert world.sandbox.calls["s3:GetObject"]
    assert {row["found_by"] for row in world.rows("metadata_tables")} == {"both"}
    world.check_metadata()


def open_sockets() -> int:
    """Sockets of this process that are connected somewhere."""
    count = 0
    for path in Path("/proc/self/fd").iterdir():
        try:
            count += str(path.readlink()).startswith("socket:")
        except OSError:
            continue

    return count


def client_of(sandbox: Sandbox, events: list[Any], **settings: Any) -> AwsClient:
    identity = Identity(
        region=sandbox.region, key=sandbox.access_key_id, secret=sandbox.secret_access_key
    )
    clock = SystemClock()
    return AwsClient(
        AwsSession(identity, endpoint_url=sandbox.endpoint_url),
        pacer=Pacer(quota_share=1.0, clock=clock),
        clock=clock,
        rng=Random(7),
        notify=events.append,
        **settings,
    )


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts sockets by /proc")
async def test_f29_a_silent_socket_is_given_up_and_tried_again(sandbox: Sandbox) -> None:
    """No byte within the attempt's time: tried again on another connection, none is left open."""
    sandbox.faults.add("hang", "athena:ListWorkGroups", times=2)
    events: list[Any] = []
    before = open_sockets()
    async with client_of(sandbox, events, attempt_timeout_s=0.3) as client:
        answer = await client.call("athena", "ListWorkGroups")
        assert answer[DECODED].work_groups
        # On a busy machine a right answer may come too late, too.
        assert client.log.calls["athena:ListWorkGroups"] == len(events) + 1 >= 3

    sandbox.stop()
    assert open_sockets() <= before


async def test_f29_a_socket_that_stays_silent_fails_by_name(sandbox: Sandbox) -> None:
    """Silence at every attempt ends at the call's deadline, and the error names the operation."""
    sandbox.faults.add("hang", "athena:ListWorkGroups")
    policy = RetryPolicy(deadline_s=0.5, wait_initial_s=0.01)
    async with client_of(sandbox, [], attempt_timeout_s=0.2, policy=policy) as client:
        with pytest.raises(RetriesExhaustedError) as caught:
            await client.call("athena", "ListWorkGroups")

    assert caught.value.operation == "athena:ListWorkGroups"
    assert 1 <= caught.value.attempts <= 6


async def test_f30_a_session_that_expires_in_the_middle_is_renewed_once(live_world: World) -> None:
    """However many calls find the session expired, one renewal serves them all."""

    def expire(event: Any) -> None:
        if type(event).__name__ == "PlanReady":
            live_world.sandbox.expire_sessions()

    report = await live_world.run(role=live_world.sandbox.role_arn, observers=[expire])
    assert report.committed, report.failed
    assert live_world.sandbox.calls["sts:AssumeRole"] == 2
    live_world.check()


async def test_f30_a_session_that_cannot_be_renewed_stops_the_run(live_world: World) -> None:
    """Exit code 3, no secret in the message, nothing in sight; with a new session it goes on."""

    def expire(event: Any) -> None:
        if type(event).__name__ == "PlanReady":
            live_world.sandbox.faults.add("access_denied", "sts:AssumeRole")
            live_world.sandbox.expire_sessions()

    with pytest.raises(CredentialsError) as caught:
        await live_world.run(role=live_world.sandbox.role_arn, observers=[expire])

    said = f"{caught.value} {caught.value!r}"
    assert caught.value.exit_code == 3
    assert live_world.sandbox.secret_access_key not in said
    assert live_world.sandbox.access_key_id not in said
    assert (live_world.in_sight(), live_world.mark()) == ([], None)

    live_world.sandbox.faults.clear()
    await live_world.run(live_world.wall.time + HOUR, role=live_world.sandbox.role_arn)
    live_world.check()


async def test_f30_keys_that_are_taken_away_stop_the_run(world: World) -> None:
    """Static keys cannot be renewed: the run stops at once instead of asking again and again."""
    fault = world.sandbox.faults.add("expired", "athena:ListQueryExecutions")
    with pytest.raises(CredentialsError) as caught:
        await world.run(START)

    assert world.sandbox.secret_access_key not in str(caught.value)
    assert world.sandbox.faults.struck(fault) <= len(world.sandbox.estate.workgroups)
    assert world.in_sight() == []


@pytest.mark.parametrize("kind", ["reset_after", "truncate", "empty_body"])
async def test_f33_a_start_whose_answer_is_lost_runs_once(world: World, kind: Any) -> None:
    """StartQueryExecution is asked again with the same token: the server ran each text once."""
    fault = world.sandbox.faults.add(
        kind, "athena:StartQueryExecution", calls=tuple(range(1, 99, 2))
    )
    report = await world.run(START, metadata_source="auto")
    assert report.committed, report.failed
    assert world.sandbox.faults.struck(fault) >= 3
    ran = statements(world.sandbox)
    assert ran
    assert set(ran.values()) == {1}
    await world.run(START + HOUR)
    world.check()


async def test_f35_a_page_of_results_that_fails_for_good_leaves_no_half_table(
    world: World,
) -> None:
    """The second page of a result is refused: nothing of it is in sight, the schema is named."""
    world.sandbox.faults.add("short_page", "athena:GetQueryResults", size=4)
    world.sandbox.faults.add("expired_page_token", "athena:GetQueryResults")
    report = await world.run(START, metadata_source="sql", results="api")
    assert not report.committed
    assert all(outcome.unit_id.startswith("metadata/") for outcome in report.failed)
    assert world.in_sight() == []
    assert world.mark() is None

    world.sandbox.faults.clear()
    await world.run(START + HOUR, metadata_source="auto")
    world.check()


async def test_f35_where_sql_breaks_off_the_api_stands_in(world: World) -> None:
    """In ``auto`` the same failure costs no column: the API tells them all, and it is said."""
    world.sandbox.faults.add("short_page", "athena:GetQueryResults", size=4)
    world.sandbox.faults.add("expired_page_token", "athena:GetQueryResults")
    report = await world.run(START, metadata_source="auto", results="api")
    assert report.committed, report.failed
    assert any("the API replaces it" in warning for warning in report.warnings)
    world.check_metadata()
    found = {row["schema"]: row["found_by"] for row in world.rows("metadata_tables")}
    assert found["sales"] == "api"
