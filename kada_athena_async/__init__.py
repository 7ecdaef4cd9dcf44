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
    from kada_athena_async.engine import Extractor, Shared, SiteResult, SitesExtractor
    from kada_athena_async.engine.doctor import DoctorReport
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
    from kada_athena_async.report import ConnectionReport, RunReport, SiteReport, SitesReport

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

# Module -> the public names that it defines, loaded on first use: naming the package in an Airflow
# DAG file must not cost an import of aioboto3.
_HOMES = {
    name: f"{__name__}.{module}"
    for module, names in {
        "codes": "ExitCode WarningCode",
        "config": "Config ConfigFields Site load_config load_sites",
        "engine": "Extractor Shared SiteResult SitesExtractor",
        "engine.doctor": "DoctorReport",
        "engine.preview": "PlanReport",
        "errors": "AbortError AccessDeniedError CommitError ConfigError CredentialsError "
        "DeliveryError KadaAthenaError LockedError RetriesExhaustedError StateError "
        "UnitError",
        "events": "Event Observer",
        "fanout": "Fanout",
        "landing": "DeliveryReport",
        "records": "CatalogRecord ColumnRecord EventRecord FieldRecord LinkageRecord QueryRecord "
        "SchemaRecord TableRecord UserRecord ViewRecord",
        "report": "ConnectionReport RunReport SiteReport SitesReport",
    }.items()
    for name in names.split()
}

if not TYPE_CHECKING:  # so that type checkers still catch a misspelt name

    def __getattr__(name: str) -> object:
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

        return getattr(import_module(_HOMES[name]), name)

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
