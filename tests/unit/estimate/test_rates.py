"""The time at the quotas is what the pacer takes."""

from __future__ import annotations

import pytest

from kada_athena_async.aws.pacing import Bucket, quota_of
from kada_athena_async.estimate.rates import quota_s


def paced_s(operation: str, calls: int, share: float) -> float:
    """Seconds until the pacer's own bucket has let in the last of *calls*."""
    now = 0.0
    bucket = Bucket(quota_of(operation), share, now)
    for _ in range(calls):
        while (wait_s := bucket.wait_s(now)) > 0:
            now += wait_s + 1e-9  # as a clock goes on that nobody can stop

    return now


@pytest.mark.parametrize("share", [0.2, 0.8, 1.0])
@pytest.mark.parametrize("calls", [1, 10, 100, 2_000])
@pytest.mark.parametrize(
    "operation",
    ["athena:ListQueryExecutions", "athena:StartQueryExecution", "athena:BatchGetQueryExecution"],
)
def test_published_quotas_are_those_of_the_pacer(operation: str, calls: int, share: float) -> None:
    """A full bucket, then the rate, to a call."""
    rate = quota_of(operation).rate * share

    assert quota_s(operation, calls, share=share) == pytest.approx(
        paced_s(operation, calls, share), abs=1.5 / rate
    )


@pytest.mark.parametrize("calls", [1, 20, 200, 5_000])
@pytest.mark.parametrize("operation", ["glue:GetTables", "athena:ListWorkGroups"])
def test_unpublished_quotas_begin_slowly(operation: str, calls: int) -> None:
    """The slow start of the pacer, to the seconds of its steps."""
    assert quota_s(operation, calls, share=1.0) == pytest.approx(
        paced_s(operation, calls, 1.0), rel=0.1, abs=2.5
    )


def test_half_a_million_executions_take_half_an_hour() -> None:
    """Five list calls a second, 50 ids each: 250 executions a second and account."""
    assert quota_s("athena:ListQueryExecutions", 10_000, share=1.0) == pytest.approx(1_998.2)


def test_s3_is_not_paced() -> None:
    """It allows 5,500 reads a second."""
    assert quota_s("s3:GetObject", 5_000, share=0.1) == 0.0
