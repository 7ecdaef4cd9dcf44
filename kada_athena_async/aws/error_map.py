"""Errors of the SDK, turned into errors grouped by what to do next; the only place that does."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import aiohttp
from botocore import exceptions as sdk
from botocore.parsers import ResponseParserError

from kada_athena_async.aws.error_codes import (
    FOREIGN_ATTEMPTS,
    KINDS,
    bare_code,
    kind_by_words,
    kind_of,
)
from kada_athena_async.aws.refusals import refusal_of
from kada_athena_async.errors import (
    AccessDeniedError,
    CredentialsError,
    KadaAthenaError,
    NotFoundError,
    RequestError,
    ThrottledError,
    TooManyQueriesError,
    UnavailableError,
)

# Athena refuses a workgroup that is gone as an InvalidRequestException: "WorkGroup is not found."
_WORKGROUP_GONE = re.compile(r"(?i)\bworkgroup\b.* is not found")

# Each service says it a little differently; the action stands behind the same words.
_DENIED_ACTION = re.compile(r"not authorized to perform:? ([a-z0-9]+:[A-Za-z]+)\b")

_DENIED_RESOURCE = re.compile(r" on (?:the )?resource: (arn:aws[^\s,;\"']{1,2000})")

_REGION = re.compile(r"[a-z0-9-]{4,40}")

_CREDENTIALS_ERRORS = (
    sdk.NoCredentialsError,
    sdk.PartialCredentialsError,
    sdk.CredentialRetrievalError,
    sdk.ProfileNotFound,
    sdk.TokenRetrievalError,
    sdk.UnauthorizedSSOTokenError,
    sdk.SSOTokenLoadError,
    sdk.NoAuthTokenError,
    sdk.RefreshWithMFAUnsupportedError,
    sdk.InvalidConfigError,
    sdk.MetadataRetrievalError,
)
_PASSING_ERRORS = (
    sdk.HTTPClientError,
    sdk.ConnectionError,
    ResponseParserError,
    sdk.IncompleteReadError,
    aiohttp.ClientError,
    asyncio.TimeoutError,
    TimeoutError,
    OSError,
)

# Of the SDK's own parsers, which meet a page of HTML where they expect an element of XML.
_PARSING_ERRORS = (LookupError, TypeError, AttributeError)

CREDENTIALS_HINT = (
    "check key and secret, profile, role and the clock of this machine; "
    "`aws sts get-caller-identity` shows who you are"
)

_SIGN_UP = "enable the service and the Region in this AWS account, or choose another Region"
_HINTS = {
    "RequestTimeTooSkewed": "set the clock of this machine: it is more than 5 minutes off",
    "OptInRequired": _SIGN_UP,
    "NotSignedUp": _SIGN_UP,
    "SubscriptionRequiredException": _SIGN_UP,
    "RegionDisabledException": _SIGN_UP,
    "InvalidObjectState": "restore the object from its archive class, or remove it",
}
_KMS_HINT = "enable the key of AWS KMS, or cancel its deletion: its owner can; or use another key"

ROLE_HINT = "check the role's ARN, its trust policy and, if it asks for one, external_id"


def map_error(exc: Exception, *, operation: str, scope: str = "") -> KadaAthenaError:
    """The error of ours that says what to do about *exc*.

    Args:
        exc: Anything an SDK call raised.
        operation: Such as ``athena:ListTableMetadata``.
        scope: What the call was for, such as ``catalog orders``.
    """
    if isinstance(exc, KadaAthenaError):
        return exc

    if isinstance(exc, sdk.ClientError):
        return _map_client_error(exc, operation, scope)

    if isinstance(exc, _CREDENTIALS_ERRORS):
        return CredentialsError(
            f"no usable AWS credentials: {type(exc).__name__}", hint=CREDENTIALS_HINT
        )

    # botocore has no class of its own for a session that is over as soon as it is given.
    if isinstance(exc, RuntimeError) and "credentials" in str(exc):
        return CredentialsError(
            "the credentials that AWS gives are expired at once by this machine's clock",
            hint=CREDENTIALS_HINT,
        )

    if isinstance(exc, _PASSING_ERRORS):
        return UnavailableError(f"{operation}: {type(exc).__name__}")

    if isinstance(exc, _PARSING_ERRORS):
        return _not_of_aws(f"{operation}: the answer is cut off, or not AWS's")

    # Parameters of ours that botocore will not send, such as a name longer than the model allows.
    return RequestError(
        f"{operation} could not be sent{_for(scope)}: {type(exc).__name__}", code="ClientSide"
    )


def _map_client_error(exc: sdk.ClientError, operation: str, scope: str) -> KadaAthenaError:
    error = exc.response.get("Error", {})
    said = str(error.get("Code") or "")
    code = bare_code(said) or said
    text = str(error.get("Message") or "")
    metadata = exc.response.get("ResponseMetadata", {})
    status = int(metadata.get("HTTPStatusCode") or 0)
    if code.isdigit() and not operation.startswith("s3:"):
        return _without_code(text, status, operation, scope)

    if _is_active_query_limit(exc, operation, code):
        return TooManyQueriesError(f"{operation}: the account's active queries are used up")

    match kind_of(code, text, status):
        case "throttled":
            return ThrottledError(
                f"{operation}: {_own_words(code, text)}",
                retry_after_s=_retry_after_s(metadata.get("HTTPHeaders", {})),
                is_of_source=KINDS.get(code) != "throttled" and status != 429,
            )
        case "unavailable":
            return UnavailableError(f"{operation}: {_own_words(code, text) or status}")
        case "credentials":
            return _credentials_error(code, operation)
        case _ if exc.operation_name == "AssumeRole":
            return CredentialsError(f"the role cannot be assumed: {text or code}", hint=ROLE_HINT)
        case "denied":
            return _denied(text, operation, scope)
        case "not_found":
            return NotFoundError(f"{operation}: {text or code}{_for(scope)}")
        case _:
            if _WORKGROUP_GONE.search(text):
                return NotFoundError(f"{operation}: {text or code}{_for(scope)}")

            region = _region_of_bucket(exc, operation)
            hint = _KMS_HINT if said.startswith("KMS.") else _HINTS.get(code, "")
            return RequestError(
                f"{operation} was refused{_for(scope)}: {text or code}",
                code=code,
                hint=_OTHER_REGION.format(region=region) if region else hint,
            )


_OTHER_REGION = (
    "the bucket is in {region}: write that as the region of the place that names the bucket, or "
    "name another bucket"
)


def _region_of_bucket(exc: sdk.ClientError, operation: str) -> str:
    """The Region that S3 names where it does not serve a bucket; empty if it names none.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/Redirects.html
    """
    if not operation.startswith("s3:"):
        return ""

    headers = exc.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    named = exc.response.get("Error", {}).get("Region")
    is_elsewhere = exc.response.get("ResponseMetadata", {}).get("HTTPStatusCode") == 301
    found = named or (headers.get("x-amz-bucket-region") if is_elsewhere else "")
    return found if isinstance(found, str) and _REGION.fullmatch(found) else ""


def _own_words(code: str, text: str) -> str:
    """The code; of an error that wraps another one the text, which says more."""
    return code if KINDS.get(code) not in (None, "wrapper", "invalid") else text or code


def _denied(text: str, operation: str, scope: str) -> AccessDeniedError:
    # Athena refuses a statement on a registered catalog for want of another action.
    found = _DENIED_ACTION.search(text)
    action = found[1] if found else operation
    refusal = refusal_of(text, action=action)
    by = f": {refusal.by} refuses it" if refusal.by else ""
    words = f": {refusal.words}" if refusal.words else ""
    resource = _DENIED_RESOURCE.search(text) if not words else None
    on = f" on {resource[1]}" if resource else ""
    return AccessDeniedError(
        f"{action} is not allowed{_for(scope)}{on}{by}{words}",
        action=action,
        scope=scope,
        hint=refusal.hint,
    )


def denial_hint(text: str) -> str:
    """Remedy for a denial that Athena met while it ran a statement; empty for another failure."""
    found = _DENIED_ACTION.search(text)
    return refusal_of(text, action=found[1]).hint if found else ""


def check_whole(operation: str, answer: Mapping[str, Any]) -> None:
    """Refuse an answer of S3 without what its operation always sends: it is cut, or not AWS's.

    Raises:
        UnavailableError: It lacks that.
    """
    for key in _ALWAYS_SENT.get(operation, ()):
        if key in answer:
            continue

        raise _not_of_aws(f"{operation}: an answer without {key}, which AWS always sends")


_ALWAYS_SENT = {
    "s3:CreateMultipartUpload": ("UploadId",),
    "s3:HeadObject": ("ETag", "ContentLength"),
}
"""Operation -> the members that S3 sends in each answer to it (S3 API reference)."""


def _without_code(text: str, status: int, operation: str, scope: str) -> KadaAthenaError:
    """The error of an answer that names no error of AWS; a denial is known by its words."""
    if status == HTTPStatus.FORBIDDEN and kind_by_words(text) == "denied":
        return _denied(text, operation, scope)

    return _foreign_refusal(operation, status)


def _foreign_refusal(operation: str, status: int) -> UnavailableError:
    """The error of an answer that has HTTP's status and no error of AWS, or one that is cut."""
    message = f"{operation}: HTTP status {status} without an error of AWS"
    if status >= 500 or status == 429:
        return UnavailableError(message)

    return _not_of_aws(message)


