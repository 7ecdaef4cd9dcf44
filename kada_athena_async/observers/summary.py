"""The closing lines of a run: its result, on one screen of 24 lines."""

from __future__ import annotations

from collections.abc import Sequence

from kada_athena_async.events import Incomplete, RunStarted, UnitFinished
from kada_athena_async.observers.escaping import escape, one_line
from kada_athena_async.observers.run_progress import LINEAGE, RunProgress, lane_of
from kada_athena_async.observers.sites_progress import SitesProgress
from kada_athena_async.observers.wording import counted, duration, moment, size, some, span

_WIDTH = 80

UNCUT = 2_000
"""Width of a line in a log or a pipe, where nothing is cut that a person may have to read."""

_SHOWN_KINDS = 8
_SHOWN_REASONS = 4
_SHOWN_SITES = 4
_SHOWN_WARNINGS = 4


def closing(progress: RunProgress, *, width: int = UNCUT) -> list[str]:
    """The last lines of a run; none before it is over.

    Every line is safe to show and, but for the path of the extracts, at most *width* wide.
    """
    finished = progress.finished
    if finished is None:
        return []

    verb = "committed"
    if not finished.committed:
        verb = (
            f"nothing was committed{_failed_units(progress)}"
            if finished.exit_code
            else "nothing to do"
        )

    calls, throttled = sum(finished.calls.values()), sum(progress.throttles.values())
    figures = _figures(calls, throttled, progress.retries, progress.scanned_bytes)
    lines = [f"{verb} after {duration(finished.duration_s)} ({figures})"]
    if finished.committed and progress.run is not None:
        lines += _where(progress, progress.run)

    lines += [
        _kind(file.kind, file.rows, file.size_bytes)
        for file in progress.files
        if file.kind in finished.rows
    ]
    return [*lines, *left_out(progress, width=width), *_warnings(progress)]


def _failed_units(progress: RunProgress) -> str:
    """``: 4 of 9 units of work failed,``; empty where no unit did."""
    failed = sum(unit.outcome == "failed" for unit in progress.troubles)
    if not failed:
        return ""

    total = len(progress.plan.units) if progress.plan else failed
    return f": {failed:,} of {counted(total, 'unit')} of work failed,"


def closing_sites(sites: SitesProgress, *, width: int = UNCUT, is_brief: bool = False) -> list[str]:
    """The last lines of a run of several sites: added up, and what failed by name.

    Args:
        is_brief: Only how many are good, and what is committed of the others.
    """
    finished = sites.finished
    if finished is None:
        return []

    total = len(finished.good) + len(finished.failed)
    figures = _figures(sites.calls, sites.throttled, sites.retries, sites.scanned_bytes)
    took = f"after {duration(finished.duration_s)} ({figures})"
    lines = [f"{len(finished.good):,} of {counted(total, 'site')} good {took}"]
    lines += [_cut(line, width) for line in _lost(sites)]
    if is_brief:
        return lines

    kinds = [_kind(kind, rows, sites.sizes[kind]) for kind, rows in sites.rows.items()]
    lines += kinds[:_SHOWN_KINDS]
    if len(kinds) > _SHOWN_KINDS:
        lines.append(f"and {counted(len(kinds) - _SHOWN_KINDS, 'more kind')}")

    if sites.failed:
        lines.append("failed:")

    for site in sites.failed[:_SHOWN_SITES]:
        lines.append(
            _cut(f"  {escape(site.site, limit=30)}: {one_line(site.reason, limit=1000)}", width)
        )

    if more := [escape(site.site, limit=30) for site in sites.failed[_SHOWN_SITES:]]:
        lines.append(_cut(f"  and {len(more):,} more: {', '.join(more)}", width))

    groups = sorted(sites.incomplete.values(), key=lambda group: -group.count)
    reasons = [_incomplete(group) for group in groups]
    return [*lines, *_reasons(reasons, is_committed=True, width=width)]


def _lost(sites: SitesProgress) -> list[str]:
    """``nothing was committed for au, eu``; none where no site failed."""
    groups = {
        "nothing was committed for": [site.site for site in sites.failed if not site.committed],
        "committed and not delivered:": [site.site for site in sites.failed if site.committed],
    }
    return [f"{what} {some(names)}" for what, names in groups.items() if names]


