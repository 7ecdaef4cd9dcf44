"""A landing in a container of Azure Blob Storage, opened by a SAS token.

A file goes as blocks, each with an MD5 that Azure checks, and appears when its list of blocks is
committed, on condition of what lies there (If-None-Match, If-Match). Blocks that wait for that
belong to the blob and not to who sent them, so their ids name the attempt: no list can join blocks
of two. An ETag changes with each write and does not come back. The SDK's own upload is not used:
with several chunks on their way it leaves tasks behind when one of them fails. What the SDK raises
is never chained or quoted beyond its code, because a request's URL holds the token.
https://learn.microsoft.com/rest/api/storageservices/put-block-list
https://learn.microsoft.com/rest/api/storageservices/specifying-conditional-headers-for-blob-service-operations
"""

from __future__ import annotations

import asyncio
import hashlib
import os
from base64 import b64encode
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager, suppress
from functools import partial
from io import BytesIO
from typing import Any, TypeVar
from urllib.parse import parse_qs

import aiohttp
import anyio
from azure.core import MatchConditions
from azure.core.exceptions import (
    AzureError,
    HttpResponseError,
    IncompleteReadError,
    ServiceRequestError,
    ServiceResponseError,
)
from azure.storage.blob import BlobBlock, BlobProperties, ContentSettings
from azure.storage.blob.aio import BlobClient, ContainerClient

from kada_athena_async.aws import network
from kada_athena_async.aws.http_session import REDIRECTS, connection_error
from kada_athena_async.concurrency import Slots, offload
from kada_athena_async.config.landing import AzurePlace
from kada_athena_async.errors import (
    AccessDeniedError,
    CredentialsError,
    KadaAthenaError,
    NetworkError,
    NotFoundError,
    RequestError,
    ThrottledError,
    UnavailableError,
)
from kada_athena_async.hwm.object_store import VersionedObject
from kada_athena_async.landing.azure_codes import (
    ASK_ANEW,
    GONE,
    IMMUTABLE,
    LOST,
    MISSING,
    MORE_RIGHTS,
    REMEDIES,
    UNKNOWN,
    Missing,
    code_of,
    is_foreign,
    not_of_azure,
    service_code,
    version_of,
)
from kada_athena_async.landing.interface import (
    ATTEMPT_KEY,
    SHA256_KEY,
    UPLOAD_TIMEOUT_S,
    PutRequest,
    Runtime,
    Stored,
    is_confirmed,
)
from kada_athena_async.landing.parts import PARTS_IN_FLIGHT, Part, read_parts
from kada_athena_async.landing.sas import why_untimely
from kada_athena_async.retry import Retrier, RetryBudget
from kada_athena_async.streams import map_stream

BLOCKS_OF_A_FILE = 2
"""Blocks of one file on their way at a time."""

CONNECT_TIMEOUT_S = 5
READ_TIMEOUT_S = 60

# Either lets blocks be put: https://learn.microsoft.com/rest/api/storageservices/create-service-sas
_RIGHTS_TO_WRITE = frozenset("cw")

ResultT = TypeVar("ResultT")


@asynccontextmanager
async def open_azure(place: AzurePlace, around: Runtime) -> AsyncIterator[AzureLanding]:
    """The landing at *place*; closes its connections in any case.

    Raises:
        ConfigError: The file of trusted certificates cannot be read.
    """
    await offload(network.make_context)
    authorities, setting = network.ca_bundle(os.environ, None)
    proxy = network.proxy_for(place.account_url)
    client = ContainerClient(
        place.account_url,
        place.container,
        credential=place.sas_token.get_secret_value(),
        # One policy tries again, ours, so that attempts never multiply.
        retry_total=0,
        # A redirect would take the body, and with the URL the token, to whoever is named.
        permit_redirects=False,
        connection_verify=authorities if setting else True,
        proxies={"https": proxy} if proxy else None,
        use_env_settings=False,
        connection_timeout=CONNECT_TIMEOUT_S,
        read_timeout=READ_TIMEOUT_S,
    )
    try:
        yield AzureLanding(client, place, around)
    finally:
        # Closing connections must not be cut short, or they are left to the garbage collector.
        with anyio.move_on_after(5, shield=True):
            await client.close()


