"""No redirect is followed, no stranger is spoken to, and no proxy hears what stays at home."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from random import Random
from resource import RUSAGE_SELF, getrusage
from typing import Any
from urllib.parse import urlsplit

import pytest

from kada_athena_async import Extractor
from kada_athena_async.aws.client import AwsClient
from kada_athena_async.aws.pacing import Pacer
from kada_athena_async.aws.session import AwsSession, Identity
from kada_athena_async.concurrency import SystemClock
from kada_athena_async.config.landing import S3Place
from kada_athena_async.errors import AccessDeniedError, NetworkError, RequestError
from kada_athena_async.landing import open_landing
from kada_athena_async.sandbox import Sandbox
from tests.kit.certificates import Authority
from tests.kit.wires import BytesServer, ConnectProxy, TlsFront
from tests.landing.support import make_surroundings

EMPTY = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/x-amz-json-1.1\r\nContent-Length: 2\r\n\r\n{}"
)


def replies(status: str, *headers: str, body: bytes = b"") -> Callable[[str], Iterator[bytes]]:
    """Answers each request with the same head and body."""
    lines = [f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(body)}"]

    def answer(_: str) -> Iterator[bytes]:
        yield "\r\n".join(lines).encode() + b"\r\n\r\n" + body

    return answer


def empty(_: str) -> Iterator[bytes]:
    yield EMPTY


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See", "307 Again", "308 Moved"])
async def test_a_redirect_is_not_followed(extractor: Callable[..., Extractor], status: str) -> None:
    """The stranger hears nothing, and the run ends at once with both names."""
    with BytesServer(empty) as stranger:
        target = f"http://127.0.0.1:{stranger.port}/x?y"
        with BytesServer(replies(status, f"Location: {target}")) as server:
            with pytest.raises(NetworkError) as caught:
                await extractor(endpoint_url=server.url).run()

            asked = [re.search(r"x-amz-target: (.*)", head, re.IGNORECASE) for head in server.heads]
            names = [found[1] if found else "" for found in asked]
            assert len(names) == len(set(names)), "none is asked again"

        assert stranger.heads == []

    assert f"{server.url} answered {status[:3]}, a redirect to {stranger.url}" in str(caught.value)
    assert "/x?y" not in str(caught.value)


async def call_s3(region: str, endpoint_url: str | None = None) -> Any:
    return await call(region, endpoint_url, "s3", "ListMultipartUploads", Bucket="some-bucket")


async def call(region: str, endpoint_url: str | None, *operation: str, **parameters: Any) -> Any:
    identity = Identity(region=region, key="AKIAIOSFODNN7EXAMPLE", secret="s" * 40)
    client = AwsClient(
        AwsSession(identity, endpoint_url=endpoint_url),
        pacer=Pacer(quota_share=1.0, clock=SystemClock()),
        clock=SystemClock(),
        rng=Random(1),
        notify=lambda _: None,
    )
    async with client:
        return await client.call(*operation, **parameters)


LISTED = (
    b"<ListMultipartUploadsResult><Bucket>some-bucket</Bucket><MaxUploads>7</MaxUploads>"
    b"</ListMultipartUploadsResult>"
)


def answers_s3(region: str) -> Callable[[str], Iterator[bytes]]:
    """S3's words that the bucket lives in *region*; there, an empty list."""
    error = b"<Error><Code>PermanentRedirect</Code><Bucket>some-bucket</Bucket></Error>"
    moved = replies(
        "301 Moved Permanently",
        f"x-amz-bucket-region: {region}",
        "Location: https://evil.example/",
        body=error,
    )
    found = replies("200 OK", body=LISTED)

    def answer(head: str) -> Iterator[bytes]:
        is_home = f"s3.{region}.amazonaws.com" in head
        return (found if is_home else moved)(head)

    return answer


