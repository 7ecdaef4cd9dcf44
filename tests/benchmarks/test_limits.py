"""The stand-in's limiters and latencies, with times that the tests invent."""

from __future__ import annotations

import math
import statistics

import pytest

from benchmarks.quota_server.latency import Latencies, lognormal_parameters, mean_ms
from benchmarks.quota_server.limits import AdaptiveLimiter
from benchmarks.quota_server.settings import LATENCIES, RATES, AdaptiveRate, Latency
from kada_athena_async.sandbox.limits import TokenBucket


@pytest.mark.parametrize("operation", sorted(RATES))
def test_a_bucket_grants_its_burst_and_then_its_rate(operation: str) -> None:
    """A caller who never stops asking gets burst + rate x t calls, within one."""
    rate = RATES[operation]
    bucket = TokenBucket(rate)
    window_s = 20.0
    steps = int(window_s * rate.per_s * 7)

    granted = sum(bucket.grant(step * window_s / steps) for step in range(steps + 1))

    assert abs(granted - (rate.burst + rate.per_s * window_s)) <= 1


def test_a_bucket_refills_while_nobody_asks_and_no_higher_than_its_burst() -> None:
    """Four idle seconds at 20/s bring back the burst of 80, a week brings no more."""
    rate = RATES["athena:StartQueryExecution"]
    bucket = TokenBucket(rate)
    granted = [sum(bucket.grant(at) for _ in range(200)) for at in (0.0, 4.0, 604_800.0)]

    assert granted == [80, 80, 80]


def _offer(limiter: AdaptiveLimiter, per_s: float, start_s: float, stop_s: float) -> float:
    """The share of calls granted to an even load."""
    count = int((stop_s - start_s) * per_s)
    granted = sum(limiter.grant(start_s + number / per_s) for number in range(count))
    return granted / count


def test_metadata_calls_pass_at_twenty_a_second_from_idle() -> None:
    """Calls that the published measurement saw pass at once pass at once."""
    assert _offer(AdaptiveLimiter(AdaptiveRate()), 20.0, 0.0, 1.0) == 1.0


def test_metadata_calls_at_forty_a_second_are_throttled_until_the_capacity_has_grown() -> None:
    """Some of the first calls are refused, and none once some seconds have gone by."""
    limiter = AdaptiveLimiter(AdaptiveRate())

    assert _offer(limiter, 40.0, 0.0, 3.0) < 1.0
    _offer(limiter, 40.0, 3.0, 8.0)
    assert _offer(limiter, 40.0, 8.0, 18.0) == 1.0


def test_metadata_calls_grow_to_seventy_five_a_second_and_no_further() -> None:
    """The ceiling is what was seen to pass after sustained load."""
    limiter = AdaptiveLimiter(AdaptiveRate())
    _offer(limiter, 70.0, 0.0, 30.0)

    assert _offer(limiter, 70.0, 30.0, 60.0) == 1.0
    assert _offer(limiter, 150.0, 60.0, 90.0) == pytest.approx(0.5, abs=0.02)


def test_a_cold_burst_closes_the_metadata_calls_for_twenty_seconds() -> None:
    """Sixteen eager threads are refused everything until they have been modest for 20 s."""
    limiter = AdaptiveLimiter(AdaptiveRate())
    _offer(limiter, 200.0, 0.0, 1.0)

    assert _offer(limiter, 1.0, 1.5, 19.5) == 0.0
    assert _offer(limiter, 1.0, 22.0, 32.0) == 1.0


@pytest.mark.parametrize("name", sorted(LATENCIES))
def test_latencies_have_the_percentiles_they_are_named_by(name: str) -> None:
    """Of many draws half lie below p50 and one in a hundred above p99; the mean is as computed."""
    latency = LATENCIES[name]
    source = Latencies(seed=3, scale=1.0)
    draws = sorted(source.draw_s(name) * 1000 for _ in range(20_000))

    assert statistics.median(draws) == pytest.approx(latency.p50_ms, rel=0.05)
    assert draws[int(len(draws) * 0.99)] == pytest.approx(latency.p99_ms, rel=0.12)
    assert statistics.fmean(draws) == pytest.approx(mean_ms(latency), rel=0.05)


def test_the_same_seed_gives_each_operation_the_same_row_of_latencies() -> None:
    """The draws of an operation do not depend on what else is called in between."""
    one, other = Latencies(seed=5, scale=1.0), Latencies(seed=5, scale=1.0)
    alone = [one.draw_s("glue:GetTables") for _ in range(10)]
    between = []
    for _ in range(10):
        other.draw_s("s3:GET")
        between.append(other.draw_s("glue:GetTables"))

    assert alone == between


def test_lognormal_parameters_are_those_of_the_percentiles() -> None:
    """exp(mu) is p50, and exp(mu + 2.326 sigma) is p99."""
    mu, sigma = lognormal_parameters(Latency(100, 500))

    assert math.exp(mu) == pytest.approx(100)
    assert math.exp(mu + 2.3263 * sigma) == pytest.approx(500, rel=1e-4)
