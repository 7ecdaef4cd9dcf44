"""``report``: published extracts as one HTML page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kada_athena_async.cli.command import command
from kada_athena_async.cli.options import (
    ConfigFile,
    Days,
    InSandbox,
    Name,
    OutputPath,
    Settings,
    Since,
    Sites,
)
from kada_athena_async.cli.output import Output

PageFile = Annotated[
    Path | None,
    typer.Option(
        "--file",
        "-f",
        metavar="FILE",
        help="Where the page goes.  [default: <name>_report.html in the working directory]",
        show_default=False,
    ),
]


@command
def report(
    output: Output,
    config: ConfigFile = None,
    name: Name = "athena",
    output_path: OutputPath = None,
    file: PageFile = None,
    days: Days = None,
    since: Since = None,
    sites: Sites = None,
    sandbox: InSandbox = False,
    settings: Settings = None,
) -> int:
    """Show the extracts as one HTML page: all published runs, the estate as the newest found it.

    The page is one file, also of many sites: it opens offline, sends nothing, and prints well.
    Samples of SQL are masked. AWS is not asked.

    \b
    Examples:
      kada-athena-async report --sandbox
      kada-athena-async report --days 30
      kada-athena-async report -c kada_athena_extractor_config.json -f estate.html
    """
    from kada_athena_async.cli.request import published
    from kada_athena_async.cli.work.report import PageRequest, make_page

    asked = published(config, name, sites, settings, output_path, sandbox)
    return make_page(output, PageRequest(file=file, days=days, since=since, asked=asked))
