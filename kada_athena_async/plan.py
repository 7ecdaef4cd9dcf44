"""Plan of a run: units of work in a fixed order; decided without any I/O."""

from __future__ import annotations

import hashlib
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Literal, TypeAlias

from kada_athena_async.concurrency import batches
from kada_athena_async.config import Config
from kada_athena_async.errors import ConfigError, Problem, UnitError, nearest_first
from kada_athena_async.hwm import WindowPlan, WorkgroupWindow
from kada_athena_async.hwm.run_state import OVERLAP
from kada_athena_async.hwm.window import LONGEST_QUERY
from kada_athena_async.inventory import CatalogFacts, Inventory, SystemTableFacts, WorkgroupFacts
from kada_athena_async.sources.strategy import history_source, metadata_source, user_source

INFORMATION_SCHEMA = "information_schema"


@dataclass(frozen=True, slots=True, kw_only=True)
class InventoryUnit:
    """Catalogs, schemas and users: what discovery found, written down."""

    unit_id: str = "estate"


@dataclass(frozen=True, slots=True, kw_only=True)
class MetadataUnit:
    """Tables, columns and views of some schemas of a catalog."""

    unit_id: str
    catalog: CatalogFacts
    schemas: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TagsUnit:
    """The tags that Lake Formation keeps of a catalog in Glue."""

    unit_id: str
    catalog: CatalogFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryUnit:
    """The executions of a workgroup in a window.

    Attributes:
        table: Athena's system table, if they are read from it; None for the API.
    """

    unit_id: str
    workgroup: WorkgroupFacts
    workgroup_window: WorkgroupWindow
    table: SystemTableFacts | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenUnit:
    """A catalog or workgroups that could not be listed.

    Attributes:
        scope: ``catalog`` or ``workgroup``.
        name: Its name; ``*`` for all workgroups.
        error: Why.
        is_expected: True if nobody asked for it by name and leaving it out loses nothing that
            Athena could give: a catalog that is not ready, a workgroup that holds no SQL.
    """

    unit_id: str
    scope: Literal["catalog", "workgroup"]
    name: str
    error: UnitError
    is_expected: bool = False


PRINCIPAL_EVENTS = "principal_events"
"""Id of the unit whose part is joined, and is not published itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PrincipalEventsUnit:
    """The events that say who started the executions of the window, read beside the history.

    Attributes:
        start, end: The time of the events: all executions of the window were submitted in it.
        table: Athena's system table, if it may be asked.
    """

    start: datetime
    end: datetime
    table: SystemTableFacts | None = None
    unit_id: str = PRINCIPAL_EVENTS


@dataclass(frozen=True, slots=True, kw_only=True)
class PrincipalsUnit:
    """The principals of the executions, joined from these events.

    Attributes:
        end: The window's end.
        unresolved: Executions of earlier runs that had no event: id -> when it was submitted.
        owed: Executions whose principals are left to other runs.
    """

    end: datetime
    unresolved: Mapping[str, datetime]
    owed: Container[str] = field(default=frozenset(), compare=False)
    unit_id: str = "principals"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeriveUnit:
    """Linkages and events, derived from what all other units extracted; goes last."""

    unit_id: str = "derive"


SourceUnit: TypeAlias = (
    InventoryUnit | MetadataUnit | TagsUnit | HistoryUnit | BrokenUnit | PrincipalEventsUnit
)
"""Units that read from AWS."""

DerivedUnit: TypeAlias = DeriveUnit | PrincipalsUnit
"""Units that read what the others wrote."""

ExtraUnit: TypeAlias = PrincipalEventsUnit | TagsUnit
"""Units whose absence is reported and never costs the run."""

Unit: TypeAlias = SourceUnit | DerivedUnit


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The units of a run over a window, in the order in which their parts are joined."""

    window_plan: WindowPlan
    inventory: Inventory
    units: tuple[Unit, ...]

    @property
    def digest(self) -> str:
        """Changes when the units do."""
        return _digest([unit.unit_id for unit in self.units])


