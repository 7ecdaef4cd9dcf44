"""Error codes of AWS by the reaction to them; complete for the SDK's retry lists and models.

Sources: ``retries/standard.py``, ``data/_retry.json`` and the service models of botocore 1.40.61
and 1.43.117, of every service that is called; for codes of no model the public reports that show
them. A code of a later botocore is what its HTTP status says, see ``kind_of``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal, TypeAlias

from kada_athena_async.errors import KadaAthenaError

Kind: TypeAlias = Literal[
    "throttled", "unavailable", "credentials", "denied", "not_found", "wrapper", "invalid"
]

FOREIGN_ATTEMPTS = 5
"""Tries of a call whose answer is not AWS's: a proxy that restarts gives some."""

_THROTTLED = """
    BandwidthLimitExceeded EC2ThrottledException LimitExceededException PriorRequestNotComplete
    ProvisionedThroughputExceededException RateExceeded RequestLimitExceeded RequestThrottled
    RequestThrottledException SlowDown ThrottledException Throttling ThrottlingException
    TooManyRequests TooManyRequestsException TransactionInProgressException
"""
_UNAVAILABLE = """
    BadDigest ConcurrentModificationException DependencyTimeoutException
    FederationSourceRetryableException IDPCommunicationError IDPCommunicationErrorException
    IncompleteBody InternalError InternalFailure InternalServerError InternalServerException
    InternalServiceError InternalServiceException KMSInternalException OperationAborted
    OperationTimeoutException
    ReplicatedWriteConflictException RequestTimeout RequestTimeoutException
    ResourceNotReadyException ServiceException ServiceUnavailable ServiceUnavailableException
    XAmzContentSHA256Mismatch
"""
_CREDENTIALS = """
    AuthFailure ExpiredToken ExpiredTokenException ExpiredTradeInTokenException IDPRejectedClaim
    IDPRejectedClaimException IncompleteSignature InvalidAccessKeyId InvalidClientTokenId
    InvalidIdentityToken InvalidIdentityTokenException InvalidSignatureException InvalidToken
    MissingAuthenticationToken MissingAuthenticationTokenException NotSignedUp OptInRequired
    RegionDisabledException RequestExpired RequestTimeTooSkewed SignatureDoesNotMatch
    SubscriptionRequiredException TokenRefreshRequired UnrecognizedClientException
"""
_DENIED = """
    403 AccessDenied AccessDeniedException AllAccessDisabled Forbidden KMSAccessDeniedException
    NotAuthorizedException OperationNotPermittedException UnauthorizedException
    UnauthorizedOperation
"""
_NOT_FOUND = """
    404 EntityNotFoundException NoSuchAnnotation NoSuchBucket NoSuchKey NoSuchUpload NotFound
    ParameterNotFound ParameterVersionNotFound ResourceNotFoundException
"""
# Another service's error stands in the text.
_WRAPPERS = "FederationSourceException GlueEncryptionException MetadataException"
_INVALID = """
    AnnotationLimitExceeded AnnotationNameTooLong BucketAlreadyExists BucketAlreadyOwnedByYou
    DecryptionFailure EncryptionTypeMismatch IdempotencyParameterMismatch InvalidAnnotationName
    InvalidAuthorizationMessageException InvalidEventCategoryException InvalidInputException
    InvalidKeyId InvalidLookupAttributesException InvalidMaxResultsException
    InvalidNextTokenException InvalidObjectState InvalidParameterException InvalidPrefix
    InvalidRequest InvalidRequestException InvalidTimeRangeException InvalidWriteOffset
    JWTPayloadSizeExceededException MalformedPolicyDocument MalformedPolicyDocumentException
    NotImplemented ObjectAlreadyInActiveTierError ObjectNotInActiveTierError
    OutboundWebIdentityFederationDisabledException PackedPolicyTooLarge
    PackedPolicyTooLargeException SessionAlreadyExistsException
    SessionDurationEscalationException TooManyParts UnsupportedMediaType
    UnsupportedOperationException ValidationException
"""
_BY_KIND: Mapping[Kind, str] = {
    "throttled": _THROTTLED,
    "unavailable": _UNAVAILABLE,
    "credentials": _CREDENTIALS,
    "denied": _DENIED,
    "not_found": _NOT_FOUND,
    "wrapper": _WRAPPERS,
    "invalid": _INVALID,
}
KINDS: Mapping[str, Kind] = {
    code: kind for kind, codes in _BY_KIND.items() for code in codes.split()
}
"""Code -> what it means."""

