"""A sandbox for a module's tests, and runs against it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from pathlib import Path
from time import time
from typing import Any

import anyio
import pytest

from kada_athena_async import Extractor, PlanReport, RunReport
from kada_athena_async.sandbox import Sandbox
from tests.faults.world import START, WallClock
from tests.kit.estates import few_schemas


@pytest.fixture
def wall() -> WallClock:
    return WallClock(START)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with few_schemas(scale=0.05) as running:
        yield running


class Spaced(Extractor):
    """Begins nothing in the second in which a run ended: the window might be empty."""

    _ended_s = 0

    async def run(self, **arguments: Any) -> RunReport:
        await self._next_second()
        try:
            return await super().run(**arguments)
        finally:
            Spaced._ended_s = int(time())

    async def plan(self, **arguments: Any) -> PlanReport:
        await self._next_second()
        return await super().plan(**arguments)

    async def _next_second(self) -> None:
        if int(time()) == Spaced._ended_s:
            await anyio.sleep(1 - time() % 1 + 0.01)


@pytest.fixture
def extractor(sandbox: Sandbox, tmp_path: Path, fast_clock: Any) -> Callable[..., Extractor]:
    """Makes an extractor on the sandbox that writes below ``tmp_path / 'out'``."""

    def make(**fields: Any) -> Extractor:
        events = fields.pop("observers", ())
        name = fields.pop("name", "athena")
        clock = fields.pop("clock", fast_clock)
        settings: dict[str, Any] = {"catalogs": ["*"], "quota_share": 1.0, **fields}
        return Spaced(
            observers=events,
            name=name,
            clock=clock,
            hwm_path=None if "hwm_store" in settings else tmp_path / f"{name}_hwm.txt",
            **sandbox.config(settings.pop("output_path", tmp_path / "out"), **settings),
        )

    return make


def utc(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%S.%f").replace(tzinfo=timezone.utc)


async def run(made: Extractor, **arguments: Any) -> RunReport:
    async with made:
        return await made.run(manage_hwm=True, **arguments)
