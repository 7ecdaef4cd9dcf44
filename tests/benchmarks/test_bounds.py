"""The bounds are the arithmetic that their docstrings say, and no client beats them."""

from __future__ import annotations

import pytest

from benchmarks.bounds import (
    adaptive_bound_s,
    auto_bound,
    besides_s,
    glue_bound,
    history_bound,
    mean_s,
    rate_bound_s,
    sql_bound,
)
from benchmarks.quota_server.limits import AdaptiveLimiter
from benchmarks.quota_server.settings import RATES, AdaptiveRate, Settings
from kada_athena_async.sandbox.limits import TokenBucket


def test_the_history_bound_is_the_list_quota_plus_what_cannot_overlap_it() -> None:
    """504 pages at 5 a second after a burst of 10 are 98.8 s."""
    bound = history_bound([4167, 4167, 4167, 4167, 4166, 4166])

    assert bound.terms["list_quota_s"] == pytest.approx((504 - 10) / 5)
    assert bound.seconds == pytest.approx(
        98.8
        + mean_s("athena:ListWorkGroups")
        + mean_s("athena:ListQueryExecutions")
        + mean_s("athena:BatchGetQueryExecution")
    )


def test_one_workgroup_is_bound_by_its_chain_of_tokens_when_that_is_slower() -> None:
    """Ten pages pass at once by the quota, and one after the other by their tokens."""
    bound = history_bound([500])

    assert bound.terms["list_quota_s"] == 0.0
    assert bound.seconds > 10 * mean_s("athena:ListQueryExecutions")


def test_the_rate_bound_is_when_the_bucket_lets_the_last_call_in() -> None:
    """The stand-in's own bucket agrees to a millisecond."""
    rate = RATES["athena:ListQueryExecutions"]
    bucket = TokenBucket(rate)
    granted, now_s = 0, 0.0
    while granted < 60:
        granted += bucket.grant(now_s)
        now_s += 0.001

    assert now_s == pytest.approx(rate_bound_s("athena:ListQueryExecutions", 60), abs=0.003)


@pytest.mark.parametrize("calls", [10, 60, 202, 303])
def test_nobody_gets_through_the_adaptive_limiter_before_its_bound(calls: int) -> None:
    """A client that offers as much as it may without being locked out needs the bound, or more."""
    limiter = AdaptiveLimiter(AdaptiveRate())
    granted, now_s = 0, 0.0
    while granted < calls:
        granted += limiter.grant(now_s)
        now_s += 1 / 79

    bound_s = adaptive_bound_s(AdaptiveRate(), calls)
    assert bound_s - 0.1 <= now_s <= bound_s * 1.2 + 1.0


def test_a_giant_schema_is_a_chain_of_pages() -> None:
    """100 pages that need each other's tokens are 100 latencies, however high the quota."""
    bound = glue_bound(Settings(giant_schemas=1))

    assert bound.terms["longest_token_chain_s"] == pytest.approx(100 * mean_s("glue:GetTables"))
    assert bound.seconds > bound.terms["longest_token_chain_s"]


def test_the_sql_bound_divides_all_rows_over_all_slots() -> None:
    """210,500 rows at 545/s in 20 slots are 19.3 s of engine."""
    bound = sql_bound(Settings())

    assert bound.terms["engine_s"] == pytest.approx((200_000 + 10_000 + 500) / 545 / 20)
    assert auto_bound(Settings()).seconds == bound.seconds
    assert auto_bound(Settings(rows_per_s=1e6)).seconds == glue_bound(Settings()).seconds


def test_schemas_must_be_named_before_their_rows_are_divided() -> None:
    """By a page of Glue or by a statement."""
    wide = Settings()

    assert besides_s(wide, "api") == {}
    assert besides_s(wide, "auto") == {"names_s": mean_s("glue:GetDatabases")}
    # Start, queue, planning, 200 rows, the look that finds it finished, a page.
    assert besides_s(wide, "sql")["names_s"] == pytest.approx(2.0, abs=0.05)
