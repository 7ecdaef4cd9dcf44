"""Cost of a run: calls, time at AWS's quotas, rough dollars. Arithmetic, no I/O."""

from __future__ import annotations

from kada_athena_async.estimate.estimate import (
    SOURCES,
    Estimate,
    Recommendation,
    Source,
    Variant,
    estimate,
)
from kada_athena_async.estimate.sizes import HistorySize, SchemaSize

__all__ = [
    "SOURCES",
    "Estimate",
    "HistorySize",
    "Recommendation",
    "SchemaSize",
    "Source",
    "Variant",
    "estimate",
]
