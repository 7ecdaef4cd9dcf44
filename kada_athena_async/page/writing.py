"""From a directory of extracts to a page on disk."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kada_athena_async.errors import ConfigError, Problem
from kada_athena_async.extracts import Package, newest_packages
from kada_athena_async.extracts.runs import Runs
from kada_athena_async.files import Files
from kada_athena_async.page.changes import changes_figures
from kada_athena_async.page.estate import completeness_figures, estate_figures
from kada_athena_async.page.history import history_figures
from kada_athena_async.page.lineage import lineage_figures
from kada_athena_async.page.rendering import PageFigures, render
from kada_athena_async.page.run_calls import calls_figures
from kada_athena_async.page.warehouse import open_warehouse
from kada_athena_async.sql import mask_sql


@dataclass(frozen=True, slots=True, kw_only=True)
class PageReport:
    """A page that was written.

    Attributes:
        manifest: Of the newest run that it shows.
        runs: How many it shows.
        executions: Of all of them, in the time that is looked at.
        compared_with: The manifest of the run before it, if there is one.
    """

    path: Path
    size_bytes: int
    manifest: Path
    runs: int
    executions: int
    compared_with: Path | None

    def to_dict(self) -> dict[str, object]:
        """The report as plain JSON values."""
        return {
            "path": str(self.path),
            "size_bytes": self.size_bytes,
            "manifest": str(self.manifest),
            "runs": self.runs,
            "executions": self.executions,
            "compared_with": str(self.compared_with) if self.compared_with else None,
        }


def write_page(runs: Runs, target: Path, *, files: Files) -> PageReport:
    """Show *runs*, and what changed in the newest since the run before it.

    Blocking: it reads every extract of the runs.

    Args:
        target: Where the page goes; replaced if it is there.

    Raises:
        StateError: An extract is missing or torn.
        ConfigError: The page cannot be written.
    """
    newest = runs.newest
    before = _before(runs, files)
    looked_at = {each.path: each for each in (*runs.packages, *filter(None, (before,)))}
    for each in looked_at.values():
        each.check(files)

    with open_warehouse(runs, before) as warehouse:
        history = history_figures(warehouse, _mask, runs.prices)
        figures = PageFigures(
            manifest=newest.manifest,
            start=runs.start,
            estate=estate_figures(warehouse),
            completeness=completeness_figures(newest.manifest),
            changes=changes_figures(warehouse, before),
            history=history,
            lineage=lineage_figures(warehouse),
            calls=calls_figures(newest.manifest),
        )

    page = render(figures).encode()
    try:
        files.write_durably(target, page)
    except OSError as exc:
        problem = Problem(
            "--file", repr(str(target)), f"cannot be written ({exc.strerror}); name another"
        )
        raise ConfigError([problem], source="command") from exc

    return PageReport(
        path=target,
        size_bytes=len(page),
        manifest=newest.path,
        runs=len(runs.packages),
        executions=history.executions,
        compared_with=before.path if before else None,
    )


def _before(runs: Runs, files: Files) -> Package | None:
    """The run before the newest, looked at or not."""
    newest = runs.newest
    found = newest_packages(newest.path.parent, newest.manifest.name, files, count=2)
    return next((each for each in found if each.path != newest.path), None)


def _mask(sql: str, statement_type: str, substatement_type: str) -> str:
    return mask_sql(
        sql, statement_type=statement_type or None, substatement_type=substatement_type or None
    )
