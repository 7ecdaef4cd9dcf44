"""A CloudTrail event becomes the name that a person would use, and the tool that was used."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Any

import pytest

from kada_athena_async.records import PrincipalRecord
from kada_athena_async.sources.principals import (
    client_of,
    principal_of_arn,
    pseudonym,
    read_event,
    without_person,
)

SSO_ARN = (
    "arn:aws:sts::123456789012:assumed-role/AWSReservedSSO_Analyst_0123456789abcdef/"
    "ann.smith@example.com"
)


def read(identity: dict[str, Any], **more: Any) -> PrincipalRecord:
    """The record of an event by *identity*."""
    event = {
        "eventTime": "2026-11-27T22:04:05Z",
        "eventName": "StartQueryExecution",
        "userIdentity": identity,
        "responseElements": {"queryExecutionId": "q-1"},
        **more,
    }
    record = read_event(json.dumps(event), server="s")
    assert record is not None
    return record


def role(session: str, name: str = "Analyst", **context: Any) -> dict[str, Any]:
    """The identity of a session of a role."""
    return {
        "type": "AssumedRole",
        "arn": f"arn:aws:sts::123456789012:assumed-role/{name}/{session}",
        "sessionContext": {"sessionIssuer": {"type": "Role", "userName": name}, **context},
    }


@pytest.mark.parametrize(
    ("identity", "principal"),
    [
        ({"type": "IAMUser", "arn": "arn:aws:iam::1:user/bob", "userName": "bob"}, "bob"),
        (role("botocore-session-1764280000"), "Analyst"),
        (role("ann@example.com"), "ann@example.com"),
        (role("i-0123456789abcdef0"), "Analyst"),
        (role("x", sourceIdentity="carol"), "carol"),
        (role("ann@example.com", sourceIdentity="carol"), "carol"),
        (role("dan", name="AWSReservedSSO_Analyst_0123456789abcdef"), "dan"),
        ({"type": "AssumedRole", "arn": SSO_ARN}, "ann.smith@example.com"),
        ({**role("x"), "onBehalfOf": {"userId": "906-1"}}, "906-1"),
        ({"type": "Root", "arn": "arn:aws:iam::123456789012:root"}, "root"),
        (
            {"type": "AWSService", "invokedBy": "quicksight.amazonaws.com"},
            "quicksight.amazonaws.com",
        ),
        (
            {"type": "WebIdentityUser", "userName": "eve", "principalId": "accounts.google.com:1"},
            "eve",
        ),
        (
            {"type": "FederatedUser", "arn": "arn:aws:sts::1:federated-user/frank"},
            "frank",
        ),
        (
            {
                "type": "FederatedUser",
                "arn": "arn:aws:sts::1:federated-user/frank",
                "sessionContext": {"sessionIssuer": {"type": "IAMUser", "userName": "broker"}},
            },
            "frank",
        ),
        ({"type": "AWSAccount", "principalId": "AIDAX"}, "AIDAX"),
    ],
)
def test_principal_is_the_name_a_person_would_use(identity: dict[str, Any], principal: str) -> None:
    """Identity centre user, source identity, e-mail-like session, role, user name, ARN."""
    assert read(identity).principal == principal


def test_all_columns_of_an_event() -> None:
    """Every column of the contract is filled from the event's fields."""
    agent = "Boto3/1.40 md/Botocore#1.40 awswrangler/3.17"
    assert read({"type": "AssumedRole", "arn": SSO_ARN}, userAgent=agent) == PrincipalRecord(
        server="s",
        query_id="q-1",
        principal_arn=SSO_ARN,
        principal_type="AssumedRole",
        principal="ann.smith@example.com",
        session_name="ann.smith@example.com",
        on_behalf_of=None,
        client="awswrangler",
        source="cloudtrail",
        event_time=datetime(2026, 11, 27, 22, 4, 5, tzinfo=timezone.utc),
    )


@pytest.mark.parametrize(
    "more",
    [
        {"errorCode": "AccessDenied"},
        {"responseElements": None},
        {"responseElements": {}},
        {"errorCode": "InvalidRequestException", "responseElements": None},
    ],
)
def test_a_call_that_started_nothing_has_no_principal(more: dict[str, Any]) -> None:
    """A refused call has no query execution id; its event is passed over."""
    event = {"userIdentity": {"type": "Root"}, "responseElements": {"queryExecutionId": "q"}}
    assert read_event(json.dumps({**event, **more}), server="s") is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '{"userIdentity": "canary-secret"}',
        '{"userIdentity": ["canary-secret"], "responseElements": {"queryExecutionId": "q"}}',
    ],
)
def test_an_event_that_cannot_be_read_says_so_without_its_text(text: str) -> None:
    """The error has no part of the event, which may hold SQL; nor has what it came from."""
    with pytest.raises(ValueError, match=r"^not an event that can be read") as caught:
        read_event(text, server="s")

    assert "canary" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


