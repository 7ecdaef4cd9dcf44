"""Error codes of Azure Blob Storage that are told apart, and what helps.

Codes: https://learn.microsoft.com/rest/api/storageservices/blob-service-error-codes
"""

from __future__ import annotations

from azure.core.exceptions import HttpResponseError

from kada_athena_async.aws.error_codes import FOREIGN_ATTEMPTS
from kada_athena_async.errors import NotFoundError, RequestError, UnavailableError

LOST = frozenset({"ConditionNotMet", "BlobAlreadyExists", "TargetConditionNotMet"})
UNKNOWN = frozenset({"AuthenticationFailed", "InvalidAuthenticationInfo", "AuthorizationFailure"})
# The blocks of a list are gone once somebody else's list was committed.
GONE = frozenset({"InvalidBlockList"})
MISSING = frozenset({"BlobNotFound", "ResourceNotFound"})
# Also where a condition fails: which of the two Azure looks at first is not documented.
IMMUTABLE = frozenset({"BlobImmutableDueToPolicy", "BlobImmutableDueToLegalHold"})

MORE_RIGHTS = "request a SAS token with the rights read, create and write"
ASK_ANEW = (
    "request a new SAS token from KADA Support and put it into the configuration; "
    "if it is new, ask whether the account's firewall admits this machine"
)

_CHANGEABLE = (
    "let the owner of the container lift its immutability policy or legal hold, or set landing to "
    "a container or prefix of another"
)
_LEASE = "let whoever leased it, such as a backup, release it"
_OWNER = "ask KADA Support about the storage account"
REMEDIES = {
    **dict.fromkeys(IMMUTABLE, _CHANGEABLE),
    "AuthorizationSourceIPMismatch": "request a SAS token that admits the address of this machine",
    "AuthorizationProtocolMismatch": "request a SAS token that admits http, or use https",
    "KeyBasedAuthenticationNotPermitted": "request a user delegation SAS token: the storage "
    "account accepts none that is signed with its key",
    "AccountIsDisabled": _OWNER,
    "ContainerDisabled": _OWNER,
    "ContainerBeingDeleted": "create the container anew when it is gone, or correct landing",
    "LeaseIdMissing": _LEASE,
    "LeaseIsBreakingAndCannotBeAcquired": _LEASE,
    "BlobArchived": "let the owner of the container move the blob to the hot or cool tier",
    "InvalidBlobType": "remove the blob, which is no block blob, or set another prefix in landing",
}


def not_of_azure(message: str) -> UnavailableError:
    """The error of an answer that is not Azure's; a few more tries show whether that passes."""
    hint = "something between this machine and Azure answers in its place: check the proxy"
    return UnavailableError(message, attempts=FOREIGN_ATTEMPTS, hint=hint)


def is_foreign(exc: HttpResponseError) -> bool:
    """True if an answer names neither an error nor a request, as each of Azure's does."""
    headers = getattr(exc.response, "headers", {})
    return not service_code(exc) and "x-ms-request-id" not in headers


def service_code(exc: HttpResponseError) -> str:
    """The code of an answer; empty if it names none."""
    code = getattr(exc, "error_code", None)
    return str(getattr(code, "value", code) or "")


def version_of(etag: object) -> str:
    """*etag*, which Azure sends with each blob.

    Raises:
        ValueError: There is none: the answer is not Azure's.
    """
    if not etag:
        raise ValueError("an answer without ETag")

    return str(etag)


class Missing(NotFoundError):
    """A missing blob or container; ``code`` says which."""

    def __init__(self, message: str, *, code: str) -> None:
        super().__init__(message)
        self.code = code


def code_of(error: RequestError | NotFoundError) -> str:
    """Azure's code of the refusal behind *error*; empty if there is none."""
    return str(getattr(error, "code", ""))