def build_plan(
    config: Config,
    inventory: Inventory,
    window_plan: WindowPlan,
    table: SystemTableFacts | None = None,
) -> Plan:
    """Everything that *config* asks for of *inventory*, in a fixed order.

    Args:
        window_plan: The window and what the last run left; its window is not None.
        table: Athena's system table, if it may be read and reaches back far enough.
    """
    units: list[Unit] = [InventoryUnit()]
    for catalog in inventory.catalogs:
        units += _catalog_units(config, catalog)

    history = _history_units(config, inventory, window_plan, table)
    units += history
    principals = _principal_units(config, history, window_plan, table)
    units += principals[:1]
    units.append(DeriveUnit())
    units += principals[1:]
    return Plan(window_plan=window_plan, inventory=inventory, units=tuple(units))


def _catalog_units(config: Config, catalog: CatalogFacts) -> list[Unit]:
    if catalog.error is not None:
        is_unready = getattr(catalog.error, "code", "") == "NotReady" and "*" in config.catalogs
        broken = BrokenUnit(
            unit_id=f"catalog/{catalog.name}",
            scope="catalog",
            name=catalog.name,
            error=catalog.error,
            is_expected=is_unready,
        )
        return [broken]

    schemas = included_schemas(config, catalog)
    size = metadata_source(config).schemas_per_unit(
        len(schemas), query_slots=config.max_concurrent_queries
    )
    units: list[Unit] = [
        MetadataUnit(
            unit_id=f"metadata/{catalog.name}/{number:04d}-{_digest(batch)[:8]}",
            catalog=catalog,
            schemas=tuple(batch),
        )
        for number, batch in enumerate(batches(schemas, size), start=1)
    ]
    if config.lake_formation_tags and catalog.is_in_glue:
        units.append(TagsUnit(unit_id=f"tags/{catalog.name}", catalog=catalog))

    return units


def _history_units(
    config: Config, inventory: Inventory, window_plan: WindowPlan, table: SystemTableFacts | None
) -> list[Unit]:
    if inventory.workgroups_error is not None:
        broken = BrokenUnit(
            unit_id="history/*", scope="workgroup", name="*", error=inventory.workgroups_error
        )
        return [broken]

    table = table if history_source(config).asks_table else None
    overlap = OVERLAP if table is None else LONGEST_QUERY
    return [
        HistoryUnit(
            unit_id=f"history/{workgroup.name}",
            workgroup=workgroup,
            workgroup_window=replace(window_plan.of_workgroup(workgroup.name), overlap=overlap),
            table=table,
        )
        for workgroup in inventory.workgroups
        if not workgroup.is_spark and is_workgroup_included(config, workgroup.name)
    ]


def _principal_units(
    config: Config,
    history: Sequence[Unit],
    window_plan: WindowPlan,
    table: SystemTableFacts | None,
) -> list[Unit]:
    """Units that read principals: their events from the oldest execution of interest on."""
    windows = [unit.workgroup_window for unit in history if isinstance(unit, HistoryUnit)]
    if not user_source(config).is_asked or not windows:
        return []

    unresolved = window_plan.unresolved
    start = min(
        *unresolved.values(),
        *(each.listed_since for each in windows),
        *(since for each in windows for since in each.unfinished.values()),
        *([window_plan.principals_since] if window_plan.principals_since else []),
        max(each.window.end for each in windows),
    )
    end = max(each.window.end for each in windows)
    return [
        PrincipalEventsUnit(start=start, end=end, table=table),
        PrincipalsUnit(end=end, unresolved=unresolved, owed=window_plan.owed_principals),
    ]


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
    told = [p for p in matchless if is_meant_for(p, unknown) and is_meant_for(p, listed)]
    return [*_refuse_idle("include_schemas", "schema", patterns, idle, names), *told]


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


def _digest(names: Sequence[str]) -> str:
    # A name may hold any character but NUL.
    return hashlib.sha256("\0".join(names).encode("utf-8", "surrogatepass")).hexdigest()
