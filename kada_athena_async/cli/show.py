"""Extracts that ``show`` reads, and their display."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from rich.console import Group

from kada_athena_async.cli import shown, shown_usage
from kada_athena_async.cli.request import (
    SANDBOX_FOLDER,
    RunRequest,
    check_request,
    configured_sites,
)
from kada_athena_async.cli.shown import Shown
from kada_athena_async.cli.talk import Talk
from kada_athena_async.codes import ExitCode
from kada_athena_async.errors import ConfigError, KadaAthenaError, Problem
from kada_athena_async.extracts import Package, newest_packages
from kada_athena_async.extracts.runs import Runs, select_runs
from kada_athena_async.files import Files
from kada_athena_async.records import KINDS
from kada_athena_async.report import common_exit_code


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowRequest:
    """Options of ``show``.

    Attributes:
        what, of: As typed.
        days, since: The time that is looked at, as typed; None for all published runs.
        rows: How many rows at most; None for as many as fit a screen.
        output_path: Directory of the extracts; None for the configured one.
        is_sandbox: Whether to look where ``run --sandbox`` writes.
    """

    what: str
    of: str | None
    rows: int | None
    name: str
    config: Path | None
    sites: tuple[str, ...]
    output_path: Path | None
    is_sandbox: bool
    settings: tuple[str, ...]
    days: int | None = None
    since: str | None = None


_TAKE_OF = ("head", "search", "who")
_OF_ONE_RUN = ("counts", "search", "head", "problems", "changes")
_ROWS = 10
_ROWS_OF_HEAD = 3  # a row takes as many lines as it has fields


def show_extracts(talk: Talk, request: ShowRequest) -> int:
    """Show what was asked for, for each site; the exit code.

    Raises:
        ConfigError: The command makes no sense, or the configuration that names the place.
        StateError: There are no extracts, or they are torn.
    """
    _check(request)
    return each_place(
        talk, list(_places(talk, request)), lambda path, name: _show(talk, request, path, name)
    )


def each_place(
    talk: Talk, places: Sequence[tuple[Path, str]], show: Callable[[Path, str], None]
) -> int:
    """Call *show* for each site's directory and name; the exit code of all together.

    A site in trouble is said, and the others are shown all the same; the only one raises.
    """
    codes: list[int] = []
    for output_path, name in places:
        try:
            show(output_path.absolute(), name)
            codes.append(ExitCode.OK)
        except KadaAthenaError as error:
            if len(places) == 1:
                raise

            talk.error(error)
            codes.append(error.exit_code)

    return common_exit_code(codes)


def _show(talk: Talk, request: ShowRequest, output_path: Path, name: str) -> None:
    if request.what in _OF_ONE_RUN:
        newest = newest_packages(output_path, name, Files(), count=2)
        view = _view(newest, request)
        facts, heading = shown.facts(newest[0]), shown.heading(newest[0])
    else:
        since = _moment(request.since) if request.since else None
        runs = select_runs(output_path, name, Files(), days=request.days, since=since)
        view = _view_of_runs(runs, request)
        facts, heading = shown_usage.facts(runs), shown_usage.heading(runs)

    if talk.as_json:
        for kind, told in (("package", facts), *view.told()):
            talk.data(told, kind=kind, lines=[])
    else:
        talk.picture(Group(heading, *view.parts))


def _view_of_runs(runs: Runs, request: ShowRequest) -> Shown:
    of, rows = request.of or "", request.rows or _ROWS
    views: dict[str, Callable[[], Shown]] = {
        "workgroups": lambda: shown.workgroups(runs, rows),
        "slowest": lambda: shown.fingerprints(runs, "total_ms", rows),
        "costliest": lambda: shown.fingerprints(runs, "scanned_bytes", rows),
        "failures": lambda: shown.failures(runs, rows),
        "tables": lambda: shown_usage.tables(runs, rows),
        "unused": lambda: shown_usage.unused(runs, rows),
        "users": lambda: shown_usage.users(runs, rows),
        "who": lambda: shown_usage.who(runs, of, rows),
        "advice": lambda: shown_usage.advised(runs, rows),
    }
    return views[request.what]()


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
    elif request.is_sandbox and (request.output_path or request.config):
        problem = Problem("--sandbox", "given", "leave out --output-path and --config with it")
    else:
        return

    raise ConfigError([problem], source="command")


def _check_time(request: ShowRequest) -> None:
    """Raise ConfigError for a time that cannot be looked at."""
    option = "--days" if request.days is not None else "--since"
    if request.days is None and request.since is None:
        return

    if request.what in _OF_ONE_RUN:
        remedy = f"leave it out: show {request.what} is about the newest run"
    elif request.days is not None and request.since is not None:
        remedy = "leave it out, or --since"
    else:
        if request.since is not None:
            _moment(request.since)
        return

    given = request.days if request.days is not None else request.since
    raise ConfigError([Problem(option, ascii(given), remedy)], source="command")


def _moment(text: str) -> datetime:
    """A date or a time, in UTC where it names no zone.

    Raises:
        ConfigError: It is neither.
    """
    try:
        at = datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
    except ValueError:
        remedy = "write a date or a time in UTC, such as 2026-11-20 or '2026-11-20 06:00:00'"
        raise ConfigError([Problem("--since", ascii(text), remedy)], source="command") from None

    return at.replace(tzinfo=timezone.utc) if at.tzinfo is None else at.astimezone(timezone.utc)


def _places(talk: Talk, request: ShowRequest) -> Iterator[tuple[Path, str]]:
    """Directory and collector's name of each site."""
    asked = RunRequest(
        config=request.config, name=request.name, settings=request.settings, sites=request.sites
    )
    check_request(asked)
    output_path = SANDBOX_FOLDER / "extracts" if request.is_sandbox else request.output_path
    if output_path is not None:
        yield output_path, request.name
        return

    for site in configured_sites(talk, asked):
        yield site.config.output_path, site.instance(request.name)
