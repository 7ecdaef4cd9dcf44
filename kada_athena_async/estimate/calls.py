"""Calls of each operation that a plan takes, by the same rules by which a run makes them. Pure.

What fails, is throttled or is denied on the way comes on top: nobody knows it before.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil

from kada_athena_async.aws.athena import BATCH_MAX, POLL_FIRST_S
from kada_athena_async.aws.pages import (
    GET_TABLES,
    LIST_EXECUTIONS,
    LIST_LF_TAGS,
    LIST_TABLE_METADATA,
    LOOKUP_EVENTS,
    QUERY_RESULTS,
    SEARCH_DATABASES,
    SEARCH_TABLES,
)
from kada_athena_async.config import Config
from kada_athena_async.estimate.rates import latency_s
from kada_athena_async.estimate.sizes import HistorySize, SchemaKey, SchemaSize
from kada_athena_async.filters import included_schemas
from kada_athena_async.plan import HistoryUnit, MetadataUnit, Plan, PrincipalEventsUnit
from kada_athena_async.sources.interface import TableDetail
from kada_athena_async.sources.query_history import OLD_PAGES
from kada_athena_async.sources.statement_texts import PREFIX_MAX
from kada_athena_async.sources.strategy import BatchSizes, metadata_source
from kada_athena_async.sources.table_batches import Batcher, SchemaPage, TableBatch

ROWS_PER_S = 545.0
"""Rows of ``information_schema.columns`` that the engine makes a second and query: a field report
of 202,032 rows in 370.6 s (metabase/metabase#82565)."""

STATEMENT_S = 3.0
"""Queue, planning and post-processing of a statement beside its rows; samples of AWS's
documentation show 1 to 4 s."""

_TABLE = TableDetail(schema="", name="", is_view=False)


@dataclass(slots=True)
class Work:
    """Cost of one part of a run.

    Attributes:
        calls: Operation -> calls.
        statements: SQL statements, each in a slot of its own.
        rows: Rows that they make.
        longest_chain_s: The longest chain of calls that need each other's page tokens.
    """

    calls: Counter[str] = field(default_factory=Counter)
    statements: int = 0
    rows: int = 0
    longest_chain_s: float = 0.0

    def chain(self, operation: str, calls: int) -> None:
        """Note *calls* that need each other's tokens."""
        self.calls[operation] += calls
        self.longest_chain_s = max(self.longest_chain_s, calls * latency_s(operation))


def history_work(plan: Plan, sizes: Mapping[str, HistorySize]) -> Work:
    """Listing and fetching the executions of all workgroups, and reading their limits, at most."""
    work = Work()
    for unit in plan.units:
        if not isinstance(unit, HistoryUnit):
            continue

        work.calls["athena:GetWorkGroup"] += 1  # its limit of bytes; one at all where it is denied
        size, previous = sizes[unit.workgroup.name], unit.workgroup_window.previous
        pages = list_pages(size)
        work.chain("athena:ListQueryExecutions", pages)
        has_ids = size.listed + (size.older if size.older is not None else 1) > 0
        # What was left running is looked at first, whatever is listed.
        pending = ceil(len(previous.pending) / BATCH_MAX) if previous else 0
        work.calls["athena:BatchGetQueryExecution"] += pending + (pages if has_ids else 0)

    return work


def principals_work(plan: Plan, sizes: Mapping[str, HistorySize]) -> Work:
    """Looking up the events of the executions: one a start, in pages of 50."""
    work = Work()
    if any(isinstance(unit, PrincipalEventsUnit) for unit in plan.units):
        listed = sum(
            sizes[unit.workgroup.name].listed
            for unit in plan.units
            if isinstance(unit, HistoryUnit)
        )
        work.chain(LOOKUP_EVENTS.name, max(1, ceil(listed / LOOKUP_EVENTS.page_size)))

    return work


def tag_calls(searches: Mapping[str, int], tables: Sequence[int]) -> Mapping[str, int]:
    """Calls that read the LF-tags of some catalogs, at most: as if every table had every key.

    Args:
        searches: Key -> searches that its values take.
        tables: How many tables each catalog has.
    """
    return {
        LIST_LF_TAGS.name: len(tables),
        SEARCH_DATABASES.name: len(tables) * sum(searches.values()),
        SEARCH_TABLES.name: sum(
            max(count, ceil(each / SEARCH_TABLES.page_size))
            for each in tables
            for count in searches.values()
        ),
    }


def list_pages(size: HistorySize) -> int:
    """Pages listed, with the older ones that prove that nothing of the window follows."""
    wanted = ceil(size.listed / LIST_EXECUTIONS.page_size)
    if size.older is None:
        return wanted + OLD_PAGES

    there = max(1, ceil((size.listed + size.older) / LIST_EXECUTIONS.page_size))
    return min(there, wanted + OLD_PAGES)


def metadata_work(config: Config, plan: Plan, sizes: Mapping[SchemaKey, SchemaSize]) -> Work:
    """Listing tables, and asking SQL about them where *config* says so."""
    work = Work()
    for unit in plan.units:
        if isinstance(unit, MetadataUnit):
            _unit(work, config, unit, sizes)

    source = metadata_source(config)
    catalogs = {u.catalog.name: u.catalog for u in plan.units if isinstance(u, MetadataUnit)}
    for catalog in catalogs.values():
        own = [sizes[catalog.name, schema] for schema in included_schemas(config, catalog)]
        if not source.asks_api:
            # Schemas come by a statement too, always from S3.
            _statement(work, config, len(own), is_small=False)

        if source.needs_view_texts(is_in_glue=catalog.is_in_glue):
            for first in range(0, len(own), PREFIX_MAX):
                if views := sum(size.views for size in own[first : first + PREFIX_MAX]):
                    _statement(work, config, views)

    return work


def _unit(
    work: Work, config: Config, unit: MetadataUnit, sizes: Mapping[SchemaKey, SchemaSize]
) -> None:
    own = [sizes[unit.catalog.name, schema] for schema in unit.schemas]
    listing = GET_TABLES if unit.catalog.is_in_glue else LIST_TABLE_METADATA
    page_tables = listing.page_size
    source = metadata_source(config)
    if not source.asks_api:
        _statement(work, config, sum(size.tables for size in own))
        page_tables = QUERY_RESULTS.page_size
    else:
        for size in own:
            work.chain(listing.name, max(1, ceil(size.tables / page_tables)))

    if not source.asks_sql:
        return

    tables = max(1, sum(size.tables for size in own))
    columns = sum(s.columns for s in own)
    cuts = source.batch_sizes(len(unit.catalog.schemas), query_slots=config.max_concurrent_queries)
    for batch in batches(unit.schemas, own, page_tables, cuts):
        share = len(batch) / tables
        _statement(work, config, round(columns * share))


def batches(
    schemas: Sequence[str], sizes: Sequence[SchemaSize], page_tables: int, cuts: BatchSizes
) -> Iterator[TableBatch]:
    """The batches into which a unit's tables are divided."""
    batcher = Batcher(cuts)
    for schema, size in zip(schemas, sizes, strict=True):
        left = size.tables
        while left > 0:
            tables = [_TABLE] * min(left, page_tables)
            left -= len(tables)
            page = SchemaPage(schema=schema, tables=tables, is_last=False, found_by="api")
            yield from batcher.add(page)

        yield from batcher.add(SchemaPage(schema=schema, tables=[], is_last=True, found_by="api"))

    yield from batcher.finish()


def _statement(work: Work, config: Config, rows: int, *, is_small: bool | None = None) -> None:
    """One statement: its start, and its result from S3 or by pages; its polls are shared."""
    work.statements += 1
    work.rows += rows
    work.calls["athena:StartQueryExecution"] += 1
    pages = ceil((rows + 1) / QUERY_RESULTS.page_size)
    is_small = pages == 1 if is_small is None else is_small
    if config.results == "api" or (config.results == "auto" and is_small):
        work.calls["athena:GetQueryResults"] += pages
    else:
        work.calls["s3:GetObject"] += 1


def statements_s(work: Work, slots: int) -> float:
    """Seconds until the last statement ends, *slots* at a time; 0 if there is none."""
    if not work.statements:
        return 0.0

    at_once = min(slots, work.statements)
    spent = work.statements * STATEMENT_S + work.rows / ROWS_PER_S
    return max(STATEMENT_S, spent / at_once)


def polls(work: Work, slots: int) -> int:
    """Polls of running statements: one for all of them, as often as the youngest needs."""
    if not work.statements:
        return 0

    pause_s = POLL_FIRST_S + latency_s("athena:BatchGetQueryExecution")
    return ceil(statements_s(work, slots) / pause_s)
