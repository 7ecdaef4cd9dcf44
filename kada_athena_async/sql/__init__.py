"""Statements: their kind, lineage and fingerprint, and the masking of their literals."""

from __future__ import annotations

from kada_athena_async.sql.fingerprints import fingerprint, fingerprint_of_masked
from kada_athena_async.sql.masking import SqlText, is_unmaskable, mask_sql, mask_text

__all__ = [
    "SqlText",
    "fingerprint",
    "fingerprint_of_masked",
    "is_unmaskable",
    "mask_sql",
    "mask_text",
]
