"""Extracts AWS Athena's metadata and query history: fast, crash-safe, with least privilege.

``async with Extractor(config) as extractor: report = await extractor.run()``
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from kada_athena_async.version import __version__

if TYPE_CHECKING:
    from kada_athena_async.config import Config, Site, load_config, load_sites
    from kada_athena_async.engine import ConnectionReport, Extractor, Shared, SitesExtractor
    from kada_athena_async.errors import (
        AbortError,
        ConfigError,
        DeliveryError,
        KadaAthenaError,
    )
    from kada_athena_async.events import Event, Observer
    from kada_athena_async.report import RunReport, SitesReport

__all__ = [
    "AbortError",
    "Config",
    "ConfigError",
    "ConnectionReport",
    "DeliveryError",
    "Event",
    "Extractor",
    "KadaAthenaError",
    "Observer",
    "RunReport",
    "Shared",
    "Site",
    "SitesExtractor",
    "SitesReport",
    "__version__",
    "load_config",
    "load_sites",
]

# Public name -> the module that defines it, loaded on first use: naming the package in an
# Airflow DAG file must not cost an import of aioboto3.
_HOMES = {
    "AbortError": "kada_athena_async.errors",
    "Config": "kada_athena_async.config",
    "ConfigError": "kada_athena_async.errors",
    "ConnectionReport": "kada_athena_async.engine",
    "DeliveryError": "kada_athena_async.errors",
    "Event": "kada_athena_async.events",
    "Extractor": "kada_athena_async.engine",
    "KadaAthenaError": "kada_athena_async.errors",
    "Observer": "kada_athena_async.events",
    "RunReport": "kada_athena_async.report",
    "Shared": "kada_athena_async.engine",
    "Site": "kada_athena_async.config",
    "SitesExtractor": "kada_athena_async.engine",
    "SitesReport": "kada_athena_async.report",
    "load_config": "kada_athena_async.config",
    "load_sites": "kada_athena_async.config",
}

if not TYPE_CHECKING:  # so that type checkers still catch a misspelt name

    def __getattr__(name: str) -> object:
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

        return getattr(import_module(_HOMES[name]), name)
