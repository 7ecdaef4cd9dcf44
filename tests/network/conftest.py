"""An authority, a tiny AWS behind its certificates, and an environment without proxies."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from kada_athena_async import Extractor
from kada_athena_async.sandbox import Sandbox
from tests.kit.certificates import Authority
from tests.kit.small_estate import tiny_estate

NOW = datetime(2026, 11, 1, 12, 0, 0, tzinfo=timezone.utc)


@pytest.fixture(autouse=True)
def _no_network_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Proxies and authorities of whoever runs the tests must change nothing."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)

    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(tiny_estate(NOW), now=lambda: NOW) as running:
        yield running


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def extractor(sandbox: Sandbox, tmp_path: Path) -> Callable[..., Extractor]:
    """Makes an extractor that lists by the API only, under the real clock."""

    def make(**fields: Any) -> Extractor:
        settings: dict[str, Any] = {"metadata_source": "api", "bucket": "", **fields}
        seams = {name: settings.pop(name) for name in ("observers", "clock") if name in settings}
        return Extractor(
            hwm_path=tmp_path / "hwm.txt",
            **seams,
            **sandbox.config(tmp_path / "out", **settings),
        )

    return make
