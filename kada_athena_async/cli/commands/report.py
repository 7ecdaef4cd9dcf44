"""``report``: published extracts as one HTML page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

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
    option,
)

# fmt: off
PAGE_FILE = option("file", Path | None, "--file", "-f", metavar="FILE",
                   help="File of the page.  [default: <name>_report.html in the working directory]")
# fmt: on


@command(CONFIG, NAME, OUTPUT_PATH, PAGE_FILE, DAYS, SINCE, SITES, IN_SANDBOX, SETTINGS)
def report(output: Output, **asked: Any) -> int:
    """Write one HTML page about all published runs, with the tables that the newest found.

    The page is a single file, also for many sites; it opens offline, sends nothing, and can be
    printed. Samples of SQL are masked. AWS is not asked.

    \b
    Examples:
      kada-athena-async report --sandbox
      kada-athena-async report --days 30
      kada-athena-async report -c kada_athena_extractor_config.json -f estate.html
    """
    from kada_athena_async.cli.work.report import make_page

    return make_page(output, **asked)
