"""``export``: published runs for other catalogues and tools."""

from __future__ import annotations

from inspect import Parameter
from pathlib import Path
from typing import Any

from kada_athena_async.cli.command import Output, command
from kada_athena_async.cli.options import (
    CONFIG,
    IN_SANDBOX,
    NAME,
    OUTPUT_PATH,
    SETTINGS,
    SITES,
    option,
    switch,
)

# fmt: off
TARGET = option("to", str, "--to", default=Parameter.empty, metavar="TARGET",
                help="openlineage, datahub, coalesce, dbt-sources, parquet or duckdb.")
DIRECTORY = option("directory", Path | None, "--output", "-o", metavar="DIR",
                   help="Directory for the files; created if it does not exist.")
TO_URL = option("to_url", str | None, metavar="URL",
                help="Post the events of openlineage to this URL; the key is read from "
                     "OPENLINEAGE_API_KEY.")
NEWEST = switch("newest", "--newest", help="Only the newest run.")
RUNS_SINCE = option("since", str | None, metavar="TIME",
                    help="Only runs whose window ends after this time, in UTC, or 7d (ago).")
REGION = option("region", str, default="", metavar="REGION",
                help="Region of extracts of early versions, which do not name theirs.")
# fmt: on


@command(TARGET, DIRECTORY, TO_URL, CONFIG, NAME, OUTPUT_PATH, NEWEST, RUNS_SINCE, REGION, SITES,
         IN_SANDBOX, SETTINGS)  # fmt: skip
def export(output: Output, **asked: Any) -> int:
    """Write the extracts as files for other catalogues and tools.

    Exports all published runs, or those that --since or --newest choose; AWS is not asked. The
    files appear together when all are complete. With many sites, each has its own directory.

    \b
    Targets:
      openlineage   events of executions and tables, NDJSON
      datahub       queries.jsonl and metadata.json for its sources
      coalesce      the CSV files of its warehouse importer
      dbt-sources   sources.yml
      parquet       a Parquet file for each kind of extract
      duckdb        one DuckDB database

    \b
    Examples:
      kada-athena-async export --to openlineage -o lineage --newest
      kada-athena-async export --to openlineage --to-url https://marquez.example.com
      kada-athena-async export --to duckdb -o . --sandbox
    """
    from kada_athena_async.cli.work.export import export_runs

    return export_runs(output, **asked)
