"""CloudTrail tells who started each execution, as late and as incompletely as AWS does."""

from __future__ import annotations

import json
from collections import Counter
from datetime import timedelta
from typing import Any
from uuid import UUID

from kada_athena_async.sandbox import Sandbox
from kada_athena_async.sandbox.cloudtrail import OLD_SECRET, event_at
from tests.sandbox_server.support import NOW, ClientMaker, error_of, make_execution

STARTS = [{"AttributeKey": "EventName", "AttributeValue": "StartQueryExecution"}]


def look_up(connect: ClientMaker, **more: Any) -> list[dict[str, Any]]:
    """The details of all events, page after page."""
    pages = (
        connect("cloudtrail")
        .get_paginator("lookup_events")
        .paginate(LookupAttributes=STARTS, **more)
    )
    return [json.loads(event["CloudTrailEvent"]) for page in pages for event in page["Events"]]


def test_events_name_their_executions_newest_first(sandbox: Sandbox, connect: ClientMaker) -> None:
    """Each execution with an event is named once; refused attempts name none."""
    for number in range(300):
        sandbox.submit(
            make_execution(8000 + number, submitted_at=NOW - timedelta(hours=12, minutes=number))
        )

    events = look_up(connect)
    named = Counter(
        e["responseElements"]["queryExecutionId"] for e in events if e["responseElements"]
    )
    wanted = {
        e.query_execution_id
        for e in sandbox.estate.executions.values()
        if (at := event_at(e)) is not None and at <= NOW
    }
    assert set(named) == wanted
    assert set(named.values()) == {1}
    assert any("errorCode" in event for event in events)
    times = [event["eventTime"] for event in events]
    assert times == sorted(times, reverse=True)


def test_an_event_comes_late_and_only_old_ones_hold_the_statement(
    sandbox: Sandbox, connect: ClientMaker
) -> None:
    """Nothing of the last two minutes is shown; the planted secret is in old events alone."""
    young = make_execution(8500, submitted_at=NOW - timedelta(seconds=30))
    old = make_execution(8501, submitted_at=NOW - timedelta(days=30))
    for execution in (young, old):
        sandbox.submit(execution)

    events = look_up(connect)
    by_id = {e["responseElements"]["queryExecutionId"]: e for e in events if e["responseElements"]}
    assert young.query_execution_id not in by_id
    holding = {query_id for query_id, event in by_id.items() if OLD_SECRET in json.dumps(event)}
    assert old.query_execution_id in holding
    assert str(UUID(int=1)) not in holding


def test_a_page_has_fifty_events_at_most(connect: ClientMaker) -> None:
    """More is refused, as by AWS."""
    error = error_of(connect("cloudtrail").lookup_events, MaxResults=51)
    assert error[0] == "InvalidMaxResultsException"


def test_two_calls_a_second_are_allowed(sandbox: Sandbox, connect: ClientMaker) -> None:
    """The third call in a row is throttled where rate limits are on."""
    sandbox.behaviour.has_rate_limits = True
    client = connect("cloudtrail")
    for _ in range(2):
        client.lookup_events(LookupAttributes=STARTS)

    assert error_of(client.lookup_events)[0] == "ThrottlingException"
