"""The knobs of the sandbox that a test may turn while it runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

HistoryOrder = Literal["newest", "oldest", "shuffled"]


@dataclass(slots=True, kw_only=True)
class Behaviour:
    """Settings of the sandbox's AWS where AWS varies or is not documented.

    Attributes:
        queue_s, engine_s: How long a query is QUEUED, and RUNNING at least.
        active_dml, active_ddl: How many queries may be active (Athena's defaults in most Regions).
        history_order: Of ListQueryExecutions; AWS documents none and gives newest first.
        retention_days: How long history is kept (Athena User Guide: 45 days).
        visible_after: Query id -> when ListQueryExecutions begins to show it.
        cloudtrail_lag: How much later than usual CloudTrail shows its events.
        has_rate_limits: Throttle by AWS's published quotas, by the sandbox's clock.
        checks_clock: Refuse requests dated more than 15 minutes off.
    """

    queue_s: float = 0.0
    engine_s: float = 0.0
    active_dml: int = 100
    active_ddl: int = 20
    history_order: HistoryOrder = "newest"
    retention_days: int = 45
    visible_after: dict[str, datetime] = field(default_factory=dict)
    cloudtrail_lag: timedelta = timedelta()
    has_rate_limits: bool = False
    checks_clock: bool = False
