"""A server must prove to be the host that was asked: with and without a proxy, at once."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from kada_athena_async import Extractor
from kada_athena_async.aws.network import make_context
from kada_athena_async.errors import ConfigError, NetworkError
from kada_athena_async.events import RetryScheduled
from kada_athena_async.sandbox import Sandbox
from tests.kit.certificates import Authority
from tests.kit.wires import ConnectProxy, Greeter, TlsFront

AWS = ("*.us-east-1.amazonaws.com", "s3.us-east-1.amazonaws.com")

TROUBLES = {
    "another host": ({"hosts": ("athena.example.com",)}, "is for another host"),
    "self-signed": ({"is_self_signed": True}, "is self-signed"),
    "expired": ({"is_expired": True}, "has expired"),
    "unknown authority": ({"other": True}, "is signed by an authority that is not trusted here"),
}
each_trouble = pytest.mark.parametrize(("trouble", "words"), TROUBLES.values(), ids=TROUBLES.keys())


def files_of(
    authority: Authority, directory: Path, *hosts: str, other: bool = False, **kind: Any
) -> tuple[Path, Path]:
    """Certificate and key; *hosts* unless the trouble is that it is for others."""
    signer = Authority(directory) if other else authority
    return signer.server(*kind.pop("hosts", hosts), **kind)


@contextmanager
def tls_sandbox(sandbox: Sandbox, files: tuple[Path, Path]) -> Iterator[TlsFront]:
    with TlsFront(urlsplit(sandbox.endpoint_url).port or 0, files) as front:
        yield front


@each_trouble
async def test_a_bad_certificate_is_refused_and_named(
    sandbox: Sandbox,
    authority: Authority,
    extractor: Callable[..., Extractor],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    trouble: dict[str, Any],
    words: str,
) -> None:
    """One handshake, no request, no retry: the sentence says which trouble of which host."""
    monkeypatch.setenv("AWS_CA_BUNDLE", str(authority.bundle))
    files = files_of(authority, tmp_path, "localhost", **trouble)
    said: list[object] = []
    with tls_sandbox(sandbox, files) as front:
        made = extractor(endpoint_url=f"https://localhost:{front.port}", observers=[said.append])
        with pytest.raises(NetworkError, match=f"the certificate of localhost {words}") as caught:
            await made.run()

    assert caught.value.exit_code == 3
    assert caught.value.hint
    assert front.received_bytes == 0
    assert not any(isinstance(event, RetryScheduled) for event in said)


@each_trouble
async def test_a_bad_certificate_is_refused_through_a_proxy(
    sandbox: Sandbox,
    authority: Authority,
    extractor: Callable[..., Extractor],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    trouble: dict[str, Any],
    words: str,
) -> None:
    """The proxy tunnels; whom it tunnels to must prove to be AWS all the same."""
    monkeypatch.setenv("AWS_CA_BUNDLE", str(authority.bundle))
    files, said = files_of(authority, tmp_path, *AWS, **trouble), list[object]()
    with tls_sandbox(sandbox, files) as front, ConnectProxy(front.port) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        way = re.escape(f"(through the proxy {proxy.url})")
        sentence = rf"the certificate of \w+\.us-east-1\.amazonaws\.com {way} {words}"
        with pytest.raises(NetworkError, match=sentence):
            await extractor(endpoint_url=None, region="us-east-1", observers=[said.append]).run()

    assert proxy.asked
    assert not any(isinstance(event, RetryScheduled) for event in said)
    assert front.received_bytes == 0


@pytest.mark.parametrize("variable", ["AWS_CA_BUNDLE", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"])
async def test_an_authority_of_ones_own_is_trusted(
    sandbox: Sandbox,
    authority: Authority,
    extractor: Callable[..., Extractor],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    variable: str,
) -> None:
    """Each of the three variables names it; the run ends as over plain http."""
    monkeypatch.setenv(variable, str(authority.bundle))
    with tls_sandbox(sandbox, authority.server("localhost")) as front:
        report = await extractor(endpoint_url=f"https://localhost:{front.port}").run()

    assert report.committed
    assert front.handshakes > 0


async def test_the_profile_names_an_authority(
    sandbox: Sandbox,
    authority: Authority,
    extractor: Callable[..., Extractor],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """``ca_bundle`` of the AWS configuration files counts before the general variables."""
    (tmp_path / "config").write_text(f"[default]\nca_bundle = {authority.bundle}\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "not-looked-at.pem"))
    with tls_sandbox(sandbox, authority.server("localhost")) as front:
        report = await extractor(endpoint_url=f"https://localhost:{front.port}").test_connection()

    assert report.workgroups


async def test_an_authority_that_cannot_be_read_is_refused(
    extractor: Callable[..., Extractor], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The setting is named, before any call."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "none.pem"))

    with pytest.raises(ConfigError, match=r"REQUESTS_CA_BUNDLE = '.*none.pem': No such file"):
        await extractor().run()

    (tmp_path / "junk.pem").write_text("junk")
    monkeypatch.setenv("AWS_CA_BUNDLE", str(tmp_path / "junk.pem"))

    with pytest.raises(ConfigError, match=r"AWS_CA_BUNDLE = '.*junk.pem': holds no certificate"):
        await extractor().run()


def test_a_file_of_authorities_is_read_again_when_it_has_changed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Sites share what was read of it, until somebody replaces it."""
    monkeypatch.setenv("AWS_CA_BUNDLE", str(Authority(tmp_path).bundle))
    before = make_context()

    assert make_context() is before

    os.utime(Authority(tmp_path).bundle, ns=(0, 0))
    after = make_context()

    assert before.get_ca_certs() != after.get_ca_certs() != []


async def test_a_run_goes_through_a_proxy(
    sandbox: Sandbox,
    authority: Authority,
    extractor: Callable[..., Extractor],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With a good certificate and a login in its URL, every service is reached through it."""
    monkeypatch.setenv("AWS_CA_BUNDLE", str(authority.bundle))
    with (
        tls_sandbox(sandbox, authority.server(*AWS)) as front,
        ConnectProxy(front.port, login="user:pass word") as proxy,
    ):
        monkeypatch.setenv("HTTPS_PROXY", f"http://user:pass%20word@127.0.0.1:{proxy.port}")
        report = await extractor(endpoint_url=None, region="us-east-1").run()

    assert report.committed
    assert {line.split()[1].partition(".")[0] for line in proxy.asked} >= {"athena", "glue"}


async def test_a_role_is_assumed_over_verified_connections_only(
    sandbox: Sandbox,
    authority: Authority,
    extractor: Callable[..., Extractor],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The SDK's own client of STS is held to the same."""
    monkeypatch.setenv("AWS_CA_BUNDLE", str(authority.bundle))
    files = authority.server("athena.us-east-1.amazonaws.com", "glue.us-east-1.amazonaws.com")
    with tls_sandbox(sandbox, files) as front, ConnectProxy(front.port) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        made = extractor(
            endpoint_url=None, region="us-east-1", role="arn:aws:iam::123456789012:role/Kada"
        )
        with pytest.raises(
            NetworkError, match=r"of sts\.us-east-1\.amazonaws\.com .* another host"
        ):
            await made.run()

    assert front.received_bytes == 0


async def test_a_server_without_tls_is_named(extractor: Callable[..., Extractor]) -> None:
    """Plain http where TLS is expected is no outage."""
    with Greeter(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n") as server:
        made = extractor(endpoint_url=f"https://localhost:{server.port}")
        with pytest.raises(NetworkError, match=r"localhost does not speak TLS as it should \("):
            await made.run()
