"""``config``: create, check or describe the configuration file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kada_athena_async.cli.command import Output, command, group
from kada_athena_async.cli.help_page import PageOfCommand
from kada_athena_async.cli.options import CONFIG, NAME, SETTINGS, SITES, argument
from kada_athena_async.codes import ExitCode

config = group(help="Create, check or describe the configuration file.")


@config.command("init", cls=PageOfCommand)
@command(
    argument(
        "file",
        Path | None,
        metavar="FILE",
        help="JSON, YAML or TOML by its suffix.  [default: kada_athena_extractor_config.json]",
    ),
    SETTINGS,
)
def init(output: Output, file: Path | None, settings: tuple[str, ...]) -> int:
    """Write a configuration file to fill in; an existing file is never overwritten.

    \b
    Examples:
      kada-athena-async config init
      kada-athena-async config init prod.json --set region=ap-southeast-2
    """
    from kada_athena_async.cli.work.config import write_starter

    return write_starter(output, file, settings)


@config.command("check", cls=PageOfCommand)
@command(CONFIG, NAME, SITES, SETTINGS)
def check(output: Output, **asked: Any) -> int:
    """Check the configuration without any call.

    Shows every problem at once, or what a run would use.

    \b
    Example:
      kada-athena-async config check -c kada_athena_extractor_config.json
    """
    from kada_athena_async.cli.request import RunRequest
    from kada_athena_async.cli.work.config import check_configuration

    return check_configuration(output, RunRequest(**asked))


@config.command("schema", cls=PageOfCommand)
@command()
def schema(document: Output) -> int:
    """Print the JSON Schema of the configuration file, for editors and checks.

    \b
    Example:
      kada-athena-async config schema > config.schema.json
    """
    from kada_athena_async.config import config_schema

    document.document(config_schema())
    return ExitCode.OK
