"""AWS's call-rate quotas as token buckets, so that a client that calls too often is throttled."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
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


class RateLimiter:
    """Token buckets by (account, region, operation), shared by all callers of an account."""

    def __init__(
        self,
        quotas: Mapping[str, Quota] = QUOTAS,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._quotas = quotas
        self._monotonic = monotonic
        self._guard = threading.Lock()
        self._buckets: dict[tuple[str, str, str], tuple[float, float]] = {}

    def take(self, account_id: str, region: str, operation: str) -> None:
        """Takes a token.

        Raises:
            AwsError: The bucket is empty: ThrottlingException.
        """
        quota = self._quotas.get(operation)
        if quota is None:
            return

        key = (account_id, region, operation)
        with self._guard:
            now_s = self._monotonic()
            tokens, since_s = self._buckets.get(key, (quota.burst, now_s))
            tokens = min(quota.burst, tokens + (now_s - since_s) * quota.per_s)
            is_allowed = tokens >= 1
            self._buckets[key] = (tokens - 1 if is_allowed else tokens, now_s)

        if not is_allowed:
            raise AwsError("ThrottlingException", "Rate exceeded")
