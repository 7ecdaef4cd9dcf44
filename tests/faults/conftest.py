"""A world of its own for each test."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

import pytest

from kada_athena_async.sandbox import Sandbox
from tests.faults.world import START, WallClock, World
from tests.kit.command import starter
from tests.kit.raw_aws import RawAws
from tests.kit.small_estate import tiny_estate


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--all-crashes", action="store_true", help="crash a run at every one of its steps"
    )


@pytest.fixture(autouse=True, scope="session")
def _starter_is_there() -> None:
    """Else the first test that starts a process would find the starter among what it left."""
    if sys.platform == "linux":
        starter()


@pytest.fixture
def wall() -> WallClock:
    return WallClock()


@pytest.fixture
def sandbox(wall: WallClock) -> Iterator[Sandbox]:
    """A tiny estate: nine workgroups, two catalogs, six tables, seven executions."""
    with Sandbox(tiny_estate(START), now=wall.now) as running:
        yield running


@pytest.fixture
def aws(sandbox: Sandbox) -> Iterator[RawAws]:
    """The sandbox behind a server whose answers a test writes."""
    with RawAws(sandbox) as running:
        yield running


@pytest.fixture
def world(tmp_path: Path, sandbox: Sandbox, wall: WallClock) -> World:
    return World(tmp_path, sandbox, wall)


@pytest.fixture
def live_world(tmp_path: Path) -> Iterator[World]:
    """A world in which it is now; sessions of a role expire by the SDK's own clock."""
    now = datetime.now(timezone.utc)
    with Sandbox(tiny_estate(now)) as running:
        yield World(tmp_path, running, WallClock(now))
