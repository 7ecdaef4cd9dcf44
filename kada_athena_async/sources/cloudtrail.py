"""The starts of executions that CloudTrail recorded: LookupEvents, page by page.

LookupEvents is free, reaches 90 days back, gives 50 events a page newest first, and allows two
calls a second for an account and Region (AWS CloudTrail API Reference, LookupEvents).
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import datetime

from kada_athena_async.aws.client import AwsClient
from kada_athena_async.errors import RequestError
from kada_athena_async.records import PrincipalRecord
from kada_athena_async.sources.principals import read_event

PAGE_EVENTS = 50
"""Events of a page (AWS's limit)."""

OPERATION = "cloudtrail:LookupEvents"

# The index takes one attribute only; the name of the call is the one that leaves the least.
_STARTS = [{"AttributeKey": "EventName", "AttributeValue": "StartQueryExecution"}]


async def look_up(
    client: AwsClient, *, start: datetime, end: datetime
) -> AsyncGenerator[list[str], None]:
    """Yield pages of events of StartQueryExecution from *start* to *end*, newest first.

    Each event is JSON as CloudTrail recorded it, at most 50 of them a page. It may hold the
    statement: nothing of it may be kept but what ``read_event`` takes.

    Raises:
        UnitError: The events may not be read, or the service does not recover.
    """
    seen: set[str] = set()
    more: dict[str, str] = {}
    while True:
        answer = await client.call(
            "cloudtrail",
            "LookupEvents",
            scope="CloudTrail's event history",
            LookupAttributes=_STARTS,
            StartTime=start,
            EndTime=end,
            MaxResults=PAGE_EVENTS,
            **more,
        )
        yield [
            text
            for event in answer.get("Events") or []
            if isinstance(text := event.get("CloudTrailEvent"), str)
        ]
        token = answer.get("NextToken")
        if not token:
            return

        if token in seen:
            raise RequestError(
                f"{OPERATION} gives the same page over and over",
                code="RepeatedToken",
                hint="run again later; executions without a principal are asked for again",
            )

        seen.add(token)
        more = {"NextToken": token}


def read_events(texts: list[str], *, server: str) -> tuple[list[PrincipalRecord], int]:
    """Read a page of events; CPU work, to be called in a worker thread.

    Returns:
        The records of the events that started an execution, and how many could not be read.
    """
    records, unreadable = [], 0
    for text in texts:
        try:
            record = read_event(text, server=server)
        except ValueError:
            unreadable += 1
            continue

        if record is not None:
            records.append(record)

    return records, unreadable
