"""AWS's call-rate quotas as token buckets, so that a client that calls too often is throttled."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import NamedTuple

from kada_athena_async.sandbox.wire import AwsError


class Quota(NamedTuple):
    """A rate.

    Attributes:
        per_s: Calls a second that refill the bucket.
        burst: What the bucket holds.
    """

    per_s: float
    burst: float


# Athena's published quotas per account and Region (Amazon Athena User Guide, Service Quotas).
# ListDatabases, ListTableMetadata and GetTableMetadata have no published one; PyAthena's issue 780
# measured that 20 calls a second pass from idle.
QUOTAS: Mapping[str, Quota] = {
    "athena:StartQueryExecution": Quota(20, 80),
    "athena:StopQueryExecution": Quota(20, 80),
    "athena:GetQueryExecution": Quota(100, 200),
    "athena:GetQueryResults": Quota(100, 200),
    "athena:BatchGetQueryExecution": Quota(20, 40),
    "athena:ListQueryExecutions": Quota(5, 10),
    "athena:ListDatabases": Quota(20, 20),
    "athena:ListTableMetadata": Quota(20, 20),
    "athena:GetTableMetadata": Quota(20, 20),
    # AWS CloudTrail API Reference, LookupEvents: two a second.
    "cloudtrail:LookupEvents": Quota(2, 2),
}


class TokenBucket:
    """Grants ``burst`` calls at once and ``per_s`` a second afterwards.

    Over any window of t seconds that begins with a full bucket it grants at most
    ``burst + per_s * t`` calls, and exactly the floor of that to a caller who never stops asking.
    """

    def __init__(self, quota: Quota) -> None:
        self._quota = quota
        self._tokens = quota.burst
        self._at_s: float | None = None

    def grant(self, now_s: float) -> bool:
        """Take a token at the time *now_s*; False if there is none."""
        if self._at_s is not None:
            earned = max(0.0, now_s - self._at_s) * self._quota.per_s
            self._tokens = min(self._quota.burst, self._tokens + earned)

        self._at_s = now_s
        if self._tokens < 1.0 - 1e-9:
            return False

        self._tokens -= 1.0
        return True


class RateLimiter:
    """Token buckets by (account, region, operation), shared by all callers of an account."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._guard = threading.Lock()
        self._buckets: dict[tuple[str, str, str], TokenBucket] = {}

    def take(self, account_id: str, region: str, operation: str) -> None:
        """Takes a token.

        Raises:
            AwsError: The bucket is empty: ThrottlingException.
        """
        quota = QUOTAS.get(operation)
        if quota is None:
            return

        with self._guard:
            bucket = self._buckets.setdefault((account_id, region, operation), TokenBucket(quota))
            if not bucket.grant(self._now().timestamp()):
                raise AwsError("ThrottlingException", "Rate exceeded")
