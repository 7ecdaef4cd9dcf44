"""Outcome of each unit, and of the run."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal

import msgspec

from kada_athena_async.codes import ExitCode, common_exit_code
from kada_athena_async.events import Incomplete, RunFinished, Warned
from kada_athena_async.hwm import ExecutionLedger
from kada_athena_async.manifest import ManifestFile
from kada_athena_async.scopes import SPARK, ScopeFacts, WorkgroupLimits

_NAMES_SHOWN = 3


class ViewContext(msgspec.Struct, frozen=True, kw_only=True):
    """Default catalog and schema of the names in a view's text.

    A view keeps the catalog and schema of the session that made it, and its text is read there
    (trino.io, StatementAnalyzer.analyzeView); most often that is where the view itself lies.

    Attributes:
        view: Catalog, schema and name of the view.
        catalog, schema: The place of the names.
    """

    view: tuple[str, str, str]
    catalog: str
    schema: str


class UnitFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Facts that a finished unit leaves beside its rows; they survive a restart in the unit's seal.

    Attributes:
        rows: Kind -> how many.
        reconciliation: What the sources say about each other.
        account: A history unit's account of its executions.
        view_contexts: Of the views whose names do not lie where the view does.
        unresolved: Executions without a principal that later runs ask for again: id -> when it
            was submitted.
        warnings: What the user should know of the unit, also when a later run resumes this one.
        limits: Of the workgroups, where the unit asked for them.
    """

    scopes: tuple[ScopeFacts, ...] = ()
    rows: dict[str, int] = {}
    reconciliation: dict[str, int] = {}
    account: ExecutionLedger | None = None
    view_contexts: tuple[ViewContext, ...] = ()
    unresolved: dict[str, datetime] = {}
    warnings: tuple[Warned, ...] = ()
    limits: WorkgroupLimits | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitOutcome:
    """End of a unit.

    Attributes:
        outcome: ``done``, ``resumed`` (done by an interrupted run), ``skipped`` or ``failed``.
        reason: Why it was skipped or failed.
        is_denied: True if a missing right was the reason: trying again helps nothing.
    """

    unit_id: str
    outcome: Literal["done", "resumed", "skipped", "failed"]
    facts: UnitFacts = field(default_factory=UnitFacts)
    reason: str = ""
    hint: str = ""
    is_denied: bool = False

    @property
    def rows(self) -> int:
        return sum(self.facts.rows.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class RunReport:
    """Result of a run.

    Attributes:
        start, end: The window.
        committed: True if the extracts are published and the HWM, if it is ours, has moved.
        exit_code: ``ExitCode.OK`` (committed, or nothing to do) or ``ExitCode.FAILED``.
        manifest: The manifest's path; None if nothing was committed.
        files: The published extracts.
        calls, throttles: Per operation, such as ``athena:ListQueryExecutions``.
        continued: The interrupted run that was finished before this one, if there was one.
    """

    run_id: str
    name: str
    start: datetime
    end: datetime
    committed: bool
    exit_code: int
    output_path: Path
    manifest: Path | None = None
    hwm_path: Path | None = None
    files: tuple[ManifestFile, ...] = ()
    outcomes: tuple[UnitOutcome, ...] = ()
    gaps: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    calls: dict[str, int] = field(default_factory=dict)
    throttles: dict[str, int] = field(default_factory=dict)
    duration_s: float = 0.0
    continued: RunReport | None = None

    @property
    def rows(self) -> dict[str, int]:
        """Kind -> rows committed."""
        return {file.kind: file.rows for file in self.files}

    @property
    def failed(self) -> tuple[UnitOutcome, ...]:
        return tuple(outcome for outcome in self.outcomes if outcome.outcome == "failed")

    @property
    def reason(self) -> str:
        """Reason why it could not commit: the first unit that failed; empty if none did."""
        if not self.failed:
            return ""

        first, *more = self.failed
        rest = f" (and {len(more)} more)" if more else ""
        return f"{first.unit_id}: {first.reason}{rest}"

    @property
    def hint(self) -> str:
        """Remedy for the first unit that failed; may be empty."""
        return self.failed[0].hint if self.failed else ""

    @property
    def skipped(self) -> tuple[UnitOutcome, ...]:
        return tuple(outcome for outcome in self.outcomes if outcome.outcome == "skipped")

    @property
    def incomplete(self) -> tuple[Incomplete, ...]:
        """Scopes that are incomplete in the extracts, added up by reason, the most first."""
        groups: dict[tuple[str, str, str, str], list[str]] = {}
        for outcome in self.outcomes:
            for scope in outcome.facts.scopes:
                if scope.outcome not in ("complete", "excluded") and scope.reason != SPARK:
                    *within, name = scope.name
                    # Denials name what was asked for, which would set each apart.
                    reason = scope.reason.replace(f" for {scope.scope} {'.'.join(scope.name)}", "")
                    key = (scope.scope, ".".join(within), scope.outcome, reason)
                    groups.setdefault(key, []).append(name)

        found = [
            Incomplete(
                scope=scope,
                within=within,
                outcome=outcome,
                reason=reason,
                count=len(names),
                names=tuple(names[:_NAMES_SHOWN]),
            )
            for (scope, within, outcome, reason), names in groups.items()
        ]
        return tuple(sorted(found, key=lambda group: -group.count))

    def finished(self, duration_s: float) -> RunFinished:
        """The event that ends the run, which took *duration_s* seconds."""
        return RunFinished(
            run_id=self.run_id,
            committed=self.committed,
            exit_code=self.exit_code,
            duration_s=round(duration_s, 3),
            rows=self.rows,
            calls=self.calls,
            incomplete=self.incomplete,
        )

    def to_dict(self) -> dict[str, object]:
        """The report as plain JSON values."""

        def plain(value: object) -> object:
            if isinstance(value, Path):
                return str(value)

            raise TypeError(f"no JSON for {type(value).__name__}")

        found = msgspec.to_builtins(self, enc_hook=plain, builtin_types=())
        if not isinstance(found, dict):
            raise AssertionError("unreachable: a dataclass becomes a dict")

        return {**found, "rows": self.rows}


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionReport:
    """Result of a connection test.

    Attributes:
        identity: ARN of who we are.
        catalogs, workgroups: How many are shown; None where they may not be listed.
        missing: What is not allowed, in words; empty if all that was tried is.
    """

    identity: str
    account: str
    region: str
    endpoint_url: str | None
    catalogs: int | None
    workgroups: int | None
    missing: tuple[str, ...] = ()

    @property
    def exit_code(self) -> int:
        """``ExitCode.FAILED`` if anything is missing."""
        return ExitCode.FAILED if self.missing else ExitCode.OK

    @property
    def reason(self) -> str:
        """What is missing, in one line."""
        return "; ".join(self.missing)

    def to_dict(self) -> dict[str, object]:
        """The report as plain JSON values."""
        return {**asdict(self), "missing": list(self.missing)}


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteReport:
    """Result of one site.

    Attributes:
        name: Of its instance, such as ``athena-prod_au``.
        report: Of its run; None if it could not start or broke off, with ``error``.
        reason: Why it could not be extracted or delivered; empty if its exit code is 0.
        hint: What to try next; may be empty.
    """

    site: str
    name: str
    exit_code: int
    report: RunReport | None = None
    error: Exception | None = None
    reason: str = ""
    hint: str = ""
    duration_s: float = 0.0

    def to_dict(self) -> dict[str, object]:
        """The report as plain JSON values."""
        return {
            "site": self.site,
            "name": self.name,
            "exit_code": self.exit_code,
            "reason": self.reason,
            "hint": self.hint,
            "duration_s": self.duration_s,
            "report": self.report.to_dict() if self.report else None,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class SitesReport:
    """Result of a run of several sites.

    Attributes:
        sites: In the order of the configuration.
    """

    sites: tuple[SiteReport, ...]
    duration_s: float = 0.0

    @property
    def exit_code(self) -> int:
        """See ``common_exit_code``."""
        return common_exit_code([site.exit_code for site in self.sites])

    @property
    def failed(self) -> tuple[SiteReport, ...]:
        return tuple(site for site in self.sites if site.exit_code)

    def to_dict(self) -> dict[str, object]:
        """The report as plain JSON values."""
        return {
            "exit_code": self.exit_code,
            "duration_s": self.duration_s,
            "sites": [site.to_dict() for site in self.sites],
        }
