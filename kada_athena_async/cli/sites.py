"""Work of a command for each site of the configuration; one site is a list of one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

from kada_athena_async.cli.output import Output
from kada_athena_async.cli.request import RunRequest, configured_sites
from kada_athena_async.cli.signals import run_until_signalled
from kada_athena_async.cli.telemetry import telemetry
from kada_athena_async.codes import common_exit_code
from kada_athena_async.config import Site
from kada_athena_async.engine import Extractor, SitesExtractor
from kada_athena_async.engine.sites import SITES_AT_ONCE
from kada_athena_async.errors import ConfigError, KadaAthenaError, Problem

if TYPE_CHECKING:
    from rich.console import RenderableType

    from kada_athena_async.engine.doctor import DoctorReport
    from kada_athena_async.engine.preview import PlanReport

ResultT = TypeVar("ResultT")
ReportT = TypeVar("ReportT", "DoctorReport", "PlanReport")


def each_site(
    output: Output,
    sites: Sequence[Site],
    request: RunRequest,
    work: Callable[[Extractor], Awaitable[ResultT]],
    show: Callable[[ResultT, str], None],
    *,
    shows_events: bool = True,
) -> int:
    """Do *work* for every site, some at a time, and show its results; the common exit code.

    A site that fails is reported and leaves the others alone; the last lines name those.

    Args:
        show: Called with each result and the name of its site.
        shows_events: False where the events of a run are not what was asked for.
    """
    results = worked(
        output,
        sites,
        request,
        lambda all_: all_.each(work),
        shows_events=shows_events,
        sums_up=False,
    )
    for found in results:
        if found.error is not None and not isinstance(found.error, KadaAthenaError):
            output.bug(found.error, site=found.site.name)
        elif isinstance(found.error, KadaAthenaError):
            output.site_error(found.site.name, found.error)

    for found in results:
        if found.result is not None:
            show(found.result, found.site.name)

    if sites[0].name:
        output.sites_failed([one.site.name for one in results if one.exit_code], len(sites))

    return common_exit_code([found.exit_code for found in results])


def each_site_drawn(
    output: Output,
    request: RunRequest,
    work: Callable[[Extractor], Awaitable[ReportT]],
    draw: Callable[[Output, ReportT, str], RenderableType],
    *,
    kind: str,
) -> int:
    """Do *work* for every configured site and draw its report; the common exit code.

    Args:
        draw: Makes the picture of a report below a heading, its site and Region.
        kind: Of the report, for programs.
    """

    def show(report: ReportT, site: str) -> None:
        output.data({"site": site, **report.to_dict()}, kind=kind, lines=[])
        if not output.as_json:
            head = f"site {site}, {report.region}" if site else report.region
            output.picture(draw(output, report, head))

    sites = configured_sites(output, request)
    return each_site(output, sites, request, work, show, shows_events=not output.as_json)


def worked(
    output: Output,
    sites: Sequence[Site],
    request: RunRequest,
    work: Callable[[SitesExtractor], Awaitable[ResultT]],
    *,
    shows_events: bool = True,
    sums_up: bool = True,
) -> ResultT:
    """The result of *work* for all sites under one budget, shown while it goes on.

    Args:
        sums_up: False if the caller says at the end how the sites did.

    Raises:
        ConfigError: Sites have names, and one file is given for their high-water marks.
    """
    if request.hwm_path is not None and sites[0].name:
        remedy = (
            "each site keeps its own high-water mark; leave it out, or set hwm_store in the sites"
        )
        shown = ascii(str(request.hwm_path))
        raise ConfigError([Problem("--hwm-path", shown, remedy)], source="command")

    minutes = request.site_minutes
    exporting = telemetry(is_wanted=request.is_otel)
    showing = output.observers(several=bool(sites[0].name), sums_up=sums_up)
    with exporting as exporters, showing as observers:
        extractor = SitesExtractor(
            sites,
            observers=[*observers, *exporters] if shows_events else (),
            name=request.name,
            hwm_path=request.hwm_path,
            at_once=request.sites_at_once or min(SITES_AT_ONCE, len(sites)),
            deadline_s=60 * minutes if minutes is not None else None,
        )
        return run_until_signalled(
            lambda: work(extractor),
            on_signal=lambda: output.say("stopping; once more to stop at once"),
        )
