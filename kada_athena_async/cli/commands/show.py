"""``show``: look into the extracts."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import Annotated

import typer

from kada_athena_async.cli.command import command
from kada_athena_async.cli.options import ConfigFile, Days, Name, Settings, Since, Sites
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
    TABLES = "tables"
    UNUSED = "unused"
    USERS = "users"
    WHO = "who"
    ADVICE = "advice"


@command
def show(
    talk: Talk,
    what: Annotated[What, typer.Argument(metavar="WHAT", help="See above.")] = What.COUNTS,
    of: Annotated[
        str | None,
        typer.Argument(
            metavar="OF", help="What to search, the kind of extract for head, the table for who."
        ),
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
    days: Days = None,
    since: Since = None,
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
    """Look into the extracts, without other tools; AWS is not asked.

    The first five are about the newest run, the others about all published runs.

    \b
    counts        the extracts of the newest run, and how complete they are
    search TEXT   tables and columns whose names have TEXT in them, or fit a glob
    head KIND     the first rows of a kind of extract
    problems      what could not be read, gaps and warnings
    changes       tables and columns that came, went or changed since the run before

    \b
    workgroups    queries, bytes and time of each workgroup
    slowest       the statements that took most time, all their runs together
    costliest     the statements that scanned most
    failures      why queries failed
    tables        the tables that are read and written most
    unused        tables that no query used, with their size
    users         what each user did, and what it cost
    who TABLE     who read or wrote a table, when last, how often, with what
    advice        what could cost less, with evidence and what to do

    \b
    Examples:
      kada-athena-async show
      kada-athena-async show search 'sales.*order*'
      kada-athena-async show head databaselog -r 5
      kada-athena-async show who sales.orders --days 30
      kada-athena-async show advice --since 2026-11-01
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
        days=days,
        since=since,
    )
    return show_extracts(talk, request)
