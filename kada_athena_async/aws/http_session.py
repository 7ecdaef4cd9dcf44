"""The HTTP session under the SDK: verified, without redirects, bounded in time and size.

It stands in for aiobotocore's own, whose interface is ``send`` and the context manager. That one
does not compare host names with certificates, trusts any certificate behind a proxy (both as of
aiobotocore 2.25.1), follows redirects with the body and the session token to any host, and reads
answers of any size.
"""

from __future__ import annotations

import io
import math
import re
import ssl
import zlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import anyio
from aiobotocore.awsrequest import AioAWSResponse
from botocore.exceptions import ConnectionClosedError, HTTPClientError, ReadTimeoutError
from multidict import CIMultiDict
from typing_extensions import Self
from yarl import URL

from kada_athena_async.aws import network
from kada_athena_async.aws.answer_limits import limit_bytes
from kada_athena_async.aws.network import Contact
from kada_athena_async.aws.resolver import make_resolver
from kada_athena_async.errors import NetworkError, RequestError

KEEP_ALIVE_S = 12
"""Less than AWS's own 20 s, so that no request meets a connection that is being closed."""

LARGE_BODY_BYTES = 1 << 20
"""From here on aiohttp warns of a body that is given as bytes."""

# A connection that ends during the handshake: whoever stands there may be starting anew.
_BROKEN_HANDSHAKES = (ssl.SSLEOFError, ssl.SSLZeroReturnError, ssl.SSLSyscallError)

REDIRECTS = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpSettings:
    """Settings that the HTTP sessions of one site have in common.

    Attributes:
        context: Checks certificates and host names.
        suffixes: Domains of AWS in the partition, such as ``amazonaws.com``.
        region_pattern: Regular expression of the partition's regions.
        connect_timeout_s: From the name to the end of the TLS handshake, all addresses together.
        read_timeout_s: Between two pieces of an answer.
    """

    context: ssl.SSLContext
    contact: Contact
    suffixes: tuple[str, ...]
    region_pattern: str
    connect_timeout_s: float
    read_timeout_s: float
    connections: int


