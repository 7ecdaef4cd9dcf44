"""Landings in memory that keep what S3 and Azure promise, call by call, and a directory.

Each call of a runner waits for its turn first, so that a test decides in which order the calls of
several runners take effect. The landings themselves (``S3Landing``, ``AzureLanding``,
``LocalLanding``) are the real ones.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar

from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError
from botocore.exceptions import ClientError

from kada_athena_async.aws.error_map import map_error
from kada_athena_async.landing.local import LocalLanding

Turn = Callable[[str, str], Awaitable[None]]
"""Waits until the runner may make its next call: an operation on a name."""

ResultT = TypeVar("ResultT")


@dataclass
class Thing:
    """An object: what it holds, what it says of itself, and what conditions compare."""

    data: bytes
    metadata: dict[str, str]
    etag: str


@dataclass
class Upload:
    key: str
    metadata: dict[str, str]
    parts: dict[int, bytes] = field(default_factory=dict)


class Bucket:
    """What S3 keeps. An ETag is made of the bytes, so it comes back when they do.

    Attributes:
        broken: A promise that it does not keep: ``IfNoneMatch``, ``IfMatch`` or ``abort``.
    """

    def __init__(self) -> None:
        self.broken = ""
        self.things: dict[str, Thing] = {}
        self.uploads: dict[str, Upload] = {}
        self.ids = itertools.count()


class Body:
    """The body of an answer."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    async def read(self, size: int = -1) -> bytes:
        at = len(self._data) if size < 0 else size
        found, self._data = self._data[:at], self._data[at:]
        return found

    def close(self) -> None:
        """Nothing is open."""


