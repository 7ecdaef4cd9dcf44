"""Landings that are real: a bucket of the sandbox, a container of Azurite, a directory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kada_athena_async.landing import Runtime
from kada_athena_async.sandbox import Sandbox
from tests.landing.support import Bucket, Deliverer, empty_sandbox, make_surroundings


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with empty_sandbox() as running:
        yield running


@pytest.fixture
def bucket(sandbox: Sandbox) -> Bucket:
    return Bucket(sandbox, "landing")


@pytest.fixture
def out(tmp_path: Path) -> Path:
    path = tmp_path / "out"
    path.mkdir(mode=0o700)
    return path


@pytest.fixture
def runtime(sandbox: Sandbox, fast_clock: Any) -> Callable[..., Runtime]:
    return lambda **fields: make_surroundings(sandbox, fast_clock, **fields)


@pytest.fixture
def push(out: Path, bucket: Bucket, runtime: Callable[..., Runtime]) -> Deliverer:
    """Delivers from ``out`` to the bucket."""
    return Deliverer(out, bucket.place(), runtime)
