"""``hwm show`` and ``hwm set``: the high-water mark."""

from __future__ import annotations

from typing import Annotated

import typer

from kada_athena_async.cli.options import HELP, AsJson, HwmPath, Name

hwm = typer.Typer(
    help="Look at or set the high-water mark.", no_args_is_help=True, context_settings=HELP
)


@hwm.command("show")
def show(name: Name = "athena", hwm_path: HwmPath = None, as_json: AsJson = False) -> None:
    """Show how far the last run came.

    \b
    Example:
      kada-athena-async hwm show -n athena
    """
    from kada_athena_async.cli.marks import show_mark
    from kada_athena_async.cli.outcome import ending
    from kada_athena_async.cli.talk import Talk

    talk = Talk(as_json=as_json)
    raise typer.Exit(ending(talk, lambda: show_mark(talk, name, hwm_path)))


@hwm.command("set")
def set_(
    time: Annotated[
        str,
        typer.Argument(metavar="TIME", help="YYYY-MM-DD HH:MM:SS in UTC.", show_default=False),
    ],
    name: Name = "athena",
    hwm_path: HwmPath = None,
    as_json: AsJson = False,
) -> None:
    """Set how far the next run shall believe the last one came.

    \b
    Example:
      kada-athena-async hwm set "2026-11-01 00:00:00"
    """
    from kada_athena_async.cli.marks import set_mark
    from kada_athena_async.cli.outcome import ending
    from kada_athena_async.cli.talk import Talk

    talk = Talk(as_json=as_json)
    raise typer.Exit(ending(talk, lambda: set_mark(talk, time, name, hwm_path)))
