"""Rough dollars: list prices, rounded up, never a bill. Pure.

Athena's prices are AWS's price list of AmazonAthena, product family "Athena Queries", as third
parties published it in March and September 2026; a Region that they did not name counts as
us-east-1. The configuration may name better ones (``usd_per_tb``, ``usd_per_dpu_hour``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

DEFAULT_REGION = "us-east-1"

_USD_PER_TB: Mapping[str, float] = {
    "us-east-1": 5.0,
    "us-east-2": 5.0,
    "us-west-1": 6.75,
    "us-west-2": 5.0,
    "eu-west-1": 5.0,
    "eu-central-1": 5.0,
    "ap-southeast-1": 5.0,
    "ap-northeast-1": 5.0,
    "sa-east-1": 9.0,
}
"""Data scanned, on demand."""

_USD_PER_DPU_HOUR: Mapping[str, float] = {"us-east-1": 0.30}
"""Capacity reservations (AWS News Blog, "Introducing Athena Provisioned Capacity")."""

KB_BYTES = 2**10
MB_BYTES = KB_BYTES**2
TB_BYTES = KB_BYTES**4
"""A terabyte is 1,024 gigabytes wherever this package names one, as in AWS's pricing calculator;
so that dollars are the price times the terabytes that are shown."""

ATHENA_LEAST_BYTES = 10 * MB_BYTES
"""Bytes that a query is charged at least, rounded up to whole megabytes. Whether one on
``information_schema``, which scans nothing, is charged at all AWS does not say: we assume it."""

MS_PER_HOUR = 3_600_000

S3_USD_PER_PUT = 0.005 / 1000
S3_USD_PER_GET = 0.0004 / 1000
"""Requests, storage class Standard (aws.amazon.com/s3/pricing)."""

S3_PUTS_PER_STATEMENT = 2
"""Athena writes a result and its metadata (Athena user guide, "Working with query results")."""

GLUE_USD_PER_REQUEST = 1.0 / 1_000_000
"""Beyond the first million a month, which is free (aws.amazon.com/glue/pricing). We assume that
others have used it up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """Athena's prices of one Region, in US dollars.

    Attributes:
        tb_source, dpu_source: Where each price comes from, in words.
    """

    usd_per_tb: float
    usd_per_dpu_hour: float
    tb_source: str
    dpu_source: str

    def scanned_usd(self, billed_bytes: int) -> float:
        """The price of bytes that Athena charges."""
        return billed_bytes / TB_BYTES * self.usd_per_tb


def prices_of(
    region: str, *, usd_per_tb: float | None = None, usd_per_dpu_hour: float | None = None
) -> Prices:
    """The prices of *region*: those given, else those known, else those of us-east-1.

    Args:
        region: Empty where it is not known.
    """
    tb, tb_source = _price(_USD_PER_TB, region, usd_per_tb)
    dpu, dpu_source = _price(_USD_PER_DPU_HOUR, region, usd_per_dpu_hour)
    return Prices(usd_per_tb=tb, usd_per_dpu_hour=dpu, tb_source=tb_source, dpu_source=dpu_source)


def _price(table: Mapping[str, float], region: str, given: float | None) -> tuple[float, str]:
    if given is not None:
        return given, "as configured"

    if region in table:
        return table[region], f"list price of {region}"

    whose = f"that of {region}" if region else "the Region"
    return table[DEFAULT_REGION], f"list price of {DEFAULT_REGION}, as {whose} is not known here"


def billed_bytes(
    *,
    status: str,
    statement_type: str | None,
    substatement_type: str | None,
    scanned_bytes: int | None,
    is_reused: bool,
    dpu_count: float | None,
    engine_ms: int | None,
) -> int:
    """The bytes of a finished execution that Athena charges for.

    Successful and cancelled queries are charged, 10 MB at least; failed ones, DDL, reused results
    and what runs on a capacity reservation are not (AWS's price list and pricing page). CREATE
    TABLE AS SELECT, which Athena may call DDL, scans as a query does, and is charged. Of the
    UTILITY statements only EXPLAIN ANALYZE scans data, and is charged for it (Athena user guide,
    "Using EXPLAIN and EXPLAIN ANALYZE"); by Athena's type it may be DML too.

    Args:
        engine_ms: None or 0 for one that was cancelled while it waited, and never ran.
    """
    is_ddl = statement_type == "DDL" and substatement_type != "CREATE_TABLE_AS_SELECT"
    if status == "FAILED" or is_reused or is_ddl or (dpu_count or 0) > 0:
        return 0

    is_utility = statement_type == "UTILITY" or substatement_type == "EXPLAIN"
    never_ran = status == "CANCELLED" and not engine_ms
    if not scanned_bytes and (is_utility or never_ran):
        return 0

    return max(-(-(scanned_bytes or 0) // MB_BYTES) * MB_BYTES, ATHENA_LEAST_BYTES)


def dpu_hours(dpu_count: float | None, engine_ms: int | None) -> float:
    """The hours of DPUs that an execution took on a capacity reservation."""
    return (dpu_count or 0.0) * (engine_ms or 0) / MS_PER_HOUR


def statements_usd(statements: int, prices: Prices) -> float:
    """Price of statements that scan nothing, US dollars."""
    return prices.scanned_usd(statements * ATHENA_LEAST_BYTES)


def requests_usd(calls: Mapping[str, int], *, statements: int) -> float:
    """Price of calls to S3 and Glue at most, US dollars. Athena's own API costs nothing.

    Args:
        calls: Operation -> calls.
        statements: Those whose results Athena writes, and reads for GetQueryResults.
    """
    gets = sum(count for name, count in calls.items() if name.startswith("s3:"))
    gets += calls.get("athena:GetQueryResults", 0)
    glue = sum(count for name, count in calls.items() if name.startswith("glue:"))
    # Athena's metadata calls are Glue's behind the scenes.
    glue += sum(calls.get(name, 0) for name in ("athena:ListDatabases", "athena:ListTableMetadata"))
    return (
        statements * S3_PUTS_PER_STATEMENT * S3_USD_PER_PUT
        + gets * S3_USD_PER_GET
        + glue * GLUE_USD_PER_REQUEST
    )
