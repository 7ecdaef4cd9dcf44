"""Limits of calls: token buckets and the adaptive limiter, as arithmetic over a clock."""

from __future__ import annotations

from benchmarks.quota_server.settings import ADAPTIVE_OPERATIONS, RATES, AdaptiveRate
from kada_athena_async.sandbox.limits import Quota, TokenBucket


class AdaptiveLimiter:
    """The limiter of metadata calls, after the only measurements that are public.

    Those say: 20 calls/s pass from idle; 40 calls/s are throttled for some seconds, then the
    capacity grows; 75 calls/s pass after sustained load; a cold burst from 16 threads is refused
    for 20 s and longer. The model: a bucket of one second's capacity whose rate grows by
    ``growth_per_s`` for each second in which it was asked for nine tenths of its capacity or more,
    up to a ceiling; it falls back to the floor after ``idle_reset_s`` without a call; a second
    with more than ``lockout_factor`` times the capacity asked closes it for ``lockout_s``.
    """

    def __init__(self, rate: AdaptiveRate) -> None:
        self._rate = rate
        self._capacity = rate.floor_per_s
        self._tokens = rate.floor_per_s
        self._at_s = 0.0
        self._second_from_s = 0.0
        self._asked = 0
        self._closed_until_s = 0.0
        self._seen = False

    def grant(self, now_s: float) -> bool:
        """Take a token at the time *now_s* (which never goes back); False if there is none."""
        if not self._seen:
            self._seen = True
            self._at_s = self._second_from_s = now_s

        self._adapt(now_s)
        self._tokens = min(self._capacity, self._tokens + (now_s - self._at_s) * self._capacity)
        self._at_s = now_s
        self._asked += 1
        if self._asked > self._rate.lockout_factor * self._capacity:
            self._closed_until_s = now_s + self._rate.lockout_s

        if now_s < self._closed_until_s or self._tokens < 1.0 - 1e-9:
            return False

        self._tokens -= 1.0
        return True

    def _adapt(self, now_s: float) -> None:
        if now_s - self._at_s >= self._rate.idle_reset_s:
            self._capacity = self._rate.floor_per_s

        if now_s - self._second_from_s >= 1.0:
            if self._asked >= 0.9 * self._capacity:
                grown = self._capacity * self._rate.growth_per_s
                self._capacity = min(self._rate.ceiling_per_s, grown)

            self._second_from_s = now_s
            self._asked = 0


class Limits:
    """All limiters of one account."""

    def __init__(self, adaptive: AdaptiveRate, *, scale: float = 1.0) -> None:
        self._buckets = {
            operation: TokenBucket(Quota(rate.per_s * scale, rate.burst * scale))
            for operation, rate in RATES.items()
        }
        scaled = adaptive._replace(
            floor_per_s=adaptive.floor_per_s * scale,
            ceiling_per_s=adaptive.ceiling_per_s * scale,
        )
        self._adaptive = {
            name: AdaptiveLimiter(scaled) for name in set(ADAPTIVE_OPERATIONS.values())
        }

    def grant(self, operation: str, now_s: float) -> bool:
        """True if *operation* (``athena:ListWorkGroups``) may be called now."""
        if operation in ADAPTIVE_OPERATIONS:
            return self._adaptive[ADAPTIVE_OPERATIONS[operation]].grant(now_s)

        bucket = self._buckets.get(operation)
        return bucket is None or bucket.grant(now_s)
