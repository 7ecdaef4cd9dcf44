"""Actions of the commands for a configuration of several sites."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from kada_athena_async.cli.invocation import NO_RESUME, again
from kada_athena_async.cli.request import RunRequest
from kada_athena_async.cli.signals import run_until_signalled
from kada_athena_async.cli.talk import Talk
from kada_athena_async.cli.telemetry import telemetry
from kada_athena_async.config import Site
from kada_athena_async.engine import Extractor, SiteResult, SitesExtractor
from kada_athena_async.engine.sites import SITES_AT_ONCE
from kada_athena_async.errors import ConfigError, KadaAthenaError, Problem
from kada_athena_async.report import SitesReport, common_exit_code

ResultT = TypeVar("ResultT")


def run_sites(talk: Talk, sites: Sequence[Site], request: RunRequest) -> int:
    """Extract every site; the exit code."""

    async def work(extractor: SitesExtractor) -> SitesReport:
        return await extractor.run(
            start_hwm=request.start_hwm,
            end_hwm=request.end_hwm,
            fresh=request.is_fresh,
            again=request.is_again,
            manage_hwm=True,
        )

    report = _worked(talk, sites, request, work)
    for site in report.sites:
        talk.data(site.to_dict(), kind="report", lines=[])
        if site.error is not None and not isinstance(site.error, KadaAthenaError):
            talk.bug(site.error)

    if report.failed:
        names = [word for site in report.failed for word in ("--site", site.site)]
        retry = again(*names, without=NO_RESUME) if not request.sites else again(without=NO_RESUME)
        talk.remedy(f"{retry}   (goes on: finished parts are kept)")

    return report.exit_code


def connect_sites(talk: Talk, sites: Sequence[Site], request: RunRequest) -> int:
    """Log in to every site and show what answers; the exit code."""
    results = each_site(talk, sites, request, Extractor.test_connection)
    for found in results:
        facts: dict[str, object] = {"site": found.site.name}
        if found.result is not None:
            report = found.result
            facts |= report.to_dict()
            missing = f"; missing: {'; '.join(report.missing)}" if report.missing else ""
            talk.data(
                facts,
                kind="connection",
                lines=[f"{found.site.name}: {report.identity} in {report.region}{missing}"],
            )

    return common_exit_code([found.exit_code for found in results])


def push_sites(
    talk: Talk, sites: Sequence[Site], request: RunRequest, *, sends_all: bool = False
) -> int:
    """Bring to the landings what every site has extracted; the exit code."""
    results = each_site(talk, sites, request, lambda each: each.push(sends_all=sends_all))
    for found in results:
        if found.result is not None:
            facts = {"site": found.site.name, **found.result.to_dict()}
            talk.data(facts, kind="delivery", lines=list(found.result.manifests))

    return common_exit_code([found.exit_code for found in results])


def each_site(
    talk: Talk,
    sites: Sequence[Site],
    request: RunRequest,
    work: Callable[[Extractor], Awaitable[ResultT]],
    *,
    shows_events: bool = True,
) -> list[SiteResult[ResultT]]:
    """Do *work* for every site, some at a time; one in trouble is said and leaves the others alone.

    Args:
        is_told: False where the events of a run are not what was asked for.
    """
    results = _worked(talk, sites, request, lambda all_: all_.each(work), shows_events=shows_events)
    for found in results:
        if found.error is not None and not isinstance(found.error, KadaAthenaError):
            talk.bug(found.error)
        elif isinstance(found.error, KadaAthenaError):
            talk.site_error(found.site.name, found.error)

    return results


def _worked(
    talk: Talk,
    sites: Sequence[Site],
    request: RunRequest,
    work: Callable[[SitesExtractor], Awaitable[ResultT]],
    *,
    shows_events: bool = True,
) -> ResultT:
    if request.hwm_path is not None:
        remedy = "each site keeps its own mark; leave it out, or set hwm_store in the sites"
        shown = ascii(str(request.hwm_path))
        raise ConfigError([Problem("--hwm-path", shown, remedy)], source="command")

    minutes = request.site_minutes
    exporting = telemetry(is_wanted=request.is_otel)
    with exporting as exporters, talk.observers(several=True) as observers:
        extractor = SitesExtractor(
            sites,
            observers=[*observers, *exporters] if shows_events else (),
            name=request.name,
            at_once=request.sites_at_once or min(SITES_AT_ONCE, len(sites)),
            deadline_s=60 * minutes if minutes is not None else None,
        )
        return run_until_signalled(
            lambda: work(extractor),
            on_signal=lambda: talk.say("stopping; once more to stop at once"),
        )
