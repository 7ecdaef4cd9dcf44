"""Billed bytes of an execution, as SQL for the database of the page."""

from __future__ import annotations

from kada_athena_async.prices import ATHENA_LEAST_BYTES, MB_BYTES

BILLED_BYTES_SQL = f"""
    CASE
        -- Failed statements, DDL and results that were used again cost nothing. Same page.
        WHEN status = 'FAILED' OR is_reused THEN 0
        WHEN statement_type IN ('DDL', 'UTILITY') THEN 0
        ELSE greatest(ceil(coalesce(scanned_bytes, 0) / {MB_BYTES}) * {MB_BYTES},
            {ATHENA_LEAST_BYTES})
    END::BIGINT
"""
"""DuckDB's expression for the bytes that an execution is billed for."""
