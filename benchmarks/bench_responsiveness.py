"""Delay of a service that shares its event loop with a full extraction, masking on.

A task of the same loop sleeps two milliseconds again and again; the largest overshoot is what a
web server beside the engine would feel. Twice measured without us in the same process: the loop
left alone (the machine's own noise), and a plain aioboto3 loop that decodes, writes CSV and
compresses inline.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from pathlib import Path

from benchmarks.frame import days_ago, own_run, parse, show
from benchmarks.loop_delay import LoopDelay
from benchmarks.peers.aioboto3_columns import columns_to_gzip
from benchmarks.peers.environment import run_module
from benchmarks.standin import stand_in

SETTINGS: dict[str, float] = {
    "schemas": 200,
    "tables": 50,
    "columns": 20,
    "executions": 5_000,
    "workgroups": 6,
    # The engine of the stand-in is fast, so that rows come as thick as they can.
    "rows_per_s": 10_000.0,
    "active_dml": 100,
}
QUICK: dict[str, float] = {**SETTINGS, "schemas": 3, "executions": 200, "latency_scale": 0.1}


def main() -> None:
    """Measure and print; with ``--child`` be the process of one of the comparisons."""
    if "--child" in sys.argv:
        asyncio.run(_child(sys.argv[sys.argv.index("--child") + 1]))
        return

    options = parse(__doc__ or "", repeat=3)
    settings = QUICK if options.is_quick else SETTINGS
    own = [_own(settings) for _ in range(options.repeat)]
    own.sort(key=lambda run: float(run["loop_delay"]["largest_ms"]))  # type: ignore[index]
    figures: dict[str, object] = {
        "settings": settings,
        "own": {**own[len(own) // 2], "all_largest_ms": [_largest(run) for run in own]},
    }
    with stand_in(**settings) as server:
        for name in ("idle", "aioboto3_loop"):
            module = "benchmarks.bench_responsiveness"
            figures[name] = run_module(
                sys.executable, module, server.url, arguments=["--child", name]
            )

    show("responsiveness", options, figures)


def _largest(run: dict[str, object]) -> object:
    return run["loop_delay"]["largest_ms"]  # type: ignore[index]


def _own(settings: dict[str, float]) -> dict[str, object]:
    with stand_in(**settings) as server, tempfile.TemporaryDirectory() as output:
        run = own_run(
            server.url,
            Path(output),
            run={"start_hwm": days_ago(2), "probe": True},
            mask=True,
            metadata_source="auto",
        )
        return {name: run[name] for name in ("loop_delay", "seconds", "cpu_s", "found")}


async def _child(name: str) -> None:
    probe = LoopDelay()
    probe.start()
    if name == "idle":
        await asyncio.sleep(5)
    else:
        await columns_to_gzip()

    await probe.stop()
    print(json.dumps({"loop_delay": probe.figures()}))


if __name__ == "__main__":
    main()
