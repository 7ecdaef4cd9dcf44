"""Landings in memory that keep what S3, Azure and a directory promise, call by call.

Each call of a runner is handed over, as a function, to whoever decides when it takes effect; what
the function changes is one ``Contents``, which may be another one at each call. The landings
themselves (``S3Landing``, ``AzureLanding``, ``LocalLanding``) are the real ones.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple, Protocol, TypeVar

from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError
from botocore.exceptions import ClientError

from kada_athena_async.aws.error_map import map_error
from kada_athena_async.files import Digest, Files
from kada_athena_async.landing.local import LocalLanding

ResultT = TypeVar("ResultT")


class Turn(Protocol):
    """Makes a call when it is the runner's turn."""

    async def __call__(
        self, operation: str, name: str, function: Callable[[], ResultT]
    ) -> ResultT: ...


class Thing(NamedTuple):
    """An object: its bytes, its metadata, and what conditions compare."""

    data: bytes
    metadata: tuple[tuple[str, str], ...]
    etag: str


class Upload(NamedTuple):
    """An upload in S3 that nobody completed; or the blocks of a blob that wait."""

    key: str
    metadata: tuple[tuple[str, str], ...]
    parts: tuple[tuple[object, bytes], ...] = ()


@dataclass
class Contents:
    """All that a landing holds.

    Attributes:
        stamp: Differs for any two calls; what a store makes ids of.
        disk: The files of the runner that calls, by name.
        broken: A promise that the store does not keep: ``IfNoneMatch``, ``IfMatch`` or ``abort``.
    """

    things: dict[str, Thing] = field(default_factory=dict)
    uploads: dict[str, Upload] = field(default_factory=dict)
    stamp: str = ""
    disk: Mapping[str, bytes | None] = field(default_factory=dict)
    broken: str = ""


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


class Refused(NamedTuple):
    """The code with which a store refuses a call."""

    code: str
    status: int = 0


class _Refusal(Exception):
    def __init__(self, code: str, status: int = 0) -> None:
        super().__init__(code)
        self.refused = Refused(code, status)


def _refuse(code: str, status: int = 0) -> Any:
    raise _Refusal(code, status)


def _outcome(function: Callable[[], ResultT]) -> Callable[[], ResultT | Refused]:
    def call() -> ResultT | Refused:
        try:
            return function()
        except _Refusal as exc:
            return exc.refused

    return call


