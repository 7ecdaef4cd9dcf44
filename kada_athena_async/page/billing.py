"""Billed bytes of an execution, as SQL for the database of the page.

The rules and their sources are those of ``prices.billed_bytes``.
"""

from __future__ import annotations

from kada_athena_async.prices import ATHENA_LEAST_BYTES, MB_BYTES, MS_PER_HOUR

BILLED_BYTES_SQL = f"""
    CASE
        WHEN status = 'FAILED' OR is_reused OR statement_type = 'DDL' THEN 0
        WHEN coalesce(dpu_count, 0) > 0 THEN 0
        WHEN coalesce(scanned_bytes, 0) = 0 AND (
            statement_type = 'UTILITY' OR substatement_type = 'EXPLAIN'
            OR (status = 'CANCELLED' AND engine_ms IS NULL)
        ) THEN 0
        ELSE greatest(ceil(coalesce(scanned_bytes, 0) / {MB_BYTES}) * {MB_BYTES},
            {ATHENA_LEAST_BYTES})
    END::BIGINT
"""
"""DuckDB's expression for the bytes that an execution is billed for."""

DPU_HOURS_SQL = f"coalesce(dpu_count, 0) * coalesce(engine_ms, 0) / {MS_PER_HOUR}"
"""DuckDB's expression for its DPU hours on a capacity reservation."""
