"""Calls, dollars and the recommendation, by arithmetic."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from kada_athena_async.config import Config, make_config
from kada_athena_async.errors import AccessDeniedError
from kada_athena_async.estimate.calls import list_pages
from kada_athena_async.estimate.sizes import (
    HistorySample,
    HistorySize,
    SchemaSize,
    fill_schemas,
    history_of_sample,
)
from kada_athena_async.estimate.variants import Estimate, estimate
from kada_athena_async.hwm import WindowPlan, plan_window
from kada_athena_async.inventory import CatalogFacts, Inventory, SchemaFacts, WorkgroupFacts
from kada_athena_async.plan import build_plan
from kada_athena_async.prices import prices_of, requests_usd, statements_usd

NOW = datetime(2026, 11, 25, tzinfo=timezone.utc)


def window_plan(days: float) -> WindowPlan:
    return plan_window(NOW, NOW - timedelta(days=days))


def estimated(
    schemas: int, tables: int, *, executions: int = 0, denied: bool = False, **fields: Any
) -> Estimate:
    """An estimate for AwsDataCatalog with equal schemas of 20 columns a table."""
    config: Config = make_config(
        {
            "server": "s",
            "bucket": "s3://bucket/prefix",
            "region": "ap-southeast-2",
            "output_path": str(Path.cwd()),
            "quota_share": 1.0,
            **fields,
        }
    )
    names = [f"s{number:05d}" for number in range(schemas)]
    error = AccessDeniedError("no", action="glue:GetDatabases") if denied else None
    catalog = CatalogFacts(
        name="AwsDataCatalog",
        type="GLUE",
        schemas=tuple(SchemaFacts(name=name) for name in names) if not denied else (),
        error=error,
    )
    inventory = Inventory(catalogs=(catalog,), workgroups=(WorkgroupFacts(name="primary"),))
    size = SchemaSize(tables=tables, views=0, columns=tables * 20, origin="counted")
    history = HistorySize(listed=executions, older=0, expected=executions, origin="counted")
    plans = {
        source: build_plan(
            config.model_copy(update={"metadata_source": source}), inventory, window_plan(45)
        )
        for source in ("auto", "api", "sql")
    }
    return estimate(
        config,
        plans,  # type: ignore[arg-type]
        discovery={"athena:ListWorkGroups": 1, "glue:GetDatabases": 1},
        schemas={("AwsDataCatalog", name): size for name in names},
        histories={"primary": history},
    )


def test_pages_and_statements_are_counted_as_a_run_makes_them() -> None:
    """200 schemas of 50 tables, ten to a unit: a page each by Glue; two schemas for the first
    statement of a unit, which begins early, and eight for the other."""
    found = estimated(200, 50)

    assert found.of("api").calls["glue:GetTables"] == 200
    assert "athena:StartQueryExecution" not in found.of("api").calls
    assert found.of("auto").statements == 40
    # 2,000 rows and more: from S3 at once.
    assert "athena:GetQueryResults" not in found.of("auto").calls
    assert found.of("auto").calls["s3:GetObject"] == 40
    assert "glue:GetTables" not in found.of("sql").calls


def test_a_large_schema_is_a_chain_of_pages() -> None:
    """Its pages need each other's tokens, so it takes longer than the quota alone says."""
    found = estimated(1, 10_000).of("api")

    assert found.calls["glue:GetTables"] == 100
    assert found.metadata_s == pytest.approx(25, abs=1)
    assert found.slowest == "pages of one schema"


def test_a_large_history_is_bound_by_the_list_quota() -> None:
    """A million executions: 20,000 pages at five a second, an hour and seven minutes."""
    found = estimated(1, 10, executions=1_000_000).of("auto")

    assert found.calls["athena:ListQueryExecutions"] == 20_000
    assert found.total_s == pytest.approx(3_998, rel=0.01)
    assert found.slowest == "athena:ListQueryExecutions"


def test_the_share_of_the_quota_stretches_the_time() -> None:
    """With a fifth of the quota the same calls take five times as long."""
    whole = estimated(1, 10, executions=100_000).of("api").history_s
    part = estimated(1, 10, executions=100_000, quota_share=0.2).of("api").history_s

    assert part == pytest.approx(5 * whole, rel=0.02)


