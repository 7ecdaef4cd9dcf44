"""``schema``: the extracts and the manifest described for programs that read them."""

from __future__ import annotations

from kada_athena_async.cli.command import Output, command, group
from kada_athena_async.cli.help_page import PageOfCommand
from kada_athena_async.codes import ExitCode

schema = group(help="Describe extracts and manifest as JSON Schema.")


@schema.command("extracts", cls=PageOfCommand)
@command()
def extracts(document: Output) -> int:
    """Print the JSON Schema of the rows of every kind of extract.

    Rows are described as a CSV reader gives them: each value is a text, and null is an empty one.

    \b
    Example:
      kada-athena-async schema extracts > extracts.schema.json
    """
    from kada_athena_async.extracts.schema import extracts_schema

    document.document(extracts_schema())
    return ExitCode.OK


@schema.command("manifest", cls=PageOfCommand)
@command()
def manifest(document: Output) -> int:
    """Print the JSON Schema of the manifest that names the extracts of a run.

    \b
    Example:
      kada-athena-async schema manifest > manifest.schema.json
    """
    from kada_athena_async.extracts.schema import manifest_schema

    document.document(manifest_schema())
    return ExitCode.OK
