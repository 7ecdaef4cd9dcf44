"""A landing in an S3 bucket.

Small files go in one PutObject, larger ones in a multipart upload that becomes visible whole or
not at all. S3 checks the SHA-256 sent with each request and refuses what arrived changed; what it
answers is compared once more. Conditional writes (If-None-Match, If-Match) are S3's own.
https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Mapping
from contextlib import aclosing, suppress
from pathlib import Path
from typing import Any

import anyio

from kada_athena_async.aws.answer_limits import SMALL_OBJECT_LIMIT_BYTES
from kada_athena_async.aws.client import AwsClient
from kada_athena_async.aws.error_map import map_error
from kada_athena_async.concurrency import Slots, map_stream
from kada_athena_async.errors import (
    AccessDeniedError,
    DeliveryError,
    KadaAthenaError,
    NotFoundError,
    RequestError,
    RetriesExhaustedError,
    RetryableError,
    UnitError,
)
from kada_athena_async.files import Files
from kada_athena_async.hwm.cells import Cell
from kada_athena_async.landing.interface import SHA256_KEY, Facts, Stored
from kada_athena_async.landing.parts import PARTS_IN_FLIGHT, Part, part_bytes, read_parts

PARTS_OF_A_FILE = 2
"""Parts of one file on their way at a time."""

READS = 5
"""How often a small object is asked for when its body breaks off."""

_ABORT_S = 10

_READ_BYTES = 1 << 20

# If-Match against a missing object is answered with 404, a lost race with 412, two writes at the
# same moment with 409.
_LOST = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "412", "409"})


class S3Landing:
    """Delivers to ``s3://bucket/prefix``; see ``Landing``.

    Args:
        client: An open client of the bucket's region.
    """

    def __init__(
        self, client: AwsClient, files: Files, *, place: str, bucket: str, prefix: str
    ) -> None:
        self.place = place
        self._client = client
        self._files = files
        self._bucket = bucket
        self._prefix = f"{prefix}/" if prefix else ""
        self._slots = Slots(PARTS_IN_FLIGHT)

    async def look(self, name: str) -> Stored | None:
        """What lies under *name*; see ``Landing``."""
        try:
            answer = await self._call("HeadObject", name, ChecksumMode="ENABLED")
        except NotFoundError:
            return None

        return Stored(
            size_bytes=int(answer["ContentLength"]),
            sha256=str(answer.get("Metadata", {}).get(SHA256_KEY, "")),
            version=str(answer["ETag"]),
        )

    async def put(self, path: Path, facts: Facts) -> None:
        """Store *path*; see ``Landing``."""
        if facts.size_bytes <= part_bytes(facts.size_bytes):
            await self._put_whole(path, facts)
        else:
            await self._put_in_parts(path, facts)

        try:
            stored = await self.look(facts.name)
        except AccessDeniedError:
            return  # each request was confirmed by its answer; to look is not allowed

        if stored is None or not stored.holds(facts):
            raise _not_confirmed(facts.name)

    async def read(self, name: str) -> Cell | None:
        """The content of a small object; see ``Landing``."""
        for _ in range(READS):
            try:
                answer = await self._call("GetObject", name)
            except NotFoundError as exc:
                if _code(exc) == "NoSuchBucket":
                    raise

                return None

            with suppress(RetryableError):
                return Cell(data=await _body(answer["Body"], name), version=str(answer["ETag"]))

        raise RetriesExhaustedError(
            f"{self.place}/{name} broke off {READS} times", operation="s3:GetObject", attempts=READS
        )

    async def write(self, name: str, data: bytes, *, replaces: str | None) -> str | None:
        """Store a small object if nobody was faster; see ``Landing``."""
        condition = {"IfMatch": replaces} if replaces else {"IfNoneMatch": "*"}
        try:
            return await self._put_bytes(name, data, hashlib.sha256(data).digest(), **condition)
        except (RequestError, NotFoundError) as exc:
            if _code(exc) not in _LOST | {"NoSuchKey"}:
                raise

        # Perhaps it was ourselves: the answer to a write that succeeded may have been lost.
        found = await self.read(name)
        return found.version if found is not None and found.data == data else None

    async def _put_whole(self, path: Path, facts: Facts) -> None:
        async with self._slots.place(), aclosing(read_parts(self._files, path, facts)) as parts:
            found = [part async for part in parts]
            await self._put_bytes(facts.name, found[0].data, found[0].sha256)

    async def _put_bytes(self, name: str, data: bytes, sha256: bytes, **condition: str) -> str:
        checksum = b64encode(sha256).decode()
        answer = await self._call(
            "PutObject",
            name,
            Body=data,
            ChecksumSHA256=checksum,
            Metadata={SHA256_KEY: sha256.hex()},
            **condition,
        )
        _confirm(answer, data, checksum, name)
        return str(answer["ETag"])

    async def _put_in_parts(self, path: Path, facts: Facts) -> None:
        await self._forget_earlier(facts.name)
        begun = await self._call(
            "CreateMultipartUpload",
            facts.name,
            ChecksumAlgorithm="SHA256",
            Metadata={SHA256_KEY: facts.sha256},
        )
        upload_id = str(begun["UploadId"])

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
                "ETag": answer["ETag"],
                "ChecksumSHA256": part.checksum,
            }

        try:
            sent = await map_stream(
                send,
                read_parts(self._files, path, facts),
                limit=PARTS_OF_A_FILE,
                slots=self._slots,
            )
            await self._complete(facts, upload_id, sent)
        except BaseException:
            # Parts of an upload that nobody completes are invisible and cost money for ever.
            with anyio.move_on_after(_ABORT_S, shield=True), suppress(KadaAthenaError):
                await self._call("AbortMultipartUpload", facts.name, UploadId=upload_id)

            raise

    async def _complete(self, facts: Facts, upload_id: str, parts: list[dict[str, object]]) -> None:
        try:
            await self._call(
                "CompleteMultipartUpload",
                facts.name,
                UploadId=upload_id,
                MultipartUpload={"Parts": parts},
            )
        except (RequestError, NotFoundError) as exc:
            if _code(exc) != "NoSuchUpload":
                raise

            # It was completed and the answer was lost: then the object tells.
            stored = await self.look(facts.name)
            if stored is None or not stored.holds(facts):
                raise

    async def _forget_earlier(self, name: str) -> None:
        """Abort uploads of the same key that a killed process left open, where that can be done."""
        key = self._prefix + name
        with suppress(UnitError):
            answer = await self._client.call(
                "s3", "ListMultipartUploads", scope=self.place, Bucket=self._bucket, Prefix=key
            )
            for upload in answer.get("Uploads", ()):
                if upload["Key"] == key:
                    await self._call("AbortMultipartUpload", name, UploadId=upload["UploadId"])

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
            hint="somebody replaced it; move it away",
        )

    return bytes(data)


def _code(error: KadaAthenaError) -> str:
    """S3's code of the refusal behind *error*; empty if there is none."""
    response = getattr(error.__cause__, "response", {})
    return str(response.get("Error", {}).get("Code", ""))


def _confirm(answer: Mapping[str, Any], data: bytes, checksum: str, name: str) -> None:
    """Compare what S3 says that it stored with what was sent.

    Raises:
        DeliveryError: They differ.
    """
    confirmed = answer.get("ChecksumSHA256")
    if confirmed is not None:
        if confirmed != checksum:
            raise _not_confirmed(name)

        return

    # S3-compatible stores that know no SHA-256 tell the MD5, unless the object is encrypted by KMS.
    is_md5 = not str(answer.get("ServerSideEncryption", "")).startswith("aws:kms")
    etag = str(answer.get("ETag", "")).strip('"')
    if is_md5 and etag != hashlib.md5(data, usedforsecurity=False).hexdigest():
        raise _not_confirmed(name)


def _not_confirmed(name: str) -> DeliveryError:
    return DeliveryError(
        f"the landing did not confirm {name}: what it stored is not what was sent",
        hint="run `push` again; it is sent once more",
    )
