"""Executions by hour, day and workgroup; their cost and their failures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from kada_athena_async.page.warehouse import Warehouse
from kada_athena_async.prices import Prices

MAX_WORKGROUPS = 200
"""Workgroups in the tables; the rest is one row."""

MAX_CHARTED = 30
"""Workgroups in a chart; more rows cannot be read."""

MAX_FINGERPRINTS = 20
MAX_FAILURES = 40
MAX_SAMPLE_CHARS = 1_500

HOURLY_UP_TO = timedelta(days=3)
"""Up to this span the history is shown by the hour."""

OTHERS = "(all others)"

Mask = Callable[[str, str, str], str]
"""(SQL, statement type, substatement type) -> the SQL without literals."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkgroupFigures:
    """The executions of a workgroup; times in milliseconds, None where nobody says."""

    workgroup: str
    executions: int
    failed: int
    cancelled: int
    median_ms: float | None
    p95_ms: float | None
    scanned_bytes: int
    billed_bytes: int
    dpu_hours: float
    dollars: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FingerprintFigures:
    """The executions of statements that differ only in literals.

    Attributes:
        sample: One of them, masked, cut after ``MAX_SAMPLE_CHARS``.
    """

    fingerprint: str
    executions: int
    workgroups: tuple[str, ...]
    median_ms: float | None
    scanned_bytes: int
    billed_bytes: int
    last_at: datetime | None
    sample: str
    dollars: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureFigures:
    """The executions that ended in one way.

    Attributes:
        kind: The error's name, or the words with which its message begins.
        blamed: Whose fault it is by Athena's error category.
    """

    kind: str
    status: str
    blamed: str
    executions: int
    workgroups: int
    example: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryFigures:
    """The history in numbers.

    Attributes:
        hours: (workgroup, hour of the day in UTC, executions), for the busiest workgroups.
        periods: (begin in UTC, status, executions); an hour in short windows, a day in long ones.
        first_at, last_at: Bounds of what the extract holds; None if it holds nothing.
    """

    executions: int
    failed: int
    cancelled: int
    scanned_bytes: int
    billed_bytes: int
    first_at: datetime | None
    last_at: datetime | None
    workgroups: tuple[WorkgroupFigures, ...]
    workgroup_count: int
    hours: tuple[tuple[str, int, int], ...]
    period: Literal["hour", "day"]
    periods: tuple[tuple[datetime, str, int], ...]
    fingerprints: tuple[FingerprintFigures, ...]
    failures: tuple[FailureFigures, ...]
    prices: Prices
    dpu_hours: float

    @property
    def dollars(self) -> float:
        return self.prices.scanned_usd(self.billed_bytes)


_TOTALS = """
    SELECT count(*), count(*) FILTER (status = 'FAILED'), count(*) FILTER (status = 'CANCELLED'),
        coalesce(sum(scanned_bytes), 0)::BIGINT, coalesce(sum(billed_bytes), 0)::BIGINT,
        min(ended_at), max(ended_at), count(DISTINCT workgroup), coalesce(sum(dpu_hours), 0)
    FROM queries
"""

_RANKED = """
    CREATE TABLE ranked AS
    SELECT workgroup, row_number() OVER (ORDER BY count(*) DESC, workgroup) AS place
    FROM queries GROUP BY workgroup
"""

_WORKGROUPS = f"""
    SELECT CASE WHEN place <= {MAX_WORKGROUPS} THEN workgroup ELSE '{OTHERS}' END AS name,
        count(*) AS n, count(*) FILTER (status = 'FAILED'),
        count(*) FILTER (status = 'CANCELLED'),
        median(total_ms), quantile_cont(total_ms, 0.95),
        coalesce(sum(scanned_bytes), 0)::BIGINT, coalesce(sum(billed_bytes), 0)::BIGINT AS billed,
        sum(dpu_hours)
    FROM queries JOIN ranked USING (workgroup)
    GROUP BY name, place > {MAX_WORKGROUPS} ORDER BY billed DESC, n DESC, name
"""

_HOURS = f"""
    SELECT CASE WHEN place <= {MAX_CHARTED} THEN workgroup ELSE '{OTHERS}' END AS name,
        hour(ended_at) AS of_day, count(*)
    FROM queries JOIN ranked USING (workgroup) WHERE ended_at IS NOT NULL
    GROUP BY name, place > {MAX_CHARTED}, of_day ORDER BY min(place), of_day
"""

