"""``show``: views of the extracts."""

from __future__ import annotations

from typing import Any, Literal

from kada_athena_async.cli.command import Output, command
from kada_athena_async.cli.options import (
    CONFIG,
    DAYS,
    IN_SANDBOX,
    NAME,
    OUTPUT_PATH,
    SETTINGS,
    SINCE,
    SITES,
    argument,
    option,
)

What = Literal[
    "counts",
    "search",
    "head",
    "workgroups",
    "slowest",
    "costliest",
    "failures",
    "problems",
    "changes",
    "tables",
    "unused",
    "users",
    "who",
    "advice",
]
"""Views of ``show``."""

# fmt: off
VIEW = argument("what", What, default="counts", show_default=True, metavar="WHAT",
                help="A view, see above.")
SUBJECT = argument("of", str | None, metavar="OF",
                   help="The text to search, the kind of extract for head, the table for who.")
ROWS = option("rows", int | None, "--rows", "-r", metavar="N", min=1,
              help="Maximum number of rows.  [default: 10; head: 3]")
# fmt: on


@command(VIEW, SUBJECT, ROWS, DAYS, SINCE, NAME, CONFIG, SITES, OUTPUT_PATH, IN_SANDBOX, SETTINGS)
def show(
    output: Output,
    *,
    what: What,
    of: str | None,
    rows: int | None,
    days: int | None,
    since: str | None,
    name: str,
    **asked: Any,
) -> int:
    """Show what the extracts say; AWS is not asked.

    The first five views are about the newest run, the others about all published runs.

    \b
    counts        the extracts of the newest run, and how complete they are
    search TEXT   tables and columns whose names contain TEXT, or match a glob
    head KIND     the first rows of a kind of extract
    problems      what could not be read, gaps and warnings
    changes       tables and columns added, removed or changed since the run before

    \b
    workgroups    queries, bytes and time of each workgroup
    slowest       statements that took the most time, all executions together
    costliest     statements that scanned the most
    failures      why queries failed
    tables        the tables that are read and written most
    unused        tables that no query used, with their size
    users         what each user did, and what it cost
    who TABLE     who read or wrote a table: how often, when last, with which tool
    advice        what could cost less, with evidence and remedy

    \b
    Examples:
      kada-athena-async show
      kada-athena-async show search 'sales.*order*'
      kada-athena-async show head databaselog -r 5
      kada-athena-async show who sales.orders --days 30
      kada-athena-async show advice --since 2026-11-01
      kada-athena-async show changes --output-path /tmp/output --json
    """
    from kada_athena_async.cli.request import published
    from kada_athena_async.cli.work.show import show_extracts

    if rows is None and name.isdecimal():
        # Once `-n` meant rows here, and in scripts it still does.
        rows, name = int(name), "athena"

    request = published(name=name, **asked)
    return show_extracts(output, request, what, of, rows=rows, days=days, since=since)
