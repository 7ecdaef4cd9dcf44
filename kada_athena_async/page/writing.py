"""From a directory of extracts to a page on disk."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kada_athena_async.errors import ConfigError, Problem
from kada_athena_async.extracts import newest_packages
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
        manifest: Of the run that it shows.
        compared_with: The manifest of the run before it, if there is one.
    """

    path: Path
    size_bytes: int
    manifest: Path
    compared_with: Path | None

    def to_dict(self) -> dict[str, object]:
        """The report as plain JSON values."""
        return {
            "path": str(self.path),
            "size_bytes": self.size_bytes,
            "manifest": str(self.manifest),
            "compared_with": str(self.compared_with) if self.compared_with else None,
        }


def write_page(output_path: Path, name: str, target: Path, *, files: Files) -> PageReport:
    """Show the newest run of *name* in *output_path*, compared with the one before it.

    Blocking: it reads every extract of the run.

    Args:
        target: Where the page goes; replaced if it is there.

    Raises:
        StateError: There are no extracts, or one is torn.
        ConfigError: The page cannot be written.
    """
    package, *earlier = newest_packages(output_path, name, files, count=2)
    before = earlier[0] if earlier else None
    for each in filter(None, (package, before)):
        each.check(files)

    with open_warehouse(package, before) as warehouse:
        figures = PageFigures(
            manifest=package.manifest,
            estate=estate_figures(warehouse),
            completeness=completeness_figures(package.manifest),
            changes=changes_figures(warehouse, before),
            history=history_figures(warehouse, _mask, package.prices),
            lineage=lineage_figures(warehouse),
            calls=calls_figures(package.manifest),
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
        manifest=package.path,
        compared_with=before.path if before else None,
    )


def _mask(sql: str, statement_type: str, substatement_type: str) -> str:
    return mask_sql(
        sql, statement_type=statement_type or None, substatement_type=substatement_type or None
    )
