"""The pages of runs: where their extracts lie, and where the pages go."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kada_athena_async.cli.places import Place, each_place, places, time_since
from kada_athena_async.cli.request import RunRequest
from kada_athena_async.cli.talk import Talk
from kada_athena_async.errors import ConfigError, Problem
from kada_athena_async.files import Files
from kada_athena_async.observers.wording import counted, size


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRequest:
    """Options of ``report``.

    Attributes:
        file: Where the page goes; None for the working directory.
        days, since: The time that is looked at, as typed; None for all published runs.
        asked: The extracts to read.
    """

    file: Path | None
    days: int | None
    since: str | None
    asked: RunRequest


def make_pages(talk: Talk, request: PageRequest) -> int:
    """Write the page, or that of each site, and say where it is; the exit code.

    Raises:
        ConfigError: The extra that makes pages is not installed, or a page cannot be written.
        StateError: There are no extracts, or they cannot be used.
    """
    try:
        from kada_athena_async.page import write_page
    except ModuleNotFoundError as error:
        remedy = "install it: pip install 'kada-athena-async[report]'"
        problem = Problem("report", f"(needs {error.name})", remedy)
        raise ConfigError([problem], source="installation") from None

    since = time_since(request.days, request.since)
    found = _places(talk, request)

    def make(place: Place) -> None:
        target = (request.file or Path(f"{place.name}_report.html")).absolute()
        talk.say(f"reading the extracts of {place.name} in {place.output_path}")
        page = write_page(place.runs(days=request.days, since=since), target, files=Files())
        talk.data(page.to_dict(), kind="page", lines=[str(page.path)])
        runs = counted(page.runs, "run")
        talk.say(
            f"{size(page.size_bytes)}, {runs}, the newest {page.manifest.name}; "
            "open it in a browser"
        )

    return each_place(talk, found, make)


def _places(talk: Talk, request: PageRequest) -> list[Place]:
    found = places(talk, request.asked)
    if request.file and len(found) > 1:
        remedy = "a page is one site's: choose one with --site, or leave --file out"
        problem = Problem("--file", f"{str(request.file)!r} ({len(found)} sites)", remedy)
        raise ConfigError([problem], source="command")

    return found
