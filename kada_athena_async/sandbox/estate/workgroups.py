"""The organisation's workgroups: every state and every way of keeping results."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from kada_athena_async.sandbox.estate.model import Workgroup

SPARK_ENGINE = "PySpark engine version 3"

_GB = 2**30
_TEXT = "description"
_KEPT = "output_location"

# fmt: off
_GROUPS: tuple[tuple[str, int, dict[str, Any]], ...] = (
    ("primary", 2100, {}),
    ("bi_dashboards", 1200, {_TEXT: 'Dashboards, scheduled; ask "BI team", not the help desk',
                             _KEPT: "bi", "is_enforced": True, "cutoff_bytes": 10 * _GB}),
    ("etl_nightly", 1500, {_TEXT: "Loads by night, do not touch between 01:00 and 05:00",
                           _KEPT: "etl", "is_enforced": True}),
    ("data-science", 700, {_TEXT: "", _KEPT: "data-science", "reserved_dpus": 24}),
    ("adhoc", 900, {_TEXT: "Exploration, 100 GB a query",
                    _KEPT: "adhoc", "cutoff_bytes": 100 * _GB}),
    ("finance_managed", 150, {_TEXT: "Results kept by Athena, 24 hours",
                              "has_managed_results": True}),
    ("legacy_reports", 2000, {_TEXT: "Switched off; history kept",
                              _KEPT: "legacy", "state": "DISABLED"}),
    ("spark_notebooks", 400, {_TEXT: "Notebooks", _KEPT: "spark", "engine_version": SPARK_ENGINE}),
    ("integration.test_v2", 60, {_TEXT: "CI of the data platform, 夜間", _KEPT: "ci"}),
)
# fmt: on
"""Name, age in days, and what is not as usual; of the place of results the folder."""


def build_workgroups(*, now: datetime, results_bucket: str) -> dict[str, Workgroup]:
    """Workgroups by name; result locations lie in *results_bucket*."""
    groups = {}
    for name, age_days, fields in _GROUPS:
        folder = {_KEPT: f"s3://{results_bucket}/{fields[_KEPT]}/"} if _KEPT in fields else {}
        created = now.replace(microsecond=0) - timedelta(days=age_days)
        groups[name] = Workgroup(name=name, created_at=created, **{**fields, **folder})

    return groups
