"""The person or service behind a query execution, read from a CloudTrail event; pure.

An event of ``StartQueryExecution`` names the caller in ``userIdentity`` and the program in
``userAgent``. Only the fields below are decoded: older events carry the statement in
``requestParameters``, which must never be kept, logged or counted on.

Sources: CloudTrail's reference of the userIdentity element and of LookupEvents (AWS), Athena's
guide to its CloudTrail events (AWS), design.md section 9.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Sequence
from datetime import datetime, timezone
from typing import NamedTuple

import msgspec

from kada_athena_async.aws.lenient import parse, read_page
from kada_athena_async.aws.wire import moment
from kada_athena_async.records import PrincipalRecord

SSO_ROLE_PREFIX = "AWSReservedSSO_"
"""Roles that IAM Identity Center makes; the session of one is the name of its user."""

_EPOCH = re.compile(r"[0-9]{9,13}(?:\.[0-9]{1,9})?")
_EMAIL = re.compile(r"[^@\s/]+@[^@\s/]+\.[^@\s/.]+")

CLIENT_MARKS: Sequence[tuple[str, str]] = (
    # Products that bring a driver or an SDK along come before the driver or SDK.
    ("quicksight", "quicksight"),
    ("tableau", "tableau"),
    ("powerbi", "powerbi"),
    ("power bi", "powerbi"),
    ("looker", "looker"),
    ("metabase", "metabase"),
    ("superset", "superset"),
    ("redash", "redash"),
    ("grafana", "grafana"),
    ("dbt", "dbt"),
    ("sagemaker", "sagemaker"),
    ("datazone", "datazone"),
    ("databricks", "databricks"),
    ("airflow", "airflow"),
    ("dagster", "dagster"),
    ("prefect", "prefect"),
    ("terraform", "terraform"),
    ("cloudformation", "cloudformation"),
    ("kada_athena_async", "kada"),
    # Libraries of Python that name themselves in botocore's user agent.
    ("awswrangler", "awswrangler"),
    ("aws-sdk-pandas", "awswrangler"),
    ("pyathena", "pyathena"),
    ("ibis", "ibis"),
    # Drivers.
    ("jdbc", "jdbc"),
    ("odbc", "odbc"),
    # Places where code runs, before the SDK that it uses.
    ("states.amazonaws.com", "stepfunctions"),
    ("exec-env/aws_lambda", "lambda"),
    ("lambda.amazonaws.com", "lambda"),
    ("glue.amazonaws.com", "glue"),
    ("awsglue", "glue"),
    # The console: a browser, or AWS's own name for its pages.
    ("athena.amazonaws.com", "console"),
    ("console.amazonaws.com", "console"),
    ("signin.amazonaws.com", "console"),
    ("aws internal", "console"),
    ("mozilla/", "console"),
    # Command line and SDKs.
    ("aws-cli", "aws-cli"),
    ("powershell", "powershell"),
    ("aiobotocore", "aiobotocore"),
    ("boto3", "boto3"),
    ("botocore", "botocore"),
    ("aws-sdk-java", "aws-sdk-java"),
    ("aws-sdk-go", "aws-sdk-go"),
    ("aws-sdk-js", "aws-sdk-js"),
    ("aws-sdk-nodejs", "aws-sdk-js"),
    ("aws-sdk-dotnet", "aws-sdk-dotnet"),
    ("aws-sdk-ruby", "aws-sdk-ruby"),
    ("aws-sdk-rust", "aws-sdk-rust"),
    ("aws-sdk-php", "aws-sdk-php"),
    ("paws/", "paws"),
)
"""Part of a user agent or of ``invokedBy``, lower case -> client; the first that fits counts. Each
is the name by which the product, library or SDK calls itself in its requests."""


class _CloudTrail(msgspec.Struct, rename="camel", kw_only=True, gc=False):
    """A part of an event; CloudTrail's names are camelCase, new fields are ignored."""


class _SessionIssuer(_CloudTrail):
    type: str | None = None
    user_name: str | None = None


class _SessionContext(_CloudTrail):
    session_issuer: _SessionIssuer | None = None
    source_identity: str | None = None


class _OnBehalfOf(_CloudTrail):
    user_id: str | None = None


class _UserIdentity(_CloudTrail):
    type: str | None = None
    arn: str | None = None
    user_name: str | None = None
    principal_id: str | None = None
    invoked_by: str | None = None
    session_context: _SessionContext | None = None
    on_behalf_of: _OnBehalfOf | None = None


class _Response(_CloudTrail):
    query_execution_id: str | None = None


class _Event(_CloudTrail):
    event_time: str | None = None
    event_name: str | None = None
    error_code: str | None = None
    user_agent: str | None = None
    session_credential_from_console: str | bool | None = None
    user_identity: _UserIdentity | None = None
    response_elements: _Response | None = None


_DECODER = msgspec.json.Decoder(_Event, strict=False)


