"""``hwm show`` and ``hwm set``: the high-water mark."""

from __future__ import annotations

from inspect import Parameter
from typing import Any

from kada_athena_async.cli.command import Output, command, group
from kada_athena_async.cli.help_page import PageOfCommand
from kada_athena_async.cli.options import CONFIG, HWM_PATH, NAME, SETTINGS, SITES, argument

TIME = argument(
    "time",
    str,
    default=Parameter.empty,
    metavar="TIME",
    help="YYYY-MM-DD HH:MM:SS in UTC, or 7d (ago).",
)

hwm = group(help="Show or set the high-water mark.")


@hwm.command("show", cls=PageOfCommand)
@command(CONFIG, SITES, SETTINGS, NAME, HWM_PATH)
def show(output: Output, **asked: Any) -> int:
    """Show the high-water mark: the end of the last window that was committed.

    Reads it where a run keeps it: --hwm-path, else hwm_store of the configuration, else
    <name>_hwm.txt in the working directory.

    \b
    Examples:
      kada-athena-async hwm show
      kada-athena-async hwm show -c kada_athena_extractor_config.json --site au
    """
    from kada_athena_async.cli.request import RunRequest
    from kada_athena_async.cli.work.hwm import show_marks

    return show_marks(output, RunRequest(**asked))


@hwm.command("set", cls=PageOfCommand)
@command(TIME, CONFIG, SITES, SETTINGS, NAME, HWM_PATH)
def set_(output: Output, *, time: str, **asked: Any) -> int:
    """Set the high-water mark, from which the next run reads on.

    \b
    Example:
      kada-athena-async hwm set "2026-11-01 00:00:00"
    """
    from kada_athena_async.cli.request import RunRequest
    from kada_athena_async.cli.work.hwm import set_mark

    return set_mark(output, time, RunRequest(**asked))
