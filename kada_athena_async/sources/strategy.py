"""The values of ``metadata_source`` and ``history_source``, each as one object that answers for it.

The only place that knows these names: a plan, the permissions, an estimate and the extraction ask
the object. A new source is a value in ``config/fields.py`` and an entry here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import NamedTuple, TypeVar

from kada_athena_async.choices import HistorySourceName, MetadataSourceName, UserSourceName
from kada_athena_async.config import Config
from kada_athena_async.sources.statement_texts import NAMES_MAX, PREFIX_MAX

T = TypeVar("T")


class BatchSizes(NamedTuple):
    """Largest number of tables in a batch that covers whole schemas, and of one of names.

    Attributes:
        first: The first one of a unit; small, so that its statement begins early.
        largest: The others; large, for each statement takes a second or two of its slot beside
            its rows (start, queue, planning, the look that finds it finished).
        named: Tables of a schema too large for a batch, as they are listed.
        spread: Not 0 where all of these are known at once: the statements that they are divided
            into, so that these end together.
    """

    first: int
    largest: int
    named: int = PREFIX_MAX
    spread: int = 0


SMALL = BatchSizes(100, 100)
"""For fewer schemas than query slots to fill: some 2,000 rows, four seconds of the
engine at the 545 rows/s that were reported for information_schema.columns. A larger schema is cut
by the names of its tables."""

BY_SCHEMA = BatchSizes(1, 1)
"""Where no statement is run: each schema by itself, a large one a hundred tables at a time."""

LARGE = BatchSizes(100, 500, named=300)
"""For many schemas. 500 tables are 10,000 rows, or eighteen seconds of the engine. While a unit's
first 100 are answered, some five seconds, the rest of its schemas is listed; what is gained by an
earlier start of fewer is lost again where its slot waits for the listing. The last pages of a giant
schema come when the slots are nearly done: 300 of its tables keep them eleven seconds more."""

LARGE_AT_ONCE = BatchSizes(NAMES_MAX, NAMES_MAX)
"""Where all tables of a unit are known at once: so many that most units are one statement."""

MANY_SCHEMAS = 2
"""Schemas for each query slot from which on they are many."""

API_UNITS = 100
"""Metadata units of a catalog at most where no statement is run: enough to spread, and few, for
each makes a file, three syncs and a removal."""


API_UNITS_AT_ONCE = 14
"""Each asks for two schemas at a time: 28 answers of 0.3 s are more than 75 calls a second."""

BATCHES_AHEAD = 4
"""Batches held beyond those whose statement runs: being joined and written. Each unit has one more
in hand, so that no query slot waits for a listing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MetadataSource:
    """A source of tables and columns, or a combination of them.

    Attributes:
        name: The value of ``metadata_source``.
        asks_api: Glue's or Athena's API lists schemas and tables: calls, and permissions for them.
        asks_sql: Statements read columns: a bucket, a workgroup, and permissions for them.
        large: Sizes of the batches of a catalog of many schemas.
    """

    name: MetadataSourceName
    asks_api: bool
    asks_sql: bool
    large: BatchSizes

    @property
    def has_substitute(self) -> bool:
        """True if the API answers where SQL cannot, and SQL where the API cannot."""
        return self.asks_api and self.asks_sql

    def needs_view_texts(self, *, is_in_glue: bool) -> bool:
        """True if the texts of a catalog's views come by SQL: Glue gives them with the tables."""
        return self.asks_sql and not (self.asks_api and is_in_glue)

    def in_order(self, by_api: Sequence[T], by_sql: T) -> list[T]:
        """The ways to list something, the preferred one first."""
        return [*(by_api if self.asks_api else ()), *([by_sql] if self.asks_sql else ())]

    def schemas_per_unit(self, schemas: int, *, query_slots: int) -> int:
        """Schemas of a unit: all query slots have work, and no statement names too many."""
        units = query_slots if self.asks_sql else API_UNITS
        return max(1, min(PREFIX_MAX, ceil(schemas / units)))

    def units_at_once(self, *, query_slots: int) -> int:
        """Metadata units that are worked on side by side.

        So many that every query slot has work while some list; where no statement is run, that
        lists of 0.3 s come at the rates of a run's first minute while others are sealed, and no
        more, for each holds a page or two.
        """
        return query_slots + 4 if self.asks_sql else API_UNITS_AT_ONCE

    def batches_at_once(self, *, query_slots: int) -> int:
        """Batches of all units that are worked on at a time; others wait as they were listed."""
        return (query_slots if self.asks_sql else 0) + BATCHES_AHEAD

    def batch_sizes(self, schemas: int, *, query_slots: int) -> BatchSizes:
        """Sizes of the batches of a catalog of so many schemas."""
        is_small = self.asks_sql and schemas < MANY_SCHEMAS * query_slots
        sizes = SMALL if is_small else self.large
        # One slot is left to the schemas that were listed with the large one.
        return sizes if self.asks_api else sizes._replace(spread=max(1, query_slots - 1))


METADATA_SOURCES: Mapping[MetadataSourceName, MetadataSource] = {
    source.name: source
    for source in (
        MetadataSource(name="auto", asks_api=True, asks_sql=True, large=LARGE),
        MetadataSource(name="api", asks_api=True, asks_sql=False, large=BY_SCHEMA),
        MetadataSource(name="sql", asks_api=False, asks_sql=True, large=LARGE_AT_ONCE),
    )
}


def metadata_source(config: Config) -> MetadataSource:
    """The source of tables and columns that *config* names."""
    return METADATA_SOURCES[config.metadata_source]


def with_metadata_source(config: Config, name: MetadataSourceName) -> Config:
    """*config* with another source of tables and columns."""
    return config.model_copy(update={"metadata_source": name})


@dataclass(frozen=True, slots=True, kw_only=True)
class QueryLog:
    """A source of executions (``history_source``) or of who started them (``attribute_users``).

    Attributes:
        asks_trail: CloudTrail is asked, before the system table.
        asks_table: Athena's system table is asked, if it is on.
        needs_table: A run is refused where the table is off.
    """

    asks_trail: bool = False
    asks_table: bool = False
    needs_table: bool = False

    @property
    def is_asked(self) -> bool:
        """False for ``off``, and for the API, which needs neither."""
        return self.asks_trail or self.asks_table


HISTORY_SOURCES: Mapping[HistorySourceName, QueryLog] = {
    "api": QueryLog(),
    "system_table": QueryLog(asks_table=True, needs_table=True),
    "auto": QueryLog(asks_table=True),
}

USER_SOURCES: Mapping[UserSourceName, QueryLog] = {
    "off": QueryLog(),
    "cloudtrail": QueryLog(asks_trail=True),
    "system_table": QueryLog(asks_table=True, needs_table=True),
    "auto": QueryLog(asks_trail=True, asks_table=True),
}


def history_source(config: Config) -> QueryLog:
    """The source of executions that *config* names."""
    return HISTORY_SOURCES[config.history_source]


def user_source(config: Config) -> QueryLog:
    """The source of who started the executions that *config* names."""
    return USER_SOURCES[config.attribute_users]


def asks_system_table(config: Config) -> bool:
    """True if Athena's system table may be asked for executions or principals."""
    wanted = history_source(config).asks_table or user_source(config).asks_table
    return bool(config.bucket) and wanted
