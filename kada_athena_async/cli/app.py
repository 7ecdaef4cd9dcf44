"""The commands, in the order in which the help shows them."""

from __future__ import annotations

import typer

from kada_athena_async.cli.commands import (
    config,
    connection,
    doctor,
    hwm,
    iam_policy,
    plan,
    push,
    report,
    run,
    sandbox,
)
from kada_athena_async.cli.options import HELP

app = typer.Typer(
    help="""Extract AWS Athena metadata and query history.

    Start here, without an AWS account: kada-athena-async run --sandbox
    """,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings=HELP,
)
app.command("run")(run.run)
app.command("test-connection")(connection.connect)
app.command("doctor")(doctor.doctor)
app.command("iam-policy")(iam_policy.iam_policy)
app.command("plan")(plan.plan)
app.command("push")(push.push)
app.command("report")(report.report)
app.add_typer(hwm.hwm, name="hwm")
app.add_typer(config.config, name="config")
app.command("sandbox")(sandbox.sandbox)


def main() -> None:
    """The console script."""
    app(prog_name="kada-athena-async")
