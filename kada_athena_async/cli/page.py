"""The pages of runs: where their extracts lie, and where the pages go."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kada_athena_async.cli.request import RunRequest, check_request, configured_sites
from kada_athena_async.cli.show import each_place
from kada_athena_async.cli.talk import Talk
from kada_athena_async.errors import ConfigError, Problem
from kada_athena_async.files import Files
from kada_athena_async.observers.wording import size


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRequest:
    """Options of ``report``.

    Attributes:
        output_path: Directory of the extracts; None for the configured ones.
        file: Where the page goes; None for the working directory.
        sites: Names of the sites wanted, or patterns for them; all if empty.
    """

    config: Path | None
    name: str
    output_path: Path | None
    file: Path | None
    settings: tuple[str, ...]
    sites: tuple[str, ...]


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

    def make(output_path: Path, name: str) -> None:
        target = (request.file or Path(f"{name}_report.html")).absolute()
        talk.say(f"reading the newest extracts of {name} in {output_path}")
        page = write_page(output_path, name, target, files=Files())
        talk.data(page.to_dict(), kind="page", lines=[str(page.path)])
        told = (
            f"compared with {page.compared_with.name}"
            if page.compared_with
            else "the first in sight"
        )
        talk.say(
            f"{size(page.size_bytes)}, shows {page.manifest.name}, {told}; open it in a browser"
        )

    return each_place(talk, _places(talk, request), make)


def _places(talk: Talk, request: PageRequest) -> list[tuple[Path, str]]:
    """(directory of the extracts, name of the collector) for each page that was asked for."""
    asked = RunRequest(
        config=request.config, name=request.name, settings=request.settings, sites=request.sites
    )
    check_request(asked)
    if request.output_path:
        return [(request.output_path, request.name)]

    sites = configured_sites(talk, asked)
    if request.file and len(sites) > 1:
        remedy = "a page is one site's: choose one with --site, or leave --file out"
        problem = Problem("--file", f"{str(request.file)!r} ({len(sites)} sites)", remedy)
        raise ConfigError([problem], source="command")

    return [(site.config.output_path, site.instance(request.name)) for site in sites]
