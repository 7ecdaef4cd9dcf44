"""Tries everything that a run needs, changes nothing, and says what is lost where it is missing."""

from __future__ import annotations

from kada_athena_async.engine.doctor.report import DoctorReport, Finding

__all__ = ["DoctorReport", "Finding"]
