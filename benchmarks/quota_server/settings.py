"""The numbers the stand-in lives by: AWS's where AWS published them, assumptions where not."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from kada_athena_async.sandbox.limits import QUOTAS, Quota


class Latency(NamedTuple):
    """A lognormal distribution by two of its percentiles, in milliseconds."""

    p50_ms: float
    p99_ms: float


class AdaptiveRate(NamedTuple):
    """The limiter of Athena's metadata calls, which learns from the load (see limits.py)."""

    floor_per_s: float = 20.0
    ceiling_per_s: float = 75.0
    growth_per_s: float = 1.25
    lockout_factor: float = 4.0
    lockout_s: float = 20.0
    idle_reset_s: float = 20.0


RATES: dict[str, Quota] = {
    **QUOTAS,
    "athena:ListNamedQueries": Quota(5, 10),
    "athena:BatchGetNamedQuery": Quota(5, 10),
    "athena:GetNamedQuery": Quota(5, 20),
    # Nothing is published for these: assumptions, low enough to be felt.
    "athena:ListWorkGroups": Quota(10, 20),
    "athena:GetWorkGroup": Quota(10, 20),
    "athena:ListDataCatalogs": Quota(10, 20),
    "athena:GetDataCatalog": Quota(10, 20),
    # Amazon S3 user guide, "Optimizing performance": requests per second and partitioned prefix.
    "s3:GET": Quota(5500, 5500),
    "s3:PUT": Quota(3500, 3500),
    "sts:AssumeRole": Quota(600, 600),
    "sts:GetCallerIdentity": Quota(600, 600),
}
"""Operation -> what one account may call."""

ADAPTIVE_OPERATIONS: dict[str, str] = {
    "athena:ListDatabases": "athena",
    "athena:GetDatabase": "athena",
    "athena:ListTableMetadata": "athena",
    "athena:GetTableMetadata": "athena",
    "glue:GetDatabases": "glue",
    "glue:GetDatabase": "glue",
    "glue:GetTables": "glue",
    "glue:GetTable": "glue",
}
"""Metadata calls -> the limiter that they share, which adapts to the load.

Athena's was measured (github.com/pyathena-dev/PyAthena/issues/780). About Glue's nothing is
published: the assumption is a limiter of its own that is no more generous than Athena's.
"""

LATENCIES: dict[str, Latency] = {
    # In-Region estimates; AWS publishes none. ListTableMetadata agrees with a field report of
    # 0.38 s a page, GetQueryResults with reports between 0.2 and 1.6 s.
    "athena:StartQueryExecution": Latency(120, 500),
    "athena:StopQueryExecution": Latency(60, 250),
    "athena:GetQueryExecution": Latency(30, 150),
    "athena:GetQueryResults": Latency(300, 1500),
    "athena:BatchGetQueryExecution": Latency(150, 600),
    "athena:ListQueryExecutions": Latency(80, 300),
    "athena:ListWorkGroups": Latency(60, 250),
    "athena:GetWorkGroup": Latency(60, 250),
    "athena:ListDataCatalogs": Latency(60, 250),
    "athena:GetDataCatalog": Latency(60, 250),
    "athena:ListDatabases": Latency(100, 500),
    "athena:GetDatabase": Latency(100, 500),
    "athena:ListTableMetadata": Latency(350, 1500),
    "athena:GetTableMetadata": Latency(120, 500),
    "glue:GetDatabases": Latency(100, 500),
    "glue:GetDatabase": Latency(60, 250),
    "glue:GetTables": Latency(250, 1200),
    "glue:GetTable": Latency(60, 250),
    "s3:GET": Latency(40, 200),
    "s3:PUT": Latency(40, 200),
    "sts:AssumeRole": Latency(60, 250),
    "sts:GetCallerIdentity": Latency(60, 250),
    "throttled": Latency(15, 60),
}
"""Operation -> time from request to first byte of the answer."""

DEFAULT_LATENCY = Latency(60, 250)

RETENTION_S = 45 * 86_400.0
"""Athena keeps 45 days of history."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Settings of the stand-in; each is an option of its command line.

    Attributes:
        seed: Of all random draws: the same seed gives each operation the same row of latencies.
        latency_scale: Factor on every latency and query time; 0 answers at once.
        quota_scale: Factor on every rate and burst; a large one for measuring CPU alone.
        schemas, tables, columns: The regular part of the estate (tables and views per schema).
        giant_schemas, giant_tables: Schemas of another size beside it.
        view_every: Each n-th object of a schema is a view (20: a share of 5%).
        executions, workgroups: Query history, spread evenly over the workgroups.
        distinct_share: Share of the executions whose statement differs from all others in more
            than its literals; the others repeat five shapes a schema.
        history_s: Seconds over which the history is spread.
        newest_age_s: Age of the newest execution when the server starts.
        rows_per_s: What information_schema delivers: 545 is a field report (202,032 rows of
            columns in 370.6 s); 10,000 is the "fast engine".
        active_dml, active_ddl: Queries an account may have queued or running (Athena's default in
            most Regions).
        adaptive: Numbers of the metadata calls' limiter.
    """

    seed: int = 7
    latency_scale: float = 1.0
    quota_scale: float = 1.0
    schemas: int = 200
    tables: int = 50
    columns: int = 20
    giant_schemas: int = 0
    giant_tables: int = 10_000
    view_every: int = 20
    executions: int = 1_000
    workgroups: int = 1
    distinct_share: float = 0.0
    history_s: float = 86_400.0
    newest_age_s: float = 600.0
    rows_per_s: float = 545.0
    active_dml: int = 20
    active_ddl: int = 20
    adaptive: AdaptiveRate = field(default_factory=AdaptiveRate)
