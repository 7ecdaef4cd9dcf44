"""Authentication of a request: its key is known, its Signature Version 4 right (computed again with
botocore's own signer), its session alive."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from hashlib import sha256
from typing import Any

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from kada_athena_async.sandbox.effects import expired_credentials
from kada_athena_async.sandbox.identity import Directory, Key
from kada_athena_async.sandbox.wire import JSON_SERVICES, AwsError, Request

ALGORITHM = "AWS4-HMAC-SHA256"
# How far a request's date may be from AWS's clock (Signature Version 4 signing process, AWS
# General Reference).
MAX_SKEW = timedelta(minutes=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """Parts of the Authorization header of a request."""

    access_key_id: str
    region: str
    service: str
    signed_headers: tuple[str, ...]
    signature: str


class _Recomputed(SigV4Auth):  # type: ignore[misc]
    def payload(self, request: Any) -> str:
        return str(request.context["payload_sha256"])


class _RecomputedS3(S3SigV4Auth):  # type: ignore[misc]
    def payload(self, request: Any) -> str:
        return str(request.context["payload_sha256"])


def read_signature(request: Request) -> Signature:
    """The signature that *request* carries.

    Raises:
        AwsError: It carries none, or one that is no Signature Version 4.
    """
    header = request.headers.get("authorization", "")
    algorithm, _, rest = header.partition(" ")
    if not header:
        raise AwsError(
            "MissingAuthenticationTokenException", "Missing Authentication Token", status=403
        )

    try:
        fields = dict(part.strip().split("=", 1) for part in rest.split(","))
        key, _, region, service, terminator = fields["Credential"].split("/")
        if algorithm != ALGORITHM or terminator != "aws4_request":
            raise ValueError

        return Signature(
            access_key_id=key,
            region=region,
            service=service,
            signed_headers=tuple(fields["SignedHeaders"].split(";")),
            signature=fields["Signature"],
        )
    except (KeyError, ValueError):
        reason = "not a Signature Version 4"
        raise AwsError("IncompleteSignatureException", reason, status=403) from None


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


def verify(request: Request, claim: Signature, *, secret: str) -> None:
    """Returns if *claim* was made with *secret* over this very *request*.

    Raises:
        AwsError: It was not.
    """
    body_sha256 = sha256(request.body).hexdigest()
    declared = request.headers.get("x-amz-content-sha256")
    if declared and len(declared) == len(body_sha256) and declared != body_sha256:
        raise AwsError(
            "XAmzContentSHA256Mismatch",
            "The provided 'x-amz-content-sha256' header does not match what was computed.",
        )

    target = f"{request.path}?{request.query}" if request.query else request.path
    again = AWSRequest(
        method=request.method,
        url=f"http://{request.headers.get('host', '')}{target}",
        headers={name: request.headers.get(name, "") for name in claim.signed_headers},
    )
    again.context["timestamp"] = request.headers.get("x-amz-date", "")
    again.context["payload_sha256"] = declared or body_sha256
    signer_type = _RecomputedS3 if claim.service == "s3" else _Recomputed
    signer = signer_type(Credentials(claim.access_key_id, secret), claim.service, claim.region)
    expected = signer.signature(
        signer.string_to_sign(again, signer.canonical_request(again)), again
    )
    if not hmac.compare_digest(expected, claim.signature):
        raise AwsError(
            "SignatureDoesNotMatch" if claim.service == "s3" else "InvalidSignatureException",
            "The request signature we calculated does not match the signature you provided. "
            "Check your AWS Secret Access Key and signing method.",
            status=403,
        )


def check_skew(request: Request, claim: Signature, now: datetime) -> None:
    """Returns if *request* is dated within the allowed distance of *now*.

    Raises:
        AwsError: It is too old or too new.
    """
    stamp = request.headers.get("x-amz-date", "")
    try:
        dated = datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc)
    except ValueError:
        raise AwsError("IncompleteSignatureException", "no date in the request") from None

    if abs(dated - now) <= MAX_SKEW:
        return

    if claim.service == "s3":
        raise AwsError(
            "RequestTimeTooSkewed",
            "The difference between the request time and the current time is too large.",
            status=403,
        )

    raise AwsError(
        "InvalidSignatureException",
        f"Signature expired: {stamp} is now earlier or later than {now:%Y%m%dT%H%M%SZ} allows",
        status=403,
    )
