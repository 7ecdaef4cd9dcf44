"""A small estate, and examinations of it with any policy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from kada_athena_async import Extractor
from kada_athena_async.sandbox import Sandbox
from tests.kit.small_estate import tiny_estate

LANDING = "the-landing"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """Two catalogs, four tables, seven executions, and a bucket for a landing."""
    with Sandbox(tiny_estate(datetime.now(timezone.utc))) as running:
        running.create_bucket(LANDING)
        yield running


@pytest.fixture
def examined(sandbox: Sandbox, tmp_path: Path, fast_clock: Any) -> Callable[..., Extractor]:
    """Makes an extractor whose key may do what ``policy`` says, and nothing else."""

    def make(policy: Any = "admin", **fields: Any) -> Extractor:
        clock = fields.pop("clock", fast_clock)
        user = sandbox.add_user("least", policy=policy)
        keys = {"key": user.access_key_id, "secret": user.secret, "quota_share": 1.0}
        values = sandbox.config(tmp_path / "out", **{**keys, **fields})
        return Extractor(clock=clock, hwm_path=tmp_path / "athena_hwm.txt", **values)

    return make
