"""Extracts that ``show`` reads, and their display."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from rich.console import Group

from kada_athena_async.cli import shown
from kada_athena_async.cli.output import Output
from kada_athena_async.cli.request import RunRequest
from kada_athena_async.cli.shown import Shown
from kada_athena_async.cli.site_extracts import (
    SiteExtracts,
    each_site_extracts,
    site_extracts,
    time_since,
)
from kada_athena_async.errors import ConfigError, Problem
from kada_athena_async.extracts import Package, newest_packages
from kada_athena_async.extracts.runs import Runs
from kada_athena_async.files import Files
from kada_athena_async.observers.wording import counted
from kada_athena_async.records import KINDS

_TAKE_OF = ("head", "search", "who")
_OF_ONE_RUN = ("counts", "search", "head", "problems", "changes")
_ROWS = 10
_ROWS_OF_HEAD = 3  # a row takes as many lines as it has fields


def show_extracts(
    output: Output,
    request: RunRequest,
    what: str,
    of: str | None,
    *,
    rows: int | None,
    days: int | None,
    since: str | None,
) -> int:
    """Show what was asked for, for each site; the exit code.

    Args:
        what, of: The view and its subject, as typed.
        rows: How many at most; None for as many as fit a screen.
        days, since: The time that is looked at, as typed; None for all published runs.

    Raises:
        ConfigError: The command makes no sense, or the configuration that names the place.
        StateError: There are no extracts, or they are torn.
    """
    _check_time(what, {"--days": days, "--since": since})
    _check_subject(what, of)
    begin = time_since(days, since)
    most = rows or (_ROWS_OF_HEAD if what == "head" else _ROWS)

    def show(place: SiteExtracts) -> None:
        if what in _OF_ONE_RUN:
            newest = newest_packages(place.output_path, place.name, Files(), count=2)
            view = _view(newest, what, of or "", most)
            window = newest[0].manifest.start, newest[0].manifest.end
            facts, heading = shown.facts(newest[0], *window), shown.heading(newest[0], *window)
        else:
            runs = place.runs(days=days, since=begin)
            view = _view_of_runs(runs, what, of or "", most)
            count, window = len(runs.packages), (runs.start, runs.end)
            facts = shown.facts(runs.newest, *window, runs=count)
            heading = shown.heading(runs.newest, *window, f", {counted(count, 'run')}")

        if output.as_json:
            for kind, records in (("package", {**facts, **view.about}), *view.records()):
                output.data(records, kind=kind, lines=[])
        else:
            output.picture(Group(heading, *view.parts))

    return each_site_extracts(output, site_extracts(output, request), show)


def _view_of_runs(runs: Runs, what: str, of: str, rows: int) -> Shown:
    # With what they count they take longer to load than the other views take as a whole.
    from kada_athena_async.cli import shown_usage

    views: dict[str, Callable[[], Shown]] = {
        "tables": lambda: shown_usage.tables(runs, rows),
        "unused": lambda: shown_usage.unused(runs, rows),
        "users": lambda: shown_usage.users(runs, rows),
        "who": lambda: shown_usage.who(runs, of, rows),
        "advice": lambda: shown_usage.advised(runs, rows),
    }
    view = views.get(what)
    return view() if view else _view_of_history(runs, what, rows)


def _view_of_history(runs: Runs, what: str, rows: int) -> Shown:
    # Masks samples, for which it loads what reads SQL.
    from kada_athena_async.cli import shown_history

    views: dict[str, Callable[[], Shown]] = {
        "workgroups": lambda: shown_history.workgroups(runs, rows),
        "slowest": lambda: shown_history.fingerprints(runs, "total_ms", rows),
        "costliest": lambda: shown_history.fingerprints(runs, "scanned_bytes", rows),
        "failures": lambda: shown_history.failures(runs, rows),
    }
    return views[what]()


def _view(newest: list[Package], what: str, of: str, rows: int) -> Shown:
    package, *before = newest
    views: dict[str, Callable[[], Shown]] = {
        "counts": lambda: shown.counts(package),
        "search": lambda: shown.found(package, of, rows),
        "head": lambda: shown.head(package, of, rows),
        "problems": lambda: shown.problems(package, rows),
        "changes": lambda: shown.changes(package, before[0] if before else None, rows),
    }
    return views[what]()


def _check_subject(what: str, of: str | None) -> None:
    """Raise ConfigError for a subject that is missing, unknown or of no use."""
    remedy = ""
    if what == "head" and of not in KINDS:
        remedy = f"name a kind of extract: {', '.join(KINDS)}"
    elif what == "search" and not (of or "").strip("*"):
        remedy = "name a part of a table's or column's name"
    elif what == "who" and not (of or "").strip(". "):
        remedy = "name a table, such as sales.orders"
    elif what not in _TAKE_OF and of is not None:
        remedy = "leave it out; only search, head and who take one"

    if remedy:
        value = ascii(of) if of is not None else "(nothing)"
        raise ConfigError([Problem(f"show {what}", value, remedy)], source="command")


def _check_time(what: str, times: Mapping[str, int | str | None]) -> None:
    """Raise ConfigError for a time with a view of the newest run alone."""
    for option, given in times.items():
        if given is not None and what in _OF_ONE_RUN:
            remedy = f"leave it out: show {what} is about the newest run"
            raise ConfigError([Problem(option, ascii(given), remedy)], source="command")
