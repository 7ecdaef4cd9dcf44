"""``schema``: the extracts and the manifest described for programs that read them."""

from __future__ import annotations

import typer

from kada_athena_async.cli.command import command
from kada_athena_async.cli.help_page import GroupedCommands, PageOfCommand
from kada_athena_async.cli.options import HELP
from kada_athena_async.cli.output import Output
from kada_athena_async.codes import ExitCode

schema = typer.Typer(
    cls=GroupedCommands,
    help="Describe extracts and manifest as JSON Schema.",
    no_args_is_help=True,
    context_settings=HELP,
)


@schema.command("extracts", cls=PageOfCommand)
@command
def extracts(document: Output) -> int:
    """Print the JSON Schema of the rows of every kind of extract.

    Rows are as a CSV reader gives them: every value a text, null an empty one.

    \b
    Example:
      kada-athena-async schema extracts > extracts.schema.json
    """
    from kada_athena_async.extracts.schema import extracts_schema

    document.document(extracts_schema())
    return ExitCode.OK


@schema.command("manifest", cls=PageOfCommand)
@command
def manifest(document: Output) -> int:
    """Print the JSON Schema of the manifest that names the extracts of a run.

    \b
    Example:
      kada-athena-async schema manifest > manifest.schema.json
    """
    from kada_athena_async.extracts.schema import manifest_schema

    document.document(manifest_schema())
    return ExitCode.OK
