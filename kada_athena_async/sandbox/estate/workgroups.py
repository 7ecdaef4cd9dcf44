"""The organisation's workgroups: every state and every way of keeping results."""

from __future__ import annotations

from datetime import datetime, timedelta

from kada_athena_async.sandbox.estate.model import Workgroup

SPARK_ENGINE = "PySpark engine version 3"


def build_workgroups(*, now: datetime, results_bucket: str) -> dict[str, Workgroup]:
    """Workgroups by name; result locations lie in *results_bucket*."""

    def location(name: str) -> str:
        return f"s3://{results_bucket}/{name}/"

    day = timedelta(days=1)
    now = now.replace(microsecond=0)
    groups = (
        Workgroup(name="primary", created_at=now - 2100 * day),
        Workgroup(
            name="bi_dashboards",
            description='Dashboards, scheduled; ask "BI team", not the help desk',
            created_at=now - 1200 * day,
            output_location=location("bi"),
            is_enforced=True,
        ),
        Workgroup(
            name="etl_nightly",
            description="Loads by night, do not touch between 01:00 and 05:00",
            created_at=now - 1500 * day,
            output_location=location("etl"),
            is_enforced=True,
        ),
        Workgroup(
            name="data-science",
            description="",
            created_at=now - 700 * day,
            output_location=location("data-science"),
            reserved_dpus=24,
        ),
        Workgroup(
            name="adhoc",
            description="Exploration, 100 GB a query",
            created_at=now - 900 * day,
            output_location=location("adhoc"),
        ),
        Workgroup(
            name="finance_managed",
            description="Results kept by Athena, 24 hours",
            created_at=now - 150 * day,
            has_managed_results=True,
        ),
        Workgroup(
            name="legacy_reports",
            state="DISABLED",
            description="Switched off; history kept",
            created_at=now - 2000 * day,
            output_location=location("legacy"),
        ),
        Workgroup(
            name="spark_notebooks",
            engine_version=SPARK_ENGINE,
            description="Notebooks",
            created_at=now - 400 * day,
            output_location=location("spark"),
        ),
        Workgroup(
            name="integration.test_v2",
            description="CI of the data platform, 夜間",
            created_at=now - 60 * day,
            output_location=location("ci"),
        ),
    )

    return {group.name: group for group in groups}
