"""``hwm show`` and ``hwm set``: the high-water mark."""

from __future__ import annotations

from typing import Annotated

import typer

from kada_athena_async.cli.options import HELP, AsJson, ConfigFile, HwmPath, Name, Sites

hwm = typer.Typer(
    help="Look at or set the high-water mark.", no_args_is_help=True, context_settings=HELP
)


@hwm.command("show")
def show(
    config: ConfigFile = None,
    sites: Sites = None,
    name: Name = "athena",
    hwm_path: HwmPath = None,
    as_json: AsJson = False,
) -> None:
    """Show how far the last run came.

    Looks where a run keeps its mark: at --hwm-path, else where hwm_store of the
    configuration says, else at a file here.

    \b
    Examples:
      kada-athena-async hwm show
      kada-athena-async hwm show -c kada_athena_extractor_config.json --site au
    """
    from kada_athena_async.cli.marks import show_marks
    from kada_athena_async.cli.outcome import ending
    from kada_athena_async.cli.request import RunRequest
    from kada_athena_async.cli.talk import Talk

    talk = Talk(as_json=as_json)
    request = RunRequest(config=config, name=name, hwm_path=hwm_path, sites=tuple(sites or ()))
    raise typer.Exit(ending(talk, lambda: show_marks(talk, request)))


@hwm.command("set")
def set_(
    time: Annotated[
        str,
        typer.Argument(metavar="TIME", help="YYYY-MM-DD HH:MM:SS in UTC.", show_default=False),
    ],
    config: ConfigFile = None,
    sites: Sites = None,
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
    from kada_athena_async.cli.request import RunRequest
    from kada_athena_async.cli.talk import Talk

    talk = Talk(as_json=as_json)
    request = RunRequest(config=config, name=name, hwm_path=hwm_path, sites=tuple(sites or ()))
    raise typer.Exit(ending(talk, lambda: set_mark(talk, time, request)))
