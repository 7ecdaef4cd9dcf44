"""``config schema``: the configuration file, described for machines."""

from __future__ import annotations

import typer

from kada_athena_async.cli.options import HELP

config = typer.Typer(
    help="About the configuration file.", no_args_is_help=True, context_settings=HELP
)


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
