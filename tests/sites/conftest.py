"""A sandbox of several accounts for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit.estates import few_schemas
from tests.sites.world import SitesWorld


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SitesWorld]:
    """No site yet; marks are kept in the working directory, which is the test's own."""
    monkeypatch.chdir(tmp_path)
    with few_schemas(scale=0.01) as sandbox:
        yield SitesWorld(tmp_path, sandbox)