_CANONICAL: Mapping[str, str] = {code.lower(): code for code in KINDS}
"""Proxies and connectors write codes in another case."""

# "... (Service: AmazonDataCatalog; Status Code: 400; Error Code: EntityNotFoundException; ...)" is
# how version 1 of Amazon's SDK for Java words an error; version 2 names no code:
# "Rate exceeded (Service: CloudWatch, Status Code: 400, Request ID: ...)".
_CODE = re.compile(r"(?i)Error Code: ([A-Z][A-Z0-9]{2,79})")
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9]{2,79}")
# A connector's Lambda function, secret or bucket that is gone is no schema that was dropped, and
# its credentials are not ours.
_CATALOG = re.compile(r"(?i)\bglue\b|DataCatalog")
_STATUS = re.compile(r"Status Code: ([0-9]{3})")
_PHRASES: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    (
        "throttled",
        re.compile(
            r"(?i)\b(?:rate exceeded|throttl(?:ed|es|e|ing)?(?:exception|error)?|too many requests"
            r"|slow down|request limit exceeded|provisioned throughput(?: exceeded)?)\b"
        ),
    ),
    (
        "denied",
        re.compile(
            r"(?i)not authorized|access (?:is )?denied|insufficient [a-z ]{0,40}permission"
            r"|explicit deny|policy allows|identity cent(?:er|re)"
        ),
    ),
    (
        "unavailable",
        re.compile(
            r"(?i)(?<![_0-9])(?:timed? ?out(?:s|exception|error)?|service unavailable"
            r"|internal (?:server|service) error|connection (?:reset|refused|closed))\b"
        ),
    ),
)


def bare_code(code: object) -> str:
    """A code without namespace and URI: ``aws.x#FooException:http://...`` is ``FooException``.

    A known code is given in AWS's own case: ``throttlingException`` is ``ThrottlingException``.
    """
    text = code.strip() if isinstance(code, str) else ""
    bare = text.partition(":")[0].rpartition("#")[2].rpartition(".")[2].strip()
    return _CANONICAL.get(bare.lower(), bare)


def kind_of(code: str, text: str, status: int) -> Kind:
    """The reaction that an error asks for.

    Args:
        code: Bare, see ``bare_code``; may be unknown or empty.
        text: The service's message: of wrapped errors it says more than the code.
        status: Of HTTP.
    """
    known = KINDS.get(code)
    if known in (None, "wrapper"):
        return _kind_by_text(text, status)

    if known == "invalid" and code == "InvalidRequestException":
        # Athena also refuses by this code what another service refused to Athena.
        found = kind_by_words(text)
        return found if found in ("throttled", "denied") else "invalid"

    return known


def _kind_by_text(text: str, status: int) -> Kind:
    """The reaction that the error named in *text* asks for, else its words, else the status."""
    named = [*_CODE.findall(text), *_WORD.findall(text)]
    for code in map(bare_code, named):
        kind = KINDS.get(code)
        # Short codes are words of everyday language too.
        if kind is not None and kind != "wrapper" and len(code) > len("Forbidden"):
            is_of_catalog = code == "EntityNotFoundException" or _CATALOG.search(text)
            return kind if is_of_catalog or kind not in ("not_found", "credentials") else "invalid"

    if found := kind_by_words(text):
        return found

    inner = _STATUS.search(text)
    status = int(inner[1]) if inner else status
    if status == 429:
        return "throttled"

    return "unavailable" if status >= 500 else "invalid"


def kind_by_words(text: str) -> Kind | None:
    """The reaction that the words of a message ask for; None if they ask for none."""
    return next((kind for kind, pattern in _PHRASES if pattern.search(text)), None)


def code_of(error: KadaAthenaError) -> str:
    """The service's code of the refusal behind *error*; empty if there is none."""
    response = getattr(error.__cause__, "response", {})
    return str(response.get("Error", {}).get("Code", ""))
