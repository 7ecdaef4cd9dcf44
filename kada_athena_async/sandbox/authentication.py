"""Authentication of a request: its key is known, its signature right, its session alive."""

from __future__ import annotations

from datetime import datetime

from kada_athena_async.sandbox.effects import expired_credentials
from kada_athena_async.sandbox.identity import Directory, Key
from kada_athena_async.sandbox.signature import Signature, check_skew, verify
from kada_athena_async.sandbox.wire import JSON_SERVICES, AwsError, Request


def authenticate(
    request: Request, claim: Signature, directory: Directory, *, clock: datetime | None
) -> Key:
    """The key that signed *request*.

    Args:
        clock: What the request's date is compared with; None compares with nothing.

    Raises:
        AwsError: In the words of the service that is asked.
    """
    key = directory.key(claim.access_key_id)
    if key is None or key.token != request.headers.get("x-amz-security-token"):
        raise _unknown_key(claim.service)

    if clock is not None:
        check_skew(request, claim, clock)

    verify(request, claim, secret=key.secret)
    if directory.is_expired(key):
        raise expired_credentials(claim.service)

    return key


def _unknown_key(service: str) -> AwsError:
    if service == "s3":
        message = "The AWS Access Key Id you provided does not exist in our records."
        return AwsError("InvalidAccessKeyId", message, status=403)

    message = "The security token included in the request is invalid."
    if service in JSON_SERVICES:
        return AwsError("UnrecognizedClientException", message)

    return AwsError("InvalidClientTokenId", message, status=403)
