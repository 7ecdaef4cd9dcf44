"""``plan``: what the next run would do and take."""

from __future__ import annotations

from kada_athena_async.cli.command import command
from kada_athena_async.cli.options import (
    ConfigFile,
    EndHwm,
    HwmPath,
    Name,
    Settings,
    Sites,
    StartHwm,
)
from kada_athena_async.cli.output import Output


@command
def plan(
    output: Output,
    config: ConfigFile = None,
    name: Name = "athena",
    hwm_path: HwmPath = None,
    start_hwm: StartHwm = None,
    end_hwm: EndHwm = None,
    sites: Sites = None,
    settings: Settings = None,
) -> int:
    """Show what the next run would read, and estimate its calls, time and rough dollars.

    Runs no query and writes nothing. Sizes come from the last run, or from some pages; times are
    those that AWS's quotas allow. Compares the sources of metadata and recommends one.

    \b
    Example:
      kada-athena-async plan -c kada_athena_extractor_config.json
    """
    from kada_athena_async.cli.request import RunRequest
    from kada_athena_async.cli.work.plan import show_plans

    request = RunRequest(
        config=config,
        name=name,
        hwm_path=hwm_path,
        start_hwm=start_hwm,
        end_hwm=end_hwm,
        settings=tuple(settings or ()),
        sites=tuple(sites or ()),
    )
    return show_plans(output, request)
