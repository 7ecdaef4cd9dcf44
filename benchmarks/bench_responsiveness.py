"""How late a service is that shares its event loop with a full extraction, masking on.

A task of the same loop sleeps two milliseconds again and again; the largest overshoot is what a
web server beside the engine would feel. Twice measured without us in the same process: the loop
left alone (the machine's own noise), and a plain aioboto3 loop that decodes, writes CSV and
compresses inline.
"""

from __future__ import annotations

import asyncio
import csv
import gzip
import json
import sys
import tempfile
from datetime import datetime, timedelta, timezone
from pathlib import Path

import aioboto3

from benchmarks.frame import own_run, parse, show
from benchmarks.loop_delay import LoopDelay
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
SQL = (
    "SELECT table_schema, table_name, column_name, ordinal_position, data_type, is_nullable, "
    "comment, extra_info FROM information_schema.columns"
)


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
        start = datetime.now(timezone.utc) - timedelta(days=2)
        run = own_run(
            server.url,
            Path(output),
            run={"start_hwm": start.strftime("%Y-%m-%d %H:%M:%S"), "probe": True},
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
        await _aioboto3_loop()

    await probe.stop()
    print(json.dumps({"loop_delay": probe.figures()}))


async def _aioboto3_loop() -> None:
    """All columns by GetQueryResults, written as they come."""
    with tempfile.TemporaryDirectory() as output:
        async with aioboto3.Session().client("athena") as athena:
            query_id = (
                await athena.start_query_execution(
                    QueryString=SQL, ResultConfiguration={"OutputLocation": "s3://results/plain"}
                )
            )["QueryExecutionId"]
            state = ""
            while state != "SUCCEEDED":
                await asyncio.sleep(1)
                answer = await athena.get_query_execution(QueryExecutionId=query_id)
                state = answer["QueryExecution"]["Status"]["State"]

            pages = athena.get_paginator("get_query_results").paginate(QueryExecutionId=query_id)
            path = Path(output) / "columns.csv.gz"
            with gzip.open(path, "wt", compresslevel=1, newline="") as file:
                writer = csv.writer(file)
                async for page in pages:
                    for row in page["ResultSet"]["Rows"]:
                        writer.writerow([datum.get("VarCharValue") for datum in row["Data"]])


if __name__ == "__main__":
    main()
