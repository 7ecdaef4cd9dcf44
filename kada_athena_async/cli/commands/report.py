"""``report``: published extracts as one HTML page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kada_athena_async.cli.command import command
from kada_athena_async.cli.options import ConfigFile, Days, Name, Settings, Since, Sites
from kada_athena_async.cli.talk import Talk


@command
def report(
    talk: Talk,
    config: ConfigFile = None,
    name: Name = "athena",
    output_path: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Directory of the extracts.  [default: as configured]",
            show_default=False,
        ),
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option(
            "--file",
            "-f",
            metavar="FILE",
            help="Where the page goes.  [default: <name>_report.html in the working directory]",
            show_default=False,
        ),
    ] = None,
    days: Days = None,
    since: Since = None,
    sites: Sites = None,
    settings: Settings = None,
) -> int:
    """Show the extracts as one HTML page: all published runs, the estate as the newest found it.

    The page is one file, of many sites one each: it opens offline, sends nothing, and prints
    well. Samples of SQL are masked. AWS is not asked.

    \b
    Examples:
      kada-athena-async report --output-path kada-sandbox/extracts
      kada-athena-async report --days 30
      kada-athena-async report -c kada_athena_extractor_config.json -f estate.html
    """
    from kada_athena_async.cli.page import PageRequest, make_pages

    request = PageRequest(
        config=config,
        name=name,
        output_path=output_path,
        file=file,
        settings=tuple(settings or ()),
        sites=tuple(sites or ()),
        days=days,
        since=since,
    )
    return make_pages(talk, request)
