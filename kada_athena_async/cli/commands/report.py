"""``report``: published extracts as one HTML page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from kada_athena_async.cli.command import command
from kada_athena_async.cli.options import (
    CONFIG,
    DAYS,
    IN_SANDBOX,
    NAME,
    OUTPUT_PATH,
    SETTINGS,
    SINCE,
    SITES,
    option,
)

if TYPE_CHECKING:
    from kada_athena_async.cli.output import Output

PAGE_FILE = option(
    "file",
    Path | None,
    "--file",
    "-f",
    metavar="FILE",
    help="Where the page goes.  [default: <name>_report.html in the working directory]",
)


@command(CONFIG, NAME, OUTPUT_PATH, PAGE_FILE, DAYS, SINCE, SITES, IN_SANDBOX, SETTINGS)
def report(
    output: Output, *, file: Path | None, days: int | None, since: str | None, **asked: Any
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
    from kada_athena_async.cli.work.report import make_page

    return make_page(output, published(**asked), file=file, days=days, since=since)
