"""CloudTrail's LookupEvents: one event for each execution, some late, a few never."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from hashlib import sha256

import msgspec

from kada_athena_async.sandbox.athena.shapes import epoch
from kada_athena_async.sandbox.athena.site import Site
from kada_athena_async.sandbox.caller import Call
from kada_athena_async.sandbox.estate.model import Execution
from kada_athena_async.sandbox.estate.people import in_account, number_of, person_of
from kada_athena_async.sandbox.pages import PageRule
from kada_athena_async.sandbox.wire import AwsError, Json

# LookupEvents: 50 events a page, 90 days (AWS CloudTrail API Reference).
EVENTS_PAGE = PageRule(1, 50, 50, "InvalidMaxResultsException")
RETENTION = timedelta(days=90)

LAG_MIN_S, LAG_MAX_S = 120, 900
"""CloudTrail usually delivers within 15 minutes (AWS CloudTrail User Guide)."""
VERY_LATE_S = 6 * 3_600
LATE_OF, LOST_OF, REFUSED_OF = 40, 150, 30
"""One execution of so many has an event that is very late, or none; and is preceded by a refused
attempt that started nothing."""

OLD_EVENT_AGE = timedelta(days=20)
OLD_SECRET = "cloudtrail-canary-7f3a"  # noqa: S105  # planted: it must appear nowhere
"""Events older than this age carry the statement, and this secret, in their request parameters."""


def lookup_events(site: Site, call: Call) -> Json:
    """The page of events that *call* asks for, newest first."""
    name = _event_name(call)
    since, until = _time(call, "StartTime"), _time(call, "EndTime")
    now = site.now()
    found: list[tuple[datetime, str, Execution, str | None]] = []
    if name in (None, "StartQueryExecution"):
        with site.guard:
            executions = list(site.estate.executions.values())

        for execution in executions:
            at = execution.submitted_at.replace(microsecond=0)
            if not max(since, now - RETENTION) <= at <= until:
                continue

            visible_at = event_at(execution)
            if visible_at is not None and visible_at + site.behaviour.cloudtrail_lag <= now:
                query_id = execution.query_execution_id
                found.append((at, query_id, execution, None))
                if number_of(query_id, "refused") % REFUSED_OF == 0:
                    found.append((at, query_id, execution, "InvalidRequestException"))

    found.sort(key=lambda event: (event[0], event[1], event[3] or ""), reverse=True)
    shown, token = call.page(found, scope="events", rule=EVENTS_PAGE)
    events = [
        _event(execution, call, is_old=now - at > OLD_EVENT_AGE, error=error)
        for at, _, execution, error in shown
    ]
    return {"Events": events, **({"NextToken": token} if token else {})}


def event_at(execution: Execution) -> datetime | None:
    """Time from which CloudTrail shows the event of *execution*; None if it never does."""
    if number_of(execution.query_execution_id, "lost") % LOST_OF == 0:
        return None

    lag_s = LAG_MIN_S + number_of(execution.query_execution_id, "lag") % (LAG_MAX_S - LAG_MIN_S)
    if number_of(execution.query_execution_id, "late") % LATE_OF == 0:
        lag_s = VERY_LATE_S

    return execution.submitted_at + timedelta(seconds=lag_s)


def _event(execution: Execution, call: Call, *, is_old: bool, error: str | None) -> Json:
    person = person_of(execution)
    at = execution.submitted_at.replace(microsecond=0)
    event_id = sha256(f"{execution.query_execution_id} {error}".encode()).hexdigest()[:32]
    detail: dict[str, object] = {
        "eventVersion": "1.09",
        "userIdentity": in_account(person.identity, call.account_id),
        "eventTime": f"{at.astimezone(timezone.utc):%Y-%m-%dT%H:%M:%SZ}",
        "eventSource": "athena.amazonaws.com",
        "eventName": "StartQueryExecution",
        "awsRegion": call.region,
        "sourceIPAddress": "203.0.113.7",
        "userAgent": person.user_agent,
        "requestParameters": {
            "workGroup": execution.workgroup,
            "queryString": f"SELECT '{OLD_SECRET}' -- {execution.query[:200]}"
            if is_old
            else "HIDDEN_DUE_TO_SECURITY_REASONS",
        },
        "responseElements": None if error else {"queryExecutionId": execution.query_execution_id},
        "eventID": event_id,
        "eventType": "AwsApiCall",
        "recipientAccountId": call.account_id,
    }
    if error:
        detail["errorCode"] = error

    return {
        "EventId": event_id,
        "EventName": "StartQueryExecution",
        "EventSource": "athena.amazonaws.com",
        "EventTime": epoch(at),
        "ReadOnly": "false",
        "CloudTrailEvent": msgspec.json.encode(detail).decode(),
    }


def _event_name(call: Call) -> str | None:
    attributes = call.parameters.get("LookupAttributes") or []
    if not isinstance(attributes, list) or len(attributes) > 1:
        raise AwsError("InvalidLookupAttributesException", "one attribute at most")

    if not attributes:
        return None

    if attributes[0].get("AttributeKey") != "EventName":
        raise AwsError("InvalidLookupAttributesException", "the sandbox knows EventName only")

    return str(attributes[0].get("AttributeValue"))


def _time(call: Call, member: str) -> datetime:
    value = call.parameters.get(member)
    if value is None:
        value = 0 if member == "StartTime" else 4_102_444_800

    if not isinstance(value, (int, float)):
        raise AwsError("InvalidTimeRangeException", f"{member} is no time")

    return datetime.fromtimestamp(value, timezone.utc)


OPERATIONS = {"LookupEvents": lookup_events}
