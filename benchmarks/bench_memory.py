"""Memory of the main process at 10 thousand, 1 million and 3 million column rows.

The stand-in answers fast here (latencies of a hundredth, no quota felt, a fast engine): memory
does not depend on waiting, and a slow run would only hide a pile-up of rows. The baseline is a
boto3 loop from GetQueryResults to a gzipped CSV.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from benchmarks.frame import FAST, Options, own_run, parse, rounded, show
from benchmarks.peers.environment import make_environment, run_module
from benchmarks.standin import stand_in

ROWS_A_SCHEMA = int(FAST["tables"] * FAST["columns"])


def main() -> None:
    """Measure and print."""
    options = parse(
        __doc__ or "",
        repeat=1,
        add=[
            ("--rows", {"default": "10000,1000000,3000000"}),
            ("--sources", {"default": "sql,api,auto"}),
            ("--no-peers", {"action": "store_true", "help": "leave the baseline out"}),
        ],
    )
    sizes = [2000] if options.is_quick else [int(text) for text in options.more.rows.split(",")]
    figures: dict[str, object] = {}
    for source in options.more.sources.split(","):
        figures[f"own_{source}"] = {str(rows): _own(rows, source) for rows in sizes}

    if not (options.is_quick or options.more.no_peers):
        figures["boto3_loop"] = {str(rows): _boto3(rows, options) for rows in sizes}

    show("memory", options, figures)


def _settings(rows: int) -> dict[str, float]:
    return {**FAST, "schemas": max(1, rows // ROWS_A_SCHEMA)}


def _own(rows: int, source: str) -> dict[str, object]:
    with stand_in(**_settings(rows)) as server, tempfile.TemporaryDirectory() as output:
        return _summary(own_run(server.url, Path(output), metadata_source=source))


def _boto3(rows: int, options: Options) -> dict[str, object]:
    python = make_environment(options.environment)
    with stand_in(**_settings(rows)) as server, tempfile.TemporaryDirectory() as output:
        file = str(Path(output) / "columns.csv.gz")
        module = "benchmarks.peers.boto3_columns"
        return _summary(run_module(python, module, server.url, arguments=[file]))


def _summary(run: dict[str, Any]) -> dict[str, object]:
    found = run["found"]
    return {
        "peak_rss_mb": rounded(run["peak_rss_mb"]),
        "children_peak_rss_mb": rounded(run.get("children_peak_rss_mb", 0.0)),
        "column_rows": found["columns"] or found["rows"],
        "seconds": rounded(run["seconds"]),
        "cpu_s": rounded(run["cpu_s"]),
    }


if __name__ == "__main__":
    main()
