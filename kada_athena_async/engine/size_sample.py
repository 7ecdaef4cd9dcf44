"""Learns roughly how large an estate is with few calls: from the last run, or from some pages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from kada_athena_async.aws.athena import BATCH_MAX
from kada_athena_async.aws.decode import DECODED
from kada_athena_async.aws.pages import (
    LIST_EXECUTIONS,
    LIST_LF_TAGS,
    SEARCH_DATABASES,
    SEARCH_TABLES,
    pages,
)
from kada_athena_async.aws.wire import ExecutionBatch, moment
from kada_athena_async.concurrency import batches, map_bounded
from kada_athena_async.engine.connection import Connection
from kada_athena_async.errors import UnitError
from kada_athena_async.estimate.calls import tag_calls
from kada_athena_async.estimate.sizes import (
    HistorySample,
    HistorySize,
    SchemaKey,
    SchemaSize,
    fill_schemas,
    history_of_run,
    history_of_sample,
)
from kada_athena_async.manifest import Manifest, PublishedPackage
from kada_athena_async.plan import HistoryUnit, MetadataUnit, Plan, TagsUnit
from kada_athena_async.sources.catalog_columns import columns_of
from kada_athena_async.sources.lake_formation import LakeFormationTags
from kada_athena_async.sources.listing import Listing, api_tables

SCHEMAS_SAMPLED = 100
PAGES_SAMPLED = 200
"""Schemas looked into, and pages of tables read for it: some seconds of the quota."""

HISTORY_PAGES = 40
"""Pages of history read: eight seconds of the five list calls a second."""

WINDOW_LEAST = timedelta(hours=12)
"""A last run over less time says little of a day."""

AT_ONCE = 4

_LEAST_FULL = 50
"""A page of fewer tables is the last one, whichever API gave it."""

_ItemT = TypeVar("_ItemT")


@dataclass(slots=True)
class SizeSample:
    """Measures what a plan is about.

    Args:
        last: The last run's manifest, if there is one.

    Attributes:
        problems: What could not be looked into, and why.
    """

    connection: Connection
    last: PublishedPackage[Manifest] | None
    problems: list[str] = field(default_factory=list)
    _pages_left: int = PAGES_SAMPLED

    async def schemas(self, plan: Plan) -> dict[SchemaKey, SchemaSize]:
        """Every schema's size: of the last run, else of a sample.

        Raises:
            AbortError: AWS cannot be asked at all.
        """
        units = [unit for unit in plan.units if isinstance(unit, MetadataUnit)]
        catalogs = {unit.catalog.name: unit.catalog for unit in units}
        keys = [(unit.catalog.name, schema) for unit in units for schema in unit.schemas]
        known = {key: size for key, size in self._last_schemas().items() if key in set(keys)}
        sample = _spread([key for key in keys if key not in known], SCHEMAS_SAMPLED)
        self._pages_left = PAGES_SAMPLED - len(sample)
        client = self.connection.client
        listings = {
            name: Listing(catalog=name, sources=api_tables(client, facts))
            for name, facts in catalogs.items()
        }

        async def measure(key: SchemaKey) -> None:
            size = await self._measure(listings[key[0]], key)
            if size is not None:
                known[key] = size

        await map_bounded(measure, sample, limit=AT_ONCE)
        return fill_schemas(keys, known)

    def _last_schemas(self) -> dict[SchemaKey, SchemaSize]:
        if self.last is None:
            return {}

        found = {}
        for scope in self.last.manifest.facts.completeness:
            if scope.scope == "schema" and scope.outcome in ("complete", "partial"):
                tables, views = scope.counts.get("tables", 0), scope.counts.get("views", 0)
                found[scope.name[0], scope.name[1]] = SchemaSize(
                    tables=tables + views,
                    views=views,
                    columns=scope.counts.get("columns", 0),
                    origin="last run",
                )

        return found

    async def _measure(self, listing: Listing, key: SchemaKey) -> SchemaSize | None:
        tables = views = columns = 0
        is_whole = True
        try:
            async with aclosing(listing.pages(key[1])) as pages:
                async for page in pages:
                    tables += len(page.tables)
                    views += sum(table.is_view for table in page.tables)
                    columns += sum(len(columns_of(table).names) for table in page.tables)
                    if page.is_last:
                        break

                    is_full = len(page.tables) >= _LEAST_FULL
                    if is_full and self._pages_left <= 0:
                        is_whole = False
                        break

                    self._pages_left -= is_full
        except UnitError as exc:
            self.problems.append(f"{key[0]}.{key[1]}: {exc.message}")
            return None

        # The number of further pages is unknown: as much again is a guess.
        factor = 1 if is_whole else 2
        return SchemaSize(
            tables=tables * factor,
            views=views * factor,
            columns=columns * factor,
            origin="counted" if is_whole else "guessed",
        )

    async def histories(self, plan: Plan) -> dict[str, HistorySize]:
        """Every workgroup's history: one page counts a small one, the last run of the others.

        Raises:
            AbortError: AWS cannot be asked at all.
        """
        now = self.connection.clock.now()
        units = {u.workgroup.name: u for u in plan.units if isinstance(u, HistoryUnit)}
        found = self._last_histories(units, now)
        listed = {name: HistorySample() for name in _spread(list(units), HISTORY_PAGES)}
        await self._list(listed, most=1)
        open_ = {
            name: one
            for name, one in listed.items()
            if one.token and one.oldest and one.oldest > units[name].workgroup_window.listed_since
        }
        # Of a busy one the last run knows more than some pages of it.
        for name in open_.keys() & found.keys():
            del open_[name], listed[name]

        if open_:
            await self._list(open_, most=max(1, (HISTORY_PAGES - len(listed)) // len(open_)))

        for name, one in listed.items():
            if one.error:
                self.problems.append(one.error)

            found[name] = history_of_sample(one, units[name].workgroup_window, now)

        return {name: found.get(name) or _mean(found, listed) for name in units}

    async def tag_calls(
        self, plan: Plan, sizes: Mapping[SchemaKey, SchemaSize]
    ) -> Mapping[str, int]:
        """Calls that reading the tags takes: as many as last time, else at most.

        Raises:
            AbortError: AWS cannot be asked at all.
        """
        units = [unit for unit in plan.units if isinstance(unit, TagsUnit)]
        if not units:
            return {}

        last = self.last.manifest.facts.calls if self.last else {}
        if SEARCH_TABLES.name in last:
            names = (LIST_LF_TAGS.name, SEARCH_DATABASES.name, SEARCH_TABLES.name)
            return {name: last.get(name, 0) for name in names}

        first = units[0].catalog
        try:
            tags = LakeFormationTags(self.connection.client, first.name, first.catalog_id)
            searches = Counter(search.key for search in await tags.expressions())
        except UnitError as exc:
            self.problems.append(exc.message)
            return {LIST_LF_TAGS.name: len(units)}

        tables: Counter[str] = Counter()
        for (catalog, _), size in sizes.items():
            tables[catalog] += size.tables

        return tag_calls(searches, [tables[unit.catalog.name] for unit in units])

    def _last_histories(
        self, units: Mapping[str, HistoryUnit], now: datetime
    ) -> dict[str, HistorySize]:
        if self.last is None:
            return {}

        manifest = self.last.manifest
        window = manifest.end - manifest.start
        if window < WINDOW_LEAST:
            return {}

        return {
            name: history_of_run(
                counts.get("emitted", 0), window, units[name].workgroup_window, now
            )
            for name, counts in manifest.facts.history.items()
            if name in units
        }

    async def _list(self, wanted: Mapping[str, HistorySample], *, most: int) -> None:
        """List at most *most* pages more of each workgroup; see how old the last execution is."""

        async def read(name: str, listed: HistorySample) -> None:
            listing = pages(
                self.connection.client,
                LIST_EXECUTIONS,
                scope=f"workgroup {name}",
                token=listed.token,
                rescans=0,
                WorkGroup=name,
            )
            async with aclosing(listing) as found:
                for _ in range(most):
                    page = await anext(found)
                    listed.ids += len(page.items)
                    listed.last_id = page.items[-1] if page.items else listed.last_id
                    listed.token = page.next_token
                    if not listed.token:
                        return

        async def try_to_read(item: tuple[str, HistorySample]) -> None:
            try:
                await read(*item)
            except UnitError as exc:
                item[1].error, item[1].token = exc.message, None

        await map_bounded(try_to_read, wanted.items(), limit=AT_ONCE)
        await self._date([one for one in wanted.values() if one.last_id])

    async def _date(self, listed: Sequence[HistorySample]) -> None:
        """See when the last execution of each was submitted; 50 to a call."""
        for some in batches(listed, BATCH_MAX):
            by_id = {one.last_id: one for one in some}
            try:
                answer = await self.connection.client.call(
                    "athena", "BatchGetQueryExecution", QueryExecutionIds=list(by_id)
                )
            except UnitError as exc:
                self.problems.append(exc.message)
                return

            batch: ExecutionBatch = answer[DECODED]
            for execution in batch.query_executions:
                submitted_at = moment(execution.status.submission_date_time)
                if submitted_at is not None and execution.query_execution_id in by_id:
                    by_id[execution.query_execution_id].oldest = submitted_at


def _spread(items: Sequence[_ItemT], most: int) -> list[_ItemT]:
    """At most *most* of *items*, spread evenly over them."""
    if len(items) <= most:
        return list(items)

    return [items[index * len(items) // most] for index in range(most)]


def _mean(found: Mapping[str, HistorySize], sampled: Mapping[str, object]) -> HistorySize:
    """Assumed size of a workgroup that was not looked at."""
    sizes = [found[name] for name in sampled]
    count = max(1, len(sizes))
    return HistorySize(
        listed=sum(size.listed for size in sizes) // count,
        older=None,
        expected=sum(size.expected for size in sizes) // count,
        origin="guessed",
    )
