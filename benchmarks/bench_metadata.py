"""Time of all tables, columns and view texts of an estate, by us and by our peers.

Two estates: 200 schemas of 50 objects with 20 columns each, and the same beside one schema of
10,000 objects. All clients meet the same stand-in: the same quotas, and for each operation the
same row of latencies. Every figure is a median of ``--repeat`` runs; the inspector, which asks
for each view by a query, is measured on ``--inspector-schemas`` schemas and scaled up by the
number of objects unless ``--inspector-all`` is given.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.bounds import METADATA_BOUNDS, besides_s
from benchmarks.frame import Options, median, own_run, parse, rounded, show, summary
from benchmarks.peers.environment import make_environment, run_module
from benchmarks.quota_server.settings import Settings
from benchmarks.standin import stand_in

PEERS = ("awswrangler_glue", "boto3_metadata", "pyathena_cursor", "pyathena_aio")
INSPECTOR = "pyathena_inspector"


def main() -> None:
    """Measure and print."""
    options = parse(
        __doc__ or "",
        repeat=3,
        add=[
            ("--estates", {"default": "wide,giant", "help": "which of the two"}),
            ("--sources", {"default": "api,sql,auto", "help": "our metadata_source values"}),
            ("--peers", {"default": ",".join([*PEERS, INSPECTOR]), "help": "which peers"}),
            ("--rows-per-s", {"type": float, "default": 545.0, "help": "information_schema's"}),
            ("--inspector-schemas", {"type": int, "default": 10}),
            ("--inspector-all", {"action": "store_true"}),
        ],
    )
    estates = {
        name: measure(_settings(name, options), options)
        for name in options.more.estates.split(",")
        if name
    }
    show("metadata", options, {"estates": estates})


def _settings(name: str, options: Options) -> dict[str, float]:
    if options.is_quick:
        size: dict[str, float] = {"schemas": 4, "tables": 20, "columns": 5, "giant_tables": 250}
        size["latency_scale"] = 0.1
    else:
        size = {"schemas": 200, "tables": 50, "columns": 20, "giant_tables": 10_000}

    rows_per_s = options.more.rows_per_s
    return {
        **size,
        "giant_schemas": int(name == "giant"),
        "executions": 0,
        "rows_per_s": rows_per_s,
    }


def measure(settings: Mapping[str, float], options: Options) -> dict[str, object]:
    """All clients on one estate."""
    figures: dict[str, object] = {"settings": dict(settings)}
    for source in filter(None, options.more.sources.split(",")):
        runs = [_own(source, settings) for _ in range(options.repeat)]
        estate = Settings(**settings)  # type: ignore[arg-type]
        bound, besides = METADATA_BOUNDS[source](estate), besides_s(estate, source)
        seconds = median([run["seconds"] for run in runs])
        figures[f"own_{source}"] = {
            **_summary(runs),
            "bound_s": rounded(bound.seconds),
            "bound_terms_s": {name: rounded(value) for name, value in bound.terms.items()},
            "ratio_to_bound": rounded(seconds / bound.seconds),
            "besides_s": {name: rounded(value) for name, value in besides.items()},
            "ratio_with_these": rounded(seconds / (bound.seconds + sum(besides.values()))),
            "calls_span_s": rounded(runs[-1]["calls_span_s"]),
            "busy_slots": rounded(runs[-1]["busy_slots"]),
        }

    if not options.is_quick:
        python = make_environment(options.environment)
        for peer in filter(None, options.more.peers.split(",")):
            figures[peer] = _peer(python, peer, settings, options)

    return figures


def _own(source: str, settings: Mapping[str, float]) -> dict[str, Any]:
    with stand_in(**settings) as server, tempfile.TemporaryDirectory() as output:
        run = own_run(server.url, Path(output), metadata_source=source)
        return {**run, **_busy(server.timeline()), "log": server.log()}


def _busy(timeline: Mapping[str, Any]) -> dict[str, float]:
    """Seconds from the first call to the last answer, and slots busy meanwhile, on average."""
    calls, queries = timeline["calls"], timeline["queries"]
    span_s = max(ended for _, _, ended in calls) - min(begun for _, begun, _ in calls)
    return {
        "calls_span_s": span_s,
        "busy_slots": sum(ended - begun for _, begun, ended in queries) / span_s,
    }


def _peer(
    python: Path, peer: str, settings: Mapping[str, float], options: Options
) -> dict[str, object]:
    extra: dict[str, str] = {}
    repeat = options.repeat
    if peer == INSPECTOR:
        repeat = 1
        if not options.more.inspector_all:
            extra = {"BENCHMARK_SCHEMAS": str(options.more.inspector_schemas)}

    runs = []
    for _ in range(repeat):
        with stand_in(**settings) as server:
            run = run_module(python, f"benchmarks.peers.{peer}", server.url, extra=extra)
            runs.append({**run, "log": server.log()})

    figures = _summary(runs)
    if extra:
        scale = _objects(settings) / max(1, runs[0]["found"]["tables"])  # type: ignore[index]
        figures["scaled_up_by"] = rounded(scale)
        figures["seconds"] = rounded(figures["seconds"] * scale)

    return figures


def _objects(settings: Mapping[str, float]) -> float:
    giant = settings["giant_schemas"] * settings["giant_tables"]
    return settings["schemas"] * settings["tables"] + giant


def _summary(runs: list[dict[str, Any]]) -> dict[str, Any]:
    log = runs[-1]["log"]
    return {
        **summary(runs),
        "found": runs[-1]["found"],
        "throttled": log["throttled"],
        "most_active_queries": log["most_active_queries"],
    }


if __name__ == "__main__":
    main()
