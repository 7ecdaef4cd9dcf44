"""From directories of extracts to a page on disk."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kada_athena_async.errors import ConfigError, Problem
from kada_athena_async.extracts import Package, newest_packages
from kada_athena_async.extracts.runs import Runs
from kada_athena_async.files import Files
from kada_athena_async.page.rendering import render
from kada_athena_async.page.site import SiteData, site_data

MAX_DATA_BYTES = 9_800_000
"""Of all sites together; a page below 10 MB still fits a mail."""

_SUMMARY_BYTES = 1_500
"""Of a site at most, its summary and its sentence for readers without scripts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageReport:
    """A page that was written.

    Attributes:
        manifests: Of the newest run of each site.
        runs: How many runs it shows.
        executions: Of all of them, in the time that is looked at.
    """

    path: Path
    size_bytes: int
    manifests: tuple[Path, ...]
    runs: int
    executions: int

    def to_dict(self) -> dict[str, object]:
        """The report as plain JSON values."""
        return {
            "path": str(self.path),
            "size_bytes": self.size_bytes,
            "manifest": str(self.manifests[0]),
            "manifests": [str(path) for path in self.manifests],
            "runs": self.runs,
            "executions": self.executions,
        }


class PageWriter:
    """Gathers the data of sites, then writes one page."""

    def __init__(self, sites: int, *, files: Files, max_bytes: int = MAX_DATA_BYTES) -> None:
        self._files = files
        self._expected = sites
        self._max_bytes = max_bytes
        self._data: list[SiteData] = []
        self._runs: list[Runs] = []

    def add(self, runs: Runs, *, site: str = "") -> None:
        """Read the extracts of a site. Blocking.

        Args:
            site: Its name; empty where there is one only.

        Raises:
            StateError: An extract is missing or torn, or there is no room to count.
        """
        before = _before(runs, self._files)
        looked_at = {each.path: each for each in (*runs.packages, *filter(None, (before,)))}
        for each in looked_at.values():
            each.check(self._files)

        self._data.append(site_data(runs, before, site=site, max_bytes=self._share()))
        self._runs.append(runs)

    def _share(self) -> int:
        """Bytes for the next site; those that small sites did not need are left to later ones."""
        taken = sum(each.size_bytes for each in self._data)
        left = self._max_bytes - taken - _SUMMARY_BYTES * self._expected
        return max(0, left // max(1, self._expected - len(self._data)))

    @property
    def sites(self) -> int:
        """Number of sites added."""
        return len(self._data)

    def write(self, target: Path) -> PageReport:
        """Write the page of what was added; replaces *target*.

        Raises:
            ConfigError: It cannot be written.
        """
        page = render(self._data)
        try:
            self._files.write_durably(target, page)
        except OSError as exc:
            problem = Problem(
                "--file", repr(str(target)), f"cannot be written ({exc.strerror}); name another"
            )
            raise ConfigError([problem], source="command") from exc

        return PageReport(
            path=target,
            size_bytes=len(page),
            manifests=tuple(runs.newest.path for runs in self._runs),
            runs=sum(len(runs.packages) for runs in self._runs),
            executions=sum(each.summary["totals"]["executions"] for each in self._data),
        )


def _before(runs: Runs, files: Files) -> Package | None:
    """The run before the newest, in the time of the page or not."""
    newest = runs.newest
    found = newest_packages(newest.path.parent, newest.manifest.name, files, count=2)
    return next((each for each in found if each.path != newest.path), None)
