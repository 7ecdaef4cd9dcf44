"""Cost of a run: calls, time at AWS's quotas, rough dollars. Arithmetic, no I/O."""

from __future__ import annotations

from kada_athena_async.estimate.sizes import HistorySize, SchemaSize
from kada_athena_async.estimate.variants import (
    Estimate,
    Recommendation,
    Variant,
    estimate,
)

__all__ = [
    "Estimate",
    "HistorySize",
    "Recommendation",
    "SchemaSize",
    "Variant",
    "estimate",
]
