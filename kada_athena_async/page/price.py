"""What queries cost, roughly: AWS's list price for scanned bytes."""

from __future__ import annotations

DOLLARS_PER_TB = 5.0
"""US dollars for a terabyte scanned, on demand, in most regions; a few ask more, and capacity
reservations are paid by the hour instead. https://aws.amazon.com/athena/pricing/"""

PRICE_SOURCE = "aws.amazon.com/athena/pricing"

TB_BYTES = 2**40
"""A terabyte as AWS counts it; the same page counts 1,024 gigabytes to one."""

MB_BYTES = 2**20

MIN_BILLED_BYTES = 10 * MB_BYTES
"""Each query is billed for ten megabytes at least, rounded up to a whole one. Same page."""

BILLED_BYTES_SQL = f"""
    CASE
        -- Failed statements, DDL and results that were used again cost nothing. Same page.
        WHEN status = 'FAILED' OR is_reused THEN 0
        WHEN statement_type IN ('DDL', 'UTILITY') THEN 0
        ELSE greatest(ceil(coalesce(scanned_bytes, 0) / {MB_BYTES}) * {MB_BYTES},
            {MIN_BILLED_BYTES})
    END::BIGINT
"""
"""DuckDB's expression for the bytes that an execution is billed for."""


def dollars(billed_bytes: int) -> float:
    """What *billed_bytes* cost, in US dollars."""
    return billed_bytes / TB_BYTES * DOLLARS_PER_TB
