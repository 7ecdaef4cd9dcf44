"""The work of ``test-connection``: log in to each site and show what answers."""

from __future__ import annotations

from kada_athena_async.cli.invocation import again
from kada_athena_async.cli.output import Output
from kada_athena_async.cli.request import RunRequest, configured_sites
from kada_athena_async.cli.sites import each_site
from kada_athena_async.engine import Extractor
from kada_athena_async.report import ConnectionReport


def show_connection(output: Output, request: RunRequest) -> int:
    """Log in to every site and show the identity and what answers; the exit code."""
    sites = configured_sites(output, request)
    if not sites[0].name and (endpoint_url := sites[0].config.endpoint_url):
        output.say(f"talking to {endpoint_url}")

    missing: list[str] = []

    def show(report: ConnectionReport, site: str) -> None:
        missing.extend(report.missing)
        _show(output, report, site)

    code = each_site(output, sites, request, Extractor.test_connection, show)
    if missing:
        doctor = again(exchanged={"test-connection": "doctor"})
        output.remedy(f"{doctor}   (prints the policy that grants what is missing)")

    return code


def _show(output: Output, report: ConnectionReport, site: str) -> None:
    facts = report.to_dict()
    if not site:
        told = {k: v for k, v in facts.items() if k != "endpoint_url" or v is not None}
        lines = [f"{key.replace('_', ' ')}: {_in_words(value)}" for key, value in told.items()]
        output.data(facts, kind="connection", lines=lines)
        return

    missing = f"; missing: {'; '.join(report.missing)}" if report.missing else ""
    line = f"{site}: {report.identity} in {report.region}{missing}"
    output.data({"site": site, **facts}, kind="connection", lines=[line])


def _in_words(value: object) -> str:
    if isinstance(value, list):
        return "; ".join(map(str, value)) or "nothing"

    return "unknown" if value is None else str(value)
