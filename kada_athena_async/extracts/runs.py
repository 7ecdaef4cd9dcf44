"""The published runs that a question about history and use is asked of."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from kada_athena_async.errors import StateError
from kada_athena_async.extracts.package import Package, newest_packages
from kada_athena_async.files import Files
from kada_athena_async.hwm.window import HWM_FORMAT
from kada_athena_async.manifest import Manifest
from kada_athena_async.prices import Prices, prices_of
from kada_athena_async.scopes import SPARK, ScopeFacts

_NAMED = 5
_DERIVED = "derive"
"""The unit that reads statements; ``plan.DeriveUnit``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Runs:
    """Published runs, newest first; never empty.

    Attributes:
        since: Executions that ended earlier do not count; None for all.
        usd_per_tb, usd_per_dpu_hour: Prices that win over those of the newest manifest.
    """

    packages: tuple[Package, ...]
    since: datetime | None = None
    usd_per_tb: float | None = None
    usd_per_dpu_hour: float | None = None

    @property
    def newest(self) -> Package:
        return self.packages[0]

    @property
    def start(self) -> datetime:
        """Begin of the time that is looked at."""
        first = min(package.manifest.start for package in self.packages)
        return max(first, self.since) if self.since else first

    @property
    def end(self) -> datetime:
        return max(package.manifest.end for package in self.packages)

    @property
    def prices(self) -> Prices:
        """Athena's prices where the newest run was made."""
        facts = self.newest.manifest.facts
        tb, dpu_hour = self.usd_per_tb, self.usd_per_dpu_hour
        return prices_of(
            facts.region,
            usd_per_tb=facts.usd_per_tb if tb is None else tb,
            usd_per_dpu_hour=facts.usd_per_dpu_hour if dpu_hour is None else dpu_hour,
        )

    def rows(self, kind: str, *columns: str) -> Iterator[tuple[str, ...]]:
        """Yield *columns* of each row of *kind* in all runs, the newest run first.

        Of ``databaselog`` only the executions that are looked at.

        Raises:
            StateError: As ``Package.rows``.
        """
        times = ("completed_at", "submitted_at") if kind == "databaselog" and self.since else ()
        for package in self.packages:
            for row in package.rows(kind, *columns, *times):
                if not times or self.counts(row[-2] or row[-1]):
                    yield row[: len(columns)]

    def counts(self, ended_at: str) -> bool:
        """True if an execution with this time, as an extract writes it, is looked at."""
        return self.since is None or ended_at >= f"{self.since:{HWM_FORMAT}}"

    def counts_day(self, day: str) -> bool:
        """True if a day of usage, ``YYYY-MM-DD``, is looked at, if only in part."""
        return self.since is None or day >= f"{self.since:%Y-%m-%d}"

    def complete_schemas(self) -> tuple[set[tuple[str, str]], list[tuple[str, str]]]:
        """The schemas that all runs read completely, and the others that the newest knows."""
        outcomes = [schema_outcomes(package.manifest) for package in self.packages]
        known = outcomes[0]
        sure = {name for name in known if all(each.get(name) == "complete" for each in outcomes)}
        return sure, sorted(name for name in known if name not in sure)

    def covers(self, start: datetime, until: datetime) -> bool:
        """True if the windows of the runs hold the whole time, and no gap is known in it."""
        if self.since and self.since > start:
            return False

        return not any(True for _ in self._holes(start, until))

    def _holes(self, start: datetime, until: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Yield the times between *start* and *until* that no run holds, or holds with a gap."""
        for package in self.packages:
            for gap in package.manifest.facts.gaps:
                if gap.start < until and gap.end > start:
                    yield max(gap.start, start), min(gap.end, until)

        reached = start
        for first, end in sorted((p.manifest.start, p.manifest.end) for p in self.packages):
            if first > reached and reached < until:
                yield reached, min(first, until)
            reached = max(reached, end)

        if reached < until:
            yield reached, until

    def doubts(self) -> list[str]:
        """Sentences about what may have happened and no run holds."""
        found = []
        for names, why in (
            (self.incomplete_workgroups(), "not read completely"),
            (
                self._workgroups(lambda record: record.outcome == "excluded"),
                "left out by the configuration",
            ),
        ):
            if names:
                more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
                found.append(f"workgroups {why}: {', '.join(names[:_NAMED])}{more}")

        if count := sum(map(_not_understood, self.packages)):
            found.append(f"{count:,} executions whose statement could not be read, such as EXECUTE")

        if views := self._views_without_text():
            more = f" and {len(views) - _NAMED:,} more" if len(views) > _NAMED else ""
            found.append(f"views whose text is not known: {', '.join(views[:_NAMED])}{more}")

        holes = sorted(self._holes(self.start, self.end))
        if holes:
            start, end = holes[0]
            more = f" and {len(holes) - 1:,} more times" if len(holes) > 1 else ""
            found.append(f"no run holds {start:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M}{more}")

        return found

    def _views_without_text(self) -> list[str]:
        """The views of the newest run of which it has no text that could be read."""
        from kada_athena_async.sql.masking import is_unmaskable  # noqa: PLC0415 - starts faster

        names = ("catalog", "schema", "view", "definition")
        rows = self.newest.rows("metadata_views", *names)
        return [".".join(place) for *place, text in rows if not text or is_unmaskable(text)]

    def incomplete_workgroups(self) -> list[str]:
        """The workgroups whose history some run did not read completely."""
        return self._workgroups(
            lambda record: record.outcome not in ("complete", "excluded") and record.reason != SPARK
        )

    def _workgroups(self, fits: Callable[[ScopeFacts], bool]) -> list[str]:
        names = {
            ".".join(record.name)
            for package in self.packages
            for record in package.manifest.facts.completeness
            if record.scope == "workgroup" and fits(record)
        }
        return sorted(names)


def select_runs(
    output_path: Path,
    name: str,
    files: Files,
    *,
    days: int | None = None,
    since: datetime | None = None,
    usd_per_tb: float | None = None,
    usd_per_dpu_hour: float | None = None,
) -> Runs:
    """The published runs of *name*: all, those of the last *days*, or those *since* a time.

    Days count back from the end of the newest run, not from now.

    Raises:
        StateError: There is none, none since then, or a manifest is damaged.
    """
    found = newest_packages(output_path, name, files, count=None)
    if days is not None:
        newest = found[0].manifest.end
        since = newest - timedelta(days=min(days, newest.toordinal() - 1))

    later = [p for p in found if since is None or p.manifest.end > since]
    if not later:
        raise StateError(
            f"no run of {name!r} in {output_path} has executions since {since:{HWM_FORMAT}}: the "
            f"newest ends {found[0].manifest.end:{HWM_FORMAT}} UTC",
            hint="give an earlier time, or extract first",
        )

    return Runs(
        packages=tuple(later),
        since=since,
        usd_per_tb=usd_per_tb,
        usd_per_dpu_hour=usd_per_dpu_hour,
    )


def _not_understood(package: Package) -> int:
    """The executions of a run that are an EXECUTE of an unknown statement, or no SQL at all."""
    from kada_athena_async.sql.statement import NOT_UNDERSTOOD  # noqa: PLC0415 - starts faster

    counts = package.manifest.facts.reconciliation.get(_DERIVED, {})
    return sum(counts.get(reason, 0) for reason in NOT_UNDERSTOOD)


def schema_outcomes(manifest: Manifest) -> dict[tuple[str, str], str]:
    """Catalog and schema -> its completeness."""
    return {
        (record.name[0], record.name[1]): record.outcome
        for record in manifest.facts.completeness
        if record.scope == "schema" and len(record.name) == 2
    }
