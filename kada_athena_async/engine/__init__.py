"""The engine: what a run is, from its lock to its report."""

from __future__ import annotations

from kada_athena_async.engine.doctor import DoctorReport
from kada_athena_async.engine.extractor import Extractor
from kada_athena_async.engine.shared import Shared
from kada_athena_async.engine.sites import SiteResult, SitesExtractor
from kada_athena_async.report import ConnectionReport

__all__ = [
    "ConnectionReport",
    "DoctorReport",
    "Extractor",
    "Shared",
    "SiteResult",
    "SitesExtractor",
]
