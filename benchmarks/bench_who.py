"""Time of 50,000 executions and their principals, by each of AWS's two sources.

Athena's system table names both in a few statements; the sandbox serves it, with AWS's call quotas
on and with the queue and planning times of the quota server, and the clock runs from the start of
the extracting process to its end. CloudTrail gives two pages of 50 events a second to an account:
nobody can be faster than that, and it is measured on fewer executions.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from time import perf_counter
from typing import Any

from benchmarks.bounds import history_bound
from benchmarks.frame import Options, days_ago, median, own_run, parse, rounded, show
from kada_athena_async.estimate.rates import bucket_s
from kada_athena_async.sandbox import Sandbox
from kada_athena_async.sandbox.behaviour import Behaviour
from kada_athena_async.sandbox.limits import QUOTAS
from tests.kit.small_estate import make_execution, tiny_estate

WORKGROUPS = ("primary", "adhoc", "bi_dashboards", "data-science", "etl_nightly", "legacy_reports")
EVENTS_A_PAGE = 50  # AWS CloudTrail API Reference, LookupEvents
LOOKUP = "cloudtrail:LookupEvents"
SPAN = timedelta(hours=24)


def main() -> None:
    """Measure and print."""
    options = parse(__doc__ or "", repeat=1)
    executions, looked_up = (600, 100) if options.is_quick else (50_000, 2_500)
    each = [executions // len(WORKGROUPS) + (n < executions % len(WORKGROUPS)) for n in range(6)]
    show(
        "who",
        options,
        {
            "executions": executions,
            "api_history_bound_s": rounded(history_bound(each).seconds),
            "cloudtrail_bound_s": rounded(lookup_bound_s(executions)),
            "own_system_table": _measure(executions, options, history_source="system_table"),
            "own_system_table_and_principals": _measure(
                executions, options, history_source="system_table", attribute_users="system_table"
            ),
            "cloudtrail": {
                "executions": looked_up,
                "bound_s": rounded(lookup_bound_s(looked_up)),
                "own": _measure(looked_up, options, attribute_users="cloudtrail"),
            },
        },
    )


def lookup_bound_s(events: int) -> float:
    """The least time in which LookupEvents gives *events*, latencies left out."""
    quota = QUOTAS[LOOKUP]
    pages = max(1, math.ceil(events / EVENTS_A_PAGE))
    return bucket_s(pages, rate=quota.per_s, burst=int(quota.burst))


def _measure(executions: int, options: Options, **config: object) -> dict[str, object]:
    runs: list[dict[str, Any]] = []
    walls: list[float] = []
    for _ in range(options.repeat):
        with _estate(executions) as sandbox, tempfile.TemporaryDirectory() as output:
            fields = sandbox.config(
                Path(output), metadata_source="api", catalogs=["AwsDataCatalog"], **config
            )
            begun = perf_counter()
            runs.append(
                own_run(
                    sandbox.endpoint_url, Path(output), run={"start_hwm": days_ago(2)}, **fields
                )
            )
            walls.append(perf_counter() - begun)

    last = runs[-1]
    return {
        "seconds_from_process_start": median(walls),
        "all_seconds": [rounded(wall) for wall in walls],
        "cpu_s": median([run["cpu_s"] for run in runs]),
        "executions": last["found"]["executions"],
        "principals": last["principals"],
        "calls": last["calls"],
        "throttled": sum(last["throttles"].values()),
    }


@contextmanager
def _estate(executions: int) -> Iterator[Sandbox]:
    now = datetime.now(timezone.utc)
    estate = tiny_estate(now)
    estate.executions.clear()
    estate.system_table_lag = timedelta(minutes=5)
    # The oldest row says how far the table reaches back: beyond the window.
    made = [make_execution(0, submitted_at=now - timedelta(days=50))]
    newest = now - timedelta(minutes=30)
    made += [
        make_execution(
            1 + number,
            submitted_at=newest - SPAN * number / executions,
            query=f"SELECT order_id, total FROM sales.orders WHERE customer_id = {number}",
            workgroup=WORKGROUPS[number % len(WORKGROUPS)],
        )
        for number in range(executions)
    ]
    estate.executions.update({e.query_execution_id: e for e in reversed(made)})
    behaviour = Behaviour(has_rate_limits=True, queue_s=0.15, engine_s=0.6)
    with Sandbox(estate, behaviour=behaviour) as sandbox:
        yield sandbox


if __name__ == "__main__":
    main()