def _not_of_aws(message: str) -> UnavailableError:
    hint = "something between this machine and AWS answers in its place: check the proxy"
    return UnavailableError(message, attempts=FOREIGN_ATTEMPTS, hint=hint)


def _credentials_error(code: str, operation: str) -> CredentialsError:
    return CredentialsError(
        f"AWS refused the credentials: {code} ({operation})",
        hint=_HINTS.get(code, CREDENTIALS_HINT),
    )


def _for(scope: str) -> str:
    return f" for {scope}" if scope else ""


def _is_active_query_limit(exc: sdk.ClientError, operation: str, code: str) -> bool:
    """True if a refusal means that too many queries run, False if calls come too fast."""
    reason = exc.response.get("Reason") or ""
    return (
        operation == "athena:StartQueryExecution"
        and code == "TooManyRequestsException"
        and reason in ("", "CONCURRENT_QUERY_LIMIT_EXCEEDED")
    )


def _retry_after_s(headers: dict[str, str]) -> float:
    """Wait that the service asks for, in seconds; capped, because it may be absurd."""
    for name, a_second in (("x-amz-retry-after", 1000), ("retry-after", 1)):
        if _WAIT.fullmatch(wait := headers.get(name, "")):
            return min(int(wait) / a_second, 20.0)

    return 0.0


_WAIT = re.compile(r"[0-9]{1,9}")
