"""A service that embeds the engine is not held up while this loads its modules."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

import pytest

from kada_athena_async.sandbox import Sandbox
from tests.kit.small_estate import tiny_estate

# Forks a child for each use, so that each loads for itself; libraries are loaded once. A child says
# which modules of ours the thread of the event loop imports while the loop runs.
USE_EACH = """
import asyncio, json, os, sys, threading
import aioboto3, aiohttp, aiobotocore.session, anyio._backends._asyncio, pydantic, sqlglot

class Look:
    is_running = False
    def find_spec(self, name, path=None, target=None):
        if self.is_running and threading.current_thread() is threading.main_thread():
            if name.startswith("kada_athena_async."):
                print(use, name, flush=True)

async def work():
    look.is_running = True
    shared = Shared() if "shared" in use else None
    async with Extractor(**fields, shared=shared, hwm_path=f"{place}/{use}.txt") as extractor:
        if use == "tables":
            async for _ in extractor.tables(): pass
        else:
            await getattr(extractor, use.removesuffix("_shared"))()

fields, place, uses = json.loads(sys.argv[1]), sys.argv[2], sys.argv[3].split(",")
for use in uses:
    pid = os.fork()
    if pid == 0:
        look = Look()
        sys.meta_path.insert(0, look)
        from kada_athena_async import Extractor, Shared
        try:
            asyncio.run(work())
        except BaseException as exc:
            print(use, type(exc).__name__, exc, flush=True)
        os._exit(0)
    os.waitpid(pid, 0)
"""

USES = ["run_shared", "tables", "plan", "test_connection", "examine"]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """One for all uses, which change nothing there."""
    with Sandbox(tiny_estate(datetime.now(timezone.utc))) as running:
        yield running


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_no_module_is_loaded_on_the_event_loop(sandbox: Sandbox, tmp_path: Path) -> None:
    """A quarter of a second of imports goes on in a thread, whatever is asked for first."""
    fields = sandbox.config(tmp_path / "out", metadata_source="auto")
    done = subprocess.run(
        [sys.executable, "-c", USE_EACH, json.dumps(fields), str(tmp_path), ",".join(USES)],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
    )

    assert (done.stdout, done.returncode) == ("", 0), done.stderr
