"""The work of ``export``: choose runs, write or post them, show the result."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kada_athena_async.cli.output import Output
from kada_athena_async.cli.request import published
from kada_athena_async.cli.signals import run_until_signalled
from kada_athena_async.cli.site_extracts import (
    SiteExtracts,
    each_site_extracts,
    site_extracts,
    time_since,
)
from kada_athena_async.errors import ConfigError, Problem
from kada_athena_async.export import TARGETS, ExportReport, export

if TYPE_CHECKING:
    from kada_athena_async.export.sending import PostReport


def export_runs(
    output: Output,
    *,
    to: str,
    directory: Path | None,
    to_url: str | None,
    newest: bool,
    since: str | None,
    region: str,
    **asked: Any,
) -> int:
    """Export the runs of each site and say which files there are; the exit code.

    Args:
        directory: Where the files go, of several sites one below it each; None if they are only
            posted.
        to_url: Where events are posted; None if nowhere.
        since: A time, as typed.
        asked: See ``published``.

    Raises:
        ConfigError: The command makes no sense, or an extra is not installed.
        StateError: There are no extracts, or they cannot be used.
        DeliveryError: The endpoint does not take the events.
    """
    request = published(**asked)
    _check(to, directory, to_url, since if newest else None)
    begin = time_since(None, since)
    post = _poster(output, to_url) if to_url else None
    found = site_extracts(output, request)

    def show(place: SiteExtracts) -> None:
        name = place.name if len(found) > 1 else ""
        folder = directory.absolute() / name if directory else None

        async def work() -> tuple[ExportReport, PostReport | None]:
            with tempfile.TemporaryDirectory(prefix="kada-export-") as scratch:
                report = await export(
                    to,
                    output_path=place.output_path,
                    directory=folder or scratch,
                    name=place.name,
                    newest=newest,
                    since=begin,
                    region=region,
                )
                return report, await post(next(iter(report.files))) if post else None

        done, posted = run_until_signalled(
            work, on_signal=lambda: output.say("stopping; once more to stop at once")
        )
        _show(output, done, posted, is_kept=folder is not None)

    return each_site_extracts(output, found, show)


def _poster(output: Output, url: str) -> Callable[[Path], Awaitable[PostReport]]:
    """Posts the events of a file to *url*, with the key of the environment.

    Raises:
        ConfigError: The URL or the key cannot be used.
    """
    from kada_athena_async.export.sending import (
        KEY_VARIABLE,
        check_key,
        endpoint_of,
        post_events,
    )

    key = os.environ.get(KEY_VARIABLE, "")
    output.know_secrets((key,) if key else ())
    endpoint_of(url)
    check_key(key)
    return lambda path: post_events(path, url, api_key=key)


def _show(
    output: Output, report: ExportReport, posted: PostReport | None, *, is_kept: bool
) -> None:
    facts = report.to_dict() if is_kept else {**report.to_dict(), "files": {}}
    if posted:
        facts["posted"] = posted.to_dict()

    output.data(facts, kind="export", lines=[str(path) for path in report.files] if is_kept else [])
    records = sum(report.files.values())
    runs = "1 run" if report.runs == 1 else f"{report.runs} runs"
    output.say(f"{records:,} records of {runs}, {report.start:%Y-%m-%d} to {report.end:%Y-%m-%d}")
    if posted:
        output.say(f"{posted.events:,} events posted to {posted.url}")


def _check(to: str, directory: Path | None, to_url: str | None, beside_newest: str | None) -> None:
    """Raise ConfigError for options that contradict each other."""
    problems = []
    if to not in TARGETS:
        problems.append(Problem("--to", ascii(to), f"name one of {', '.join(TARGETS)}"))

    if to_url and to != "openlineage":
        problems.append(Problem("--to-url", "given", "use it with --to openlineage only"))

    if directory is None and not to_url:
        problems.append(Problem("-o", "(nothing)", "name the directory that the files go to"))

    elif directory is not None and directory.is_file():
        shown = ascii(str(directory))
        problems.append(Problem("-o", shown, "is a file; name a directory for the files"))

    if beside_newest:
        problems.append(Problem("--since", ascii(beside_newest), "leave out --newest or --since"))

    if problems:
        raise ConfigError(problems, source="command")
