"""``config``: a configuration file to begin with, checked, or described for machines."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kada_athena_async.cli.options import HELP, AsJson, ConfigFile, Settings

config = typer.Typer(
    help="Begin, check or describe the configuration file.",
    no_args_is_help=True,
    context_settings=HELP,
)


@config.command("init")
def init(
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="[FILE]",
            help="[default: kada_athena_extractor_config.json]",
            show_default=False,
        ),
    ] = None,
    settings: Settings = None,
) -> None:
    """Write a configuration file to fill in; never over one that is there.

    \b
    Examples:
      kada-athena-async config init
      kada-athena-async config init prod.json --set region=ap-southeast-2
    """
    from kada_athena_async.cli.outcome import ending
    from kada_athena_async.cli.starter import write_starter
    from kada_athena_async.cli.talk import Talk

    talk = Talk()
    raise typer.Exit(ending(talk, lambda: write_starter(talk, file, tuple(settings or ()))))


@config.command("check")
def check(config: ConfigFile = None, settings: Settings = None, as_json: AsJson = False) -> None:
    """Look whether the configuration can be used; nothing is called.

    Tells every problem at once, and what a run would do.

    \b
    Example:
      kada-athena-async config check -c kada_athena_extractor_config.json
    """
    from kada_athena_async.cli.outcome import ending
    from kada_athena_async.cli.starter import check_configuration
    from kada_athena_async.cli.talk import Talk

    talk = Talk(as_json=as_json)
    raise typer.Exit(ending(talk, lambda: check_configuration(talk, config, tuple(settings or ()))))


@config.command("schema")
def schema() -> None:
    """Print the JSON Schema of the configuration file, for editors and checks.

    \b
    Example:
      kada-athena-async config schema > config.schema.json
    """
    from kada_athena_async.cli.talk import Talk
    from kada_athena_async.config import config_schema

    Talk().document(config_schema())