_PERIODS = """
    SELECT date_trunc(?, ended_at)::TIMESTAMP AS begin, status, count(*) FROM queries
    WHERE ended_at IS NOT NULL GROUP BY ALL ORDER BY ALL
"""

_FINGERPRINTS = f"""
    SELECT fingerprint, count(*) AS n, list_sort(list(DISTINCT workgroup)),
        median(total_ms), coalesce(sum(scanned_bytes), 0)::BIGINT AS scanned,
        sum(billed_bytes)::BIGINT AS billed, max(ended_at),
        arg_max(query_id, (coalesce(scanned_bytes, 0), query_id))
    FROM queries WHERE fingerprint IS NOT NULL
    GROUP BY fingerprint HAVING sum(billed_bytes) > 0
    ORDER BY billed DESC, n DESC, fingerprint LIMIT {MAX_FINGERPRINTS}
"""

# A message begins with the error's name, or with words that stay the same up to the first value.
_FAILURES = f"""
    SELECT coalesce(
            nullif(regexp_extract(message, '^([A-Z][A-Z0-9_]{{3,}})\\s*:', 1), ''),
            nullif(trim(regexp_extract(message, '^[^\\n?\'\'"`0-9.(:<{{}}]{{1,60}}')), ''),
            nullif(left(message, 60), ''),
            'no reason given') AS kind,
        status, max(error_category), count(*) AS n, count(DISTINCT workgroup), max(reason)
    FROM (
        SELECT *, regexp_replace(trim(reason), '^line [0-9]+:[0-9]+:\\s*', '') AS message
        FROM queries WHERE status IN ('FAILED', 'CANCELLED')
    )
    GROUP BY kind, status ORDER BY 4 DESC, 1, 2 LIMIT {MAX_FAILURES}
"""

# https://docs.aws.amazon.com/athena/latest/APIReference/API_AthenaError.html
_BLAMED = {1: "system", 2: "user", 3: "other"}


def history_figures(warehouse: Warehouse, mask: Mask, prices: Prices) -> HistoryFigures:
    """Count what the query history holds."""
    warehouse.run(_RANKED)
    executions, failed, cancelled, scanned, billed, first, last, groups, dpu_hours = warehouse.row(
        _TOTALS
    )
    is_short = first is None or last - first <= HOURLY_UP_TO
    period: Literal["hour", "day"] = "hour" if is_short else "day"
    return HistoryFigures(
        executions=executions,
        failed=failed,
        cancelled=cancelled,
        scanned_bytes=scanned,
        billed_bytes=billed,
        first_at=first,
        last_at=last,
        workgroup_count=groups,
        workgroups=tuple(
            WorkgroupFigures(
                workgroup=row[0],
                executions=row[1],
                failed=row[2],
                cancelled=row[3],
                median_ms=row[4],
                p95_ms=row[5],
                scanned_bytes=row[6],
                billed_bytes=row[7],
                dpu_hours=row[8],
                dollars=prices.scanned_usd(row[7]),
            )
            for row in warehouse.rows(_WORKGROUPS)
        ),
        hours=tuple((row[0], row[1], row[2]) for row in warehouse.rows(_HOURS)),
        period=period,
        periods=tuple((row[0], row[1], row[2]) for row in warehouse.rows(_PERIODS, period)),
        fingerprints=_fingerprints(warehouse, mask, prices),
        prices=prices,
        dpu_hours=dpu_hours,
        failures=tuple(
            FailureFigures(
                kind=row[0],
                status=row[1],
                blamed=_BLAMED.get(row[2], ""),
                executions=row[3],
                workgroups=row[4],
                example=row[5] or "",
            )
            for row in warehouse.rows(_FAILURES)
        ),
    )


def _fingerprints(
    warehouse: Warehouse, mask: Mask, prices: Prices
) -> tuple[FingerprintFigures, ...]:
    rows = warehouse.rows(_FINGERPRINTS)
    statements = warehouse.statements([row[7] for row in rows])
    return tuple(
        FingerprintFigures(
            fingerprint=row[0],
            executions=row[1],
            workgroups=tuple(row[2]),
            median_ms=row[3],
            scanned_bytes=row[4],
            billed_bytes=row[5],
            dollars=prices.scanned_usd(row[5]),
            last_at=row[6],
            sample=_cut(mask(*statements[row[7]])) if row[7] in statements else "",
        )
        for row in rows
    )


def _cut(text: str) -> str:
    if len(text) <= MAX_SAMPLE_CHARS:
        return text

    return f"{text[:MAX_SAMPLE_CHARS]}\n... ({len(text) - MAX_SAMPLE_CHARS:,} more characters)"
