"""The landing in Azure is held to the same: certificates, proxies, redirects."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from kada_athena_async.concurrency import SystemClock
from kada_athena_async.config.landing import AzurePlace
from kada_athena_async.errors import NetworkError
from kada_athena_async.landing import open_landing
from tests.kit.certificates import Authority
from tests.kit.wires import BytesServer, ConnectProxy, TlsFront
from tests.landing.support import make_surroundings

HOST = "kadalanding.blob.core.windows.net"
TOKEN = "sv=2024-01-01&sp=rcw&sig=c2VjcmV0LW9mLXQ%3D"


def missing(_: str) -> Iterator[bytes]:
    yield b"HTTP/1.1 404 Gone\r\nx-ms-error-code: BlobNotFound\r\nContent-Length: 0\r\n\r\n"


async def look(**fields: Any) -> object:
    """Look for a file in the landing, as before each delivery."""
    place = AzurePlace(account="kadalanding", container="landing", sas_token=TOKEN, **fields)
    async with open_landing(place, make_surroundings(None, SystemClock())) as landing:
        return await landing.look("some-file")


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
