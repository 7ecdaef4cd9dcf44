"""Time of 25,000 executions of 6 workgroups, against the bound of the list quota.

ListQueryExecutions gives 5 pages of 50 ids a second to the whole account: no client can be faster
than that. The baseline is a boto3 loop that lists a page and fetches its executions, workgroup
after workgroup. ``own_next_hour`` counts the calls of the run that follows, an hour later: beside
the least that finds what is new and what became visible late, which is all that was submitted
since an hour before the mark, and a page that proves that nothing older is left.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from benchmarks.bounds import history_bound
from benchmarks.frame import Options, days_ago, median, own_run, parse, rounded, show, summary
from benchmarks.peers.environment import make_environment, run_module
from benchmarks.standin import stand_in

LIST = "athena:ListQueryExecutions"


def main() -> None:
    """Measure and print."""
    options = parse(
        __doc__ or "",
        repeat=3,
        add=[("--no-peers", {"action": "store_true", "help": "leave the baseline out"})],
    )
    executions, workgroups = (1200, 3) if options.is_quick else (25_000, 6)
    settings: dict[str, float] = {
        "schemas": 1,
        "tables": 1,
        "executions": executions,
        "workgroups": workgroups,
        "history_s": 86_400.0,
    }
    each = [executions // workgroups + (n < executions % workgroups) for n in range(workgroups)]
    bound = history_bound(each)
    full = [_own(settings) for _ in range(options.repeat)]
    hour = _next_hour({**settings, "quota_scale": 1000.0, "latency_scale": 0.05})
    seconds = median([run["seconds"] for run in full])
    figures: dict[str, object] = {
        "settings": settings,
        "bound_s": rounded(bound.seconds),
        "bound_terms_s": {name: rounded(value) for name, value in bound.terms.items()},
        "own": {**_summary(full), "ratio_to_bound": rounded(seconds / bound.seconds)},
        "own_next_hour": {
            "executions": hour["found"]["executions"],
            "list_calls": hour["calls"][LIST],
            "least_list_calls": sum(math.ceil(_since_overlap(n) / 50) + 1 for n in each),
        },
    }
    if not (options.is_quick or options.more.no_peers):
        figures["boto3_loop"] = _boto3(settings, options)

    show("history", options, figures)


def _since_overlap(count: int) -> int:
    """Executions of a workgroup from two hours ago on (the newest is ten minutes old)."""
    return math.ceil(count * 110 / (24 * 60))


def _next_hour(settings: Mapping[str, float]) -> dict[str, Any]:
    """A run an hour after one that took all before; only its calls count here."""
    with stand_in(**settings) as server, tempfile.TemporaryDirectory() as output:
        now = datetime.now(timezone.utc)
        before = {
            "start_hwm": days_ago(2, now),
            "end_hwm": days_ago(0, now - timedelta(hours=1)),
        }
        return own_run(server.url, Path(output), run={"before": before}, metadata_source="api")


def _own(settings: Mapping[str, float]) -> dict[str, Any]:
    with stand_in(**settings) as server, tempfile.TemporaryDirectory() as output:
        window = {"start_hwm": days_ago(2)}
        run = own_run(server.url, Path(output), run=window, metadata_source="api")
        return {**run, "log": server.log()}


def _boto3(settings: Mapping[str, float], options: Options) -> dict[str, object]:
    python = make_environment(options.environment)
    runs = []
    for _ in range(options.repeat):
        with stand_in(**settings) as server:
            run = run_module(python, "benchmarks.peers.boto3_history", server.url)
            runs.append({**run, "log": server.log()})

    return _summary(runs)


def _summary(runs: list[dict[str, Any]]) -> dict[str, object]:
    log = runs[-1]["log"]
    return {
        **summary(runs),
        "executions": runs[-1]["found"]["executions"],
        "list_throttled": log["operations"][LIST]["throttled"],
        "throttled_share": rounded(log["throttled"] / max(1, log["calls"])),
    }


if __name__ == "__main__":
    main()
