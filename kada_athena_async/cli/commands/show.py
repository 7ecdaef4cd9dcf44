"""``show``: look into the extracts."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import Annotated

import typer

from kada_athena_async.cli.command import command
from kada_athena_async.cli.options import ConfigFile, Name, Settings, Sites
from kada_athena_async.cli.talk import Talk


class What(str, enum.Enum):
    """Views of ``show``."""

    COUNTS = "counts"
    SEARCH = "search"
    HEAD = "head"
    WORKGROUPS = "workgroups"
    SLOWEST = "slowest"
    COSTLIEST = "costliest"
    FAILURES = "failures"
    PROBLEMS = "problems"
    CHANGES = "changes"


@command
def show(
    talk: Talk,
    what: Annotated[What, typer.Argument(metavar="WHAT", help="See above.")] = What.COUNTS,
    of: Annotated[
        str | None,
        typer.Argument(metavar="OF", help="What to search, or the kind of extract for head."),
    ] = None,
    rows: Annotated[
        int | None,
        typer.Option(
            "--rows",
            "-r",
            metavar="N",
            min=1,
            help="Rows at most.  [default: 10, of head 3]",
            show_default=False,
        ),
    ] = None,
    name: Name = "athena",
    config: ConfigFile = None,
    sites: Sites = None,
    output_path: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Directory of the extracts.  [default: as configured]",
            show_default=False,
        ),
    ] = None,
    sandbox: Annotated[
        bool, typer.Option("--sandbox", help="Look at what `run --sandbox` has extracted here.")
    ] = False,
    settings: Settings = None,
) -> int:
    """Look into the newest extracts, without other tools; AWS is not asked.

    \b
    counts        the extracts of the newest run, and how complete they are
    search TEXT   tables and columns whose names have TEXT in them, or fit a glob
    head KIND     the first rows of a kind of extract
    workgroups    queries, bytes and time of each workgroup
    slowest       the statements that took most time, all their runs together
    costliest     the statements that scanned most
    failures      why queries failed
    problems      what could not be read, gaps and warnings
    changes       tables and columns that came, went or changed since the run before

    \b
    Examples:
      kada-athena-async show
      kada-athena-async show search 'sales.*order*'
      kada-athena-async show head databaselog -r 5
      kada-athena-async show changes --output-path /tmp/output --json
    """
    from kada_athena_async.cli.show import ShowRequest, show_extracts

    if rows is None and name.isdecimal():
        # Once `-n` meant rows here, and in scripts it still does.
        rows, name = int(name), "athena"

    request = ShowRequest(
        what=what.value,
        of=of,
        rows=rows,
        name=name,
        config=config,
        sites=tuple(sites or ()),
        output_path=output_path,
        is_sandbox=sandbox,
        settings=tuple(settings or ()),
    )
    return show_extracts(talk, request)
