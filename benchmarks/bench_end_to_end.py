"""Time of a run from the start of its process to the moved high-water mark, against the least.

Two estates, by the command line as a user runs it: 5,000 tables and 15,000 executions of four
workgroups, nearly all of them distinct statements; and 1,000 tables and 3,000 executions of three.
A third, ``no_history``, has 1,000 tables alone; PyAthena's aio lists them in the same run, timed
from the start of its process to the end.
The bound is what quotas and latencies demand (``bounds.py``): history and metadata have quotas of
their own, so it is the longer of the two. ``after_last_answer_s`` is the time from AWS's last
answer to the end of the process.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.bounds import METADATA_BOUNDS, history_bound
from benchmarks.frame import days_ago, median, own_config_file, parse, rounded, show, used_by
from benchmarks.peers.environment import make_environment, run_module
from benchmarks.quota_server.settings import Settings
from benchmarks.standin import stand_in

HISTORY = ("athena:ListQueryExecutions", "athena:BatchGetQueryExecution")
ESTATES: dict[str, dict[str, int]] = {
    "large": {"schemas": 100, "tables": 50, "executions": 15_000, "workgroups": 4},
    "small": {"schemas": 20, "tables": 50, "executions": 3_000, "workgroups": 3},
    "no_history": {"schemas": 20, "tables": 50, "executions": 0, "workgroups": 1},
}
QUICK: dict[str, float] = {
    "schemas": 2,
    "tables": 10,
    "executions": 120,
    "workgroups": 2,
    "latency_scale": 0.1,
}


def main() -> None:
    """Measure and print."""
    options = parse(
        __doc__ or "",
        repeat=1,
        add=[
            ("--estates", {"default": ",".join(ESTATES), "help": "which of the three"}),
            ("--sources", {"default": "api", "help": "metadata_source values"}),
        ],
    )
    figures: dict[str, object] = {}
    for name in options.more.estates.split(","):
        estate = QUICK if options.is_quick else ESTATES[name]
        settings = {"columns": 20, "distinct_share": 0.942, **estate}
        for source in options.more.sources.split(","):
            runs = [_run(settings, source) for _ in range(options.repeat)]
            figures[f"{name}_{source}"] = _summary(settings, source, runs)

        if not options.is_quick and not estate["executions"]:
            python = make_environment(options.environment)
            peers = [_pyathena_s(python, settings) for _ in range(options.repeat)]
            figures[f"{name}_pyathena_aio"] = [rounded(seconds) for seconds in peers]

    show("end_to_end", options, figures)


def _run(settings: Mapping[str, float], source: str) -> dict[str, float]:
    """One run of the command line in a process of its own."""
    with stand_in(**settings) as server, tempfile.TemporaryDirectory() as folder:
        config = own_config_file(Path(folder), server.url, metadata_source=source)
        mark, since = Path(folder) / "athena_hwm.txt", days_ago(2)
        mark.write_text(f"{since}\n")
        command = [sys.executable, "-m", "kada_athena_async", "run", "-q", "-c", str(config)]
        begun = time.time()
        used = used_by([*command, "--hwm-path", str(mark)], server.url)
        ended = time.time()
        if mark.read_text().strip() == since:
            raise SystemExit("the run did not move its mark")

        return _figures(server.log(), begun, ended, used)


def _pyathena_s(python: Path, settings: Mapping[str, float]) -> float:
    with stand_in(**settings) as server:
        begun = time.time()
        run_module(python, "benchmarks.peers.pyathena_aio", server.url)
        return time.time() - begun


def _figures(
    log: Mapping[str, Any], begun: float, ended: float, used: resource.struct_rusage
) -> dict[str, float]:
    started = log["started_epoch_s"]
    operations = log["operations"]
    history = max(operations[name]["last_s"] for name in HISTORY if name in operations)
    metadata = max(
        entry["last_s"] for name, entry in operations.items() if name not in (*HISTORY, "s3:GET")
    )
    last = started + max(entry["last_s"] for entry in operations.values())
    return {
        "seconds": ended - begun,
        "first_call_s": started + min(e["first_s"] for e in operations.values()) - begun,
        "last_history_answer_s": started + history - begun,
        "last_metadata_answer_s": started + metadata - begun,
        "after_last_answer_s": ended - last,
        "cpu_s": used.ru_utime + used.ru_stime,
        "peak_rss_mb": used.ru_maxrss / 1024,
        "throttled": log["throttled"],
    }


def _summary(
    settings: Mapping[str, float], source: str, runs: list[dict[str, float]]
) -> dict[str, object]:
    whole = Settings(**settings)  # type: ignore[arg-type]
    each, rest = divmod(whole.executions, whole.workgroups)
    history = history_bound([each + (n < rest) for n in range(whole.workgroups)])
    metadata = METADATA_BOUNDS[source](whole)
    bound = max(history.seconds, metadata.seconds)
    seconds = median([run["seconds"] for run in runs])
    return {
        "settings": dict(settings),
        "bound_s": rounded(bound),
        "bound_history_s": rounded(history.seconds),
        "bound_metadata_s": rounded(metadata.seconds),
        "ratio_to_bound": rounded(seconds / bound),
        "all_seconds": [rounded(run["seconds"]) for run in runs],
        **{name: median([run[name] for run in runs]) for name in runs[0]},
    }


if __name__ == "__main__":
    main()
