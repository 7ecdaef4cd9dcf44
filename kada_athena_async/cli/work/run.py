"""The work of ``run``: extract every site, then say what to do next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from kada_athena_async.cli.invocation import NO_RESUME, again, again_for, options, suggestion
from kada_athena_async.cli.output import Output
from kada_athena_async.cli.request import RunRequest, configured_sites
from kada_athena_async.cli.sites import worked
from kada_athena_async.codes import ExitCode
from kada_athena_async.config import Site
from kada_athena_async.engine import SitesExtractor
from kada_athena_async.errors import KadaAthenaError

if TYPE_CHECKING:
    from kada_athena_async.report import RunReport, SitesReport

_SHOWN_HINTS = 3

_GOES_ON = "   (goes on: finished parts are kept)"


def run_extraction(output: Output, request: RunRequest) -> int:
    """Extract all chosen sites; the exit code."""
    return extract(output, configured_sites(output, request), request).exit_code


def extract(output: Output, sites: Sequence[Site], request: RunRequest) -> SitesReport:
    """Run the engine, show it working, and say what to do next if it could not commit."""

    async def work(extractor: SitesExtractor) -> SitesReport:
        return await extractor.run(
            start_hwm=request.start_hwm,
            end_hwm=request.end_hwm,
            fresh=request.is_fresh,
            again=request.is_again,
            manage_hwm=True,
        )

    report = worked(output, sites, request, work)
    for site in report.sites:
        if not site.site and site.report is not None:
            output.data(site.report.to_dict(), kind="report", lines=[])
            _say_next(output, site.report)
            return report

        output.data(site.to_dict(), kind="report", lines=[])
        if site.error is not None and not isinstance(site.error, KadaAthenaError):
            output.bug(site.error, site=site.site)

    if report.failed:
        waiting = [s.site for s in report.failed if s.exit_code != ExitCode.NOT_DELIVERED]
        retry = again_for([site.site for site in report.failed])
        output.remedy(retry + (_GOES_ON if output.has_parts(waiting) else ""))

    return report


def _say_next(output: Output, report: RunReport) -> None:
    for line in what_next(report):
        if report.exit_code:
            output.remedy(line)
        else:
            output.say(f"  try: {line}")


def what_next(report: RunReport) -> list[str]:
    """Commands to try after a run that did not extract all; empty if it did."""
    if report.committed:
        is_denied = any(group.outcome == "denied" for group in report.incomplete)
        doctor = suggestion("doctor", *options("-c", "--config", "--set", "--site"))
        return [f"{doctor}   (which right is missing, and how to grant it)"] if is_denied else []

    if not report.exit_code:
        return []

    hints = list(dict.fromkeys(unit.hint for unit in report.failed if unit.hint))
    has_parts = any(unit.outcome in ("done", "resumed") for unit in report.outcomes)
    skipping = again(
        "--on-error",
        "skip",
        without=(*NO_RESUME, *options("--on-error")),
        exchanged={"on_error=fail": "on_error=skip"},
    )
    return [
        *hints[:_SHOWN_HINTS],
        again(without=NO_RESUME) + (_GOES_ON if has_parts else ""),
        f"{skipping}   (leaves out what cannot be read)",
    ]
