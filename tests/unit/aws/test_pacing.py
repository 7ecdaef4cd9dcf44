"""Calls leave so that a quota counted where they arrive lets all of them in."""

from __future__ import annotations

from functools import partial
from random import Random

import anyio
import pytest

from benchmarks.quota_server.limits import AdaptiveLimiter
from benchmarks.quota_server.settings import RATES, AdaptiveRate
from kada_athena_async.aws.pacing import Bucket, Pacer, quota_of
from kada_athena_async.concurrency import Clock
from kada_athena_async.sandbox.limits import TokenBucket


def departures(bucket: Bucket, calls: int) -> list[float]:
    """Seconds at which *calls* go that all wait from the beginning."""
    found, now = [], 0.0
    for _ in range(calls):
        while (wait_s := bucket.wait_s(now)) > 0:
            now += wait_s + 1e-9

        found.append(now)

    return found


@pytest.mark.parametrize("first_s", [0.0, 0.05, 0.15])
@pytest.mark.parametrize(
    "operation",
    ["athena:ListQueryExecutions", "athena:BatchGetQueryExecution", "athena:GetQueryExecution"],
)
def test_a_first_call_that_takes_longer_throttles_none_of_the_others(
    operation: str, first_s: float
) -> None:
    """AWS's bucket begins to fill again when the first call has arrived, not when it left."""
    quota = quota_of(operation)
    first_s = first_s * 5 / quota.rate
    theirs, rng = TokenBucket(RATES[operation]), Random(7)
    arrivals = []
    for number, now in enumerate(departures(Bucket(quota, 1.0, 0.0), 300)):
        jitter_s = rng.uniform(0, 0.04 * 5 / quota.rate)
        arrivals.append(now + (first_s if number < 5 else 0.0) + jitter_s)

    assert [at for at in sorted(arrivals) if not theirs.grant(at)] == []


@pytest.mark.parametrize(("share", "first_second"), [(1.0, 30), (0.8, 24)])
def test_metadata_calls_begin_between_what_passed_and_what_was_throttled(
    share: float, first_second: int
) -> None:
    """20 calls/s passed from idle and 40 were throttled; a limiter that learns refuses none."""
    found = departures(Bucket(quota_of("glue:GetTables"), share, 0.0), 300)
    theirs = AdaptiveLimiter(AdaptiveRate())

    assert sum(at < 1.001 for at in found) == first_second
    assert [at for at in found if not theirs.grant(at)] == []


async def test_a_page_that_another_leads_to_goes_before_first_pages(fast_clock: Clock) -> None:
    """Each page of a large schema needs the one before: in line with all others it would end last.

    Of the history, whose calls are few a second, none goes before another.
    """
    gone: dict[str, list[str]] = {}
    pacer = Pacer(quota_share=1.0, clock=fast_clock)

    async def call(operation: str, name: str, *, follows: bool) -> None:
        await pacer.turn(operation, follows=follows)
        gone.setdefault(operation, []).append(name)

    for operation in ("glue:GetTables", "athena:ListQueryExecutions"):
        async with anyio.create_task_group() as group:
            for number in range(15):
                group.start_soon(partial(call, operation, f"first {number}", follows=False))

            group.start_soon(partial(call, operation, "next", follows=True))

    # Ten go at once, and the eleventh has begun to wait for its token.
    assert gone["glue:GetTables"].index("next") == 11
    assert gone["athena:ListQueryExecutions"].index("next") == 15
