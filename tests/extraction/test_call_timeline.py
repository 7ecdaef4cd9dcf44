"""The manifest tells when a run's calls were made."""

from __future__ import annotations

import json
from typing import Any

from kada_athena_async.sandbox import Sandbox
from tests.extraction.conftest import run


async def test_every_call_and_throttle_of_a_run_has_its_time(
    sandbox: Sandbox, extractor: Any
) -> None:
    """The counts by time add up to the counts by operation, and AWS's quotas stand beside them."""
    sandbox.faults.add("throttle", "athena:ListWorkGroups", times=2)
    report = await run(extractor(metadata_source="api", quota_share=0.5))

    facts = json.loads(report.manifest.read_text())["facts"]
    timeline = facts["timeline"]
    assert {name: sum(row) for name, row in timeline["calls"].items()} == facts["calls"]
    assert {name: sum(row) for name, row in timeline["throttles"].items()} == facts["throttles"]
    assert facts["throttles"] == {"athena:ListWorkGroups": 2}
    assert timeline["quotas"]["athena:ListQueryExecutions"] == 5
    assert timeline["quota_share"] == 0.5
