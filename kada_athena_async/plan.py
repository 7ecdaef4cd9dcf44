"""Plan of a run: units of work in a fixed order; decided without any I/O."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import ClassVar, Literal, TypeAlias

from kada_athena_async.codes import WarningCode
from kada_athena_async.concurrency import batches
from kada_athena_async.config import Config
from kada_athena_async.errors import UnitError
from kada_athena_async.filters import included_schemas, is_workgroup_included
from kada_athena_async.hwm import WindowPlan, WorkgroupWindow
from kada_athena_async.hwm.run_state import OVERLAP
from kada_athena_async.hwm.window import LONGEST_QUERY
from kada_athena_async.inventory import CatalogFacts, Inventory, SystemTableFacts, WorkgroupFacts
from kada_athena_async.scopes import Scope
from kada_athena_async.sources.strategy import history_source, metadata_source, user_source

Scopes: TypeAlias = "tuple[tuple[Scope, tuple[str, ...]], ...]"
"""Kinds and names of scopes, such as ``("workgroup", ("primary",))``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Unit:
    unit_id: str

    @property
    def scopes(self) -> Scopes:
        """Scopes that are incomplete without the unit."""
        return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class InventoryUnit(_Unit):
    """Catalogs, schemas and users: what discovery found, written down."""

    unit_id: str = "estate"


@dataclass(frozen=True, slots=True, kw_only=True)
class MetadataUnit(_Unit):
    """Tables, columns and views of some schemas of a catalog."""

    catalog: CatalogFacts
    schemas: tuple[str, ...]

    @property
    def scopes(self) -> Scopes:
        return tuple(("schema", (self.catalog.name, schema)) for schema in self.schemas)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtraUnit(_Unit, ABC):
    """A unit whose absence is reported and never costs the run; its scopes stay complete.

    Attributes:
        warning: Code of the warning that it is left out.
    """

    warning: ClassVar[WarningCode]

    @property
    @abstractmethod
    def lost(self) -> str:
        """The extracts without the unit, for the warning and the remark in the manifest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TagsUnit(ExtraUnit):
    """The tags that Lake Formation keeps of a catalog in Glue."""

    catalog: CatalogFacts
    warning = WarningCode.TAGS_MISSING

    @property
    def lost(self) -> str:
        return f"the LF-tags of catalog {self.catalog.name} are left out"

    @property
    def scopes(self) -> Scopes:
        return (("catalog", (self.catalog.name,)),)


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryUnit(_Unit):
    """The executions of a workgroup in a window.

    Attributes:
        table: Athena's system table, if they are read from it; None for the API.
    """

    workgroup: WorkgroupFacts
    workgroup_window: WorkgroupWindow
    table: SystemTableFacts | None = None

    @property
    def scopes(self) -> Scopes:
        return (("workgroup", (self.workgroup.name,)),)


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenUnit(_Unit):
    """A catalog or workgroups that could not be listed.

    Attributes:
        scope: ``catalog`` or ``workgroup``.
        name: Its name; ``*`` for all workgroups.
        error: Why.
        is_expected: True if nobody asked for it by name and leaving it out loses nothing that
            Athena could give: a catalog that is not ready, a workgroup that holds no SQL.
    """

    scope: Literal["catalog", "workgroup"]
    name: str
    error: UnitError
    is_expected: bool = False

    @property
    def scopes(self) -> Scopes:
        return ((self.scope, (self.name,)),)


PRINCIPAL_EVENTS = "principal_events"
"""Id of the unit whose part is joined, and is not published itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PrincipalEventsUnit(ExtraUnit):
    """The events that say who started the executions of the window, read beside the history.

    Attributes:
        start, end: The time of the events: all executions of the window were submitted in it.
        table: Athena's system table, if it may be asked.
    """

    start: datetime
    end: datetime
    table: SystemTableFacts | None = None
    unit_id: str = PRINCIPAL_EVENTS
    warning = WarningCode.PRINCIPALS_MISSING

    @property
    def lost(self) -> str:
        return "no source says who ran the queries"


@dataclass(frozen=True, slots=True, kw_only=True)
class PrincipalsUnit(_Unit):
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
class DeriveUnit(_Unit):
    """Linkages and events, derived from what all other units extracted; goes last."""

    unit_id: str = "derive"


SourceUnit: TypeAlias = (
    InventoryUnit | MetadataUnit | TagsUnit | HistoryUnit | BrokenUnit | PrincipalEventsUnit
)
"""Units that read from AWS."""

DerivedUnit: TypeAlias = DeriveUnit | PrincipalsUnit
"""Units that read what the others wrote."""

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
    window_plan = window_plan.naming([workgroup.name for workgroup in inventory.workgroups])
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
    return [
        _history_unit(workgroup, window_plan, table)
        for workgroup in inventory.workgroups
        if not workgroup.is_spark and is_workgroup_included(config, workgroup.name)
    ]


def _history_unit(
    workgroup: WorkgroupFacts, window_plan: WindowPlan, table: SystemTableFacts | None
) -> HistoryUnit:
    """By the table unless the workgroup's own window begins before it, and the API has more."""
    own = window_plan.of_workgroup(workgroup.name)
    if table is not None and not table.reaches(max(own.window.start, window_plan.kept_since)):
        table = None

    return HistoryUnit(
        unit_id=f"history/{workgroup.name}",
        workgroup=workgroup,
        workgroup_window=replace(own, overlap=OVERLAP if table is None else LONGEST_QUERY),
        table=table,
    )


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
        *([window_plan.principals.since] if window_plan.principals.since else []),
        max(each.window.end for each in windows),
    )
    end = max(each.window.end for each in windows)
    return [
        PrincipalEventsUnit(start=start, end=end, table=table),
        PrincipalsUnit(end=end, unresolved=unresolved, owed=frozenset(window_plan.principals.owed)),
    ]


def _digest(names: Sequence[str]) -> str:
    # A name may hold any character but NUL.
    return hashlib.sha256("\0".join(names).encode("utf-8", "surrogatepass")).hexdigest()
