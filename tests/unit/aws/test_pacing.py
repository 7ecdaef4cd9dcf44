"""Calls leave so that a quota counted where they arrive lets all of them in."""

from __future__ import annotations

from random import Random

import pytest

from benchmarks.quota_server.settings import RATES
from kada_athena_async.aws.pacing import Bucket, quota_of
from kada_athena_async.sandbox.limits import TokenBucket


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
    ours, theirs, rng = Bucket(quota, 1.0, 0.0), TokenBucket(RATES[operation]), Random(7)
    now = 0.0
    arrivals = []
    for number in range(300):
        while (wait_s := ours.wait_s(now)) > 0:
            now += wait_s + 1e-9

        jitter_s = rng.uniform(0, 0.04 * 5 / quota.rate)
        arrivals.append(now + (first_s if number < 5 else 0.0) + jitter_s)

    assert [at for at in sorted(arrivals) if not theirs.grant(at)] == []