class HttpSession:
    """Sends the requests of one client of the SDK; an async context manager, entered many times.

    Args:
        endpoint_url: Where the client's requests go; besides, only to hosts of AWS. None for the
            metadata services, which are near.
        region_redirects: True for S3, whose redirects to another region the SDK handles itself.
    """

    def __init__(
        self, settings: HttpSettings, *, endpoint_url: str | None, region_redirects: bool = False
    ) -> None:
        self._settings = settings
        self._host = urlsplit(endpoint_url).hostname if endpoint_url else None
        self._region_redirects = region_redirects
        self._session: aiohttp.ClientSession | None = None
        self._users = 0

    async def __aenter__(self) -> Self:
        self._users += 1
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self._users -= 1
        if self._users <= 0:
            await self.close()

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[HttpSession]:
        """The session, for as long as a fetcher of the metadata services needs it."""
        async with self:
            yield self

    async def close(self) -> None:
        """Close the connections; the next request opens new ones."""
        session, self._session, self._users = self._session, None, 0
        if session is not None:
            await session.close()

    async def send(self, request: Any) -> AioAWSResponse:
        """Send a prepared request of the SDK and return its answer, read unless it is a stream.

        Raises:
            NetworkError: Who answers does not prove to be AWS, or sends us elsewhere.
            RequestError: The answer is too large.
            botocore.exceptions.HTTPClientError: The connection failed; may be tried again.
        """
        url: str = request.url
        self._check(url)
        proxy = network.proxy_for(url)
        with _translating(url, proxy, request):
            response = await self._open(request, proxy)

        answer = _Answer(request, response, proxy)
        try:
            self._check_redirect(request, response)
            if not request.stream_output:
                await answer.content
        except BaseException:
            response.close()
            raise

        return answer

    async def _open(self, request: Any, proxy: str | None) -> aiohttp.ClientResponse:
        """Send the request and read the head of its answer."""
        headers = CIMultiDict((key, _text(value)) for key, value in request.headers.items())
        headers["Accept-Encoding"] = "identity"
        is_chunked = headers.get("Transfer-Encoding", "").lower() == "chunked"
        if is_chunked:
            del headers["Transfer-Encoding"]  # aiohttp takes it as an argument

        body = request.body.read() if isinstance(request.body, io.IOBase) else request.body
        if isinstance(body, bytes | bytearray) and len(body) >= LARGE_BODY_BYTES:
            body = io.BytesIO(body)  # sent piece by piece: at once it would hold the event loop
        with anyio.CancelScope() as connecting:
            return await self._client().request(
                request.method,
                URL(request.url, encoded=True),
                headers=headers,
                data=body,
                chunked=is_chunked or None,
                proxy=proxy,
                allow_redirects=False,
                trace_request_ctx=connecting,
            )

        reason = f"timed out after {self._settings.connect_timeout_s:g} s"
        raise network.not_connected(request.url, proxy, reason, is_proxy=False)

    def _client(self) -> aiohttp.ClientSession:
        if self._session is None:
            settings = self._settings
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=settings.connections,
                    ssl=settings.context,
                    keepalive_timeout=KEEP_ALIVE_S,
                    resolver=make_resolver(),
                ),
                timeout=aiohttp.ClientTimeout(total=None, sock_read=settings.read_timeout_s),
                cookie_jar=aiohttp.DummyCookieJar(),
                skip_auto_headers={"Content-Type"},
                auto_decompress=False,
                trace_configs=[self._watch()],
            )

        return self._session

    def _watch(self) -> aiohttp.TraceConfig:
        """Bound the making of a connection, but not the wait for one of the pool's.

        aiohttp's own timeout counts each address of a host anew and leaves the name's look-up out.
        """
        settings = self._settings

        async def begin(_: object, context: SimpleNamespace, __: object) -> None:
            deadline = anyio.current_time() + settings.connect_timeout_s
            context.trace_request_ctx.deadline = deadline

        async def end(_: object, context: SimpleNamespace, __: object) -> None:
            context.trace_request_ctx.deadline = math.inf
            settings.contact.is_made = True

        watch = aiohttp.TraceConfig()
        watch.on_connection_create_start.append(begin)
        watch.on_connection_create_end.append(end)
        return watch

    def _check(self, url: str) -> None:
        """Refuse to send to a host that is neither the client's own nor AWS's.

        Raises:
            NetworkError: It is not, or would be reached in the clear.
        """
        parts = urlsplit(url)
        host = parts.hostname or ""
        if parts.scheme != "https" and not network.is_near(host):
            raise NetworkError(
                f"{network.origin(url)} would be spoken to in the clear: nothing was sent",
                hint="write https:// in the endpoint that your settings name",
            )

        own = (self._host, *self._settings.suffixes) if self._host else ()
        is_own = any(host == name or host.endswith(f".{name}") for name in own)
        if not is_own and not (self._host is None and network.is_near(host)):
            raise NetworkError(
                f"the SDK was sent to {network.origin(url)}, which is no host of this partition "
                "of AWS: nothing was sent",
                hint="check the region of the bucket",
            )

    def _check_redirect(self, request: Any, response: aiohttp.ClientResponse) -> None:
        """Refuse a redirect, save S3's word that a bucket lives in another region.

        Its region comes by name, and the SDK makes the host from it.
        https://docs.aws.amazon.com/AmazonS3/latest/userguide/Redirects.html
        """
        if response.status not in REDIRECTS:
            return

        region = response.headers.get("x-amz-bucket-region", "")
        if self._region_redirects and self._is_region(region):
            return

        location = response.headers.get("Location", "")
        raise network.redirect_error(request.url, response.status, location)

    def _is_region(self, name: str) -> bool:
        return re.fullmatch(self._settings.region_pattern, name) is not None


