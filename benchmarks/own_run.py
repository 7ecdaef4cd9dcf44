"""One extraction by the engine, in a process of its own: prints what it found and what it took.

The clock starts after the imports and before anything is made, as it does for the peers; it stops
when the extracts are committed, which the peers do not have to do.
"""

from __future__ import annotations

import asyncio
import gc
import json
import resource
import sys
from pathlib import Path
from typing import Any

import kada_athena_async.engine.run
import kada_athena_async.engine.schema_listing
import kada_athena_async.pipeline  # noqa: F401 - else loaded after the clock has started
from benchmarks.loop_delay import LoopDelay
from benchmarks.peers.outcome import Found, Stopwatch
from kada_athena_async import Extractor


async def extract(wanted: dict[str, Any]) -> tuple[Any, LoopDelay | None, Stopwatch]:
    """Run as *wanted* says.

    Its members: ``config``; ``start_hwm`` and ``end_hwm`` of the window; ``probe``, true to watch
    the loop as a service beside it would feel it; ``before``, the window of a run that comes
    first, is not measured, and leaves mark and state to the measured one.
    """
    probe = LoopDelay() if wanted.get("probe") else None
    watch = Stopwatch()
    before = wanted.get("before")
    if before is not None:
        mark = Path(wanted["config"]["output_path"]) / "athena_hwm.txt"
        async with Extractor(**wanted["config"], hwm_path=mark) as extractor:
            await extractor.run(**before, manage_hwm=True)

        watch = Stopwatch()
        async with Extractor(**wanted["config"], hwm_path=mark) as extractor:
            return await extractor.run(manage_hwm=True), probe, watch

    if probe is not None:
        probe.start()

    try:
        async with Extractor(**wanted["config"]) as extractor:
            report = await extractor.run(
                start_hwm=wanted.get("start_hwm", "2026-01-01 00:00:00"),
                end_hwm=wanted.get("end_hwm"),
                again=True,
            )
    finally:
        if probe is not None:
            await probe.stop()

    return report, probe, watch


def main() -> None:
    """Extract as the first argument says."""
    wanted = json.loads(sys.argv[1])
    report, probe, watch = asyncio.run(extract(wanted))
    rows = dict(report.rows)
    found = Found(
        tables=rows.get("metadata_tables", 0),
        columns=rows.get("metadata_columns", 0),
        view_texts=rows.get("metadata_views", 0),
        executions=rows.get("databaselog", 0),
        rows=sum(rows.values()),
    )
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    watch.report(
        found,
        committed=report.committed,
        calls=dict(report.calls),
        principals=rows.get("query_principals", 0),
        throttles=dict(report.throttles),
        files_bytes=sum(file.size_bytes for file in report.files),
        children_cpu_s=children.ru_utime + children.ru_stime,
        children_peak_rss_mb=children.ru_maxrss / 1024,
        loop_delay=None if probe is None else probe.figures(),
        garbage_collections=gc.get_stats()[2]["collections"],
    )


if __name__ == "__main__":
    main()
