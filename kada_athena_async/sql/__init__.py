"""Statements: their kind, lineage and fingerprint, and the masking of their literals.

A name loads its module when it is asked for: a worker that parses loads nothing of masking.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kada_athena_async.sql.fingerprints import fingerprint
    from kada_athena_async.sql.masking import mask_sql, mask_text

__all__ = ["fingerprint", "mask_sql", "mask_text"]

_MODULES = {"fingerprint": "fingerprints", "mask_sql": "masking", "mask_text": "masking"}

if not TYPE_CHECKING:  # so that type checkers still catch a misspelt name

    def __getattr__(name: str) -> object:
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

        return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
