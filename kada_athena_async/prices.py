"""Rough dollars: list prices, rounded up, never a bill. Pure.

Prices are those of us-east-1 as third parties quoted them in November 2026; other Regions cost up
to twice as much. Look at aws.amazon.com/athena/pricing, /s3/pricing and /glue/pricing for yours.
"""

from __future__ import annotations

from collections.abc import Mapping

ATHENA_PRICE_SOURCE = "aws.amazon.com/athena/pricing"

ATHENA_USD_PER_TB = 5.0
"""Data scanned, on demand, in most Regions; capacity reservations are paid by the hour instead."""

MB_BYTES = 2**20
TB_BYTES = 2**40
"""As that page counts them: 1,024 gigabytes to a terabyte."""

ATHENA_LEAST_BYTES = 10 * MB_BYTES
"""What a query is charged at least, rounded up to whole megabytes. Whether one on
``information_schema``, which scans nothing, is charged at all AWS does not say: we assume it."""

S3_USD_PER_PUT = 0.005 / 1000
S3_USD_PER_GET = 0.0004 / 1000
"""Requests, storage class Standard (aws.amazon.com/s3/pricing)."""

S3_PUTS_PER_STATEMENT = 2
"""Athena writes a result and its metadata (Athena user guide, "Working with query results")."""

GLUE_USD_PER_REQUEST = 1.0 / 1_000_000
"""Beyond the first million a month, which is free (aws.amazon.com/glue/pricing). We assume that
others have used it up."""


def scanned_usd(billed_bytes: int) -> float:
    """What Athena takes for bytes that it charges."""
    return billed_bytes / TB_BYTES * ATHENA_USD_PER_TB


def statements_usd(statements: int) -> float:
    """What Athena takes for statements that scan nothing."""
    return scanned_usd(statements * ATHENA_LEAST_BYTES)


def requests_usd(calls: Mapping[str, int], *, statements: int) -> float:
    """What S3 and Glue take, at most. Athena's own API costs nothing.

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
