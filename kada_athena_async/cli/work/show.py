"""Extracts that ``show`` reads, and their display."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

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
from kada_athena_async.records import KINDS


@dataclass(frozen=True, slots=True)
class ShowRequest:
    """Options of ``show``.

    Attributes:
        what, of: As typed.
        days, since: The time that is looked at, as typed; None for all published runs.
        rows: How many rows at most; None for as many as fit a screen.
        asked: The extracts to read.
    """

    what: str
    of: str | None
    rows: int | None
    days: int | None
    since: str | None
    asked: RunRequest


_TAKE_OF = ("head", "search", "who")
_OF_ONE_RUN = ("counts", "search", "head", "problems", "changes")
_ROWS = 10
_ROWS_OF_HEAD = 3  # a row takes as many lines as it has fields


def show_extracts(output: Output, request: ShowRequest) -> int:
    """Show what was asked for, for each site; the exit code.

    Raises:
        ConfigError: The command makes no sense, or the configuration that names the place.
        StateError: There are no extracts, or they are torn.
    """
    _check(request)
    since = time_since(request.days, request.since)
    found = site_extracts(output, request.asked)
    return each_site_extracts(output, found, lambda place: _show(output, request, place, since))


def _show(
    output: Output, request: ShowRequest, place: SiteExtracts, since: datetime | None
) -> None:
    if request.what in _OF_ONE_RUN:
        newest = newest_packages(place.output_path, place.name, Files(), count=2)
        view = _view(newest, request)
        facts, heading = shown.facts(newest[0]), shown.heading(newest[0])
    else:
        # With what they count they take longer to load than the other views take as a whole.
        from kada_athena_async.cli import shown_usage

        runs = place.runs(days=request.days, since=since)
        view = _view_of_runs(runs, request)
        facts, heading = shown_usage.facts(runs), shown_usage.heading(runs)

    if output.as_json:
        for kind, records in (("package", {**facts, **view.about}), *view.records()):
            output.data(records, kind=kind, lines=[])
    else:
        output.picture(Group(heading, *view.parts))


def _view_of_runs(runs: Runs, request: ShowRequest) -> Shown:
    from kada_athena_async.cli import shown_usage

    of, rows = request.of or "", request.rows or _ROWS
    views: dict[str, Callable[[], Shown]] = {
        "tables": lambda: shown_usage.tables(runs, rows),
        "unused": lambda: shown_usage.unused(runs, rows),
        "users": lambda: shown_usage.users(runs, rows),
        "who": lambda: shown_usage.who(runs, of, rows),
        "advice": lambda: shown_usage.advised(runs, rows),
    }
    view = views.get(request.what)
    return view() if view else _view_of_history(runs, request.what, rows)


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


def _view(newest: list[Package], request: ShowRequest) -> Shown:
    package, *before = newest
    of, rows = request.of or "", request.rows or _ROWS
    views: dict[str, Callable[[], Shown]] = {
        "counts": lambda: shown.counts(package),
        "search": lambda: shown.found(package, of, rows),
        "head": lambda: shown.head(package, of, request.rows or _ROWS_OF_HEAD),
        "problems": lambda: shown.problems(package, rows),
        "changes": lambda: shown.changes(package, before[0] if before else None, rows),
    }
    return views[request.what]()


def _check(request: ShowRequest) -> None:
    """Raise ConfigError for a command line that makes no sense."""
    _check_time(request)
    kinds = ", ".join(KINDS)
    value = ascii(request.of) if request.of is not None else "(nothing)"
    if request.what == "head" and request.of not in KINDS:
        problem = Problem("show head", value, f"name a kind of extract: {kinds}")
    elif request.what == "search" and not (request.of or "").strip("*"):
        problem = Problem("show search", value, "name a part of a table's or column's name")
    elif request.what == "who" and not (request.of or "").strip(". "):
        problem = Problem("show who", value, "name a table, such as sales.orders")
    elif request.what not in _TAKE_OF and request.of is not None:
        problem = Problem(
            f"show {request.what}", value, "leave it out; only search, head and who take one"
        )
    else:
        return

    raise ConfigError([problem], source="command")


def _check_time(request: ShowRequest) -> None:
    """Raise ConfigError for a time where none can be looked at."""
    for option, given in (("--days", request.days), ("--since", request.since)):
        if given is not None and request.what in _OF_ONE_RUN:
            remedy = f"leave it out: show {request.what} is about the newest run"
            raise ConfigError([Problem(option, ascii(given), remedy)], source="command")
