"""One estate at full scale and one at a tenth, built once: tests only read them."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from kada_athena_async.sandbox.estate.build import build_estate
from kada_athena_async.sandbox.estate.model import Estate

NOW = datetime(2026, 11, 23, 5, 0, 0, 123_456, tzinfo=timezone.utc)


@pytest.fixture(scope="session")
def estate() -> Estate:
    """The organisation at full scale."""
    return build_estate(now=NOW)


@pytest.fixture(scope="session", params=[(0.0, 1), (0.1, 7), (1.0, 7), (1.5, 2)])
def scaled(request: pytest.FixtureRequest) -> Estate:
    """The organisation at several scales and seeds, for what must hold with each."""
    scale, seed = request.param
    return build_estate(now=NOW, scale=scale, seed=seed)
