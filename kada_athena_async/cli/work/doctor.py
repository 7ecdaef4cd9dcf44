"""The work of ``doctor``: checks of each site, shown as a table."""

from __future__ import annotations

import json

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from kada_athena_async.cli.output import Output
from kada_athena_async.cli.request import RunRequest
from kada_athena_async.cli.sites import each_site_drawn
from kada_athena_async.engine.doctor import DoctorReport, Finding

_STYLES = {"ok": "green", "denied": "bold red", "problem": "bold red", "untried": "yellow"}
_HARMLESS = "yellow"
_WORDS = {"ok": "ok", "denied": "DENIED", "problem": "PROBLEM", "untried": "untried"}


def examine_sites(output: Output, request: RunRequest, *, runs_query: bool) -> int:
    """Examine the sites, several side by side; their common exit code, as a run's."""

    return each_site_drawn(
        output, request, lambda each: each.examine(runs_query=runs_query), _shown, kind="doctor"
    )


def _shown(output: Output, report: DoctorReport, head: str) -> RenderableType:
    parts: list[RenderableType] = [
        Text(output.clean(f"{head}: {report.identity or 'nobody'}")),
        _table(output, report),
    ]
    for finding in report.findings:
        if finding.state != "ok":
            parts += ["", _explained(output, finding)]

    if report.policy is not None:
        parts += ["", "to grant what is denied, add to the policy:"]
        # To be copied: whatever the width, a line stays a line.
        document = output.clean(json.dumps(report.policy, indent=2), keep="\n")
        parts.append(Text(document, no_wrap=True, overflow="ignore"))

    return Group(*parts, "", Text(_verdict(report)))


def _table(output: Output, report: DoctorReport) -> Table:
    """A line for each finding: what it is, how it stands, on what."""
    table, area = _plain_table(2), ""
    for finding in report.findings:
        # Programs read `mark`, which is the name of old.
        name = "HWM" if finding.area == "mark" else finding.area
        shown, area = ("" if finding.area == area else name), finding.area
        detail = finding.detail if finding.state == "ok" else finding.detail.partition(";")[0]
        table.add_row(
            Text(shown, style="bold"),
            Text(_WORDS[finding.state], style=_style(finding)),
            Text(output.clean(f"{finding.subject}  {detail}")),
        )

    return table


def _plain_table(labels: int) -> Table:
    """A table without a frame: some columns of labels, and one of text that folds."""
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    for _ in range(labels):
        table.add_column(no_wrap=True)

    table.add_column(overflow="fold", ratio=1)
    return table


def _style(finding: Finding) -> str:
    if finding.state in ("denied", "problem") and not finding.exit_code:
        return _HARMLESS

    return _STYLES[finding.state]


def _explained(output: Output, finding: Finding) -> RenderableType:
    """Details of a finding that is not as it should be."""
    facts = {
        "found": finding.detail,
        "used to": finding.used_for,
        "lost": finding.lost,
        "try": finding.remedy,
    }
    head = Text(f"{_WORDS[finding.state]} ", style=_style(finding))
    head.append(output.clean(finding.subject), style="bold")
    if not finding.exit_code and finding.lost:
        head.append(" (a run can do without)", style="default")

    table = _plain_table(1)
    for name, text in facts.items():
        if text:
            table.add_row(f"  {name}", Text(output.clean(text)))

    return Group(head, table)


def _verdict(report: DoctorReport) -> str:
    counts = report.counts
    summary = ", ".join(f"{count} {state}" for state, count in counts.items() if count)
    needed = sum(finding.exit_code > 0 for finding in report.findings)
    if needed:
        return f"{summary}; {needed} of it a run cannot do without"

    if counts["denied"] or counts["problem"]:
        return f"{summary}; a run can do without what is missing"

    return f"{summary}; a run has all that it needs"
