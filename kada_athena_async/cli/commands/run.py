"""``run``: extract, commit, deliver, and only then move the HWM."""

from __future__ import annotations

import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kada_athena_async.cli.command import command
from kada_athena_async.cli.options import (
    ConfigFile,
    EndHwm,
    HwmPath,
    Name,
    OnError,
    Settings,
    Sites,
    Source,
    StartHwm,
)
from kada_athena_async.cli.output import Output

if TYPE_CHECKING:
    from kada_athena_async.cli.request import RunRequest

NoResume = Annotated[
    bool,
    typer.Option("--no-resume", "--fresh", help="Do not continue an interrupted run; begin anew."),
]

Reprocess = Annotated[
    bool,
    typer.Option(
        "--reprocess", "--again", help="Extract the published packages of the window once more."
    ),
]

InSandbox = Annotated[
    bool,
    typer.Option("--sandbox", help="Extract from an invented AWS on this machine instead."),
]

Directory = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="Directory for the extracts.", show_default=False),
]

MetadataSource = Annotated[
    Source | None, typer.Option(help="Where metadata comes from.", show_default=False)
]

OnErrorOption = Annotated[
    OnError | None,
    typer.Option(help="What to do with what cannot be read.", show_default=False),
]

SitesAtOnce = Annotated[
    int | None,
    typer.Option(metavar="N", min=1, help="Sites side by side.  [default: 8]"),
]

SiteMinutes = Annotated[
    float | None,
    typer.Option(
        metavar="N",
        min=0.01,
        help="Minutes that a site may take; one that takes longer has failed.",
        show_default=False,
    ),
]

Otel = Annotated[
    bool,
    typer.Option("--otel", help="Send spans and metrics as the OTEL_* variables say."),
]


@command
def run(
    output: Output,
    config: ConfigFile = None,
    name: Name = "athena",
    hwm_path: HwmPath = None,
    start_hwm: StartHwm = None,
    end_hwm: EndHwm = None,
    fresh: NoResume = False,
    again: Reprocess = False,
    sandbox: InSandbox = False,
    output_path: Directory = None,
    metadata_source: MetadataSource = None,
    on_error: OnErrorOption = None,
    sites: Sites = None,
    sites_at_once: SitesAtOnce = None,
    site_minutes: SiteMinutes = None,
    otel: Otel = False,
    settings: Settings = None,
) -> int:
    """Extract everything since the last run, then move the high-water mark.

    Safe to repeat after any failure: nothing is lost and nothing comes twice.

    \b
    Examples:
      kada-athena-async run --sandbox
      kada-athena-async run -c kada_athena_extractor_config.json
      kada-athena-async run --start-hwm "2026-11-01 00:00:00" --reprocess
      kada-athena-async run --site prod_au --site 'test_*'
      kada-athena-async run --set mask=false --set 'include_schemas=*.sales_*' --json
    """
    threading.Thread(target=_load_http, daemon=True).start()
    from kada_athena_async.cli.request import RunRequest

    request = RunRequest(
        config=config,
        name=name,
        hwm_path=hwm_path,
        start_hwm=start_hwm,
        end_hwm=end_hwm,
        is_fresh=fresh,
        is_again=again,
        settings=tuple(settings or ()),
        sites=tuple(sites or ()),
        sites_at_once=sites_at_once,
        site_minutes=site_minutes,
        is_otel=otel,
        overrides={
            "output_path": str(output_path.absolute()) if output_path else None,
            "metadata_source": metadata_source.value if metadata_source else None,
            "on_error": on_error.value if on_error else None,
        },
    )

    return _run_demo(output, request) if sandbox else _run_extraction(output, request)


def _run_demo(output: Output, request: RunRequest) -> int:
    from kada_athena_async.cli.work.sandbox import run_demo

    return run_demo(output, request)


def _run_extraction(output: Output, request: RunRequest) -> int:
    from kada_athena_async.cli.work.run import run_extraction

    return run_extraction(output, request)


def _load_http() -> None:
    """Load the HTTP client beside all else: half of it is reading certificates, outside Python."""
    with suppress(ImportError):  # said by who needs it
        import aiohttp  # noqa: F401
