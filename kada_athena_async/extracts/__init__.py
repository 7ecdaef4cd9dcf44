"""Extracts in sight, looked at again: what a run's manifest names, whole or not at all."""

from __future__ import annotations

from kada_athena_async.extracts.packages import Package, newest_packages

__all__ = ["Package", "newest_packages"]
