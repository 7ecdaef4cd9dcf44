"""What a run loads late is there when it is needed."""

from __future__ import annotations

import ssl

import pytest

from kada_athena_async.aws.network import ca_bundle
from kada_athena_async.cli.loading import certificates_read_late


@pytest.fixture
def late(monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """A context as aiohttp makes its own."""
    monkeypatch.setenv("SSL_CERT_FILE", ca_bundle({}, None)[0])
    with certificates_read_late():
        return ssl.create_default_context()


def test_a_late_context_has_read_nothing(late: ssl.SSLContext) -> None:
    """Making it costs no reading of files."""
    assert late.cert_store_stats()["x509"] == 0


def test_a_late_context_trusts_the_machines_certificates_when_it_connects(
    late: ssl.SSLContext,
) -> None:
    """Its first connection checks by the machine's certificates, as any other's."""
    connection = late.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname="example.com")

    assert connection.context.cert_store_stats()["x509"] > 0
    assert (late.verify_mode, late.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert type(late) is ssl.SSLContext


def test_later_contexts_are_pythons_own() -> None:
    """Nothing stays of what was put in the way."""
    with certificates_read_late():
        pass

    assert "set_default_verify_paths" not in vars(ssl.SSLContext)
