"""The starts of executions that CloudTrail recorded: LookupEvents, page by page.

LookupEvents is free, reaches 90 days back, gives 50 events a page newest first, and allows two
calls a second for an account and Region (AWS CloudTrail API Reference, LookupEvents).
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import datetime

from kada_athena_async.aws.client import AwsClient
from kada_athena_async.aws.pages import LOOKUP_EVENTS, pages
from kada_athena_async.records import PrincipalRecord
from kada_athena_async.sources.principals import read_event

# The index takes one attribute only; the name of the call is the one that leaves the least.
_STARTS = [{"AttributeKey": "EventName", "AttributeValue": "StartQueryExecution"}]


async def look_up(
    client: AwsClient, *, start: datetime, end: datetime
) -> AsyncGenerator[tuple[list[str], int], None]:
    """Yield pages of events of StartQueryExecution from *start* to *end*, newest first.

    Each event is JSON as CloudTrail recorded it, at most 50 of them a page. It may hold the
    statement: nothing of it may be kept but what ``read_event`` takes. Beside the events: how
    many of the page could not be read. A listing that had to begin again repeats events.

    Raises:
        UnitError: The events may not be read, or the service does not recover.
    """
    listing = pages(
        client,
        LOOKUP_EVENTS,
        scope="the starts of queries",
        LookupAttributes=_STARTS,
        StartTime=start,
        EndTime=end,
    )
    async with aclosing(listing) as found:
        async for page in found:
            yield [event.cloud_trail_event for event in page.items], len(page.unreadable)


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
