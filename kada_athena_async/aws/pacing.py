"""Pacing of AWS operations: token buckets that learn from throttling.

Arithmetic is pure: time is an argument. Only ``Pacer`` waits.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from kada_athena_async.concurrency import Clock, Slots


class Quota(NamedTuple):
    """A rate limit of an operation, for an account and region, over all its callers.

    Attributes:
        rate: Calls per second that may go on for ever.
        burst: Calls that may go at once after a quiet time.
        seed: Rate to begin with where AWS publishes no limit; the rate where it does.
    """

    rate: float
    burst: float
    seed: float


def _published(rate: float, burst: float) -> Quota:
    # One call less at once: AWS's bucket is full, and gathers nothing, until our first call has
    # arrived, and no two take equally long. What comes a moment early is throttled for a second.
    return Quota(rate, burst - 1, rate)


def _unpublished(seed: float, rate: float) -> Quota:
    # Half a second's calls at once. With these the first second has 30 calls of _METADATA, 24 at
    # the default share: 20 were seen to pass from idle, 40 to be throttled for seconds.
    return Quota(rate, seed / 2, seed)


# Athena's per-account API quotas: docs.aws.amazon.com/athena/latest/ug/service-limits.html
_START = _published(20, 80)
_GET = _published(100, 200)
_LIST = _published(5, 10)
# The metadata limiter is adaptive and in no table: 20 calls/s pass from idle, 40/s are throttled
# for some seconds, 75/s pass after sustained traffic (github.com/pyathena-dev/PyAthena/issues/780).
_METADATA = _unpublished(20, 75)
_CONTROL = _unpublished(8, 20)

QUOTAS: dict[str, Quota] = {
    "athena:StartQueryExecution": _START,
    "athena:StopQueryExecution": _START,
    "athena:GetQueryExecution": _GET,
    "athena:GetQueryResults": _GET,
    "athena:BatchGetQueryExecution": _published(20, 40),
    "athena:ListQueryExecutions": _LIST,
    "athena:ListDatabases": _METADATA,
    "athena:ListTableMetadata": _METADATA,
    "athena:GetTableMetadata": _METADATA,
    "glue:GetCatalogs": _METADATA,
    "glue:GetDatabases": _METADATA,
    "glue:GetTables": _METADATA,
    # AWS CloudTrail API Reference, LookupEvents: two a second; no burst is promised.
    "cloudtrail:LookupEvents": _published(2, 2),
    # Lake Formation publishes none: begin as careful as with rare calls.
    "lakeformation:ListLFTags": _CONTROL,
    "lakeformation:SearchDatabasesByLFTags": _CONTROL,
    "lakeformation:SearchTablesByLFTags": _CONTROL,
}
"""Operation -> quota. What is not named is a rare call and has ``_CONTROL``; S3 is not paced: it
allows 5,500 reads a second and prefix."""


def quota_of(operation: str) -> Quota:
    """The quota of an operation; a rare call that is not named has a small one."""
    return QUOTAS.get(operation, _CONTROL)


SLOW_DOWN = 0.7
"""Share of the rate that remains after a throttled second."""
SPEED_UP_PUBLISHED = 0.05
"""Share of the seed that a clean second adds."""
SLOW_START = 1.25
"""Growth a clean second of an unpublished rate, until the first throttle."""
FLOOR = 0.2
"""Calls per second that are always allowed; so a storm ends in a trickle, not in silence."""


@dataclass(slots=True)
class Bucket:
    """A token bucket whose rate falls on throttling and recovers after; pure arithmetic.

    Args:
        quota: The published or assumed limit.
        share: The part of it that is ours, in (0, 1].
        now: Seconds of a monotonic clock.
    """

    quota: Quota
    share: float
    now: float
    rate: float = field(init=False)
    tokens: float = field(init=False)
    throttles: int = field(init=False, default=0)
    _slowed_at: float = field(init=False)
    _grown_at: float = field(init=False)

    def __post_init__(self) -> None:
        self.rate = self.quota.seed * self.share
        self.tokens = self.capacity
        self._slowed_at = self._grown_at = self.now

    @property
    def capacity(self) -> float:
        """Tokens that a quiet time can gather; at least one, or nothing would ever pass."""
        return max(1.0, self.quota.burst * self.share)

    @property
    def ceiling(self) -> float:
        """The rate that is never exceeded."""
        return self.quota.rate * self.share

    def wait_s(self, now: float) -> float:
        """Seconds until a call may go; 0 if now, and then its token is taken."""
        self._refill(now)
        if self.tokens >= 1:
            self.tokens -= 1
            return 0.0

        self._grow(now)
        return (1 - self.tokens) / self.rate

    def throttled(self, now: float) -> bool:
        """Note a throttled answer; True if the rate fell (once for all throttles of a second)."""
        self._refill(now)
        self.throttles += 1
        self._grown_at = now
        if self.throttles > 1 and now - self._slowed_at < 1:
            return False

        self._slowed_at = now
        self.rate = max(FLOOR, self.rate * SLOW_DOWN)
        self.tokens = min(self.tokens, 0.0)
        return True

    def _refill(self, now: float) -> None:
        self.tokens = min(self.capacity, self.tokens + (now - self.now) * self.rate)
        self.now = now

    def _grow(self, now: float) -> None:
        """Called when somebody has to wait: a rate nobody needs proves nothing."""
        if now - self._grown_at < 1:
            return

        self._grown_at = now
        is_starting = not self.throttles and self.quota.seed < self.quota.rate
        faster = self.rate * SLOW_START if is_starting else self.rate + self._step
        self.rate = min(self.ceiling, faster)

    @property
    def _step(self) -> float:
        return SPEED_UP_PUBLISHED * self.quota.seed * self.share


class Pacer:
    """Lets calls of one account and region go at the rates of their quotas, in order of arrival.

    Args:
        quota_share: The part of AWS's rates that is ours, in (0, 1].
    """

    def __init__(self, *, quota_share: float, clock: Clock) -> None:
        self._share = quota_share
        self._clock = clock
        # By operation and source; the source is empty for the operation as such.
        self._buckets: dict[tuple[str, str], Bucket] = {}
        # One waits for its token, the others wait in line for their turn: fair, and a rate that
        # falls meanwhile holds for all that have not gone yet.
        self._turns: dict[tuple[str, str], Slots] = {}

    async def turn(self, operation: str, source: str = "", *, follows: bool = False) -> None:
        """Return when one call of *operation* may go.

        Args:
            source: What it asks; has a rate of its own once it was throttled itself.
            follows: True for a page after the first. Those of tables and schemas go first: a chain
                of pages that need each other's tokens is what a run waits for longest.
        """
        goes_last = not (follows and quota_of(operation) is _METADATA)
        if (operation, source) in self._buckets and source:
            await self._wait((operation, source), goes_last)

        await self._wait((operation, ""), goes_last)

    async def _wait(self, key: tuple[str, str], goes_last: bool) -> None:
        bucket = self._bucket(key)
        async with self._turns[key].acquire(goes_last=goes_last):
            while (wait_s := bucket.wait_s(self._clock.monotonic())) > 0:
                await self._clock.sleep(wait_s)

    def throttled(self, operation: str, source: str = "") -> float | None:
        """Note a throttled answer; the new rate in calls/s if it fell, else None.

        Args:
            source: What was throttled, if not the operation: its neighbours keep their rate.
        """
        bucket = self._bucket((operation, source))
        return bucket.rate if bucket.throttled(self._clock.monotonic()) else None

    def rates(self) -> dict[str, float]:
        """Operation -> calls per second that are allowed now."""
        return {name: bucket.rate for (name, source), bucket in self._buckets.items() if not source}

    def allow_no_more_than(self, quota_share: float) -> None:
        """Keep to *quota_share* of AWS's rates from now on, if that is less than before."""
        if quota_share >= self._share:
            return

        self._share = quota_share
        for bucket in self._buckets.values():
            bucket.share = quota_share
            bucket.rate = min(bucket.rate, bucket.ceiling)

    def _bucket(self, key: tuple[str, str]) -> Bucket:
        if key not in self._buckets:
            quota = quota_of(key[0])
            self._buckets[key] = Bucket(quota, self._share, self._clock.monotonic())
            self._turns[key] = Slots(1)

        return self._buckets[key]
