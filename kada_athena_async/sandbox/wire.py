"""A request and a reply of the HTTP server, and how AWS spells errors in each protocol."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import cast
from uuid import uuid4
from xml.sax.saxutils import escape

import msgspec

Json = dict[str, object]

# How each service spells its replies: JSON (asked by a target header or, of Lake Formation, by a
# path), S3's XML, or the older "query" XML (botocore's service models, metadata.protocol).
JSON_SERVICES = frozenset(
    {"athena", "cloudtrail", "glue", "lakeformation", "secretsmanager", "ssm"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """An HTTP request as it came.

    Attributes:
        path: Still percent-encoded.
        query: Without the question mark.
        headers: By lower-case name.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An HTTP reply.

    Attributes:
        chunks: A body that is made while it is sent, in place of *body*; a header says its length.
    """

    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    chunks: Iterable[bytes] = ()


class AwsError(Exception):
    """An error as AWS answers it.

    Args:
        code: Such as ``InvalidRequestException``.
        message: For the caller to read.
        status: The HTTP status.
        extra: Further members of a JSON error, such as ``AthenaErrorCode``.
    """

    def __init__(
        self, code: str, message: str, *, status: int = 400, extra: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.extra = dict(extra or {})


def invalid_request(message: str) -> AwsError:
    """Athena's answer to bad input and to things that do not exist."""
    return AwsError("InvalidRequestException", message, extra={"AthenaErrorCode": "INVALID_INPUT"})


def json_reply(payload: object, *, status: int = 200) -> Reply:
    """A reply of the JSON 1.1 protocol; *payload* as it is if it is JSON already, as bytes."""
    return Reply(
        status=status,
        headers=(
            ("Content-Type", "application/x-amz-json-1.1"),
            ("x-amzn-RequestId", str(uuid4())),
        ),
        body=payload if isinstance(payload, bytes) else msgspec.json.encode(payload),
    )


def xml_reply(text: str, *, status: int = 200) -> Reply:
    """A reply of the XML protocols."""
    return Reply(
        status=status,
        headers=(("Content-Type", "text/xml"), ("x-amz-request-id", str(uuid4()))),
        body=f'<?xml version="1.0" encoding="UTF-8"?>\n{text}'.encode(),
    )


def error_reply(service: str, error: AwsError) -> Reply:
    """*error* in the protocol of *service*, as botocore expects to parse it."""
    if service in JSON_SERVICES:
        payload = {"__type": error.code, "Message": error.message, **error.extra}
        return json_reply(payload, status=error.status)

    inner = f"<Code>{escape(error.code)}</Code><Message>{escape(error.message)}</Message>"
    request_id = f"<RequestId>{uuid4()}</RequestId>"
    if service == "s3":
        return xml_reply(f"<Error>{inner}{request_id}</Error>", status=error.status)

    return xml_reply(
        f"<ErrorResponse><Error><Type>Sender</Type>{inner}</Error>{request_id}</ErrorResponse>",
        status=error.status,
    )


def text(parameters: Mapping[str, object], name: str) -> str | None:
    """The string member *name* of a JSON request; None where it is absent or null."""
    value = parameters.get(name)
    if value is None:
        return None

    if not isinstance(value, str):
        raise AwsError("SerializationException", f"{name}: expected a string")

    return value


def required(parameters: Mapping[str, object], name: str) -> str:
    """The string member *name*; refused as Athena does where it is absent or empty."""
    value = text(parameters, name)
    if not value:
        lower = name[0].lower() + name[1:]
        raise invalid_request(
            f"1 validation error detected: Value at '{lower}' failed to satisfy constraint: "
            "Member must not be null"
        )

    return value


def structure(parameters: Mapping[str, object], name: str) -> Json:
    """The structure member *name* of a JSON request; empty where it is absent."""
    value = parameters.get(name)
    if value is None:
        return {}

    if not isinstance(value, dict):
        raise AwsError("SerializationException", f"{name}: expected a structure")

    return cast("Json", value)


def texts(parameters: Mapping[str, object], name: str) -> list[str]:
    """The list-of-strings member *name* of a JSON request; empty where it is absent."""
    value = parameters.get(name)
    if value is None:
        return []

    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise AwsError("SerializationException", f"{name}: expected a list of strings")

    return cast("list[str]", value)