def between(before: RunProgress, run: RunStarted) -> list[str]:
    """Lines about an interrupted run that was finished first, as *run* follows it."""
    if before.run is None or before.run.run_id == run.run_id or before.finished:
        return []

    files = counted(len(before.files), "file")
    rows = counted(sum(file.rows for file in before.files), "row")
    return [f"run {before.run.run_id} is finished: {files}, {rows}", *left_out(before)]


def left_out(progress: RunProgress, *, width: int = UNCUT) -> list[str]:
    """Lines about scopes that are missing from the extracts, one for each reason."""
    finished = progress.finished
    groups = [_incomplete(group) for group in finished.incomplete] if finished else []
    units = [
        unit
        for unit in progress.troubles
        if finished is None or not finished.committed or lane_of(unit.unit_id) == LINEAGE
    ]
    groups += _units(units)
    is_committed = finished is not None and finished.committed
    return _reasons(groups, is_committed=is_committed, width=width)


def _reasons(groups: Sequence[str], *, is_committed: bool, width: int) -> list[str]:
    if not groups:
        return []

    lines = [_cut(f"  {group}", width) for group in groups[:_SHOWN_REASONS]]
    more = len(groups) - _SHOWN_REASONS
    if more > 0:
        lines.append(f"  and for {counted(more, 'more reason')}; the whole list: --json")

    return ["incomplete, as the manifest says too:" if is_committed else "not done:", *lines]


def _where(progress: RunProgress, run: RunStarted) -> list[str]:
    names = [file.name.replace(f"_{file.kind}_", "_*_") for file in progress.files[:1]]
    lines = [
        f"  window    {moment(run.start)} to {moment(run.end)} UTC, {span(run.start, run.end)}",
        f"  extracts  {escape(run.output_path, limit=500)}",
    ]
    return lines + [f"  files     {escape(name, limit=_WIDTH)}" for name in names]


def _kind(kind: str, rows: int, size_bytes: int) -> str:
    return f"{rows:>9,}  {escape(kind):<18}{size(size_bytes):>8}"


def _figures(calls: int, throttled: int, retries: int, scanned_bytes: int) -> str:
    words = [counted(calls, "call")]
    words += [f"{throttled:,} throttled"] if throttled else []
    words += [counted(retries, "retry")] if retries else []
    words += [f"{size(scanned_bytes)} scanned"] if scanned_bytes else []
    return ", ".join(words)


def _incomplete(group: Incomplete) -> str:
    within = f" of {escape(group.within, limit=30)}" if group.within else ""
    names = ", ".join(escape(name, limit=30) for name in group.names)
    more = ", ..." if group.count > len(group.names) else ""
    what = f"{counted(group.count, group.scope)}{within} ({names}{more})"
    if group.count == 1:
        what = f"{group.scope} {names}{within}"

    return f"{what}: {group.outcome}: {one_line(group.reason, limit=1000)}"


def _units(units: Sequence[UnitFinished]) -> list[str]:
    """Units by reason, the most first."""
    groups: dict[tuple[str, str], list[str]] = {}
    for unit in units:
        groups.setdefault((unit.outcome, unit.reason), []).append(unit.unit_id)

    return [
        f"{escape(ids[0], limit=40) if len(ids) == 1 else counted(len(ids), 'unit')}: "
        f"{outcome}: {one_line(reason, limit=1000)}"
        for (outcome, reason), ids in sorted(groups.items(), key=lambda group: -len(group[1]))
    ]


def _warnings(progress: RunProgress) -> list[str]:
    # Each was shown when it came; here it is only recalled, for who looks at the end alone.
    codes = list(dict.fromkeys(warning.code for warning in progress.warnings))
    if not codes:
        return []

    more = ", ..." if len(codes) > _SHOWN_WARNINGS else ""
    return [
        f"{counted(len(progress.warnings), 'warning')}: {', '.join(codes[:_SHOWN_WARNINGS])}{more}"
    ]


def _cut(line: str, width: int) -> str:
    if len(line) <= width:
        return line

    # Between words, unless that would leave next to nothing.
    shown = line[: width - 3]
    whole = shown.rpartition(" ")[0]
    return f"{whole if len(whole) > width // 2 else shown}..."