@pytest.mark.parametrize(
    ("more", "at"),
    [
        ({"userAgent": 5, "sessionCredentialFromConsole": [1]}, None),
        ({"eventTime": 1_764_281_045.5}, datetime(2025, 11, 27, 22, 4, 5, 500_000, timezone.utc)),
        ({"eventTime": "yesterday", "errorCode": None}, None),
    ],
)
def test_a_member_of_another_type_costs_only_itself(
    more: dict[str, Any], at: datetime | None
) -> None:
    """The person is known all the same."""
    event = {"userIdentity": {"arn": SSO_ARN, "sessionContext": ""}, **more}
    record = read_event(
        json.dumps({**event, "responseElements": {"queryExecutionId": "q"}}), server="s"
    )
    assert record is not None
    assert (record.principal, record.event_time) == ("ann.smith@example.com", at)


def test_the_statement_of_an_old_event_is_never_kept() -> None:
    """Events of former years carry the SQL in their request parameters."""
    record = read(
        {"type": "Root"},
        requestParameters={"queryString": "SELECT 'canary-secret'", "query": "canary"},
    )
    assert "canary" not in repr(record)


@pytest.mark.parametrize(
    ("agent", "invoked_by", "client"),
    [
        ("Boto3/1.40.61 md/Botocore#1.40.61 ua/2.0 os/linux", None, "boto3"),
        ("Boto3/1.26 Botocore/1.29 PyAthena/3.1", None, "pyathena"),
        ("Boto3/1.26 Botocore/1.29 dbt-athena-community/1.9", None, "dbt"),
        ("aws-cli/2.15 md/awscrt#0.19 ua/2.0", None, "aws-cli"),
        ("aws-sdk-java/2.20 SimbaAthenaJDBCDriver/2.1", None, "jdbc"),
        ("Amazon Athena ODBC 2.x Driver", None, "odbc"),
        ("Tableau 2026.1 SimbaAthenaJDBCDriver/2.1", None, "tableau"),
        ("Boto3/1.40 exec-env/AWS_Lambda_python3.12", None, "lambda"),
        ("Mozilla/5.0 (X11; Linux x86_64)", None, "console"),
        ("quicksight.amazonaws.com", "quicksight.amazonaws.com", "quicksight"),
        ("aws-internal/3 aws-sdk-java/1.12", "quicksight.amazonaws.com", "quicksight"),
        ("curl/8", None, None),
        ("", None, None),
        (None, None, None),
    ],
)
def test_client_is_the_tool_not_the_library_below_it(
    agent: str | None, invoked_by: str | None, client: str | None
) -> None:
    """A tool is named before the driver, and a driver before the SDK, that it brings along."""
    assert client_of(agent, invoked_by=invoked_by) == client


def test_console_credentials_make_the_console_the_client() -> None:
    """CloudTrail marks sessions of the console; an unknown user agent does not hide that."""
    assert client_of("new-thing/1", is_console=True) == "console"
    assert read({"type": "Root"}, sessionCredentialFromConsole="true").client == "console"


@pytest.mark.parametrize(
    ("arn", "principal_type", "principal"),
    [
        ("arn:aws:iam::123456789012:user/team/bob", "IAMUser", "bob"),
        ("arn:aws:sts::123456789012:assumed-role/Etl/airflow", "AssumedRole", "Etl"),
        (
            "arn:aws:sts::123456789012:assumed-role/Etl/ann@example.com",
            "AssumedRole",
            "ann@example.com",
        ),
        (SSO_ARN, "AssumedRole", "ann.smith@example.com"),
        ("arn:aws-cn:iam::123456789012:root", "Root", "root"),
        ("arn:aws:sts::123456789012:federated-user/frank", "FederatedUser", "frank"),
        ("nonsense", None, "nonsense"),
    ],
)
def test_an_arn_alone_names_the_principal(
    arn: str, principal_type: str | None, principal: str
) -> None:
    """The system table tells the ARN only; names follow the same order."""
    record = principal_of_arn(arn, server="s", query_id="q", submitted_at=None)
    assert (record.principal_type, record.principal) == (principal_type, principal)


def test_pseudonyms_are_stable_keyed_and_hide_every_name() -> None:
    """The same person has the same pseudonym under one key, another under another key."""
    record = read({"type": "AssumedRole", "arn": SSO_ARN}, userAgent="Boto3/1.40")
    hidden = without_person(record, b"key")
    assert "ann" not in repr(hidden)
    assert hidden.principal == hidden.session_name == pseudonym("ann.smith@example.com", b"key")
    assert without_person(record, b"other").principal != hidden.principal
    assert (hidden.client, hidden.query_id, hidden.principal_type) == (
        "boto3",
        "q-1",
        "AssumedRole",
    )
