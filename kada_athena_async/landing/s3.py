"""A landing in an S3 bucket.

Small files go in one PutObject, larger ones in a multipart upload that becomes visible whole or
not at all. S3 checks the SHA-256 sent with each request and refuses what arrived changed; what it
answers is compared once more. Conditional writes (If-None-Match, If-Match) are S3's own, for
PutObject and for CompleteMultipartUpload.

An ETag is no version: it comes back with the bytes (it is their MD5, or made of the MD5s of the
parts). A write that waits with If-Match for an ETag would take effect when the same bytes lie there
once more. So whatever replaces a file is a multipart upload, however small, because an upload can
be revoked: whoever takes a delivery over aborts those of the key, and completing one of them is
then answered with NoSuchUpload.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html
https://docs.aws.amazon.com/AmazonS3/latest/API/API_AbortMultipartUpload.html
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Mapping
from contextlib import aclosing, suppress
from typing import Any

import anyio

from kada_athena_async.aws.answer_limits import SMALL_OBJECT_LIMIT_BYTES
from kada_athena_async.aws.client import AwsClient
from kada_athena_async.aws.error_codes import code_of
from kada_athena_async.aws.error_map import map_error
from kada_athena_async.concurrency import Slots
from kada_athena_async.config.landing import S3Place
from kada_athena_async.errors import (
    AccessDeniedError,
    KadaAthenaError,
    NotFoundError,
    RequestError,
    RetriesExhaustedError,
    RetryableError,
    UnitError,
)
from kada_athena_async.files import Files
from kada_athena_async.hwm.object_store import VersionedObject
from kada_athena_async.landing.interface import (
    ATTEMPT_KEY,
    SHA256_KEY,
    PutRequest,
    Stored,
    is_confirmed,
    not_confirmed,
)
from kada_athena_async.landing.parts import PARTS_IN_FLIGHT, Part, part_bytes, read_parts
from kada_athena_async.streams import map_stream

PARTS_OF_A_FILE = 2
"""Parts of one file on their way at a time."""

READS = 5
"""Tries of a small object whose body breaks off."""

_ABORT_S = 10

_READ_BYTES = 1 << 20

# If-Match against a missing object is answered with 404, a lost race with 412, two writes at the
# same moment with 409.
_LOST = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "412", "409"})
# NoSuchUpload: it was completed and the answer was lost, or somebody aborted it.
_GONE = frozenset({"NoSuchKey", "NoSuchUpload"})


class S3Landing:
    """Delivers to ``s3://bucket/prefix``; see ``Landing``.

    Args:
        client: An open client of the bucket's region.
    """

    def __init__(self, client: AwsClient, files: Files, place: S3Place) -> None:
        self.place = place.url
        self._client = client
        self._files = files
        self._bucket = place.bucket
        self._prefix = f"{place.prefix}/" if place.prefix else ""
        self._headers = place.put_parameters
        self._slots = Slots(PARTS_IN_FLIGHT)

    async def probe(self, name: str) -> None:
        """Look whether anything could be stored here; see ``Landing``."""
        with suppress(AccessDeniedError):  # who may not read may write all the same
            await self.read(name)

        # An upload of several parts needs the rights and headers of any other, and shows nothing.
        try:
            upload_id = await self._begin_upload(name)
        except AccessDeniedError as exc:
            # No policy knows the action of the upload's first call.
            hint = exc.hint.replace("s3:CreateMultipartUpload", "s3:PutObject")
            raise AccessDeniedError(
                exc.message, action="s3:PutObject", scope=self.place, hint=hint
            ) from exc

        await self._abort_upload(name, upload_id)

    async def look(self, name: str) -> Stored | None:
        """The object under *name*; see ``Landing``."""
        try:
            answer = await self._call("HeadObject", name, ChecksumMode="ENABLED")
        except NotFoundError:
            return None

        metadata = answer.get("Metadata", {})
        return Stored(
            size_bytes=int(answer["ContentLength"]),
            sha256=str(metadata.get(SHA256_KEY, "")),
            version=str(answer["ETag"]),
            attempt=str(metadata.get(ATTEMPT_KEY, "")),
        )

    async def revoke(self, name: str) -> None:
        """Abort the uploads of the key; see ``Landing``. Without the rights nothing is aborted."""
        key = self._prefix + name
        with suppress(UnitError):
            answer = await self._client.call(
                "s3", "ListMultipartUploads", scope=self.place, Bucket=self._bucket, Prefix=key
            )
            for upload in answer.get("Uploads", ()):
                if upload["Key"] == key:
                    with suppress(NotFoundError):
                        await self._call("AbortMultipartUpload", name, UploadId=upload["UploadId"])

    async def put(self, request: PutRequest) -> bool:
        """Store a file if what is there is what the request says; see ``Landing``."""
        facts, is_lost = request.facts, False
        is_small = facts.size_bytes <= part_bytes(facts.size_bytes)
        try:
            if is_small and (request.replaces is None or request.is_blind):
                await self._put_whole(request)
            else:
                await self._put_in_parts(request)
        except (RequestError, NotFoundError) as exc:
            if code_of(exc) not in _LOST | _GONE:
                raise

            is_lost = True

        return await is_confirmed(self, request, is_lost=is_lost)

    async def read(self, name: str) -> VersionedObject | None:
        """The content of a small object; see ``Landing``."""
        for _ in range(READS):
            try:
                answer = await self._call("GetObject", name)
            except NotFoundError as exc:
                if code_of(exc) == "NoSuchBucket":
                    raise

                return None

            with suppress(RetryableError):
                data = await _body(answer["Body"], name)
                if etag := answer.get("ETag"):
                    return VersionedObject(data=data, version=str(etag))

                raise RequestError(
                    f"s3:GetObject: an answer without ETag for {self.place}/{name}, which S3 "
                    "always sends",
                    code="NoETag",
                    hint="something between this machine and S3 answers in its place: check the "
                    "proxy",
                )

        raise RetriesExhaustedError(
            f"{self.place}/{name} broke off {READS} times", operation="s3:GetObject", attempts=READS
        )

    async def write(self, name: str, data: bytes, *, replaces: str | None) -> str | None:
        """Store a small object if nobody has changed it since; see ``Landing``."""
        condition = {"IfMatch": replaces} if replaces else {"IfNoneMatch": "*"}
        try:
            return await self._put_bytes(name, data, hashlib.sha256(data).digest(), **condition)
        except (RequestError, NotFoundError) as exc:
            if code_of(exc) not in _LOST | {"NoSuchKey"}:
                raise

        # Perhaps it was ourselves: the answer to a write that succeeded may have been lost.
        found = await self.read(name)
        return found.version if found is not None and found.data == data else None

    async def _put_whole(self, request: PutRequest) -> None:
        facts = request.facts
        async with (
            self._slots.acquire(),
            aclosing(read_parts(self._files, request.path, facts)) as parts,
        ):
            found = [part async for part in parts]
            await request.check()
            await self._put_bytes(
                facts.name,
                found[0].data,
                found[0].sha256,
                attempt=request.attempt,
                **_condition(request),
            )

    async def _put_bytes(
        self, name: str, data: bytes, sha256: bytes, *, attempt: str = "", **condition: str
    ) -> str:
        checksum = b64encode(sha256).decode()
        answer = await self._call(
            "PutObject",
            name,
            Body=data,
            ChecksumSHA256=checksum,
            Metadata=_metadata(sha256.hex(), attempt),
            **self._headers,
            **condition,
        )
        _confirm(answer, data, checksum, name)
        return str(answer.get("ETag", ""))

    async def _put_in_parts(self, request: PutRequest) -> None:
        facts = request.facts
        await self.revoke(facts.name)
        metadata = _metadata(facts.sha256, request.attempt)
        upload_id = await self._begin_upload(facts.name, Metadata=metadata)

        async def send(part: Part) -> dict[str, object]:
            answer = await self._call(
                "UploadPart",
                facts.name,
                UploadId=upload_id,
                PartNumber=part.number,
                Body=part.data,
                ChecksumSHA256=part.checksum,
            )
            _confirm(answer, part.data, part.checksum, facts.name)
            return {
                "PartNumber": part.number,
                "ETag": answer.get("ETag", ""),
                "ChecksumSHA256": part.checksum,
            }

        try:
            # Not before the upload exists: a later attempt, whose claim is not seen here yet,
            # finds it and aborts it.
            await request.check()
            sent = await map_stream(
                send,
                read_parts(self._files, request.path, facts),
                limit=PARTS_OF_A_FILE,
                slots=self._slots,
            )
            await self._call(
                "CompleteMultipartUpload",
                facts.name,
                UploadId=upload_id,
                MultipartUpload={"Parts": sent},
                **_condition(request),
            )
        except BaseException:
            await self._abort_upload(facts.name, upload_id)
            raise

    async def _begin_upload(self, name: str, **parameters: object) -> str:
        begun = await self._call(
            "CreateMultipartUpload", name, ChecksumAlgorithm="SHA256", **self._headers, **parameters
        )
        return str(begun["UploadId"])

    async def _abort_upload(self, name: str, upload_id: str) -> None:
        """Parts of an upload that nobody completes are invisible and cost money for ever."""
        with anyio.move_on_after(_ABORT_S, shield=True), suppress(KadaAthenaError):
            await self._call("AbortMultipartUpload", name, UploadId=upload_id)

    async def _call(self, operation: str, name: str, **parameters: object) -> Mapping[str, Any]:
        return await self._client.call(
            "s3",
            operation,
            scope=f"{self.place}/{name}",
            Bucket=self._bucket,
            Key=self._prefix + name,
            **parameters,
        )


async def _body(body: Any, name: str) -> bytes:
    data = bytearray()
    try:
        while len(data) <= SMALL_OBJECT_LIMIT_BYTES and (chunk := await body.read(_READ_BYTES)):
            data += chunk
    except Exception as exc:
        raise map_error(exc, operation="s3:GetObject", scope=name) from exc
    finally:
        body.close()

    if len(data) > SMALL_OBJECT_LIMIT_BYTES:
        raise RequestError(
            f"{name} has more than {SMALL_OBJECT_LIMIT_BYTES:,} bytes: it is none of our notes and "
            "was not read to its end",
            code="AnswerTooLarge",
            hint="another program replaced it; move it away",
        )

    return bytes(data)


def _metadata(sha256: str, attempt: str) -> dict[str, str]:
    return {SHA256_KEY: sha256, **({ATTEMPT_KEY: attempt} if attempt else {})}


def _condition(request: PutRequest) -> dict[str, str]:
    if request.is_blind:
        return {}

    return {"IfMatch": request.replaces} if request.replaces else {"IfNoneMatch": "*"}


def _confirm(answer: Mapping[str, Any], data: bytes, checksum: str, name: str) -> None:
    """Compare what S3 says that it stored with what was sent.

    Raises:
        DeliveryError: They differ.
    """
    confirmed = answer.get("ChecksumSHA256")
    if confirmed is not None:
        if confirmed != checksum:
            raise not_confirmed(name)

        return

    # S3-compatible stores that know no SHA-256 give the MD5, unless the object is encrypted by KMS.
    is_md5 = not str(answer.get("ServerSideEncryption", "")).startswith("aws:kms")
    etag = str(answer.get("ETag", "")).strip('"')
    if is_md5 and etag != hashlib.md5(data, usedforsecurity=False).hexdigest():
        raise not_confirmed(name)
