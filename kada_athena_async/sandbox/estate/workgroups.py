"""The organisation's workgroups: every state and every way of keeping results."""

from __future__ import annotations

from datetime import datetime, timedelta

from kada_athena_async.sandbox.estate.model import Workgroup

SPARK_ENGINE = "PySpark engine version 3"


def build_workgroups(*, now: datetime, results_bucket: str) -> dict[str, Workgroup]:
    """Workgroups by name; result locations lie in *results_bucket*."""

    now = now.replace(microsecond=0)
    root = f"s3://{results_bucket}"
    groups = (*_used_daily(now, root), *_in_other_states(now, root))
    return {group.name: group for group in groups}


def _used_daily(now: datetime, root: str) -> tuple[Workgroup, ...]:
    day = timedelta(days=1)
    return (
        Workgroup(name="primary", created_at=now - 2100 * day),
        Workgroup(
            name="bi_dashboards",
            description='Dashboards, scheduled; ask "BI team", not the help desk',
            created_at=now - 1200 * day,
            output_location=f"{root}/bi/",
            is_enforced=True,
            cutoff_bytes=10 * 2**30,
        ),
        Workgroup(
            name="etl_nightly",
            description="Loads by night, do not touch between 01:00 and 05:00",
            created_at=now - 1500 * day,
            output_location=f"{root}/etl/",
            is_enforced=True,
        ),
        Workgroup(
            name="data-science",
            description="",
            created_at=now - 700 * day,
            output_location=f"{root}/data-science/",
            reserved_dpus=24,
        ),
        Workgroup(
            name="adhoc",
            description="Exploration, 100 GB a query",
            created_at=now - 900 * day,
            output_location=f"{root}/adhoc/",
            cutoff_bytes=100 * 2**30,
        ),
    )


def _in_other_states(now: datetime, root: str) -> tuple[Workgroup, ...]:
    """Disabled, without SQL, with managed results, or with a name of other characters."""
    day = timedelta(days=1)
    return (
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
            output_location=f"{root}/legacy/",
        ),
        Workgroup(
            name="spark_notebooks",
            engine_version=SPARK_ENGINE,
            description="Notebooks",
            created_at=now - 400 * day,
            output_location=f"{root}/spark/",
        ),
        Workgroup(
            name="integration.test_v2",
            description="CI of the data platform, 夜間",
            created_at=now - 60 * day,
            output_location=f"{root}/ci/",
        ),
    )
