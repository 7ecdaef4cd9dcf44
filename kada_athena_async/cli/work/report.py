"""The page of published runs: where their extracts lie, and where it goes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kada_athena_async.cli.output import Output
from kada_athena_async.cli.request import published
from kada_athena_async.cli.site_extracts import (
    SiteExtracts,
    each_site_extracts,
    site_extracts,
    time_since,
)
from kada_athena_async.errors import ConfigError, Problem
from kada_athena_async.files import Files
from kada_athena_async.observers.wording import counted, size


def make_page(
    output: Output, *, file: Path | None, days: int | None, since: str | None, **asked: Any
) -> int:
    """Write one page of all sites that were asked for, and say where it is; the exit code.

    A site in trouble is reported and left out.

    Args:
        file: Where the page goes; None for the working directory.
        days, since: The time that is looked at, as typed; None for all published runs.
        asked: See ``published``.

    Raises:
        ConfigError: This Python has no SQLite, or the page cannot be written.
        StateError: There are no extracts, or they cannot be used.
    """
    request = published(**asked)
    try:
        from kada_athena_async.page import PageWriter
    except ModuleNotFoundError as error:
        remedy = "use a Python that was built with SQLite, as those of python.org are"
        problem = Problem("report", f"(needs {error.name})", remedy)
        raise ConfigError([problem], source="installation") from None

    begin = time_since(days, since)
    found = site_extracts(output, request)
    writer = PageWriter(len(found), files=Files())

    def add(place: SiteExtracts) -> None:
        output.say(f"reading the extracts of {place.name} in {place.output_path}")
        writer.add(place.runs(days=days, since=begin), site=place.site)

    def finish() -> None:
        if not writer.sites:
            return

        name = found[0].name if len(found) == 1 else request.name
        page = writer.write((file or Path(f"{name}_report.html")).absolute())
        output.data(page.to_dict(), kind="page", lines=[str(page.path)])
        of_sites = f" of {counted(writer.sites, 'site')}" if len(found) > 1 else ""
        output.say(
            f"{size(page.size_bytes)}, {counted(page.runs, 'run')}{of_sites}, the newest "
            f"{page.manifests[0].name}; open it in a browser"
        )

    return each_site_extracts(output, found, add, finish=finish)
