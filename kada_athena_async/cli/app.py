"""The commands, in the order in which the help shows them."""

from __future__ import annotations

from typing import Annotated

import typer

from kada_athena_async.cli.commands import (
    config,
    connection,
    doctor,
    export,
    hwm,
    iam_policy,
    plan,
    push,
    report,
    run,
    sandbox,
    schema,
    show,
)
from kada_athena_async.cli.help_page import (
    EPILOG,
    EXTRACT,
    LOOK,
    SET_UP,
    TRY,
    WELCOME,
    GroupedCommands,
    PageOfCommand,
)
from kada_athena_async.cli.options import HELP

PROGRAM = "kada-athena-async"

app = typer.Typer(
    cls=GroupedCommands,
    help=WELCOME,
    epilog=EPILOG,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings=HELP,
)
app.command("run", cls=PageOfCommand, rich_help_panel=EXTRACT)(run.run)
app.command("plan", cls=PageOfCommand, rich_help_panel=EXTRACT)(plan.plan)
app.command("push", cls=PageOfCommand, rich_help_panel=EXTRACT)(push.push)
app.command("show", cls=PageOfCommand, rich_help_panel=LOOK)(show.show)
app.command("report", cls=PageOfCommand, rich_help_panel=LOOK)(report.report)
app.command("export", cls=PageOfCommand, rich_help_panel=LOOK)(export.export)
app.add_typer(hwm.hwm, name="hwm", rich_help_panel=LOOK)
app.add_typer(schema.schema, name="schema", rich_help_panel=LOOK)
app.add_typer(config.config, name="config", rich_help_panel=SET_UP)
app.command("test-connection", cls=PageOfCommand, rich_help_panel=SET_UP)(connection.connect)
app.command("doctor", cls=PageOfCommand, rich_help_panel=SET_UP)(doctor.doctor)
app.command("iam-policy", cls=PageOfCommand, rich_help_panel=SET_UP)(iam_policy.iam_policy)
app.command("sandbox", cls=PageOfCommand, rich_help_panel=TRY)(sandbox.sandbox)


def _show_version(is_wanted: bool) -> None:
    if is_wanted:
        from kada_athena_async.version import __version__

        typer.echo(f"{PROGRAM} {__version__}")
        raise typer.Exit


@app.callback()
def root(
    _version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=_show_version,
            is_eager=True,
            help="Show the version and exit.",
        ),
    ] = False,
) -> None:
    """See ``WELCOME``."""
