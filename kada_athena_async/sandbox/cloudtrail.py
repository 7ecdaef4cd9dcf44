"""CloudTrail's LookupEvents: one event for each execution, some late, a few never.

People, roles and tools are invented from an execution's id and workgroup, so that every estate has
them without storing any. An execution that was started here is its real caller's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from hashlib import sha256
from typing import NamedTuple

import msgspec

from kada_athena_async.sandbox.athena.shapes import epoch
from kada_athena_async.sandbox.athena.site import Site
from kada_athena_async.sandbox.caller import Call
from kada_athena_async.sandbox.estate.model import Execution
from kada_athena_async.sandbox.pages import PageRule, page
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


class Person(NamedTuple):
    """Somebody who runs queries.

    Attributes:
        identity: CloudTrail's ``userIdentity`` with ``{account}`` in place of the account's id.
        user_agent: The tool's.
    """

    identity: Json
    user_agent: str


def _role(role: str, session: str, **context: object) -> Json:
    arn = f"arn:aws:sts::{{account}}:assumed-role/{role}/{session}"
    issuer = {
        "type": "Role",
        "arn": f"arn:aws:iam::{{account}}:role/{role}",
        "accountId": "{account}",
        "userName": role,
    }
    return {
        "type": "AssumedRole",
        "principalId": f"AROAEXAMPLE:{session}",
        "arn": arn,
        "accountId": "{account}",
        "sessionContext": {"sessionIssuer": issuer, **context},
    }


_SSO = "AWSReservedSSO_Analyst_0123456789abcdef"
_BOTO = "Boto3/1.40.61 md/Botocore#1.40.61 ua/2.0 os/linux lang/python#3.12"
_BROWSER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"

ANALYSTS: Sequence[Person] = (
    Person(_role(_SSO, "ann.smith@scfreight.example"), _BROWSER),
    Person(_role(_SSO, "bela.kovacs@scfreight.example"), _BROWSER),
    Person(_role("DataAnalyst", "carol@scfreight.example"), f"{_BOTO} PyAthena/3.1"),
    Person(_role("DataAnalyst", "i-0a1b2c3d", sourceIdentity="dmitri"), f"{_BOTO} awswrangler/3.9"),
    Person(
        {"type": "IAMUser", "arn": "arn:aws:iam::{account}:user/eve", "userName": "eve"},
        "aws-cli/2.17 md/awscrt#0.20 ua/2.0",
    ),
    Person(
        {**_role("Trusted", "session"), "onBehalfOf": {"userId": "9067-frank"}},
        "aws-sdk-java/2.25 AthenaJdbc/3.2",
    ),
)
LOADERS: Sequence[Person] = (
    Person(_role("EtlNightly", "airflow-worker"), f"{_BOTO} Airflow/3.0"),
    Person(_role("DbtRunner", "botocore-session-1764"), f"{_BOTO} dbt-athena/1.9"),
    Person(_role("LoaderLambda", "loader"), f"{_BOTO} exec-env/AWS_Lambda_python3.12"),
)
DASHBOARDS: Sequence[Person] = (
    Person(
        {"type": "AWSService", "invokedBy": "quicksight.amazonaws.com"},
        "quicksight.amazonaws.com",
    ),
    Person(_role("Tableau", "tableau-server"), "Tableau 2026.1 SimbaAthenaJDBCDriver/2.1"),
    Person(_role("Grafana", "grafana-athena"), "aws-sdk-go/1.55 Grafana/11.1"),
)
OTHERS: Sequence[Person] = (
    Person({"type": "Root", "arn": "arn:aws:iam::{account}:root"}, _BROWSER),
    Person(
        {
            "type": "WebIdentityUser",
            "userName": "ci-pipeline",
            "principalId": "token.actions.githubusercontent.com:repo",
        },
        f"{_BOTO}",
    ),
)

PEOPLE: Mapping[str, Sequence[Person]] = {
    "bi_dashboards": DASHBOARDS,
    "legacy_reports": DASHBOARDS,
    "etl_nightly": LOADERS,
    "integration.test_v2": OTHERS,
}
"""Workgroup -> who runs queries in it; analysts in all others."""


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
                if _number(query_id, "refused") % REFUSED_OF == 0:
                    found.append((at, query_id, execution, "InvalidRequestException"))

    found.sort(key=lambda event: (event[0], event[1], event[3] or ""), reverse=True)
    shown, token = page(
        found, call.parameters, scope="events", rule=EVENTS_PAGE, at_most=call.most_items
    )
    events = [
        _event(execution, call, is_old=now - at > OLD_EVENT_AGE, error=error)
        for at, _, execution, error in shown
    ]
    return {"Events": events, **({"NextToken": token} if token else {})}


def person_of(execution: Execution) -> Person:
    """Who started *execution*."""
    if execution.caller_arn is not None:
        arn = execution.caller_arn
        is_role = ":assumed-role/" in arn
        role, _, session = arn.rpartition(":")[2].removeprefix("assumed-role/").partition("/")
        identity: Json = (
            _role(role, session)
            if is_role
            else {"type": "IAMUser", "arn": arn, "userName": arn.rpartition("/")[2]}
        )
        return Person(identity, execution.user_agent or "")

    people = PEOPLE.get(execution.workgroup, ANALYSTS)
    return people[_number(execution.query_execution_id, "person") % len(people)]


def event_at(execution: Execution) -> datetime | None:
    """When CloudTrail shows the event of *execution*; None where it never does."""
    if _number(execution.query_execution_id, "lost") % LOST_OF == 0:
        return None

    lag_s = LAG_MIN_S + _number(execution.query_execution_id, "lag") % (LAG_MAX_S - LAG_MIN_S)
    if _number(execution.query_execution_id, "late") % LATE_OF == 0:
        lag_s = VERY_LATE_S

    return execution.submitted_at + timedelta(seconds=lag_s)


def _event(execution: Execution, call: Call, *, is_old: bool, error: str | None) -> Json:
    person = person_of(execution)
    at = execution.submitted_at.replace(microsecond=0)
    event_id = sha256(f"{execution.query_execution_id} {error}".encode()).hexdigest()[:32]
    detail: dict[str, object] = {
        "eventVersion": "1.09",
        "userIdentity": _in_account(person.identity, call.account_id),
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


def _in_account(identity: Json, account_id: str) -> Json:
    text = msgspec.json.encode(identity).replace(b"{account}", account_id.encode())
    return msgspec.json.decode(text, type=dict[str, object])


@lru_cache(maxsize=100_000)
def _number(query_execution_id: str, salt: str) -> int:
    """An arbitrary number that is always the same for an execution."""
    digest = sha256(f"{salt} {query_execution_id}".encode()).digest()
    return int.from_bytes(digest[:6], "big")


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


def answer(site: Site, call: Call) -> Json:
    """The answer to *call*.

    Raises:
        AwsError: What AWS would answer instead.
    """
    if call.name != "LookupEvents":
        raise AwsError("UnknownOperationException", f"the sandbox's CloudTrail has no {call.name}")

    return lookup_events(site, call)
