"""Calls of the run to AWS: number, rate, and distance to the quotas."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from kada_athena_async.commit import Manifest

MAX_CHARTED = 6
"""Operations in the chart, those with most calls; all are in the table."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationFigures:
    """The calls of an operation.

    Attributes:
        peak_per_s: Most calls a second, averaged over a bucket; None if no timeline was kept.
        quota_per_s: What AWS allows the account; None where it does not say.
    """

    operation: str
    calls: int
    throttles: int
    peak_per_s: float | None
    quota_per_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallsFigures:
    """The calls of the run.

    Attributes:
        bucket_s: Width of a bucket of the timeline, seconds; 0 if none was kept.
        quota_share: The part of the quotas that the run allowed itself.
        timeline: (operation, seconds since the first call, calls per second), for the operations
            with most calls; every bucket is there, empty ones too.
    """

    started_at: datetime | None
    duration_s: int
    bucket_s: int
    quota_share: float
    operations: tuple[OperationFigures, ...]
    timeline: tuple[tuple[str, int, float], ...]

    @property
    def calls(self) -> int:
        return sum(each.calls for each in self.operations)

    @property
    def throttles(self) -> int:
        return sum(each.throttles for each in self.operations)


def calls_figures(manifest: Manifest) -> CallsFigures:
    """The calls by operation, and by time where the manifest has it."""
    facts = manifest.facts
    kept = facts.timeline
    counts = kept.calls if kept else {}
    width = kept.bucket_s if kept else 0
    operations = tuple(
        OperationFigures(
            operation=operation,
            calls=calls,
            throttles=facts.throttles.get(operation, 0),
            peak_per_s=max(counts[operation]) / width if counts.get(operation) else None,
            quota_per_s=kept.quotas.get(operation) if kept else None,
        )
        for operation, calls in sorted(facts.calls.items(), key=lambda item: (-item[1], item[0]))
    )
    buckets = max((len(row) for row in counts.values()), default=0)
    charted = [each.operation for each in operations if each.operation in counts][:MAX_CHARTED]
    return CallsFigures(
        started_at=kept.started_at if kept else None,
        duration_s=buckets * width,
        bucket_s=width,
        quota_share=kept.quota_share if kept else 1.0,
        operations=operations,
        timeline=tuple(
            (operation, bucket * width, _at(counts[operation], bucket) / width)
            for operation in charted
            for bucket in range(buckets)
        ),
    )


def _at(row: tuple[int, ...], bucket: int) -> int:
    return row[bucket] if bucket < len(row) else 0
