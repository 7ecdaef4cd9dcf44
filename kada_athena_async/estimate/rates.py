"""Time that calls take at AWS's quotas. Pure arithmetic; benchmarks/bounds.py uses it too."""

from __future__ import annotations

from collections.abc import Mapping

from kada_athena_async.aws.pacing import SLOW_START, quota_of

ASSUMED_LATENCY_S: Mapping[str, float] = {
    "athena:ListQueryExecutions": 0.08,
    "athena:BatchGetQueryExecution": 0.15,
    "athena:GetQueryResults": 0.3,
    "athena:StartQueryExecution": 0.12,
    "athena:ListTableMetadata": 0.35,
    "athena:ListDatabases": 0.1,
    "glue:GetTables": 0.25,
    "glue:GetDatabases": 0.1,
}
"""Time of one answer within a Region: assumptions, for AWS publishes none. ListTableMetadata agrees
with a field report of 0.38 s a page (metabase/metabase#82565)."""

OTHER_LATENCY_S = 0.1


def bucket_s(calls: int, *, rate: float, burst: float) -> float:
    """Seconds until a token bucket, full at first, has let in the last of *calls*.

    Args:
        rate: Calls per second.
    """
    return max(0.0, (calls - burst) / rate)


def adaptive_s(calls: int, *, floor: float, ceiling: float, growth: float) -> float:
    """Seconds until an adaptive limiter has let in the last of *calls*, beginning idle.

    Its first second's capacity is there at once; then it gives ``capacity`` calls a second, and
    the capacity grows after each second, for whoever asks for as much as it gives.

    Args:
        floor, ceiling: Calls per second at first, and at most.
        growth: Factor a second.
    """
    capacity = floor
    left = calls - capacity
    elapsed_s = 0.0
    while left > capacity:
        left -= capacity
        elapsed_s += 1.0
        capacity = min(ceiling, capacity * growth)

    return elapsed_s + max(0.0, left) / capacity


def quota_s(operation: str, calls: int, *, share: float) -> float:
    """Seconds that *calls* of an operation take at the part of its quota that is ours.

    S3 is not paced: it allows 5,500 reads a second and prefix.

    Args:
        operation: Such as ``athena:ListQueryExecutions``.
        share: ``quota_share``.
    """
    if operation.startswith("s3:"):
        return 0.0

    quota = quota_of(operation)
    if quota.seed < quota.rate:
        floor, ceiling = quota.seed * share, quota.rate * share
        return adaptive_s(calls, floor=floor, ceiling=ceiling, growth=SLOW_START)

    return bucket_s(calls, rate=quota.rate * share, burst=quota.burst * share)


def latency_s(operation: str) -> float:
    """Assumed time of one answer, in seconds."""
    return ASSUMED_LATENCY_S.get(operation, OTHER_LATENCY_S)
