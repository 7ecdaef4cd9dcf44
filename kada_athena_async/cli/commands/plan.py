"""``plan``: a preview of the next run and its cost."""

from __future__ import annotations

from typing import Any

from kada_athena_async.cli.command import Output, command
from kada_athena_async.cli.options import (
    CONFIG,
    END_HWM,
    HWM_PATH,
    NAME,
    SETTINGS,
    SITES,
    START_HWM,
)


@command(CONFIG, NAME, HWM_PATH, START_HWM, END_HWM, SITES, SETTINGS)
def plan(output: Output, **asked: Any) -> int:
    """Show what the next run would read, with its calls, time and rough dollars.

    Runs no query and writes nothing. Sizes come from the last run, or from a sample of pages; times
    are the shortest that AWS's quotas allow. Compares the sources of metadata and recommends one.

    \b
    Example:
      kada-athena-async plan -c kada_athena_extractor_config.json
    """
    from kada_athena_async.cli.request import RunRequest
    from kada_athena_async.cli.work.plan import show_plans

    return show_plans(output, RunRequest(**asked))