class AzureLanding:
    """Delivers to ``https://<account>.blob.core.windows.net/container/prefix``; see ``Landing``."""

    def __init__(self, client: ContainerClient, place: AzurePlace, around: Runtime) -> None:
        self.place = place.url
        self._url = place.account_url
        self._client = client
        self._files = around.files
        self._prefix = f"{place.prefix}/" if place.prefix else ""
        self._retrier = Retrier(clock=around.clock, rng=around.rng, notify=around.notify)
        self._budget = RetryBudget()
        self._slots = Slots(PARTS_IN_FLIGHT)
        token = place.sas_token.get_secret_value()
        self._untimely = partial(why_untimely, token)
        self._now = around.clock.now
        # Without sp the rights are in a stored access policy, which only Azure knows.
        self._rights = set(parse_qs(token).get("sp", ["w"])[0])

    async def probe(self, name: str) -> None:
        """Look whether anything could be stored here; see ``Landing``."""
        if reason := self._untimely(self._now()):
            raise CredentialsError(f"the SAS token cannot be used{reason}", hint=ASK_ANEW)

        if not _RIGHTS_TO_WRITE & self._rights:
            raise AccessDeniedError(
                "the SAS token does not let anybody write",
                action="azure:PutBlock",
                scope=self.place,
                hint=MORE_RIGHTS,
            )

        with suppress(AccessDeniedError):  # who may not read may write all the same
            await self.read(name)

    async def look(self, name: str) -> Stored | None:
        """The object under *name*; see ``Landing``."""
        blob = self._blob(name)

        async def properties() -> BlobProperties:
            found = await blob.get_blob_properties()
            version_of(found.etag)
            return found

        try:
            found = await self._call("GetBlobProperties", name, properties)
        except NotFoundError as exc:
            if code_of(exc) not in MISSING:
                raise

            return None

        metadata = {key.lower(): value for key, value in (found.metadata or {}).items()}
        return Stored(
            size_bytes=found.size,
            sha256=metadata.get(SHA256_KEY, ""),
            version=str(found.etag),
            attempt=metadata.get(ATTEMPT_KEY, ""),
        )

    async def revoke(self, name: str) -> None:
        """Nothing to do: an ETag does not come back; see ``Landing``."""

    async def put(self, request: PutRequest) -> bool:
        """Store a file if what is there is what the request says; see ``Landing``."""
        is_lost = False
        try:
            await self._commit(request, *await self._stage(request))
        except (RequestError, NotFoundError) as exc:
            if code_of(exc) not in LOST | GONE | MISSING:
                raise

            is_lost = True

        return await is_confirmed(self, request, is_lost=is_lost)

    async def _stage(self, request: PutRequest) -> tuple[list[BlobBlock], bytes]:
        """Send the blocks; them, and the MD5 of the whole."""
        facts, blob = request.facts, self._blob(request.facts.name)
        whole = hashlib.md5(usedforsecurity=False)
        attempt = hashlib.sha256(request.attempt.encode()).digest()[:6]

        async def hashed() -> AsyncGenerator[Part, None]:
            async with aclosing(read_parts(self._files, request.path, facts)) as parts:
                async for part in parts:
                    whole.update(part.data)
                    yield part

        async def send(part: Part) -> BlobBlock:
            # Ids of one blob must be of one length; earlier versions left some of eight bytes.
            block_id = b64encode(attempt + part.number.to_bytes(2, "big")).decode()

            async def stage() -> object:
                return await blob.stage_block(
                    block_id, BytesIO(part.data), length=len(part.data), validate_content="md5"
                )

            await self._call("PutBlock", facts.name, stage)
            return BlobBlock(block_id=block_id)

        blocks = []
        if facts.size_bytes:
            blocks = await map_stream(send, hashed(), limit=BLOCKS_OF_A_FILE, slots=self._slots)

        return blocks, whole.digest()

    async def _commit(self, request: PutRequest, blocks: list[BlobBlock], md5: bytes) -> None:
        await request.check()
        blob = self._blob(request.facts.name)
        metadata = {SHA256_KEY: request.facts.sha256, ATTEMPT_KEY: request.attempt}

        async def commit() -> object:
            return await blob.commit_block_list(
                blocks,
                content_settings=ContentSettings(content_md5=bytearray(md5)),
                metadata=metadata,
                **_condition(request),
            )

        await self._call("PutBlockList", request.facts.name, commit)

    async def read(self, name: str) -> VersionedObject | None:
        """The content of a small blob; see ``Landing``."""
        blob = self._blob(name)

        async def download() -> VersionedObject:
            stream = await blob.download_blob(max_concurrency=1)
            return VersionedObject(
                data=await stream.readall(), version=version_of(stream.properties.etag)
            )

        try:
            return await self._call("GetBlob", name, download)
        except NotFoundError as exc:
            if code_of(exc) not in MISSING:
                raise

            return None

    async def write(self, name: str, data: bytes, *, replaces: str | None) -> str | None:
        """Store a small blob if nobody has changed it since; see ``Landing``."""
        blob = self._blob(name)

        condition: dict[str, Any] = {"overwrite": False}
        if replaces is not None:
            is_same = MatchConditions.IfNotModified
            condition = {"overwrite": True, "etag": replaces, "match_condition": is_same}

        async def upload() -> str:
            answer = await blob.upload_blob(
                BytesIO(data),
                length=len(data),
                metadata={SHA256_KEY: hashlib.sha256(data).hexdigest()},
                max_concurrency=1,
                validate_content="md5",
                **condition,
            )
            return version_of(answer["etag"])

        try:
            return await self._call("PutBlob", name, upload)
        except (RequestError, NotFoundError) as exc:
            if code_of(exc) not in LOST | MISSING | IMMUTABLE:
                raise

            refused = exc

        # Perhaps it was ourselves: the answer to a write that succeeded may have been lost.
        found = await self.read(name)
        if found is not None and found.data == data:
            return found.version

        if code_of(refused) in IMMUTABLE:
            raise refused

        return None

    def _blob(self, name: str) -> BlobClient:
        return self._client.get_blob_client(self._prefix + name)

    async def _call(
        self, operation: str, name: str, function: Callable[[], Awaitable[ResultT]]
    ) -> ResultT:
        scope = f"{self.place}/{name}"

        async def attempt() -> ResultT:
            try:
                with anyio.fail_after(UPLOAD_TIMEOUT_S):
                    return await function()
            except (AzureError, OSError, ValueError, TimeoutError, asyncio.TimeoutError) as exc:
                error = self._map(exc, f"azure:{operation}", scope)

            # Raised outside the handler: a traceback of the SDK's error could show the token.
            raise error

        return await self._retrier.call(
            attempt, operation=f"azure:{operation}", budget=self._budget
        )

    def _map(self, exc: Exception, operation: str, scope: str) -> KadaAthenaError:
        if isinstance(exc, HttpResponseError) and not isinstance(exc, IncompleteReadError):
            return self._map_answer(exc, operation, scope)

        if (refused := self._map_connection(exc)) is not None:
            return refused

        # The SDK's own parser, where an answer has not the headers that Azure always sends.
        if isinstance(exc, ValueError):
            return not_of_azure(f"{operation}: an answer that is not Azure's")

        passing = (ServiceRequestError, ServiceResponseError, IncompleteReadError)
        if isinstance(exc, (*passing, OSError, TimeoutError, asyncio.TimeoutError)):
            return UnavailableError(f"{operation}: {type(exc).__name__}")

        return RequestError(f"{operation} failed for {scope}", code=type(exc).__name__)

    def _map_connection(self, exc: Exception) -> NetworkError | None:
        """The error of a certificate or proxy that is refused; None for what may pass."""
        cause = getattr(exc, "inner_exception", None)
        if not isinstance(cause, aiohttp.ClientError):
            return None

        error = connection_error(cause, self._url, network.proxy_for(self._url))
        return error if isinstance(error, NetworkError) else None

    def _map_answer(self, exc: HttpResponseError, operation: str, scope: str) -> KadaAthenaError:
        status, code = exc.status_code or 0, service_code(exc)
        if status in REDIRECTS:
            headers = getattr(exc.response, "headers", {})
            location = str(headers.get("Location", ""))
            return network.redirect_error(self._url, status, location)

        if status in (429, 503):
            return ThrottledError(f"{operation}: {code or status}")

        # A block that arrived changed is sent again.
        if status >= 500 or code in ("Md5Mismatch", "OperationTimedOut") or status == 408:
            return UnavailableError(f"{operation}: {code or status}")

        if is_foreign(exc):
            return not_of_azure(f"{operation}: HTTP status {status} without an error of Azure")

        if status == 401 or code in UNKNOWN:
            return CredentialsError(
                f"the SAS token was refused ({code or status}){self._untimely(self._now())}",
                hint=ASK_ANEW,
            )

        if status == 403:
            return AccessDeniedError(
                f"{operation} is not allowed for {scope} ({code or status})",
                action=operation,
                scope=scope,
                hint=REMEDIES.get(code, MORE_RIGHTS),
            )

        if status == 404:
            return Missing(f"{scope} does not exist ({code or status})", code=code)

        hint = REMEDIES.get(code, f"ask KADA Support what {code or status} means for it")
        message = f"{operation} was refused for {scope}: {code or status}"
        return RequestError(message, code=code, hint=hint)


def _condition(request: PutRequest) -> dict[str, Any]:
    if request.is_blind:
        return {}

    if request.replaces is None:
        return {"match_condition": MatchConditions.IfMissing}

    return {"etag": request.replaces, "match_condition": MatchConditions.IfNotModified}
