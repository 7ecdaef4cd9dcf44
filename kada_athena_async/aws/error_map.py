"""What the SDK raises, turned into errors grouped by what to do next; the only place that does."""

from __future__ import annotations

import asyncio
import re

import aiohttp
from botocore import exceptions as sdk
from botocore.parsers import ResponseParserError

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

THROTTLE_CODES = frozenset(
    {
        "ThrottlingException",
        "Throttling",
        "ThrottledException",
        "RequestThrottled",
        "RequestThrottledException",
        "RequestLimitExceeded",
        "TooManyRequestsException",
        "SlowDown",
        "BandwidthLimitExceeded",
    }
)
TRANSIENT_CODES = frozenset(
    {
        "InternalServerException",
        "InternalServiceException",
        "InternalError",
        "InternalFailure",
        "ServiceUnavailable",
        "ServiceUnavailableException",
        "OperationTimeoutException",
        "FederationSourceRetryableException",
        "ResourceNotReadyException",
        "RequestTimeout",
        "RequestTimeoutException",
    }
)
CREDENTIALS_CODES = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "RequestExpired",
        "UnrecognizedClientException",
        "InvalidClientTokenId",
        "InvalidAccessKeyId",
        "InvalidSignatureException",
        "SignatureDoesNotMatch",
        "IncompleteSignature",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "AuthFailure",
        "InvalidToken",
        "TokenRefreshRequired",
    }
)
DENIED_CODES = frozenset(
    {"AccessDeniedException", "AccessDenied", "403", "Forbidden", "UnauthorizedOperation"}
)
NOT_FOUND_CODES = frozenset(
    {
        "EntityNotFoundException",
        "ResourceNotFoundException",
        "NoSuchKey",
        "NoSuchBucket",
        "404",
        "NotFound",
    }
)

# Athena refuses a workgroup that is gone as an InvalidRequestException: "WorkGroup is not found."
_WORKGROUP_GONE = re.compile(r"(?i)\bworkgroup\b.* is not found")

# Each service says it a little differently; the action stands behind the same words.
_DENIED_ACTION = re.compile(r"not authorized to perform:? ([a-z0-9]+:[A-Za-z]+)\b")

# Athena wraps Glue's and Lambda's errors: "... (Service: AmazonDataCatalog; Status Code: 400;
# Error Code: EntityNotFoundException; ...)".
_INNER_CODE = re.compile(r"Error Code: ([A-Za-z]+)")
_INNER_PASSING = re.compile(
    r"(?i)rate exceeded|throttl|timed? ?out|service unavailable|\b50[0234]\b"
)

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

CREDENTIALS_HINT = (
    "check key and secret, profile, role and the clock of this machine; "
    "`aws sts get-caller-identity` tells who you are"
)

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

    # Parameters of ours that botocore will not send, such as a name longer than the model allows.
    return RequestError(
        f"{operation} could not be sent{_for(scope)}: {type(exc).__name__}", code="ClientSide"
    )


def _map_client_error(exc: sdk.ClientError, operation: str, scope: str) -> KadaAthenaError:
    error = exc.response.get("Error", {})
    code = str(error.get("Code", ""))
    text = str(error.get("Message", ""))
    metadata = exc.response.get("ResponseMetadata", {})
    status = int(metadata.get("HTTPStatusCode", 0))

    if code == "MetadataException":
        code, is_passing = _inner_code(text)
        if is_passing:
            return UnavailableError(f"{operation}: {text}")

    if _is_active_query_limit(exc, operation, code):
        return TooManyQueriesError(f"{operation}: the account's active queries are used up")

    if code in THROTTLE_CODES or status == 429:
        return ThrottledError(
            f"{operation}: {code}", retry_after_s=_retry_after_s(metadata.get("HTTPHeaders", {}))
        )

    if code in CREDENTIALS_CODES:
        return CredentialsError(
            f"AWS refused the credentials: {code} ({operation})", hint=CREDENTIALS_HINT
        )

    if exc.operation_name == "AssumeRole" and code not in TRANSIENT_CODES and status < 500:
        return CredentialsError(f"the role cannot be assumed: {text or code}", hint=ROLE_HINT)

    if code in DENIED_CODES:
        # Athena refuses a statement on a registered catalog for want of another action.
        found = _DENIED_ACTION.search(text)
        action = found[1] if found else operation
        return AccessDeniedError(
            f"{action} is not allowed{_for(scope)}", action=action, scope=scope
        )

    if code in TRANSIENT_CODES or status >= 500:
        return UnavailableError(f"{operation}: {code or status}")

    if code in NOT_FOUND_CODES or _WORKGROUP_GONE.search(text):
        return NotFoundError(f"{operation}: {text or code}{_for(scope)}")

    return RequestError(f"{operation} was refused{_for(scope)}: {text or code}", code=code)


def _for(scope: str) -> str:
    return f" for {scope}" if scope else ""


def _inner_code(text: str) -> tuple[str, bool]:
    """Code of the error that a MetadataException wraps, and whether it is one that passes."""
    if match := _INNER_CODE.search(text):
        return match[1], match[1] in TRANSIENT_CODES

    if re.search(r"(?i)not authorized|access ?denied", text):
        return "AccessDeniedException", False

    return "MetadataException", bool(_INNER_PASSING.search(text))


def _is_active_query_limit(exc: sdk.ClientError, operation: str, code: str) -> bool:
    """Whether a refusal means that too many queries run, not that calls come too fast."""
    reason = exc.response.get("Reason", "")
    return (
        operation == "athena:StartQueryExecution"
        and code == "TooManyRequestsException"
        and reason in ("", "CONCURRENT_QUERY_LIMIT_EXCEEDED")
    )


def _retry_after_s(headers: dict[str, str]) -> float:
    """What the service asks us to wait, in seconds; capped, for it may be junk."""
    milliseconds = headers.get("x-amz-retry-after", "")
    seconds = headers.get("retry-after", "")
    if milliseconds.isdigit():
        return min(int(milliseconds) / 1000, 20.0)

    return min(float(seconds), 20.0) if seconds.isdigit() else 0.0
