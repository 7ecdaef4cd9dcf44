"""The engine: what a run is, from its lock to its report."""

from __future__ import annotations

from kada_athena_async.engine.connection import ConnectionReport
from kada_athena_async.engine.extractor import Extractor

__all__ = ["ConnectionReport", "Extractor"]
