"""``hwm show`` and ``hwm set``: the high-water mark."""

from __future__ import annotations

from typing import Annotated

import typer

from kada_athena_async.cli.command import command
from kada_athena_async.cli.help_page import GroupedCommands, PageOfCommand
from kada_athena_async.cli.options import HELP, ConfigFile, HwmPath, Name, Settings, Sites
from kada_athena_async.cli.output import Output

hwm = typer.Typer(
    cls=GroupedCommands,
    help="Look at or set the high-water mark.",
    no_args_is_help=True,
    context_settings=HELP,
)


@hwm.command("show", cls=PageOfCommand)
@command
def show(
    output: Output,
    config: ConfigFile = None,
    sites: Sites = None,
    settings: Settings = None,
    name: Name = "athena",
    hwm_path: HwmPath = None,
) -> int:
    """Show how far the last run came.

    Looks where a run keeps it: at --hwm-path, else where hwm_store of the
    configuration says, else at a file here.

    \b
    Examples:
      kada-athena-async hwm show
      kada-athena-async hwm show -c kada_athena_extractor_config.json --site au
    """
    from kada_athena_async.cli.request import RunRequest
    from kada_athena_async.cli.work.hwm import show_marks

    request = RunRequest(
        config=config,
        name=name,
        hwm_path=hwm_path,
        settings=tuple(settings or ()),
        sites=tuple(sites or ()),
    )
    return show_marks(output, request)


@hwm.command("set", cls=PageOfCommand)
@command
def set_(
    output: Output,
    time: Annotated[
        str,
        typer.Argument(metavar="TIME", help="YYYY-MM-DD HH:MM:SS in UTC.", show_default=False),
    ],
    config: ConfigFile = None,
    sites: Sites = None,
    settings: Settings = None,
    name: Name = "athena",
    hwm_path: HwmPath = None,
) -> int:
    """Set how far the next run shall believe the last one came.

    \b
    Example:
      kada-athena-async hwm set "2026-11-01 00:00:00"
    """
    from kada_athena_async.cli.request import RunRequest
    from kada_athena_async.cli.work.hwm import set_mark

    request = RunRequest(
        config=config,
        name=name,
        hwm_path=hwm_path,
        settings=tuple(settings or ()),
        sites=tuple(sites or ()),
    )
    return set_mark(output, time, request)
