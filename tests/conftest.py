"""Fixtures for every test: a clean environment, a fast clock, a reader of extracts."""

from __future__ import annotations

import csv
import gc
import gzip
import io
import json
import os
import signal
import sys
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from time import monotonic

import anyio
import pytest
from hypothesis import HealthCheck, settings

from kada_athena_async.aws.garbage_collection import frozen_while_open
from tests.kit.command import fork_worker
from tests.kit.sdk_models import keep_models
from tests.kit.warm_workers import fork_workers

# A busy machine stretches any single example; what hangs meets the timeout of its test. Each run
# tries the same examples, so that none fails by chance: --hypothesis-profile=exploring for others.
settings.register_profile(
    "same", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("exploring", settings.get_profile("same"), derandomize=False)
settings.load_profile("same")

# Tests that were started by `nohup`, or behind a script's back, would hand down that signals are
# ignored, and a program that is to outlive its terminal is right not to stop.
if sys.platform != "win32":
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)

# Else each process of the tests compiles the package anew, which takes it a second.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# Collecting makes some million objects that stay; each worker would walk over them 20 times.
gc.disable()

fork_workers(fork_worker)
keep_models()

# Files that take longest, one worker each: begun last they would keep the others waiting.
LONG = (
    "test_two_runners.py",
    "test_crash_loop.py",
    "test_run.py",
    "test_once.py",
    "test_crash.py",
    "test_architecture.py",
    "test_azure.py",
    "test_linear.py",
    "test_browser.py",
    "test_records.py",
    "test_disk.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files first; without xdist's own order, which begins with those of many tests."""
    items.sort(key=lambda item: LONG.index(item.path.name) if item.path.name in LONG else len(LONG))


def pytest_collection_finish() -> None:
    gc.enable()


@pytest.fixture(autouse=True, scope="module")
def _little_to_collect() -> Iterator[None]:
    """Collections walk over what a file's tests made, not over all that was imported before."""
    gc.collect()
    gc.freeze()
    # The first of several connections counts what is frozen, 10 ms for so much.
    with frozen_while_open():
        yield


@pytest.fixture(autouse=True)
def _no_settings_of_the_developer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keys, profiles, regions and endpoints of whoever runs the tests must change nothing."""
    for name in list(os.environ):
        if name.startswith(("AWS_", "KADA_ATHENA_")):
            monkeypatch.delenv(name)

    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "no-aws-config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "no-aws-credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


class FastClock:
    """A clock on which waiting takes a fiftieth of the time; the wall clock is the real one.

    Work takes as long as it takes: were it counted fifty times, a busy machine would miss the
    deadlines of calls.
    """

    SPEED = 50

    def __init__(self) -> None:
        self._skipped_s = 0.0

    def now(self) -> datetime:
        return datetime.now(timezone.utc)

    def monotonic(self) -> float:
        return monotonic() + self._skipped_s

    async def sleep(self, duration_s: float) -> None:
        end_s = self.monotonic() + duration_s
        await anyio.sleep(duration_s / self.SPEED)
        self._skipped_s += max(0.0, end_s - self.monotonic())


@pytest.fixture
def fast_clock() -> FastClock:
    return FastClock()


class Extracts:
    """Reads what a run left in a directory; shares no code with what wrote it."""

    def __init__(self, output_path: Path) -> None:
        self.output_path = output_path
        csv.field_size_limit(sys.maxsize)

    def manifests(self) -> list[dict]:
        return [
            json.loads(path.read_text())
            for path in sorted(self.output_path.glob("*_manifest_*.json"))
        ]

    def rows(self, kind: str) -> list[dict[str, str]]:
        """Rows of a kind over all manifests in sight, in order."""
        found = []
        for manifest in self.manifests():
            for file in manifest["files"]:
                if file["kind"] == kind:
                    found += self.read(self.output_path / file["name"])

        return found

    @staticmethod
    def read(path: Path) -> list[dict[str, str]]:
        data = path.read_bytes()
        text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8")
        return list(csv.DictReader(io.StringIO(text, newline="")))


@pytest.fixture
def read_extracts() -> Iterator[type[Extracts]]:
    return Extracts
