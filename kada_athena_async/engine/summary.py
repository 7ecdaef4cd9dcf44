"""Summary of a run that is over, for the manifest and for its caller. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from kada_athena_async.aws.call_timeline import CallLog
from kada_athena_async.aws.pacing import QUOTAS
from kada_athena_async.codes import ExitCode
from kada_athena_async.config import Config
from kada_athena_async.errors import StateError
from kada_athena_async.events import Warned
from kada_athena_async.hwm.window import ANY_WORKGROUP, HWM_FORMAT
from kada_athena_async.manifest import (
    Manifest,
    ManifestGap,
    ManifestTimeline,
    ManifestWarning,
    PublishedPackage,
    RunFacts,
)
from kada_athena_async.plan import HistoryUnit, Plan
from kada_athena_async.records import KINDS
from kada_athena_async.report import RunReport, UnitOutcome
from kada_athena_async.sinks.staging import Staging
from kada_athena_async.version import __version__


def run_facts(
    config: Config,
    plan: Plan,
    outcomes: Sequence[UnitOutcome],
    log: CallLog,
    warnings: Sequence[Warned],
) -> RunFacts:
    """Facts of the manifest beside its files."""
    return RunFacts(
        version=__version__,
        server=config.server,
        region=config.region,
        usd_per_tb=config.usd_per_tb,
        usd_per_dpu_hour=config.usd_per_dpu_hour,
        completeness=tuple(scope for outcome in outcomes for scope in outcome.facts.scopes),
        gaps=tuple(_gaps(plan)),
        reconciliation={
            outcome.unit_id: outcome.facts.reconciliation
            for outcome in outcomes
            if outcome.facts.reconciliation
        },
        history={
            outcome.facts.account.workgroup: outcome.facts.account.counts
            for outcome in outcomes
            if outcome.facts.account is not None
        },
        workgroup_limits=next(
            (limits for outcome in outcomes if (limits := outcome.facts.limits)), None
        ),
        calls=dict(sorted(log.calls.items())),
        throttles=dict(sorted(log.throttles.items())),
        timeline=_timeline(log, config.quota_share),
        warnings=tuple(ManifestWarning(code=w.code, message=w.message) for w in warnings),
    )


def _timeline(log: CallLog, quota_share: float) -> ManifestTimeline | None:
    if log.started_at is None:
        return None

    counts = log.timeline
    return ManifestTimeline(
        started_at=log.started_at,
        bucket_s=counts.bucket_s,
        calls={name: tuple(row) for name, row in sorted(counts.calls.items())},
        throttles={name: tuple(row) for name, row in sorted(counts.throttles.items())},
        quotas={name: QUOTAS[name].rate for name in sorted(counts.calls) if name in QUOTAS},
        quota_share=quota_share,
    )


def run_report(
    staging: Staging,
    plan: Plan,
    outcomes: Sequence[UnitOutcome],
    committed: PublishedPackage[Manifest] | None,
    log: CallLog,
    *,
    hwm_path: Path | None,
    warnings: Sequence[Warned],
    duration_s: float,
) -> RunReport:
    """Report of a window for the caller."""
    return RunReport(
        run_id=staging.run_id,
        name=staging.intent.name,
        start=staging.intent.start,
        end=staging.intent.end,
        committed=committed is not None,
        exit_code=ExitCode.OK if committed else ExitCode.FAILED,
        output_path=staging.output_path,
        manifest=committed.path if committed else None,
        hwm_path=hwm_path,
        files=committed.manifest.files if committed else (),
        outcomes=tuple(outcomes),
        gaps=tuple(
            f"{gap.workgroup or 'all workgroups'}: {gap.start:{HWM_FORMAT}} to "
            f"{gap.end:{HWM_FORMAT}} ({gap.kind})"
            for gap in _gaps(plan)
        ),
        warnings=tuple(warning.message for warning in warnings),
        calls=dict(sorted(log.calls.items())),
        throttles=dict(sorted(log.throttles.items())),
        duration_s=round(duration_s, 3),
    )


def _gaps(plan: Plan) -> list[ManifestGap]:
    """Gaps of the run, and of workgroups that have others."""
    common = plan.window_plan.gaps
    found = [("", kind, gap) for kind, gap in common.items()]
    for unit in plan.units:
        if isinstance(unit, HistoryUnit):
            found += [
                (unit.workgroup.name, kind, gap)
                for kind, gap in unit.workgroup_window.gaps.items()
                if common.get(kind) != gap
            ]

    return [
        ManifestGap(kind=kind, start=gap.start, end=gap.end, workgroup=workgroup)
        for workgroup, kind, gap in found
    ]


def skipped_workgroups(
    plan: Plan, start: datetime, outcomes: Sequence[UnitOutcome]
) -> dict[str, datetime]:
    """The workgroups that were to be read and were not, with the start of what they are owed.

    Args:
        start: Of the window.
    """
    read = {outcome.unit_id for outcome in outcomes if outcome.facts.account is not None}
    owed = {
        unit.workgroup.name: unit.workgroup_window.window.start
        for unit in plan.units
        if isinstance(unit, HistoryUnit) and unit.unit_id not in read
    }
    if plan.inventory.workgroups_error is not None:
        owed[ANY_WORKGROUP] = start

    return owed


def check_rows(staging: Staging, outcomes: Sequence[UnitOutcome]) -> None:
    """Refuse a commit whose files hold other rows than the units counted.

    Raises:
        StateError: A count differs; nothing is committed.
    """
    sealed = staging.sealed()
    for outcome in outcomes:
        written: Counter[str] = Counter()
        for part in sealed[outcome.unit_id].parts:
            if part.kind in KINDS:
                written[part.kind] += part.rows

        counted: Mapping[str, int] = {k: n for k, n in outcome.facts.rows.items() if n}
        if written != counted:
            raise StateError(
                f"the unit {outcome.unit_id} counted {counted} rows and wrote {dict(written)}",
                hint="run again with `fresh=True`; nothing was committed",
            )
