"""The commands and their options; what they do stands in the modules beside this one."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import Annotated

import typer

_HELP = {"help_option_names": ["-h", "--help"], "max_content_width": 100}

app = typer.Typer(
    help="""Extract AWS Athena metadata and query history.

    Start here, without an AWS account: kada-athena-async run --sandbox
    """,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings=_HELP,
)
_hwm = typer.Typer(
    help="Look at or set the high-water mark.", no_args_is_help=True, context_settings=_HELP
)
_config = typer.Typer(
    help="About the configuration file.", no_args_is_help=True, context_settings=_HELP
)
app.add_typer(_hwm, name="hwm")
app.add_typer(_config, name="config")


class Source(str, enum.Enum):
    """Values of ``--metadata-source``."""

    AUTO = "auto"
    SQL = "sql"
    API = "api"


class OnError(str, enum.Enum):
    """Values of ``--on-error``."""

    FAIL = "fail"
    SKIP = "skip"


class SandboxPolicy(str, enum.Enum):
    """Values of ``--policy``."""

    ADMIN = "admin"
    SEED = "seed"


ConfigFile = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        metavar="FILE",
        help="Configuration file.  [default: kada_athena_extractor_config.json]",
        show_default=False,
    ),
]
Name = Annotated[
    str,
    typer.Option(
        "--name", "-n", metavar="NAME", help="Name of this collector; begins its files' names."
    ),
]
HwmPath = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="High-water mark file.  [default: <name>_hwm.txt in the working directory]",
        show_default=False,
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON object a line on stdout.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Say more.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say only what goes wrong.")]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="FIELD=VALUE", help="Any field of the configuration; repeat."),
]


@app.command()
def run(
    config: ConfigFile = None,
    name: Name = "athena",
    hwm_path: HwmPath = None,
    start_hwm: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Read from this time on, YYYY-MM-DD HH:MM:SS in UTC."),
    ] = None,
    end_hwm: Annotated[
        str | None, typer.Option(metavar="TIME", help="Read up to this time.  [default: now]")
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Do not continue an interrupted run; begin anew.")
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Extract a window again that was already extracted.")
    ] = False,
    sandbox: Annotated[
        bool,
        typer.Option("--sandbox", help="Extract from an invented AWS on this machine instead."),
    ] = False,
    output_path: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Directory for the extracts.", show_default=False),
    ] = None,
    metadata_source: Annotated[
        Source | None, typer.Option(help="Where metadata comes from.", show_default=False)
    ] = None,
    on_error: Annotated[
        OnError | None,
        typer.Option(help="What to do with what cannot be read.", show_default=False),
    ] = None,
    settings: Settings = None,
    as_json: AsJson = False,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Extract everything since the last run, then move the high-water mark.

    Safe to repeat after any failure: nothing is lost and nothing comes twice.

    \b
    Examples:
      kada-athena-async run --sandbox
      kada-athena-async run -c kada_athena_extractor_config.json
      kada-athena-async run --start-hwm "2026-11-01 00:00:00" --again
      kada-athena-async run --set mask=false --set 'include_schemas=*.sales_*' --json
    """
    from kada_athena_async.cli.outcome import ending
    from kada_athena_async.cli.request import RunRequest
    from kada_athena_async.cli.talk import Talk

    talk = Talk(as_json=as_json, verbose=verbose, quiet=quiet)
    request = RunRequest(
        config=config,
        name=name,
        hwm_path=hwm_path,
        start_hwm=start_hwm,
        end_hwm=end_hwm,
        is_fresh=fresh,
        is_again=again,
        settings=tuple(settings or ()),
        overrides={
            "output_path": str(output_path.absolute()) if output_path else None,
            "metadata_source": metadata_source.value if metadata_source else None,
            "on_error": on_error.value if on_error else None,
        },
    )

    def act() -> int:
        if sandbox:
            from kada_athena_async.cli.demo import run_demo

            return run_demo(talk, request)

        from kada_athena_async.cli.actions import run_extraction

        return run_extraction(talk, request)

    raise typer.Exit(ending(talk, act))


@app.command("test-connection")
def connect(
    config: ConfigFile = None,
    settings: Settings = None,
    as_json: AsJson = False,
    verbose: Verbose = False,
) -> None:
    """Log in to AWS and look whether Athena answers; nothing is written.

    \b
    Example:
      kada-athena-async test-connection -c kada_athena_extractor_config.json
    """
    from kada_athena_async.cli.actions import show_connection
    from kada_athena_async.cli.outcome import ending
    from kada_athena_async.cli.talk import Talk

    talk = Talk(as_json=as_json, verbose=verbose)
    raise typer.Exit(ending(talk, lambda: show_connection(talk, config, tuple(settings or ()))))


@app.command()
def push(
    config: ConfigFile = None,
    name: Name = "athena",
    settings: Settings = None,
    as_json: AsJson = False,
    verbose: Verbose = False,
    quiet: Quiet = False,
) -> None:
    """Bring what was extracted and not yet delivered to the landing, oldest first.

    A run with a landing does so by itself. Safe to repeat: nothing is sent twice.

    \b
    Example:
      kada-athena-async push -c kada_athena_extractor_config.json
    """
    from kada_athena_async.cli.actions import push_extracts
    from kada_athena_async.cli.outcome import ending
    from kada_athena_async.cli.request import RunRequest
    from kada_athena_async.cli.talk import Talk

    talk = Talk(as_json=as_json, verbose=verbose, quiet=quiet)
    request = RunRequest(config=config, name=name, settings=tuple(settings or ()))
    raise typer.Exit(ending(talk, lambda: push_extracts(talk, request)))


@_hwm.command("show")
def hwm_show(name: Name = "athena", hwm_path: HwmPath = None, as_json: AsJson = False) -> None:
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


@_hwm.command("set")
def hwm_set(
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


@_config.command("schema")
def config_schema() -> None:
    """Print the JSON Schema of the configuration file, for editors and checks.

    \b
    Example:
      kada-athena-async config schema > config.schema.json
    """
    from kada_athena_async.cli.talk import Talk
    from kada_athena_async.config import Config

    Talk().document(Config.model_json_schema())


@app.command()
def sandbox(
    port: Annotated[
        int,
        typer.Option(
            metavar="PORT", min=0, max=65535, help="Port on 127.0.0.1; 0 takes a free one."
        ),
    ] = 0,
    seed: Annotated[int, typer.Option(metavar="N", help="Another seed, another invention.")] = 7,
    scale: Annotated[
        float, typer.Option(metavar="X", min=0.01, help="Size of the estate, as a factor.")
    ] = 1.0,
    policy: Annotated[
        SandboxPolicy, typer.Option(help="Rights: all, or those of the documented policy.")
    ] = SandboxPolicy.ADMIN,
    write_config: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Also write the configuration here.", show_default=False),
    ] = None,
) -> None:
    """Serve an invented AWS on this machine until Ctrl-C; prints a configuration for it.

    \b
    Example:
      kada-athena-async sandbox --write-config sandbox.json
      kada-athena-async run -c sandbox.json      (in another terminal)
    """
    from kada_athena_async.cli.demo import SandboxRequest, serve_sandbox
    from kada_athena_async.cli.outcome import ending
    from kada_athena_async.cli.talk import Talk

    talk = Talk()
    request = SandboxRequest(
        port=port, seed=seed, scale=scale, policy=policy.value, write_config=write_config
    )
    raise typer.Exit(ending(talk, lambda: serve_sandbox(talk, request)))


def main() -> None:
    """The console script."""
    app(prog_name="kada-athena-async")
