"""Tries the permissions on a bucket; nothing is left in it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from uuid import uuid4

import anyio

from kada_athena_async.aws.client import AwsClient
from kada_athena_async.aws.error_codes import code_of
from kada_athena_async.engine.doctor.report import GRANTED, CheckResult, outcome, untried
from kada_athena_async.errors import (
    AccessDeniedError,
    KadaAthenaError,
    NotFoundError,
    RequestError,
    UnitError,
)

# No object has this tag, so a write that demands it stores nothing.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
NO_ETAG = '"00000000000000000000000000000000"'
NO_UPLOAD = "kada-athena-async-doctor"
TIDY_UP_S = 5.0


class BucketTrials:
    """Tries permissions on ``s3://bucket/prefix``, each once.

    Attributes:
        is_missing: True if S3 says that there is no such bucket.
    """

    def __init__(self, client: AwsClient, bucket: str, prefix: str) -> None:
        self._client = client
        self._bucket = bucket
        self._key = "/".join(filter(None, [prefix, f".kada-doctor-{uuid4().hex}"]))
        self._tried: dict[str, CheckResult] = {}
        self.is_missing = False

    async def check_permission(self, action: str) -> CheckResult:
        """The result of using *action*.

        Raises:
            CredentialsError: S3 does not accept us.
        """
        if action not in self._tried:
            self._tried[action] = await self._try(action)

        return self._tried[action]

    async def _try(self, action: str) -> CheckResult:
        key = {"Key": self._key}
        upload = {**key, "UploadId": NO_UPLOAD}
        match action:
            case "s3:ListBucket":
                return await self._bucket_itself()
            case "s3:GetBucketLocation":
                return await outcome(self._call("GetBucketLocation"))
            case "s3:ListBucketMultipartUploads":
                return await outcome(self._call("ListMultipartUploads", MaxUploads=1))
            case "s3:ListMultipartUploadParts":
                return await outcome(self._call("ListParts", **upload))
            case "s3:AbortMultipartUpload":
                return await outcome(self._call("AbortMultipartUpload", **upload))
            case "s3:GetObject":
                return await self._read(key)
            case "s3:PutObject":
                return await self._write(key)
            case _:
                return untried("no way to try it is known")

    async def _bucket_itself(self) -> CheckResult:
        try:
            await self._call("HeadBucket")
        except NotFoundError:
            self.is_missing = True
            return CheckResult("problem", f"there is no bucket {self._bucket}")
        except AccessDeniedError as exc:
            return CheckResult("denied", exc.message)
        except UnitError as exc:
            return CheckResult("problem", exc.message)

        return GRANTED

    async def _read(self, key: Mapping[str, str]) -> CheckResult:
        """Ask for an object that is not there: S3 says so only to those who may list."""
        tried = await outcome(self._call("HeadObject", **key))
        if tried.state == "denied" and (await self.check_permission("s3:ListBucket")).state != "ok":
            return untried("without s3:ListBucket a missing object looks like a denied one")

        return tried

    async def _write(self, key: Mapping[str, str]) -> CheckResult:
        """Write on a condition that no object meets, then by an upload that is given up."""
        try:
            await self._call("PutObject", **key, Body=b"", IfMatch=NO_ETAG)
        except AccessDeniedError as exc:
            # The condition needs the right to read as well.
            if (await self.check_permission("s3:GetObject")).state == "ok":
                return CheckResult("denied", exc.message)
        except (NotFoundError, RequestError) as exc:
            return (
                CheckResult("problem", exc.message) if code_of(exc) == "NoSuchBucket" else GRANTED
            )
        except UnitError as exc:
            return CheckResult("problem", exc.message)
        else:
            return await self._take_back(key)

        if (await self.check_permission("s3:AbortMultipartUpload")).state != "ok":
            return untried("needs s3:GetObject or s3:AbortMultipartUpload to be tried unseen")

        return await self._write_by_upload(key)

    async def _write_by_upload(self, key: Mapping[str, str]) -> CheckResult:
        begun: Mapping[str, Any] = {}

        async def begin() -> None:
            nonlocal begun
            begun = await self._call("CreateMultipartUpload", **key)

        try:
            return await outcome(begin())
        finally:
            if begun:
                with anyio.move_on_after(TIDY_UP_S, shield=True), suppress(KadaAthenaError):
                    await self._call("AbortMultipartUpload", **key, UploadId=str(begun["UploadId"]))

    async def _take_back(self, key: Mapping[str, str]) -> CheckResult:
        """A store that knows no conditions has written an empty object: remove it."""
        with anyio.CancelScope(shield=True):
            removed = await outcome(self._call("DeleteObject", **key))

        if removed.state == "ok":
            return GRANTED

        return CheckResult(
            "ok", f"left an empty object behind: remove s3://{self._bucket}/{self._key}"
        )

    async def _call(self, operation: str, **parameters: object) -> Mapping[str, Any]:
        scope = f"s3://{self._bucket}"
        return await self._client.call(
            "s3", operation, scope=scope, Bucket=self._bucket, **parameters
        )
