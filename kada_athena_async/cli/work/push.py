"""The work of ``push``: deliver what each site has extracted and not delivered."""

from __future__ import annotations

from kada_athena_async.cli.output import Output
from kada_athena_async.cli.request import RunRequest, configured_sites
from kada_athena_async.cli.sites import each_site
from kada_athena_async.landing import DeliveryReport


def push_extracts(output: Output, request: RunRequest, *, sends_all: bool = False) -> int:
    """Deliver what was extracted to the landing of each site that has one; the exit code.

    Args:
        sends_all: Also what another landing has.
    """
    asked = configured_sites(output, request)
    sites = [site for site in asked if site.config.landing is not None] or asked

    def show(report: DeliveryReport, site: str) -> None:
        facts = {**({"site": site} if site else {}), **report.to_dict()}
        output.data(facts, kind="delivery", lines=list(report.manifests))
        if not site and not report.manifests:
            output.say(f"nothing waits to be delivered to {report.place}")

    return each_site(output, sites, request, lambda each: each.push(sends_all=sends_all), show)
