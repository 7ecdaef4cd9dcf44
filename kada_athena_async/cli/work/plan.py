"""The work of ``plan``: the preview of each site's next run, shown as tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from rich.console import Group, RenderableType
from rich.text import Text

from kada_athena_async.cli.grid import Grid
from kada_athena_async.cli.output import Output
from kada_athena_async.cli.request import RunRequest
from kada_athena_async.cli.sites import each_site_drawn
from kada_athena_async.engine.preview import PlanReport
from kada_athena_async.estimate.variants import Estimate, Variant
from kada_athena_async.observers.wording import brief, moment

SHOWN = 20
"""Catalogs or workgroups listed; the rest is summed up."""

_ItemT = TypeVar("_ItemT")


def show_plans(output: Output, request: RunRequest) -> int:
    """Plan each site's next run, those of several sites side by side; the exit code."""

    times = {"start_hwm": request.start_hwm, "end_hwm": request.end_hwm}
    return each_site_drawn(output, request, lambda each: each.plan(**times), _shown, kind="plan")


def _shown(output: Output, report: PlanReport, head: str) -> RenderableType:
    parts: list[RenderableType] = [Text(output.clean(f"{head}, collector {report.name}"))]
    if report.start is not None and report.end is not None:
        parts.append(Text(f"window: {moment(report.start)} to {moment(report.end)} UTC"))
        parts += ["", _catalogs(output, report), "", _workgroups(output, report)]

    if report.estimate is not None:
        chosen = report.estimate.recommendation
        reason = chosen.reason[:1].upper() + chosen.reason[1:]
        parts += [
            "",
            _variants(report.estimate, report.metadata_source),
            "",
            Text(output.clean(f"recommended: {chosen.source}. {reason}.")),
            "",
            Text(
                "Estimates: calls that fail or are throttled come on top; times are those that "
                "AWS's quotas allow; dollars are rough and at most; price of a scanned terabyte: "
                f"{output.clean(report.estimate.prices)}."
            ),
        ]

    parts += [Text(output.clean(f"note: {note}")) for note in report.notes]
    if report.calls_made:
        parts.append(Text(f"This took {sum(report.calls_made.values())} calls."))

    return Group(*parts)


def _catalogs(output: Output, report: PlanReport) -> Grid:
    table = Grid(("<catalog", ">schemas", ">tables", ">views", ">columns", "~"))
    for one in report.catalogs[:SHOWN]:
        if one.reason:
            table.add_row(output.clean(one.name), "", "", "", "", output.clean(one.reason))
        else:
            figures = (one.schemas, one.tables, one.views, one.columns)
            shown = [f"{figure:,}" for figure in figures]
            table.add_row(output.clean(one.name), *shown, one.origin)

    for line in _rest(report.catalogs, lambda ones: sum(one.tables for one in ones)):
        table.add_row(line[0], "", line[1], "", "", "")

    return table


def _workgroups(output: Output, report: PlanReport) -> Grid:
    table = Grid(("<workgroup", ">executions", "", "~"))
    for one in report.workgroups[:SHOWN]:
        differs = f"since {moment(one.start)}" if one.start != report.start else ""
        table.add_row(output.clean(one.name), f"{one.executions:,}", one.origin, differs)

    for line in _rest(report.workgroups, lambda ones: sum(one.executions for one in ones)):
        table.add_row(*line, "", "")

    return table


def _rest(
    items: Sequence[_ItemT], total: Callable[[Sequence[_ItemT]], int]
) -> list[tuple[str, str]]:
    left = items[SHOWN:]
    return [(f"and {len(left)} more", f"{total(left):,}")] if left else []


def _variants(found: Estimate, configured: str) -> Grid:
    variants = found.variants
    names = [f"{v.source} *" if v.source == configured else v.source for v in variants]
    table = Grid(("calls (* as configured)", *(f">{name}" for name in names)))
    for operation in sorted({name for variant in variants for name in variant.calls}):
        table.add_row(operation, *(_count(v.calls.get(operation, 0)) for v in variants))

    rows: dict[str, Callable[[Variant], str]] = {
        "all calls": lambda v: _count(sum(v.calls.values())),
        "statements": lambda v: _count(v.statements),
        "metadata at the quotas": lambda v: brief(v.metadata_s),
        "history at the quotas": lambda v: brief(v.history_s),
        "a run takes at least": lambda v: brief(v.total_s),
        "rough dollars at most": lambda v: f"{v.rough_usd:.4f}",
    }
    for name, shown in rows.items():
        table.add_row(name, *(shown(variant) for variant in variants))

    return table


def _count(count: int) -> str:
    return f"{count:,}" if count else "-"
