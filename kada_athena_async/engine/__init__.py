"""The engine: what a run is, from its lock to its report."""

from __future__ import annotations

from kada_athena_async.engine.extractor import Extractor
from kada_athena_async.engine.shared import Shared
from kada_athena_async.engine.sites import SiteResult, SitesExtractor

__all__ = [
    "Extractor",
    "Shared",
    "SiteResult",
    "SitesExtractor",
]