async def test_s3_names_another_region_and_is_asked_there(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By name: the host is made from the region, whatever Location says."""
    monkeypatch.setenv("AWS_CA_BUNDLE", str(authority.bundle))
    files = authority.server("*.s3.eu-central-1.amazonaws.com", "*.s3.eu-west-1.amazonaws.com")
    with (
        BytesServer(answers_s3("eu-west-1")) as server,
        TlsFront(server.port, files) as front,
        ConnectProxy(front.port) as proxy,
    ):
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        answer = await call_s3("eu-central-1")

    assert answer["MaxUploads"] == 7
    assert [line.split()[1] for line in proxy.asked] == [
        "some-bucket.s3.eu-central-1.amazonaws.com:443",
        "some-bucket.s3.eu-west-1.amazonaws.com:443",
    ]


@pytest.mark.parametrize("region", ["cn-north-1", "evil.example/", "us-gov-west-1"])
async def test_s3_never_leads_out_of_its_partition(
    authority: Authority, monkeypatch: pytest.MonkeyPatch, region: str
) -> None:
    """A region that is not one of the partition's is a redirect as any other."""
    monkeypatch.setenv("AWS_CA_BUNDLE", str(authority.bundle))
    files = authority.server("*.s3.eu-central-1.amazonaws.com")
    with (
        BytesServer(answers_s3(region)) as server,
        TlsFront(server.port, files) as front,
        ConnectProxy(front.port) as proxy,
    ):
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        with pytest.raises(
            NetworkError, match=r"answered 301, a redirect to https://evil\.example"
        ):
            await call_s3("eu-central-1")

    assert len(proxy.asked) == 1


async def test_s3_names_a_region_in_its_body(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """AuthorizationHeaderMalformed carries a region too; another partition's is not asked."""
    monkeypatch.setenv("AWS_CA_BUNDLE", str(authority.bundle))
    body = b"<Error><Code>AuthorizationHeaderMalformed</Code><Region>cn-north-1</Region></Error>"
    files = authority.server("*.s3.eu-central-1.amazonaws.com", "*.s3.cn-north-1.amazonaws.com.cn")
    with (
        BytesServer(replies("400 Bad Request", body=body)) as server,
        TlsFront(server.port, files) as front,
        ConnectProxy(front.port) as proxy,
    ):
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        with pytest.raises(NetworkError, match="which is no host of this partition of AWS"):
            await call_s3("eu-central-1")

    assert len(proxy.asked) == 1


async def test_no_proxy_carries_calls_to_this_machine(
    sandbox: Sandbox, extractor: Callable[..., Extractor], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Plain http to loopback goes there, whatever HTTP_PROXY and HTTPS_PROXY say."""
    with ConnectProxy(urlsplit(sandbox.endpoint_url).port or 0) as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)

        report = await extractor().test_connection()

    assert report.workgroups
    assert proxy.asked == []


async def test_no_proxy_carries_credentials_of_a_container(
    sandbox: Sandbox, extractor: Callable[..., Extractor], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The container's credentials come in the clear, so from this machine only, and directly."""
    body = (
        b'{"AccessKeyId": "AKIAIOSFODNN7EXAMPLE", "SecretAccessKey": "secret", "Token": "token",'
        b' "Expiration": "2099-01-01T00:00:00Z"}'
    )
    with (
        BytesServer(replies("200 OK", body=body)) as container,
        ConnectProxy(container.port) as proxy,
    ):
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{container.url}/role")
        with pytest.raises(Exception, match="refused the credentials"):
            await extractor(key="", secret="").test_connection()

    assert container.heads
    assert proxy.asked == []


async def test_a_redirect_of_a_container_is_not_followed(
    extractor: Callable[..., Extractor], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Requests for credentials carry a token."""
    with BytesServer(empty) as stranger:
        moved = replies("302 Found", f"Location: {stranger.url}/")
        with BytesServer(moved) as container:
            monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{container.url}/role")
            with pytest.raises(NetworkError, match=r"answered 302, a redirect to"):
                await extractor(key="", secret="").test_connection()

        assert stranger.heads == []


@pytest.mark.parametrize(
    ("login", "refusal", "words"),
    [
        ("user:password", "", r"asks for a login \(407\)"),
        ("", "403 Forbidden", r"refuses to connect to https://\S+ \(403\)"),
    ],
)
async def test_a_proxy_that_refuses_is_named(
    extractor: Callable[..., Extractor],
    monkeypatch: pytest.MonkeyPatch,
    login: str,
    refusal: str,
    words: str,
) -> None:
    """At once, with what to do; its password is not shown."""
    with ConnectProxy(1, login=login, refusal=refusal) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://someone:hush-hush@127.0.0.1:{proxy.port}")
        with pytest.raises(NetworkError, match=words) as caught:
            await extractor(endpoint_url=None, region="us-east-1").run()

    assert caught.value.hint
    assert "hush-hush" not in str(caught.value)
    times = Counter(line for line in proxy.asked if line).values()
    assert max(times) <= 2, "workgroups and catalogs are listed side by side, once"


def odd_head(_: str) -> Iterator[bytes]:
    """A denial with what proxies write into heads, and with waits that are no numbers."""
    body = b'{"__type": "AccessDeniedException", "message": "not authorized to perform: athena:X"}'
    yield b"HTTP/1.1 400 Bad\r\nVia: M\xfcnchen\r\nRetry-After: \xc2\xb2\r\nDate: soon\r\n"
    yield b"X-Amz-Retry-After: " + b"9" * 400
    yield f"\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


async def test_what_stands_oddly_in_a_head_hides_no_error() -> None:
    """The body says what it is; bytes and waits that nobody can read are passed over."""
    denied = pytest.raises(AccessDeniedError, match="athena:X is not allowed")
    with BytesServer(odd_head) as server, denied:
        await call("us-east-1", server.url, "athena", "ListWorkGroups")


def peak_bytes() -> int:
    return getrusage(RUSAGE_SELF).ru_maxrss * 1024


def flood(size: int, *, has_length: bool) -> Callable[[str], Iterator[bytes]]:
    """An answer of *size* bytes, its length told or not."""

    def answer(_: str) -> Iterator[bytes]:
        length = f"Content-Length: {size}" if has_length else "Connection: close"
        yield f"HTTP/1.1 200 OK\r\n{length}\r\n\r\n".encode()
        piece = b" " * (1 << 20)
        for _ in range(size // len(piece)):
            yield piece

    return answer


@pytest.mark.parametrize("has_length", [True, False], ids=["length sent", "no length"])
async def test_an_answer_too_large_is_not_read(
    extractor: Callable[..., Extractor], *, has_length: bool
) -> None:
    """1.5 GB of an answer to ListWorkGroups: named, not tried again, and not in memory."""
    before = peak_bytes()
    with BytesServer(flood(1_500 << 20, has_length=has_length)) as server:
        made = extractor(endpoint_url=server.url)
        async with made:
            with pytest.raises(
                RequestError, match=r"ListDataCatalogs answered with more than 33,554,432 bytes"
            ):
                await made.run()

    assert peak_bytes() - before < 200 << 20


async def test_a_mark_too_large_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file in the landing under the name of a note is read as far as a note can be."""
    before = peak_bytes()
    with BytesServer(flood(1_500 << 20, has_length=True)) as server:
        place = S3Place(
            bucket="some-bucket",
            endpoint_url=server.url,
            region="us-east-1",
            key="AKIAIOSFODNN7EXAMPLE",
            secret="s" * 40,
        )
        async with open_landing(place, make_surroundings(None, SystemClock())) as landing:
            with pytest.raises(RequestError, match="has more than 67,108,864 bytes"):
                await landing.read("some_hwm.txt")

    assert peak_bytes() - before < 300 << 20