class S3Calls:
    """An ``AwsClient`` of one runner, as far as ``S3Landing`` calls it."""

    def __init__(self, bucket: Bucket, turn: Turn) -> None:
        self._bucket = bucket
        self._turn = turn

    async def call(
        self, _service: str, operation: str, *, scope: str = "", **given: Any
    ) -> dict[str, Any]:
        key = given.get("Key", given.get("Prefix", ""))
        await self._turn(operation, key)
        try:
            answer: dict[str, Any] = getattr(self, f"_{operation}")(key, given)
        except ClientError as exc:
            raise map_error(exc, operation=f"s3:{operation}", scope=scope) from exc

        return answer

    def _HeadObject(self, key: str, _: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        thing = self._bucket.things.get(key) or _refuse("404")
        return {
            "ContentLength": len(thing.data),
            "Metadata": thing.metadata,
            "ETag": thing.etag,
        }

    def _GetObject(self, key: str, _: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        thing = self._bucket.things.get(key) or _refuse("NoSuchKey")
        return {"Body": Body(thing.data), "ETag": thing.etag}

    def _PutObject(self, key: str, given: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        self._compare(key, given)
        etag = f'"{_md5(given["Body"])}"'
        self._bucket.things[key] = Thing(given["Body"], given["Metadata"], etag)
        return {"ETag": etag, "ChecksumSHA256": given["ChecksumSHA256"]}

    def _CreateMultipartUpload(self, key: str, given: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        upload_id = f"u{next(self._bucket.ids)}"
        self._bucket.uploads[upload_id] = Upload(key, given["Metadata"])
        return {"UploadId": upload_id}

    def _UploadPart(self, _: str, given: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        self._upload(given).parts[given["PartNumber"]] = given["Body"]
        return {"ETag": f'"{_md5(given["Body"])}"', "ChecksumSHA256": given["ChecksumSHA256"]}

    def _CompleteMultipartUpload(self, key: str, given: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        upload = self._upload(given)
        self._compare(key, given)
        parts = [upload.parts[part["PartNumber"]] for part in given["MultipartUpload"]["Parts"]]
        digests = b"".join(hashlib.md5(part, usedforsecurity=False).digest() for part in parts)
        etag = f'"{_md5(digests)}-{len(parts)}"'
        self._bucket.things[key] = Thing(b"".join(parts), upload.metadata, etag)
        del self._bucket.uploads[given["UploadId"]]
        return {"ETag": etag}

    def _AbortMultipartUpload(self, _: str, given: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        self._upload(given)
        if self._bucket.broken != "abort":
            del self._bucket.uploads[given["UploadId"]]

        return {}

    def _ListMultipartUploads(self, prefix: str, _: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        return {
            "Uploads": [
                {"Key": upload.key, "UploadId": upload_id}
                for upload_id, upload in self._bucket.uploads.items()
                if upload.key.startswith(prefix)
            ]
        }

    def _upload(self, given: dict[str, Any]) -> Upload:
        return self._bucket.uploads.get(given["UploadId"]) or _refuse("NoSuchUpload")

    def _compare(self, key: str, given: dict[str, Any]) -> None:
        given = {name: value for name, value in given.items() if name != self._bucket.broken}
        thing = self._bucket.things.get(key)
        if given.get("IfNoneMatch") == "*" and thing is not None:
            _refuse("PreconditionFailed")

        if (wanted := given.get("IfMatch")) is not None:
            if thing is None:
                _refuse("NoSuchKey")
            elif thing.etag != wanted:
                _refuse("PreconditionFailed")


def _md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def _refuse(code: str) -> Any:
    raise ClientError({"Error": {"Code": code, "Message": code}}, "S3")


class BlobContainer:
    """What Azure keeps. An ETag is new with each write; blocks that wait belong to the blob."""

    def __init__(self) -> None:
        self.things: dict[str, Thing] = {}
        self.blocks: dict[str, dict[str, bytes]] = {}
        self.ids = itertools.count()


class Blobs:
    """A ``ContainerClient`` of one runner, as far as ``AzureLanding`` calls it."""

    def __init__(self, container: BlobContainer, turn: Turn) -> None:
        self._container = container
        self._turn = turn

    def get_blob_client(self, name: str) -> Blob:
        return Blob(self._container, self._turn, name)


class Blob:
    """A ``BlobClient``."""

    def __init__(self, container: BlobContainer, turn: Turn, name: str) -> None:
        self._container = container
        self._turn = turn
        self._name = name

    async def get_blob_properties(self) -> Any:
        await self._turn("Head", self._name)
        thing = self._thing()
        return SimpleNamespace(size=len(thing.data), metadata=thing.metadata, etag=thing.etag)

    async def download_blob(self, **_: Any) -> Any:
        await self._turn("GetBlob", self._name)
        thing = self._thing()
        body = Body(thing.data)
        return SimpleNamespace(readall=body.read, properties=SimpleNamespace(etag=thing.etag))

    async def upload_blob(
        self, data: Any, *, metadata: dict[str, str], overwrite: bool, **given: Any
    ) -> dict[str, str]:
        await self._turn("PutBlob", self._name)
        if not overwrite:
            given = {"match_condition": MatchConditions.IfMissing}

        return {"etag": self._store(data.read(), metadata, given)}

    async def stage_block(self, block_id: str, data: Any, **_: Any) -> None:
        await self._turn("PutBlock", self._name)
        self._container.blocks.setdefault(self._name, {})[block_id] = data.read()

    async def commit_block_list(
        self, blocks: Any, *, metadata: dict[str, str], **given: Any
    ) -> dict[str, str]:
        await self._turn("PutBlockList", self._name)
        waiting = self._container.blocks.get(self._name, {})
        if any(block.id not in waiting for block in blocks):
            raise _azure_error(400, "InvalidBlockList")

        data = b"".join(waiting[block.id] for block in blocks)
        etag = self._store(data, metadata, given)
        self._container.blocks.pop(self._name, None)
        return {"etag": etag}

    def _thing(self) -> Thing:
        found = self._container.things.get(self._name)
        if found is None:
            raise _azure_error(404, "BlobNotFound")

        return found

    def _store(self, data: bytes, metadata: dict[str, str], given: dict[str, Any]) -> str:
        there, condition = self._container.things.get(self._name), given.get("match_condition")
        if condition is MatchConditions.IfMissing and there is not None:
            raise _azure_error(409, "BlobAlreadyExists")

        is_same = condition is not MatchConditions.IfNotModified or (
            there is not None and there.etag == given["etag"]
        )
        if not is_same:
            raise _azure_error(412, "ConditionNotMet")

        etag = f'"0x{next(self._container.ids)}"'
        self._container.things[self._name] = Thing(data, metadata, etag)
        return etag


def _azure_error(status: int, code: str) -> HttpResponseError:
    error = HttpResponseError(message=code)
    error.status_code = status
    error.error_code = code
    return error


class TurnedLocal(LocalLanding):
    """The real landing in a directory; each of its operations waits for its turn."""

    def __init__(self, path: Path, files: Any, turn: Turn, *, makes: bool = False) -> None:
        super().__init__(path, files, makes=makes)
        self._turn = turn

    async def _do(self, verb: str, function: Callable[[], ResultT]) -> ResultT:
        await self._turn(verb, self._path.name)
        return await super()._do(verb, function)


@asynccontextmanager
async def opened(landing: Any) -> AsyncIterator[Any]:
    """*landing* as ``open_landing`` gives it."""
    yield landing