def read_event(text: str | bytes, *, server: str) -> PrincipalRecord | None:
    """Read a ``CloudTrailEvent`` of ``StartQueryExecution``.

    Args:
        text: The event, JSON.
        server: First column of the record.

    Returns:
        The record; None for a call that started nothing (it has an ``errorCode`` or no query
        execution id).

    Raises:
        ValueError: The event is no JSON, or a field of it has an unexpected type. The message
            holds none of the event's text.
    """
    event = _decoded(text)
    query_id = event.response_elements.query_execution_id if event.response_elements else None
    if event.error_code or not query_id:
        return None

    identity = event.user_identity or _UserIdentity()
    caller = _Caller.of(identity.arn)
    context = identity.session_context or _SessionContext()
    issuer = context.session_issuer or _SessionIssuer()
    # The issuer of a federated user's session is the user whose program asked for it.
    role = caller.role if issuer.type == "IAMUser" else issuer.user_name or caller.role
    on_behalf_of = identity.on_behalf_of.user_id if identity.on_behalf_of else None
    principal = _first(
        on_behalf_of,
        caller.session if _is_sso(role) else None,
        context.source_identity,
        _email(caller.session),
        role,
        identity.user_name,
        caller.user,
        identity.invoked_by if identity.arn is None else None,
        identity.arn,
        identity.principal_id,
    )
    return PrincipalRecord(
        server=server,
        query_id=query_id,
        principal_arn=identity.arn,
        principal_type=identity.type,
        principal=principal,
        session_name=caller.session,
        on_behalf_of=on_behalf_of,
        client=client_of(
            event.user_agent,
            invoked_by=identity.invoked_by,
            is_console=str(event.session_credential_from_console).lower() == "true",
        ),
        source="cloudtrail",
        event_time=_moment(event.event_time),
    )


def _decoded(text: str | bytes) -> _Event:
    """The event; of a member of another type than CloudTrail's what fits is taken.

    Raises:
        ValueError: As ``read_event``.
    """
    try:
        return _DECODER.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass

    try:
        body = text if isinstance(text, bytes) else text.encode("utf-8", "replace")
        event, unread = read_page(_Event, parse(body))
    except ValueError as exc:
        # The chain is cut, for the event may hold SQL.
        raise ValueError(f"not an event that can be read: {type(exc).__name__}") from None

    if unread and event.user_identity is None:
        raise ValueError("not an event that can be read: it does not say who") from None
    return event


def principal_of_arn(
    arn: str, *, server: str, query_id: str, submitted_at: datetime | None
) -> PrincipalRecord:
    """The record of an execution of which only the caller's ARN is known: Athena's system table.

    Args:
        arn: Such as ``arn:aws:sts::123456789012:assumed-role/Analyst/ann@example.com``.
        submitted_at: When the execution was submitted.
    """
    caller = _Caller.of(arn)
    return PrincipalRecord(
        server=server,
        query_id=query_id,
        principal_arn=arn,
        principal_type=caller.type,
        principal=_first(
            caller.session if _is_sso(caller.role) else None,
            _email(caller.session),
            caller.role,
            caller.user,
            arn,
        ),
        session_name=caller.session,
        on_behalf_of=None,
        client=None,
        source="system_table",
        event_time=submitted_at,
    )


def client_of(
    user_agent: str | None, *, invoked_by: str | None = None, is_console: bool = False
) -> str | None:
    """The tool that sent a call, by ``CLIENT_MARKS``; None where nothing is known of it.

    Args:
        invoked_by: The AWS service that called on somebody's behalf.
        is_console: True if the credentials came from a session of the console.
    """
    for text in (invoked_by, user_agent):
        lowered = (text or "").lower()
        for mark, client in CLIENT_MARKS:
            if mark in lowered:
                return client

    return "console" if is_console else None


def pseudonym(value: str, key: bytes) -> str:
    """A stable name for a person that only the holder of *key* can compute: HMAC-SHA256.

    80 bits of it: a million persons share none by chance (the odds are 1 in 10**12).
    """
    return f"user_{hmac.new(key, value.encode(), hashlib.sha256).hexdigest()[:20]}"


def without_person(record: PrincipalRecord, key: bytes) -> PrincipalRecord:
    """The record with pseudonyms for everything that names a person; tools and types stay."""

    def hidden(value: str | None) -> str | None:
        return pseudonym(value, key) if value else value

    return record._replace(
        principal_arn=hidden(record.principal_arn),
        principal=hidden(record.principal),
        session_name=hidden(record.session_name),
        on_behalf_of=hidden(record.on_behalf_of),
    )


class _Caller(NamedTuple):
    """The parts of a caller's ARN; None where it is of another kind."""

    type: str | None = None
    role: str | None = None
    session: str | None = None
    user: str | None = None

    @classmethod
    def of(cls, arn: str | None) -> _Caller:
        resource = (arn or "").split(":", 5)[-1]
        kind, _, rest = resource.partition("/")
        if kind == "assumed-role":
            role, _, session = rest.partition("/")
            return cls("AssumedRole", role=role or None, session=session or None)

        if kind == "user":  # with the path that IAM keeps users in
            return cls("IAMUser", user=rest.rsplit("/", 1)[-1] or None)

        if kind == "federated-user":
            return cls("FederatedUser", user=rest or None)

        return cls("Root", user="root") if kind == "root" else cls()


def _is_sso(role: str | None) -> bool:
    return role is not None and role.startswith(SSO_ROLE_PREFIX)


def _email(session: str | None) -> str | None:
    return session if session and _EMAIL.fullmatch(session) else None


def _first(*names: str | None) -> str | None:
    return next((name for name in names if name), None)


def _moment(text: str | None) -> datetime | None:
    """CloudTrail's times are ISO 8601 in UTC, ``2026-11-28T06:00:00Z``; else epoch seconds."""
    if not text:
        return None

    try:
        return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(timezone.utc)
    except (ValueError, OverflowError):
        return moment(float(text)) if _EPOCH.fullmatch(text) else None
