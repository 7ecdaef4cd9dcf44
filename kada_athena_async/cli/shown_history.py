"""Views of ``show`` about executions, over all published runs."""

from __future__ import annotations

from dataclasses import asdict

from rich.console import RenderableType
from rich.text import Text

from kada_athena_async.cli.grid import CELL_CHARS, Grid
from kada_athena_async.cli.shown import Facts, Shown, more_rows
from kada_athena_async.extracts.history import (
    Cost,
    FingerprintTotal,
    WorkgroupTotal,
    add_samples,
    failure_totals,
    fingerprint_totals,
    workgroup_totals,
)
from kada_athena_async.extracts.runs import Runs
from kada_athena_async.observers.wording import counted, duration, size

_FINGERPRINT_CHARS = 8


def workgroups(runs: Runs, rows: int) -> Shown:
    """Figures of each workgroup."""
    totals = workgroup_totals(runs)
    table = Grid(("workgroup", ">queries", ">failed", ">cancelled", ">scanned", ">time"))
    for total in totals[:rows]:
        table.add_row(total.workgroup, *_numbers(total))

    if len(totals) > 1:
        together = WorkgroupTotal(workgroup="")
        for each in totals:
            together.queries += each.queries
            together.failed += each.failed
            together.cancelled += each.cancelled
            together.total_ms += each.total_ms
            together.scanned_bytes += each.scanned_bytes
        table.add_row(counted(len(totals), "workgroup"), *_numbers(together), style="bold")

    parts: list[RenderableType] = [table if totals else Text("no queries")]
    if len(totals) > rows:
        parts.append(more_rows(len(totals), rows, "workgroup"))
    return Shown(kind="workgroup", objects=[asdict(t) for t in totals[:rows]], parts=parts)


def _numbers(total: WorkgroupTotal) -> tuple[str, ...]:
    return (
        f"{total.queries:,}",
        f"{total.failed:,}",
        f"{total.cancelled:,}",
        size(total.scanned_bytes),
        duration(total.total_ms / 1000),
    )


def fingerprints(runs: Runs, by: Cost, rows: int) -> Shown:
    """The shapes of statements that cost most, all their runs together."""
    totals, is_exact = fingerprint_totals(runs, by=by, count=rows)
    add_samples(runs, totals)
    table = Grid(("=shape", ">runs", ">time", ">longest", ">scanned", "statement"))
    for total in totals:
        table.add_row(total.fingerprint[:_FINGERPRINT_CHARS], *_costs(total), _line(total.sample))

    parts: list[RenderableType] = [table if totals else Text("no queries")]
    if not is_exact:
        parts.append(
            Text("more shapes than are held at once: those that cost little may lack some runs")
        )
    objects: list[Facts] = [{**asdict(total), "is_exact": is_exact} for total in totals]
    return Shown(kind="fingerprint", objects=objects, parts=parts)


def _costs(total: FingerprintTotal) -> tuple[str, ...]:
    return (
        f"{total.queries:,}",
        duration(total.total_ms / 1000),
        duration(total.max_ms / 1000),
        size(total.scanned_bytes),
    )


def _line(sql: str) -> str:
    """A statement on one line."""
    return " ".join(sql[: 2 * CELL_CHARS].split())


def failures(runs: Runs, rows: int) -> Shown:
    """Reasons of failed queries."""
    totals = failure_totals(runs)
    table = Grid(("kind", ">queries", ">workgroups", "one of the reasons"))
    for total in totals[:rows]:
        reason = total.sample.removeprefix(f"{total.kind}:")
        table.add_row(total.kind, f"{total.queries:,}", f"{total.workgroups:,}", _line(reason))

    parts: list[RenderableType] = [table if totals else Text("no query failed")]
    if len(totals) > rows:
        parts.append(more_rows(len(totals), rows, "kind"))
    return Shown(kind="failure", objects=[asdict(total) for total in totals[:rows]], parts=parts)
