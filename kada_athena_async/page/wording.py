"""Numbers and findings in words: what the page says above its charts. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from kada_athena_async.observers.safe import safe
from kada_athena_async.page.changes import ChangesFigures
from kada_athena_async.page.estate import CompletenessFigures, EstateFigures
from kada_athena_async.page.history import HistoryFigures
from kada_athena_async.page.lineage import LineageFigures
from kada_athena_async.page.run_calls import CallsFigures
from kada_athena_async.prices import KB_BYTES

NONE = "–"
"""Stands where nobody says."""

MAX_NAME_CHARS = 300
MAX_LISTED = 3


def name(text: str | None) -> str:
    """A name as one harmless line; what reorders or hides characters becomes visible."""
    return safe(text or "", limit=MAX_NAME_CHARS)


def names(texts: Sequence[str]) -> str:
    """``a, b, c and 4 more``."""
    summary = ", ".join(map(name, texts[:MAX_LISTED]))
    more = len(texts) - MAX_LISTED
    return f"{summary} and {more:,} more" if more > 0 else summary


def number(value: float | None) -> str:
    """``12,345``."""
    return NONE if value is None else f"{value:,.0f}"


def size(value_bytes: float | None) -> str:
    """``1.5 GB``: powers of 1,024, three digits."""
    if value_bytes is None:
        return NONE

    amount = float(value_bytes)
    for unit in ("B", "KB", "MB", "GB", "TB"):
        if amount < 999.5:
            return f"{_three_digits(amount)} {unit}" if unit != "B" else f"{amount:.0f} B"

        amount /= KB_BYTES

    return f"{_three_digits(amount)} PB"


def _three_digits(amount: float) -> str:
    return (
        f"{amount:.2f}"
        if amount < 9.995
        else f"{amount:.1f}"
        if amount < 99.95
        else f"{amount:,.0f}"
    )


def money(value_dollars: float) -> str:
    """``$12.30``; whole dollars from a hundred on, ``< $0.01`` for less than a cent."""
    if 0 < value_dollars < 0.01:
        return "< $0.01"

    return f"${value_dollars:,.2f}" if value_dollars < 100 else f"${value_dollars:,.0f}"


def span(value_ms: float | None) -> str:
    """``340 ms``, ``12.3 s``, ``4 min 05 s``, ``2 h 03 min``."""
    if value_ms is None:
        return NONE

    if value_ms < 999.5:
        return f"{value_ms:.0f} ms"

    seconds = value_ms / 1000
    if seconds < 59.95:
        return f"{seconds:.1f} s"

    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"

    return f"{minutes // 60} h {minutes % 60:02d} min"


def share(part: float, whole: float) -> str:
    """``12 %``; ``0 %`` of nothing. Below ten, and near the whole, one digit more."""
    if not whole:
        return "0 %"

    percent = 100 * part / whole
    if 0 < percent < 0.1:
        return "< 0.1 %"

    if 98.95 < percent < 100:  # never "all" of what is not all
        return f"{min(percent, 99.9):.1f} %"

    return f"{percent:.1f} %" if 0 < percent < 9.95 else f"{percent:.0f} %"


def moment(at: datetime | None) -> str:
    """``2026-11-25 00:00``, UTC."""
    return NONE if at is None else f"{at:%Y-%m-%d %H:%M}"


def counted(value: int, noun: str, plural: str = "") -> str:
    """``1 table``, ``2,000 tables``."""
    return f"{value:,} {noun if value == 1 else plural or noun + 's'}"


def completeness_finding(figures: CompletenessFigures) -> str:
    total = sum(figures.outcomes.values())
    if not total:
        return "The run kept no record of completeness"

    if not figures.problem_count:
        return "Everything that was asked for was read completely"

    verb = "was" if figures.problem_count == 1 else "were"
    return f"{figures.problem_count:,} of {total:,} parts of the estate {verb} not read completely"


def estate_finding(figures: EstateFigures) -> str:
    if not figures.tables and not figures.views:
        return "No tables and no views were found"

    return (
        f"{counted(figures.tables, 'table')} and {counted(figures.views, 'view')} in "
        f"{counted(figures.schema_count, 'schema')} of {counted(figures.catalogs, 'catalog')}"
    )


def changes_finding(figures: ChangesFigures | None) -> str:
    if figures is None:
        return "Nothing to compare with yet: no earlier run is published"

    if not figures.compared:
        return "No schema was read completely by both runs, so nothing is compared"

    if not figures.count:
        return f"No table or column changed since {moment(figures.since)} UTC"

    summary = [
        f"{each.count:,} {each.title[:1].lower()}{each.title[1:]}"
        for each in figures.lists
        if each.count
    ]
    return f"Since {moment(figures.since)} UTC: {', '.join(summary)}"


def history_finding(figures: HistoryFigures) -> str:
    if not figures.executions:
        return "No query ended in this window"

    busiest = max(figures.workgroups, key=lambda each: each.executions)
    return (
        f"{counted(figures.executions, 'query', 'queries')} ended; {name(busiest.workgroup)} ran "
        f"{share(busiest.executions, figures.executions)} of them"
    )


def hours_finding(figures: HistoryFigures) -> str:
    by_hour: dict[int, int] = {}
    for _, hour, executions in figures.hours:
        by_hour[hour] = by_hour.get(hour, 0) + executions

    if not by_hour:
        return "No query has a time"

    hour = max(by_hour, key=lambda each: (by_hour[each], -each))
    return f"Busiest between {hour:02d}:00 and {(hour + 1) % 24:02d}:00 UTC"


def cost_finding(figures: HistoryFigures) -> str:
    if not figures.billed_bytes:
        return "No query of this window cost anything by its bytes"

    first = figures.workgroups[0]
    return (
        f"About {money(figures.dollars)} for {size(figures.scanned_bytes)} scanned; "
        f"{name(first.workgroup)} caused {share(first.billed_bytes, figures.billed_bytes)}"
    )


def fingerprints_finding(figures: HistoryFigures) -> str:
    if not figures.fingerprints:
        return "No statement of this window cost anything by its bytes"

    summary = sum(each.billed_bytes for each in figures.fingerprints)
    few = len(figures.fingerprints)
    begin = "One statement causes" if few == 1 else f"The {few} most expensive statements cause"
    return f"{begin} {share(summary, figures.billed_bytes)} of the cost"


def failures_finding(figures: HistoryFigures) -> str:
    if not figures.failures:
        return "No query failed or was cancelled"

    most = figures.failures[0]
    return (
        f"{share(figures.failed, figures.executions)} of the queries failed and "
        f"{share(figures.cancelled, figures.executions)} were cancelled; most often: "
        f"{name(most.kind)}"
    )


def lineage_finding(figures: LineageFigures) -> str:
    if not figures.edges:
        return "No flow of data between tables is known from this run"

    verb = "is" if figures.edges == 1 else "are"
    return f"{counted(figures.edges, 'flow')} of data between tables {verb} known"


def calls_finding(figures: CallsFigures) -> str:
    if not figures.calls:
        return "The run made no calls"

    took = f" in {span(figures.duration_s * 1000)}" if figures.duration_s else ""
    throttled = (
        f"{figures.throttles:,} throttled by AWS" if figures.throttles else "none throttled by AWS"
    )
    return f"{counted(figures.calls, 'call')}{took}, {throttled}"