def test_both_sources_are_recommended_while_they_cost_little() -> None:
    """Each checks the other; the reason says what it costs."""
    chosen = estimated(20, 50).recommendation

    assert chosen.source == "auto"
    assert "20 statements" in chosen.reason
    assert "$0.001" in chosen.reason


def test_the_api_alone_is_recommended_where_sql_takes_much_longer() -> None:
    """100,000 tables by SQL take the engine far longer than Glue's pages."""
    chosen = estimated(1_000, 100).recommendation

    assert chosen.source == "api"
    assert "auto would take 220 statements" in chosen.reason


def test_sql_is_kept_where_the_apis_are_denied() -> None:
    """Only SQL may tell what the APIs may not."""
    chosen = estimated(1, 1, denied=True).recommendation

    assert chosen.source == "auto"
    assert chosen.reason == "the APIs may not list AwsDataCatalog; SQL may be able to"


@pytest.mark.parametrize(
    ("listed", "older", "pages"),
    [(0, 0, 1), (50, 0, 1), (51, 0, 2), (0, None, 3), (500, None, 13), (10, 1_000, 4)],
)
def test_listing_ends_some_pages_behind_the_window(
    listed: int, older: int | None, pages: int
) -> None:
    """Three whole pages of older executions end it, or the end of the history."""
    size = HistorySize(listed=listed, older=older, expected=listed, origin="counted")

    assert list_pages(size) == pages


def test_a_sample_is_stretched_over_the_window() -> None:
    """100 executions in the newest day are 1,000 in the ten days of the window."""
    workgroup_window = window_plan(10).of_workgroup("primary")
    sample = HistorySample(ids=100, oldest=NOW - timedelta(days=1), token="next")
    found = history_of_sample(sample, workgroup_window, NOW)

    assert found.origin == "sampled"
    assert found.expected == pytest.approx(1_000, rel=0.02)


def test_nothing_older_than_45_days_is_expected() -> None:
    """Athena forgets it, so no page of it is listed to prove that it is old."""
    workgroup_window = window_plan(45).of_workgroup("primary")
    sample = HistorySample(ids=100, oldest=NOW - timedelta(days=1), token="next")
    found = history_of_sample(sample, workgroup_window, NOW)

    assert (found.listed, found.older) == (4_500, 0)


def test_what_was_seen_to_its_end_is_counted() -> None:
    """Nothing is stretched where there is no more."""
    workgroup_window = window_plan(10).of_workgroup("primary")
    sample = HistorySample(ids=7, oldest=NOW - timedelta(days=1))
    found = history_of_sample(sample, workgroup_window, NOW)

    assert (found.listed, found.older, found.origin) == (7, 0, "counted")


def test_schemas_that_nobody_looked_at_are_like_their_catalogs_others() -> None:
    """The mean of what is known of a catalog, then of all, then a guess that says so."""
    big = SchemaSize(tables=100, views=10, columns=2_000, origin="counted")
    small = SchemaSize(tables=20, views=0, columns=100, origin="last run")
    keys = [("a", "1"), ("a", "2"), ("a", "3"), ("b", "1")]
    found = fill_schemas(keys, {("a", "1"): big, ("a", "2"): small})

    assert (found["a", "3"].tables, found["a", "3"].origin) == (60, "sampled")
    assert (found["b", "1"].tables, found["b", "1"].origin) == (60, "guessed")
    assert fill_schemas([("a", "1")], {})["a", "1"].origin == "guessed"


def test_dollars_are_those_of_the_price_lists() -> None:
    """10 MiB a statement at $5 a TiB; per million $5 for PUTs, $0.40 for GETs, $1 for Glue."""
    calls = {"s3:GetObject": 1_000_000, "glue:GetTables": 1_000_000}

    assert statements_usd(1_000, prices_of("us-east-1")) == pytest.approx(10_000 / 1024**2 * 5)
    assert requests_usd(calls, statements=0) == pytest.approx(0.4 + 1.0)
    assert requests_usd({}, statements=1_000_000) == pytest.approx(10.0)