class _Answer(AioAWSResponse):  # type: ignore[misc]  # aiobotocore ships no types
    """An answer that is read only as far as its operation may need."""

    def __init__(self, request: Any, response: aiohttp.ClientResponse, proxy: str | None) -> None:
        # Proxies write Latin-1 in their own.
        headers = {
            key.decode("utf-8", "replace").lower(): value.decode("utf-8", "replace")
            for key, value in response.raw_headers
        }
        super().__init__(str(response.url), response.status, headers, response)
        self._request = request
        self._proxy = proxy
        self._operation = _operation(request)
        self._read: bytes | None = None

    async def _content_prop(self) -> bytes:
        if self._read is None:
            with _translating(self._request.url, self._proxy, self._request):
                limit = limit_bytes(self._operation)
                body = await read_limited(self.raw, limit=limit, operation=self._operation)

            self._read = _plain(body, self.headers.get("content-encoding", ""), limit)

        return self._read


def _plain(body: bytes, encoding: str, limit: int) -> bytes:
    """*body* as it was before some proxy compressed it, though we ask for none to do so.

    Cut after *limit* bytes, so that it is no whole answer; as it came if it is not what it says.
    """
    if encoding.strip().lower() not in ("gzip", "x-gzip", "deflate"):
        return body

    try:
        return zlib.decompressobj(_ANY_HEADER).decompress(body, limit)
    except zlib.error:
        return body


_ANY_HEADER = zlib.MAX_WBITS | 32
"""Takes the headers of gzip and of zlib."""


async def read_limited(response: aiohttp.ClientResponse, *, limit: int, operation: str) -> bytes:
    """The body of *response*, if it has at most *limit* bytes.

    Raises:
        RequestError: It is longer; the rest is not read.
    """
    chunks: list[bytes] = []
    has_length = response.method != "HEAD"  # there it is the length of an object that does not come
    size = (response.content_length or 0) if has_length else 0
    if size <= limit:
        size = 0
        async for chunk in response.content.iter_any():
            size += len(chunk)
            if size > limit:
                break

            chunks.append(chunk)

    if size > limit:
        response.close()
        raise RequestError(
            f"{operation} answered with more than {limit:,} bytes, which AWS never does: "
            "the rest was not read",
            code="AnswerTooLarge",
            hint="check endpoint_url and the proxy",
        )

    return b"".join(chunks)


def _operation(request: Any) -> str:
    """Name of the operation, as far as the request says it."""
    target = _text(request.headers.get("X-Amz-Target", ""))
    return target.rpartition(".")[2] or f"{request.method} {urlsplit(request.url).hostname}"


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


@contextmanager
def _translating(url: str, proxy: str | None, request: Any) -> Iterator[None]:
    """Turn what aiohttp raises into the SDK's errors or ours."""
    try:
        yield
    except (aiohttp.ClientError, ssl.SSLError) as exc:
        connection = connection_error(exc, url, proxy)
        raise connection or _answer_error(exc, url, request) from exc


def connection_error(exc: Exception, url: str, proxy: str | None) -> Exception | None:
    """The error for a connection that did not come about; None for one that broke later."""
    if isinstance(exc, aiohttp.ClientHttpProxyError) and proxy:
        if exc.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            reason = f"it answers {exc.status}"  # it cannot reach the host either, for now
            return network.not_connected(url, proxy, reason, is_proxy=True)

        return network.proxy_error(url, proxy, exc.status)

    certificate = getattr(exc, "certificate_error", None)
    tls = certificate or (exc.os_error if isinstance(exc, aiohttp.ClientConnectorError) else exc)
    if isinstance(tls, ssl.CertificateError) or (
        isinstance(tls, ssl.SSLError) and not isinstance(tls, _BROKEN_HANDSHAKES)
    ):
        return network.tls_error(url, tls, proxy)

    if not isinstance(exc, (aiohttp.ClientConnectorError, ssl.SSLError)):
        return None

    is_proxy = isinstance(exc, aiohttp.ClientProxyConnectionError)
    return network.not_connected(url, proxy, network.reason_of(exc), is_proxy=is_proxy)


def _answer_error(exc: Exception, url: str, request: Any) -> HTTPClientError:
    """The SDK's error for an answer that did not come to its end."""
    if isinstance(exc, aiohttp.ServerTimeoutError):
        return ReadTimeoutError(endpoint_url=url, error=exc)

    return ConnectionClosedError(error=exc, request=request, endpoint_url=url)
