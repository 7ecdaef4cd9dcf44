"""A tiny estate behind a server whose answers a test writes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone

import pytest

from kada_athena_async.sandbox import Sandbox
from tests.kit.raw_aws import RawAws
from tests.kit.small_estate import tiny_estate

NOW = datetime(2026, 11, 1, 12, 0, 0, tzinfo=timezone.utc)


@pytest.fixture
def aws() -> Iterator[RawAws]:
    with Sandbox(tiny_estate(NOW), now=lambda: NOW) as sandbox, RawAws(sandbox) as running:
        yield running
