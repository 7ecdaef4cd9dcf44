"""``config``: a configuration file to begin with, checked, or described for machines."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kada_athena_async.cli.command import command
from kada_athena_async.cli.help_page import GroupedCommands, PageOfCommand
from kada_athena_async.cli.options import HELP, ConfigFile, Name, Settings, Sites
from kada_athena_async.cli.output import Output
from kada_athena_async.codes import ExitCode

config = typer.Typer(
    cls=GroupedCommands,
    help="Begin, check or describe the configuration file.",
    no_args_is_help=True,
    context_settings=HELP,
)


@config.command("init", cls=PageOfCommand)
@command
def init(
    output: Output,
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="FILE",
            help="[default: kada_athena_extractor_config.json]",
            show_default=False,
        ),
    ] = None,
    settings: Settings = None,
) -> int:
    """Write a configuration file to fill in; never over one that is there.

    \b
    Examples:
      kada-athena-async config init
      kada-athena-async config init prod.json --set region=ap-southeast-2
    """
    from kada_athena_async.cli.work.config import write_starter

    return write_starter(output, file, tuple(settings or ()))


@config.command("check", cls=PageOfCommand)
@command
def check(
    output: Output,
    config: ConfigFile = None,
    name: Name = "athena",
    sites: Sites = None,
    settings: Settings = None,
) -> int:
    """Look whether the configuration can be used; nothing is called.

    Shows every problem at once, and what a run would do.

    \b
    Example:
      kada-athena-async config check -c kada_athena_extractor_config.json
    """
    from kada_athena_async.cli.request import RunRequest
    from kada_athena_async.cli.work.config import check_configuration

    request = RunRequest(
        config=config, name=name, settings=tuple(settings or ()), sites=tuple(sites or ())
    )
    return check_configuration(output, request)


@config.command("schema", cls=PageOfCommand)
@command
def schema(document: Output) -> int:
    """Print the JSON Schema of the configuration file, for editors and checks.

    \b
    Example:
      kada-athena-async config schema > config.schema.json
    """
    from kada_athena_async.config import config_schema

    document.document(config_schema())
    return ExitCode.OK