class S3Calls:
    """An ``AwsClient`` of one runner, as far as ``S3Landing`` calls it.

    An ETag is made of the bytes, so it comes back when they do.
    """

    def __init__(self, contents: Contents, turn: Turn) -> None:
        self._contents = contents
        self._turn = turn

    async def call(
        self, _service: str, operation: str, *, scope: str = "", **given: Any
    ) -> dict[str, Any]:
        key = given.get("Key", given.get("Prefix", ""))
        function = getattr(self, f"_{operation}")
        found = await self._turn(operation, key, _outcome(lambda: function(key, given)))
        if isinstance(found, Refused):
            exc = ClientError({"Error": {"Code": found.code, "Message": found.code}}, "S3")
            raise map_error(exc, operation=f"s3:{operation}", scope=scope) from exc

        answer: dict[str, Any] = dict(found)
        if operation == "GetObject":
            answer["Body"] = Body(answer["Body"])

        return answer

    def _HeadObject(self, key: str, _: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        thing = self._contents.things.get(key) or _refuse("404")
        return {
            "ContentLength": len(thing.data),
            "Metadata": dict(thing.metadata),
            "ETag": thing.etag,
        }

    def _GetObject(self, key: str, _: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        thing = self._contents.things.get(key) or _refuse("NoSuchKey")
        return {"Body": thing.data, "ETag": thing.etag}

    def _PutObject(self, key: str, given: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        self._compare(key, given)
        etag = f'"{_md5(given["Body"])}"'
        self._contents.things[key] = Thing(given["Body"], _items(given["Metadata"]), etag)
        return {"ETag": etag, "ChecksumSHA256": given["ChecksumSHA256"]}

    def _CreateMultipartUpload(self, key: str, given: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        upload_id = f"u{self._contents.stamp}"
        self._contents.uploads[upload_id] = Upload(key, _items(given["Metadata"]))
        return {"UploadId": upload_id}

    def _UploadPart(self, _: str, given: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        upload = self._upload(given)
        parts = (*upload.parts, (given["PartNumber"], given["Body"]))
        self._contents.uploads[given["UploadId"]] = upload._replace(parts=parts)
        return {"ETag": f'"{_md5(given["Body"])}"', "ChecksumSHA256": given["ChecksumSHA256"]}

    def _CompleteMultipartUpload(self, key: str, given: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        upload = self._upload(given)
        self._compare(key, given)
        held = dict(upload.parts)
        parts = [held[part["PartNumber"]] for part in given["MultipartUpload"]["Parts"]]
        digests = b"".join(hashlib.md5(part, usedforsecurity=False).digest() for part in parts)
        etag = f'"{_md5(digests)}-{len(parts)}"'
        self._contents.things[key] = Thing(b"".join(parts), upload.metadata, etag)
        del self._contents.uploads[given["UploadId"]]
        return {"ETag": etag}

    def _AbortMultipartUpload(self, _: str, given: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        self._upload(given)
        if self._contents.broken != "abort":
            del self._contents.uploads[given["UploadId"]]

        return {}

    def _ListMultipartUploads(self, prefix: str, _: dict[str, Any]) -> dict[str, Any]:  # noqa: N802
        return {
            "Uploads": [
                {"Key": upload.key, "UploadId": upload_id}
                for upload_id, upload in sorted(self._contents.uploads.items())
                if upload.key.startswith(prefix)
            ]
        }

    def _upload(self, given: dict[str, Any]) -> Upload:
        return self._contents.uploads.get(given["UploadId"]) or _refuse("NoSuchUpload")

    def _compare(self, key: str, given: dict[str, Any]) -> None:
        given = {name: value for name, value in given.items() if name != self._contents.broken}
        thing = self._contents.things.get(key)
        if given.get("IfNoneMatch") == "*" and thing is not None:
            _refuse("PreconditionFailed")

        if (wanted := given.get("IfMatch")) is not None:
            if thing is None:
                _refuse("NoSuchKey")
            elif thing.etag != wanted:
                _refuse("PreconditionFailed")


def _md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def _items(metadata: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(metadata.items()))


class Blobs:
    """A ``ContainerClient`` of one runner, as far as ``AzureLanding`` calls it.

    An ETag is new with each write; blocks that wait belong to the blob.
    """

    def __init__(self, contents: Contents, turn: Turn) -> None:
        self._contents = contents
        self._turn = turn

    def get_blob_client(self, name: str) -> Blob:
        return Blob(self._contents, self._turn, name)


class Blob:
    """A ``BlobClient``."""

    def __init__(self, contents: Contents, turn: Turn, name: str) -> None:
        self._contents = contents
        self._turn = turn
        self._name = name

    async def get_blob_properties(self) -> Any:
        thing = await self._call("Head", self._thing)
        return SimpleNamespace(size=len(thing.data), metadata=dict(thing.metadata), etag=thing.etag)

    async def download_blob(self, **_: Any) -> Any:
        thing = await self._call("GetBlob", self._thing)
        body = Body(thing.data)
        return SimpleNamespace(readall=body.read, properties=SimpleNamespace(etag=thing.etag))

    async def upload_blob(
        self, data: Any, *, metadata: dict[str, str], overwrite: bool, **given: Any
    ) -> dict[str, str]:
        content = data.read()
        if not overwrite:
            given = {"match_condition": MatchConditions.IfMissing}

        return {"etag": await self._call("PutBlob", lambda: self._store(content, metadata, given))}

    async def stage_block(self, block_id: str, data: Any, **_: Any) -> None:
        content = data.read()

        def stage() -> None:
            waiting = self._contents.uploads.get(self._name, Upload(self._name, ()))
            others = tuple(part for part in waiting.parts if part[0] != block_id)
            parts = tuple(sorted((*others, (block_id, content)), key=lambda part: str(part[0])))
            self._contents.uploads[self._name] = waiting._replace(parts=parts)

        await self._call("PutBlock", stage)

    async def commit_block_list(
        self, blocks: Any, *, metadata: dict[str, str], **given: Any
    ) -> dict[str, str]:
        ids = [block.id for block in blocks]

        def store() -> str:
            upload = self._contents.uploads.get(self._name)
            waiting = dict(upload.parts) if upload else {}
            if any(block_id not in waiting for block_id in ids):
                _refuse("InvalidBlockList", 400)

            etag = self._store(b"".join(waiting[i] for i in ids), metadata, given)
            self._contents.uploads.pop(self._name, None)
            return etag

        return {"etag": await self._call("PutBlockList", store)}

    async def _call(self, operation: str, function: Callable[[], ResultT]) -> ResultT:
        found = await self._turn(operation, self._name, _outcome(function))
        if isinstance(found, Refused):
            error = HttpResponseError(message=found.code)
            error.status_code = found.status
            error.error_code = found.code
            raise error

        return found

    def _thing(self) -> Thing:
        return self._contents.things.get(self._name) or _refuse("BlobNotFound", 404)

    def _store(self, data: bytes, metadata: dict[str, str], given: dict[str, Any]) -> str:
        there, condition = self._contents.things.get(self._name), given.get("match_condition")
        if condition is MatchConditions.IfMissing and there is not None:
            _refuse("BlobAlreadyExists", 409)

        is_same = condition is not MatchConditions.IfNotModified or (
            there is not None and there.etag == given["etag"]
        )
        if not is_same:
            _refuse("ConditionNotMet", 412)

        etag = f'"0x{self._contents.stamp}"'
        self._contents.things[self._name] = Thing(data, _items(metadata), etag)
        return etag


class SharedDirectory(Files):
    """The directory of a landing; what is copied into it comes from the disk of who calls."""

    def __init__(self, contents: Contents) -> None:
        self._contents = contents

    def make_dir(self, path: Path, *, mode: int = 0o700) -> None:
        """Directories are part of the names."""

    def make_private_dir(self, path: Path) -> None:
        """As ``make_dir``."""

    def sync_dir(self, path: Path) -> None:
        """Nobody loses power here."""

    def names(self, path: Path) -> list[str]:
        found = (Path(key) for key in self._contents.things)
        return sorted(key.name for key in found if key.parent == path)

    def remove(self, path: Path) -> None:
        self._contents.things.pop(str(path), None)

    def rename(self, source: Path, target: Path) -> None:
        self._contents.things[str(target)] = self._thing(source)
        del self._contents.things[str(source)]

    def join(
        self, sources: Sequence[tuple[Path, range]], target: Path, *, head: bytes = b""
    ) -> list[Digest]:
        ((source, _),) = sources
        data = self._contents.disk[source.name]
        assert data is not None
        self.write_durably(target, data)
        return [self.digest(target)]

    def write_durably(self, path: Path, data: bytes) -> None:
        self._contents.things[str(path)] = Thing(data, (), self._contents.stamp)

    def read(self, path: Path, *, max_bytes: int, is_shared: bool = True) -> bytes:
        return self._thing(path).data

    def digest(self, path: Path) -> Digest:
        data = self._thing(path).data
        return Digest(len(data), hashlib.sha256(data).hexdigest())

    def version(self, path: Path) -> str:
        return self._thing(path).etag

    def lock(self, path: Path, **_: Any) -> Any:
        """Nobody else can be between two operations of one call."""
        found: AbstractContextManager[None] = nullcontext()
        return found

    def _thing(self, path: Path) -> Thing:
        try:
            return self._contents.things[str(path)]
        except KeyError:
            raise FileNotFoundError(str(path)) from None


class TurnedLocal(LocalLanding):
    """The real landing in a directory; each of its operations is one call."""

    def __init__(self, path: Path, contents: Contents, turn: Turn, *, makes: bool = False) -> None:
        super().__init__(path, SharedDirectory(contents), makes=makes)
        self._turn = turn

    async def _do(self, verb: str, function: Callable[[], ResultT]) -> ResultT:
        return await self._turn(f"{verb}", self._path.name, function)


@asynccontextmanager
async def opened(landing: Any) -> AsyncIterator[Any]:
    """*landing* as ``open_landing`` gives it."""
    yield landing
