"""Catalogs, schemas and workgroups that the patterns of a configuration include; without I/O."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

from kada_athena_async.config import Config
from kada_athena_async.errors import ConfigError, Problem, nearest_first
from kada_athena_async.inventory import CatalogFacts, Inventory
from kada_athena_async.sources.strategy import metadata_source

INFORMATION_SCHEMA = "information_schema"


def included_schemas(config: Config, catalog: CatalogFacts) -> list[str]:
    """Names of the schemas of *catalog* that are extracted, in its order."""
    return [s.name for s in catalog.schemas if is_schema_included(config, catalog.name, s.name)]


def is_schema_included(config: Config, catalog: str, schema: str) -> bool:
    """True if a schema is extracted: ``information_schema`` never, the others by the patterns."""
    name = f"{catalog}.{schema}".lower()
    return (
        schema.lower() != INFORMATION_SCHEMA
        and _matches(name, config.include_schemas)
        and not _matches(name, config.exclude_schemas)
    )


def is_workgroup_included(config: Config, workgroup: str) -> bool:
    """True if a workgroup's history is extracted; names of workgroups have a case."""
    return any(fnmatchcase(workgroup, p) for p in config.workgroups) and not any(
        fnmatchcase(workgroup, p) for p in config.exclude_workgroups
    )


def check_own_workgroup(config: Config, inventory: Inventory) -> None:
    """Refuse a workgroup in which our own statements cannot run.

    Raises:
        ConfigError: It is unknown, disabled, or Spark's.
    """
    if not metadata_source(config).asks_sql or inventory.workgroups_error is not None:
        return

    known = {workgroup.name: workgroup for workgroup in inventory.workgroups}
    workgroup = known.get(config.workgroup)
    remedy = ""
    if workgroup is None:
        usable = [w.name for w in known.values() if not w.is_spark and w.state != "DISABLED"]
        remedy = f"there is no such workgroup; name one of {', '.join(usable)}"
    elif workgroup.is_spark:
        remedy = "is a Spark workgroup, which runs no SQL; name another"
    elif workgroup.state == "DISABLED":
        remedy = "is disabled; enable it or name another"

    if remedy:
        raise ConfigError([Problem("workgroup", repr(config.workgroup), remedy)])


def check_workgroups(config: Config, names: Sequence[str]) -> list[str]:
    """Refuse ``workgroups`` that are not there; returns the patterns that match none besides.

    Args:
        names: All workgroups.

    Raises:
        ConfigError: A name is not there, or no pattern matches.
    """
    idle = [p for p in config.workgroups if not any(fnmatchcase(name, p) for name in names)]
    return _refuse_idle("workgroups", "workgroup", config.workgroups, idle, names)


def check_schemas(config: Config, catalogs: Sequence[CatalogFacts]) -> list[str]:
    """Refuse ``include_schemas`` that are not there; returns the patterns that match none besides.

    A pattern that may be meant for a catalog that could not be listed is not refused.

    Raises:
        ConfigError: A schema is not there, or no pattern matches.
    """
    names = [
        f"{c.name}.{s.name}"
        for c in catalogs
        for s in c.schemas
        if s.name.lower() != INFORMATION_SCHEMA
    ]
    unknown = [c.name.lower() for c in catalogs if c.error is not None or c.unreadable]
    listed = {name.lower().partition(".")[0] for name in names}
    lowered = [name.lower() for name in names]

    def is_meant_for(pattern: str, catalogs: Iterable[str]) -> bool:
        wanted = pattern.lower().partition(".")[0]
        return any(fnmatchcase(name, wanted) for name in catalogs)

    patterns = config.include_schemas
    matchless = [p for p in patterns if not any(_matches(name, [p]) for name in lowered)]
    idle = [pattern for pattern in matchless if not is_meant_for(pattern, unknown)]
    unmatched = [p for p in matchless if is_meant_for(p, unknown) and is_meant_for(p, listed)]
    return [*_refuse_idle("include_schemas", "schema", patterns, idle, names), *unmatched]


def _refuse_idle(
    key: str, noun: str, patterns: Sequence[str], idle: Sequence[str], names: Sequence[str]
) -> list[str]:
    """Raise for the patterns of *idle* that cannot be meant; return the others."""
    plain = [pattern for pattern in idle if not set(pattern) & set("*?[")]
    # A pattern may match nothing yet, but not all of them where there is something.
    refused = list(idle) if names and len(idle) == len(patterns) else plain
    if refused:
        raise ConfigError(
            [
                Problem(key, repr(p), f"no {noun} matches; there are: {nearest_first(p, names)}")
                for p in refused
            ]
        )

    return list(idle) if names else []


def _matches(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(name, pattern.lower()) for pattern in patterns)
