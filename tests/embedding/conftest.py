"""An extractor inside somebody else's event loop: nothing blocks it, nothing is left in it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from blockbuster import blockbuster_ctx

from kada_athena_async import Extractor
from kada_athena_async.sandbox import Sandbox
from tests.conftest import FastClock
from tests.kit.estates import few_schemas


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with few_schemas(scale=0.02) as running:
        yield running


@pytest_asyncio.fixture(autouse=True)
async def _a_strict_loop() -> AsyncIterator[None]:
    """Asyncio's debug mode; blocking calls of ours are errors; no task is left behind."""
    loop = asyncio.get_running_loop()
    loop.set_debug(True)
    loop.slow_callback_duration = 3600  # a busy machine is slow; blockbuster tells by the call
    with blockbuster_ctx(scanned_modules=["kada_athena_async"]) as blockbuster:
        # Coverage takes its own lock, and looks at files, in the midst of the code it measures.
        for function in blockbuster.functions.values():
            function.can_block_in("coverage/collector.py", {"lock_data"})
            function.can_block_in("coverage/control.py", {"_should_trace"})
            # The fork of a worker is asked for and awaited, in place of the start of a process.
            function.can_block_in("kit/warm_workers.py", {"start_by"})

        yield

    assert asyncio.all_tasks() == {asyncio.current_task()}


@pytest.fixture
def make(sandbox: Sandbox, tmp_path: Path, fast_clock: FastClock) -> Callable[..., Extractor]:
    """Makes an extractor on the sandbox that writes below ``tmp_path / 'out'``."""

    def _make(**fields: Any) -> Extractor:
        seams = {"clock": fast_clock, "name": fields.pop("name", "athena")}
        seams["hwm_path"] = tmp_path / f"{seams['name']}_hwm.txt"
        seams["observers"] = fields.pop("observers", ())
        settings = {"catalogs": ["*"], "metadata_source": "api", "quota_share": 1.0, **fields}
        return Extractor(**seams, **sandbox.config(tmp_path / "out", **settings))

    return _make
