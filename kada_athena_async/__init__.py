"""Extracts AWS Athena's metadata and query history: fast, crash-safe, with least privilege.

``async with Extractor(config) as extractor: report = await extractor.run()``
"""

from __future__ import annotations

from importlib import import_module

from kada_athena_async.version import __version__

TYPE_CHECKING = False  # type checkers take it for true by its name; typing is slow to import

if TYPE_CHECKING:
    from kada_athena_async.codes import ExitCode, WarningCode
    from kada_athena_async.config import Config, ConfigFields, Site, load_config, load_sites
    from kada_athena_async.engine import (
        ConnectionReport,
        DoctorReport,
        Extractor,
        Shared,
        SiteResult,
        SitesExtractor,
    )
    from kada_athena_async.engine.preview import PlanReport
    from kada_athena_async.errors import (
        AbortError,
        AccessDeniedError,
        CommitError,
        ConfigError,
        CredentialsError,
        DeliveryError,
        KadaAthenaError,
        LockedError,
        RetriesExhaustedError,
        StateError,
        UnitError,
    )
    from kada_athena_async.events import Event, Observer
    from kada_athena_async.fanout import Fanout
    from kada_athena_async.landing import DeliveryReport
    from kada_athena_async.records import (
        CatalogRecord,
        ColumnRecord,
        EventRecord,
        FieldRecord,
        LinkageRecord,
        QueryRecord,
        SchemaRecord,
        TableRecord,
        UserRecord,
        ViewRecord,
    )
    from kada_athena_async.report import RunReport, SiteReport, SitesReport

__all__ = [
    "AbortError",
    "AccessDeniedError",
    "CatalogRecord",
    "ColumnRecord",
    "CommitError",
    "Config",
    "ConfigError",
    "ConfigFields",
    "ConnectionReport",
    "CredentialsError",
    "DeliveryError",
    "DeliveryReport",
    "DoctorReport",
    "Event",
    "EventRecord",
    "ExitCode",
    "Extractor",
    "Fanout",
    "FieldRecord",
    "KadaAthenaError",
    "LinkageRecord",
    "LockedError",
    "Observer",
    "PlanReport",
    "QueryRecord",
    "RetriesExhaustedError",
    "RunReport",
    "SchemaRecord",
    "Shared",
    "Site",
    "SiteReport",
    "SiteResult",
    "SitesExtractor",
    "SitesReport",
    "StateError",
    "TableRecord",
    "UnitError",
    "UserRecord",
    "ViewRecord",
    "WarningCode",
    "__version__",
    "load_config",
    "load_sites",
]

# Public name -> the module that defines it, loaded on first use: naming the package in an
# Airflow DAG file must not cost an import of aioboto3.
_HOMES = {
    "AbortError": "kada_athena_async.errors",
    "AccessDeniedError": "kada_athena_async.errors",
    "CatalogRecord": "kada_athena_async.records",
    "ColumnRecord": "kada_athena_async.records",
    "CommitError": "kada_athena_async.errors",
    "Config": "kada_athena_async.config",
    "ConfigError": "kada_athena_async.errors",
    "ConfigFields": "kada_athena_async.config",
    "ConnectionReport": "kada_athena_async.engine",
    "CredentialsError": "kada_athena_async.errors",
    "DeliveryError": "kada_athena_async.errors",
    "DeliveryReport": "kada_athena_async.landing",
    "DoctorReport": "kada_athena_async.engine",
    "Event": "kada_athena_async.events",
    "EventRecord": "kada_athena_async.records",
    "FieldRecord": "kada_athena_async.records",
    "ExitCode": "kada_athena_async.codes",
    "Extractor": "kada_athena_async.engine",
    "Fanout": "kada_athena_async.fanout",
    "KadaAthenaError": "kada_athena_async.errors",
    "LinkageRecord": "kada_athena_async.records",
    "LockedError": "kada_athena_async.errors",
    "Observer": "kada_athena_async.events",
    "PlanReport": "kada_athena_async.engine.preview",
    "QueryRecord": "kada_athena_async.records",
    "RetriesExhaustedError": "kada_athena_async.errors",
    "RunReport": "kada_athena_async.report",
    "SchemaRecord": "kada_athena_async.records",
    "Shared": "kada_athena_async.engine",
    "Site": "kada_athena_async.config",
    "SiteReport": "kada_athena_async.report",
    "SiteResult": "kada_athena_async.engine",
    "SitesExtractor": "kada_athena_async.engine",
    "SitesReport": "kada_athena_async.report",
    "StateError": "kada_athena_async.errors",
    "TableRecord": "kada_athena_async.records",
    "UnitError": "kada_athena_async.errors",
    "UserRecord": "kada_athena_async.records",
    "ViewRecord": "kada_athena_async.records",
    "WarningCode": "kada_athena_async.codes",
    "load_config": "kada_athena_async.config",
    "load_sites": "kada_athena_async.config",
}

if not TYPE_CHECKING:  # so that type checkers still catch a misspelt name

    def __getattr__(name: str) -> object:
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

        return getattr(import_module(_HOMES[name]), name)

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
