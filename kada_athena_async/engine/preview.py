"""Preview of the next run and its cost: runs no query and writes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from kada_athena_async.choices import MetadataSourceName
from kada_athena_async.engine.connection import Connection
from kada_athena_async.engine.destination import Destination
from kada_athena_async.engine.ownership import origin_of
from kada_athena_async.engine.preflight import meet
from kada_athena_async.engine.size_sample import SizeSample
from kada_athena_async.estimate.sizes import HistorySize, SchemaKey, SchemaSize
from kada_athena_async.estimate.variants import Estimate, estimate
from kada_athena_async.files.threads import in_thread
from kada_athena_async.hwm import Window, WindowPlan
from kada_athena_async.hwm.store import Store
from kada_athena_async.inventory import Inventory
from kada_athena_async.manifest import newest_manifest
from kada_athena_async.plan import HistoryUnit, MetadataUnit, Plan, build_plan
from kada_athena_async.sources.strategy import (
    METADATA_SOURCES,
    with_metadata_source,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogPreview:
    """Part of one catalog that a run would read.

    Attributes:
        tables, views, columns: Roughly; ``origin`` says how they are known. Views are no tables.
        reason: Why it cannot be read; empty if it can.
    """

    name: str
    type: str | None
    schemas: int = 0
    tables: int = 0
    views: int = 0
    columns: int = 0
    origin: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkgroupPreview:
    """Part of one workgroup's history that a run would read.

    Attributes:
        executions: That belong to its window, roughly; ``origin`` says how they are known.
    """

    name: str
    start: datetime
    end: datetime
    executions: int
    origin: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanReport:
    """Preview of the next run.

    Attributes:
        start, end: The window; None if there is nothing to do.
        metadata_source: The configured one.
        estimate: None if there is nothing to do.
        calls_made: What it took to find out.
        notes: What to know: gaps, what could not be looked into.
    """

    name: str
    region: str
    metadata_source: str
    start: datetime | None = None
    end: datetime | None = None
    catalogs: tuple[CatalogPreview, ...] = ()
    workgroups: tuple[WorkgroupPreview, ...] = ()
    estimate: Estimate | None = None
    calls_made: Mapping[str, int] | None = None
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, object]:
        """The report as plain values; times are datetimes."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """Previews the next run over an open connection."""

    connection: Connection
    destination: Destination
    store: Store | None

    async def make(self, start: datetime | None, end: datetime | None) -> PlanReport:
        """Look at what exists and estimate what a run takes.

        Args:
            start, end: As for ``WindowPlanner``.

        Raises:
            ConfigError: A catalog, the bucket or the workgroup for our queries does not exist.
            StateError: The HWM cannot be used.
            UnitError: AWS cannot be reached.
        """
        config = self.connection.config
        await self.connection.check_bucket()
        before = dict(self.connection.client.log.calls)
        found = await meet(self.connection)
        name, account_id = self.destination.name, await self.connection.learn_account()
        planner, now = self.destination.planner(self.store), self.connection.settled_now()
        origin = origin_of(config, name, account_id)
        planner = replace(planner, origin=origin, start=start, end=end)
        asked, warned = await planner.requested_windows(now)
        report = PlanReport(name=name, region=config.region, metadata_source=config.metadata_source)
        notes = [message for _, message in (*found, *warned)]
        # As with `api`, so that schemas are not asked for by a statement. It refuses what is
        # misspelt, even where there is nothing to do now.
        by_api = with_metadata_source(config, "api")
        inventory = await replace(self.connection, config=by_api).discover("plan")
        if not asked:
            notes.append("the window is empty: all that is settled is extracted")
            return replace(report, notes=tuple(notes))

        if len(asked) > 1:
            windows = "; ".join(str(each.window) for each in asked)
            notes.append(f"a run for each of these windows, the estimate is of the last: {windows}")

        window_plan = await planner.plan(asked[-1], now)
        filled = await self._estimated(report, inventory, window_plan, before)
        return replace(filled, notes=(*notes, *filled.notes))

    async def _estimated(
        self,
        report: PlanReport,
        inventory: Inventory,
        window_plan: WindowPlan,
        before: Mapping[str, int],
    ) -> PlanReport:
        """*report* with what exists and what a run takes.

        Args:
            before: Operation -> calls made before the discovery.
        """
        config, window = self.connection.config, window_plan.window
        assert window is not None
        calls = self.connection.client.log.calls
        discovery = {
            name: made
            for name, count in calls.items()
            if name.startswith(("athena:", "glue:")) and (made := count - before.get(name, 0))
        }
        plans: dict[MetadataSourceName, Plan] = {
            name: build_plan(with_metadata_source(config, name), inventory, window_plan)
            for name in METADATA_SOURCES
        }
        at = self.destination
        last = await in_thread(lambda: newest_manifest(config.output_path, at.name, at.files))
        sample, by_api_plan = SizeSample(self.connection, last), plans["api"]
        schemas = await sample.schemas(by_api_plan)
        histories = await sample.histories(by_api_plan)
        tags = await sample.tag_calls(by_api_plan, schemas)
        return replace(
            report,
            start=window.start,
            end=window.end,
            catalogs=_catalogs(by_api_plan, schemas),
            workgroups=_workgroups(by_api_plan, histories, window),
            estimate=estimate(
                config,
                plans,
                discovery=discovery,
                schemas=schemas,
                histories=histories,
                tags=tags,
            ),
            calls_made=dict(sorted(calls.items())),
            notes=(*_notes(inventory, window_plan), *sample.problems),
        )


def _notes(inventory: Inventory, window_plan: WindowPlan) -> list[str]:
    """Sentences about what cannot be extracted."""
    gaps = [
        f"{gap.start:%Y-%m-%d %H:%M} to {gap.end:%Y-%m-%d %H:%M} cannot be extracted"
        for gap in window_plan.gaps.values()
    ]
    refused = inventory.workgroups_error
    return [*gaps, f"no history: {refused.message}"] if refused is not None else gaps


def _catalogs(plan: Plan, sizes: Mapping[SchemaKey, SchemaSize]) -> tuple[CatalogPreview, ...]:
    wanted: dict[str, list[SchemaSize]] = {}
    for unit in plan.units:
        if isinstance(unit, MetadataUnit):
            own = [sizes[unit.catalog.name, schema] for schema in unit.schemas]
            wanted.setdefault(unit.catalog.name, []).extend(own)

    return tuple(
        CatalogPreview(
            name=facts.name,
            type=facts.type,
            schemas=len(own := wanted.get(facts.name, [])),
            tables=sum(size.tables - size.views for size in own),
            views=sum(size.views for size in own),
            columns=sum(size.columns for size in own),
            origin=_origin([size.origin for size in own]),
            reason=facts.error.message if facts.error else "",
        )
        for facts in plan.inventory.catalogs
    )


def _workgroups(
    plan: Plan, sizes: Mapping[str, HistorySize], window: Window
) -> tuple[WorkgroupPreview, ...]:
    return tuple(
        WorkgroupPreview(
            name=unit.workgroup.name,
            start=unit.workgroup_window.window.start,
            end=window.end,
            executions=sizes[unit.workgroup.name].expected,
            origin=sizes[unit.workgroup.name].origin,
        )
        for unit in plan.units
        if isinstance(unit, HistoryUnit)
    )


def _origin(origins: list[str]) -> str:
    """The least certain of them."""
    for origin in ("guessed", "sampled", "last run", "counted"):
        if origin in origins:
            return origin

    return ""
