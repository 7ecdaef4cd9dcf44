"""The landing in Azure is held to the same: certificates, proxies, redirects."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

from kada_athena_async.aws.error_codes import FOREIGN_ATTEMPTS
from kada_athena_async.config.landing import AzurePlace
from kada_athena_async.errors import NetworkError, UnitError
from kada_athena_async.landing import Landing, open_landing
from tests.conftest import FastClock
from tests.kit.certificates import Authority
from tests.kit.wires import BytesServer, ConnectProxy, TlsFront
from tests.landing.support import make_surroundings

HOST = "kadalanding.blob.core.windows.net"
TOKEN = "sv=2024-01-01&sp=rcw&sig=c2VjcmV0LW9mLXQ%3D"


def missing(_: str) -> Iterator[bytes]:
    yield b"HTTP/1.1 404 Gone\r\nx-ms-error-code: BlobNotFound\r\nContent-Length: 0\r\n\r\n"


async def look(**fields: Any) -> object:
    """Look for a file in the landing, as before each delivery."""
    return await in_landing(fields.get("endpoint_url"), lambda landing: landing.look("some-file"))


async def in_landing(url: str | None, work: Callable[[Landing], Awaitable[object]]) -> object:
    """The result of *work* in the landing at *url*, or Azure's own."""
    place = AzurePlace(
        account="kadalanding", container="landing", sas_token=TOKEN, endpoint_url=url
    )
    async with open_landing(place, make_surroundings(None, FastClock())) as landing:
        return await work(landing)


TROUBLES: dict[str, tuple[tuple[str, ...], dict[str, bool], str]] = {
    "another host": (("blob.example.com",), {}, "is for another host"),
    "expired": (("localhost", HOST), {"is_expired": True}, "has expired"),
    "self-signed": (("localhost", HOST), {"is_self_signed": True}, "is self-signed"),
}


@pytest.mark.parametrize("trouble", TROUBLES)
@pytest.mark.parametrize("through_proxy", [False, True], ids=["direct", "proxy"])
async def test_a_bad_certificate_of_azure_is_refused_and_named(
    authority: Authority, monkeypatch: pytest.MonkeyPatch, trouble: str, *, through_proxy: bool
) -> None:
    """Once, with the host; the token is not sent, and not shown."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.bundle))
    hosts, kind, words = TROUBLES[trouble]
    with (
        BytesServer(missing) as server,
        TlsFront(server.port, authority.server(*hosts, **kind)) as front,
        ConnectProxy(front.port) as proxy,
    ):
        fields = {"endpoint_url": f"https://localhost:{front.port}"}
        if through_proxy:
            monkeypatch.setenv("HTTPS_PROXY", proxy.url)
            fields = {}

        with pytest.raises(NetworkError, match=words) as caught:
            await look(**fields)

        assert server.heads == []
        assert len(proxy.asked) == int(through_proxy)

    assert (HOST if through_proxy else "localhost") in str(caught.value)
    assert "sig=" not in str(caught.value)


REFUSALS = {
    (409, "BlobImmutableDueToPolicy"): "lift its immutability policy or legal hold",
    (403, "AuthorizationSourceIPMismatch"): "admits the address of this machine",
    (403, "KeyBasedAuthenticationNotPermitted"): "request a user delegation SAS token",
    (403, "AuthorizationPermissionMismatch"): "the rights read, create and write",
    (412, "LeaseIdMissing"): "whoever leased it, such as a backup, release it",
    (400, "InvalidHeaderValue"): "ask KADA Support what InvalidHeaderValue means for it",
}


@pytest.mark.parametrize(("status", "code"), REFUSALS)
async def test_what_azure_refuses_has_the_remedy_that_helps(status: int, code: str) -> None:
    """A policy, a lease, an address or a key is not mended by another token."""

    def refuse(head: str) -> Iterator[bytes]:
        given = (status, code) if head.startswith("PUT") else (404, "BlobNotFound")
        yield b"HTTP/1.1 %d No\r\nx-ms-error-code: %s\r\nContent-Length: 0\r\n\r\n" % (
            given[0],
            given[1].encode(),
        )

    with BytesServer(refuse) as server, pytest.raises(UnitError, match=code) as caught:
        await in_landing(server.url, lambda landing: landing.write("a.json", b"{}", replaces=None))

    assert REFUSALS[status, code] in caught.value.hint


CALLS: dict[str, Callable[[Landing], Awaitable[object]]] = {
    "read": lambda landing: landing.read("a.json"),
    "look": lambda landing: landing.look("a.json"),
}


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("status", [200, 206, 403, 404, 407])
async def test_a_page_in_place_of_azure_is_named_as_such(status: int, call: str) -> None:
    """A proxy's page is no missing blob, no missing right and no content of one."""
    page = b"HTTP/1.1 %d X\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>" % status
    empty = page.replace(b"Content-Length: 6", b"Content-Length: 0").removesuffix(b"<html>")
    with BytesServer(lambda head: iter([empty if head[:4] == "HEAD" else page])) as server:
        with pytest.raises(UnitError, match=r"(?i)not Azure's|an error of Azure") as caught:
            await in_landing(server.url, CALLS[call])

        assert len(server.heads) == FOREIGN_ATTEMPTS

    assert "check the proxy" in caught.value.hint


async def test_a_write_is_confirmed_by_what_lies_there_where_nothing_may_change() -> None:
    """Its answer was lost; the next try meets what it stored, which is immutable by now."""

    def answer(head: str) -> Iterator[bytes]:
        if head.startswith("PUT"):
            kind = b"x-ms-error-code: BlobImmutableDueToPolicy"
            yield b"HTTP/1.1 409 No\r\n%s\r\nContent-Length: 0\r\n\r\n" % kind
        else:
            range_ = b"Content-Range: bytes 0-1/2\r\nContent-Length: 2"
            yield b'HTTP/1.1 206 OK\r\nETag: "0x1"\r\n%s\r\n\r\n{}' % range_

    with BytesServer(answer) as server:
        found = await in_landing(
            server.url, lambda landing: landing.write("a.json", b"{}", replaces=None)
        )

    assert found == '"0x1"'


async def test_azure_is_reached_through_a_proxy_with_an_authority_of_ones_own(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Verified to the end, and asked."""
    monkeypatch.setenv("AWS_CA_BUNDLE", str(authority.bundle))
    with (
        BytesServer(missing) as server,
        TlsFront(server.port, authority.server(HOST)) as front,
        ConnectProxy(front.port) as proxy,
    ):
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        assert await look() is None
        assert len(server.heads) == 1


async def test_no_proxy_carries_calls_to_an_emulator(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loopback is spoken to directly, in the clear, with the token."""
    with BytesServer(missing) as server, ConnectProxy(server.port) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("http_proxy", proxy.url)
        assert await look(endpoint_url=server.url) is None
        assert proxy.asked == []


async def test_a_redirect_of_azure_is_not_followed() -> None:
    """The token stays with the account."""
    with BytesServer(missing) as stranger:

        def moved(_: str) -> Iterator[bytes]:
            yield (
                f"HTTP/1.1 307 Moved\r\nLocation: {stranger.url}/x\r\nContent-Length: 0\r\n\r\n"
            ).encode()

        with BytesServer(moved) as server:
            with pytest.raises(NetworkError, match="answered 307, a redirect to"):
                await look(endpoint_url=server.url)

            assert len(server.heads) == 1

        assert stranger.heads == []
