"""AWS Lambda: one run an invocation, for estates that are through within its 15 minutes.

Configuration by variables, as in ``ecs-task.json``: ``KADA_ATHENA_OUTPUT_PATH`` below ``/tmp``,
``KADA_ATHENA_LANDING`` and ``KADA_ATHENA_HWM_STORE``, for nothing else outlives an invocation.
Reserve a concurrency of 1.
"""

from __future__ import annotations

from typing import Any

import anyio

from kada_athena_async import Extractor, RunReport
from kada_athena_async.config import load_config


def handler(event: dict[str, Any], context: object) -> dict[str, object]:
    """Extract, deliver, move the high-water mark; an error fails the invocation."""
    report = anyio.run(_run)
    if report.exit_code:
        raise RuntimeError(f"run {report.run_id} committed nothing: see the log")

    return {"run_id": report.run_id, "committed": report.committed, "rows": report.rows}


async def _run() -> RunReport:
    async with Extractor(load_config(None)) as extractor:
        return await extractor.run(manage_hwm=True)
