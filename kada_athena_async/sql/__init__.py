"""What the statements say, and what must not be said of them."""

from __future__ import annotations

from kada_athena_async.sql.fingerprint import fingerprint
from kada_athena_async.sql.masking import is_unmaskable, mask_sql, mask_text

__all__ = ["fingerprint", "is_unmaskable", "mask_sql", "mask_text"]
