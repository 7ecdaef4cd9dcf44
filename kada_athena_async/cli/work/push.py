"""The work of ``push``: deliver what each site has extracted and not delivered."""

from __future__ import annotations

from kada_athena_async.cli.output import Output
from kada_athena_async.cli.request import RunRequest, check_request, configured_sites
from kada_athena_async.cli.sites import each_site
from kada_athena_async.report import common_exit_code


def push_extracts(output: Output, request: RunRequest, *, sends_all: bool = False) -> int:
    """Bring what was extracted to the landing of each site; the exit code.

    Args:
        sends_all: Also what another landing has.
    """
    check_request(request)
    sites = configured_sites(output, request)
    results = each_site(output, sites, request, lambda each: each.push(sends_all=sends_all))
    for found in results:
        if found.result is None:
            continue

        name, report = found.site.name, found.result
        facts = {**({"site": name} if name else {}), **report.to_dict()}
        output.data(facts, kind="delivery", lines=list(report.manifests))
        if not name and not report.manifests:
            output.say(f"nothing waits to be delivered to {report.place}")

    return common_exit_code([found.exit_code for found in results])
