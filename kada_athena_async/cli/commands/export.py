"""``export``: published runs for other catalogues and tools."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kada_athena_async.cli.command import command
from kada_athena_async.cli.options import ConfigFile, InSandbox, Name, OutputPath, Settings, Sites
from kada_athena_async.cli.output import Output

Target = Annotated[
    str,
    typer.Option(
        "--to",
        metavar="TARGET",
        help="openlineage, datahub, coalesce, dbt-sources, parquet or duckdb.",
        show_default=False,
    ),
]

Directory = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="DIR",
        help="Directory of the files that are written; made if need be.",
        show_default=False,
    ),
]

ToUrl = Annotated[
    str | None,
    typer.Option(
        metavar="URL",
        help="Post the events of openlineage there; key in OPENLINEAGE_API_KEY.",
        show_default=False,
    ),
]

Newest = Annotated[bool, typer.Option("--newest", help="Only the newest run.")]

RunsSince = Annotated[
    str | None,
    typer.Option(
        metavar="TIME",
        help="Only runs whose window ends after this time, in UTC.",
        show_default=False,
    ),
]

Region = Annotated[
    str,
    typer.Option(
        metavar="REGION",
        help="Region of extracts that do not name theirs.",
        show_default=False,
    ),
]


@command
def export(
    output: Output,
    to: Target,
    directory: Directory = None,
    to_url: ToUrl = None,
    config: ConfigFile = None,
    name: Name = "athena",
    output_path: OutputPath = None,
    newest: Newest = False,
    since: RunsSince = None,
    region: Region = "",
    sites: Sites = None,
    sandbox: InSandbox = False,
    settings: Settings = None,
) -> int:
    """Write what was extracted as other catalogues and tools read it.

    All runs, or those that --since or --newest choose. Offline: only extracts are read, AWS is
    not asked. The files appear together when they are complete. Extracts of many sites go to a
    directory each.

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
    from kada_athena_async.cli.request import published
    from kada_athena_async.cli.work.export import ExportRequest, export_runs

    request = ExportRequest(
        to=to,
        directory=directory,
        to_url=to_url,
        newest=newest,
        since=since,
        region=region,
        asked=published(config, name, sites, settings, output_path, sandbox),
    )
    return export_runs(output, request)
