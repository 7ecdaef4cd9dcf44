"""Sources that list the tables of a catalog: Glue, Athena's API or SQL; each replaces the one
before."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter

from kada_athena_async.aws.client import AwsClient
from kada_athena_async.errors import (
    AccessDeniedError,
    NotFoundError,
    RetriesExhaustedError,
    UnitError,
)
from kada_athena_async.inventory import CatalogFacts
from kada_athena_async.sources.glue import GlueTables
from kada_athena_async.sources.information_schema import InformationSchema
from kada_athena_async.sources.interface import RawView, TableDetail, TablePage, TableSource
from kada_athena_async.sources.strategy import MetadataSource
from kada_athena_async.sources.table_batches import SchemaPage
from kada_athena_async.sources.table_metadata import TableMetadataTables

SPARED_MAX = 63
"""Schemas at most for which a source that is down is not asked."""


def api_tables(client: AwsClient, catalog: CatalogFacts) -> list[TableSource]:
    """The calls that list the tables of *catalog*, in order of preference."""
    by_athena = TableMetadataTables(client, has_formats=catalog.has_files)
    if catalog.is_in_glue:
        return [GlueTables(client, catalog.catalog_id), by_athena]

    return [by_athena]


def table_sources(
    source: MetadataSource, client: AwsClient, catalog: CatalogFacts, by_sql: TableSource
) -> list[TableSource]:
    """The listers of the tables of *catalog* that *source* allows, the preferred one first."""
    return source.in_order(api_tables(client, catalog), by_sql)


class SqlTables:
    """Lists tables by ``information_schema.tables``: names and kinds, nothing more."""

    name = "information_schema.tables"
    found_by = "sql"
    # Not the schema but the statement is refused.
    is_denied_as_a_whole = True

    def __init__(self, information_schema: InformationSchema) -> None:
        self._information_schema = information_schema

    async def tables(self, catalog: str, schema: str) -> AsyncGenerator[TablePage, None]:
        """Pages of the schema's tables."""
        async with aclosing(self._information_schema.tables((schema,))) as batches:
            async for batch in batches:
                yield TablePage([sql_detail(schema, name, is_view=v) for _, name, v in batch])

    def ask_ahead(self, catalog: str, schema: str) -> None:
        """Nothing: a statement would take a slot from one that is waited for."""


def sql_detail(schema: str, name: str, *, is_view: bool) -> TableDetail:
    """All that ``information_schema.tables`` says about a table."""
    return TableDetail(
        schema=schema, name=name, is_view=is_view, view=RawView(text=None) if is_view else None
    )


@dataclass(slots=True)
class _Outage:
    """Failures of a source in a row, and the number of schemas it is spared.

    A source that hangs costs minutes each time it is asked, so it is asked again after one schema,
    then after three, after seven; one schema that is down alone costs its neighbours nothing.
    """

    failures: int = 0
    spared: int = 0
    error: UnitError | None = None

    def note(self, error: UnitError, *, failures_before: int) -> None:
        self.error = error
        if self.failures == failures_before:  # not one of several that failed together
            self.failures += 1
            self.spared = min(SPARED_MAX, 2 ** (self.failures - 1) - 1)

    def ends(self) -> None:
        self.failures, self.spared, self.error = 0, 0, None


@dataclass(slots=True, kw_only=True)
class Listing:
    """Lists the schemas of one catalog, each with the first of its sources that can.

    A refusal or a failure is a fact of the schema that was asked for, never of its neighbours: of
    each schema the preferred source is asked again.

    Args:
        sources: In order of preference.
    """

    catalog: str
    sources: Sequence[TableSource]
    _refusals: dict[str, AccessDeniedError] = field(default_factory=dict)
    _outages: dict[str, _Outage] = field(default_factory=dict)

    def ask_ahead(self, schema: str) -> None:
        """Begin to ask for the first page that ``pages`` will give, unless its source fails."""
        source = self.sources[0]
        is_down = source.name in self._outages and self._outages[source.name].failures
        if not is_down and source.name not in self._refusals:
            source.ask_ahead(self.catalog, schema)

    async def pages(self, schema: str) -> AsyncGenerator[SchemaPage, None]:
        """The tables of *schema*, closed by an empty last page; each table once.

        Where a source breaks off, the next one gives what is missing.

        Raises:
            AccessDeniedError: No source may list it; names every right that would do.
            NotFoundError: There is no such schema any more.
            UnitError: No source can.
        """
        failed: dict[str, UnitError] = dict(self._refusals)
        given: set[str] = set()
        for source in self._in_order(failed):
            outage = self._outages.setdefault(source.name, _Outage())
            failures_before = outage.failures
            before = frozenset(given)
            try:
                async with aclosing(source.tables(self.catalog, schema)) as found:
                    async for page in found:
                        fresh = [t for t in page.tables if t.name.lower() not in before]
                        given.update(table.name.lower() for table in fresh)
                        yield SchemaPage(schema, fresh, source.found_by, unreadable=page.unreadable)

            except NotFoundError:
                raise
            except UnitError as exc:
                failed[source.name] = exc
                if isinstance(exc, RetriesExhaustedError):
                    outage.note(exc, failures_before=failures_before)
                elif isinstance(exc, AccessDeniedError) and source.is_denied_as_a_whole:
                    self._refusals[source.name] = exc

                continue

            outage.ends()
            yield SchemaPage(
                schema,
                [],
                source.found_by,
                is_last=True,
                stand_in=_stand_in(source, failed),
                unreadable=(_NOTHING_SHOWN,) * (not given and _may_hide(source, failed)),
            )
            return

        raise all_failed(f"schema {self.catalog}.{schema}", [*failed.values()])

    def _in_order(self, failed: dict[str, UnitError]) -> Iterator[TableSource]:
        """The sources, those that are down and spared last; these count as *failed* so far."""
        spared = []
        for source in self.sources:
            outage = self._outages.get(source.name)
            if source.name in self._refusals:
                continue

            if outage is not None and outage.spared and outage.error is not None:
                outage.spared -= 1
                failed[source.name] = outage.error
                spared.append(source)
            else:
                yield source

        yield from spared


_NOTHING_SHOWN = "what is refused to the API may be hidden from SQL, which shows no table"


def _may_hide(source: TableSource, failed: Mapping[str, UnitError]) -> bool:
    """True if *source* shows nothing, and says nothing, of what was refused to another."""
    return source.found_by == "sql" and any(
        isinstance(error, AccessDeniedError) for error in failed.values()
    )


def _stand_in(source: TableSource, failed: Mapping[str, UnitError]) -> str:
    """Note about a schema that was not listed as preferred; empty if it was."""
    failures = [error for name, error in failed.items() if name != source.name]
    reason = "; ".join(dict.fromkeys(error.message for error in failures))
    return f"listed by {source.name}: {reason}" if reason else ""


def all_failed(scope: str, errors: Sequence[UnitError]) -> UnitError:
    """One error for what could have been listed in several ways, all of which failed."""
    denials = [error for error in errors if isinstance(error, AccessDeniedError)]
    reason = "; ".join(dict.fromkeys(error.message for error in errors))
    if len(denials) == len(errors):
        # Where a policy of IAM would do, one of the rights is enough; else what helps.
        usual = {f"allow {denial.action} to the role or user of the run" for denial in denials}
        hints = dict.fromkeys(denial.hint for denial in denials if denial.hint not in usual)
        return AccessDeniedError(
            f"not allowed to list {scope}: {reason}",
            action=" or ".join(dict.fromkeys(denial.action for denial in denials)),
            scope=scope,
            hint="; or ".join(hints),
        )

    others = [error for error in errors if not isinstance(error, AccessDeniedError)]
    if len(errors) == 1:
        return others[0]

    hints = dict.fromkeys(error.hint for error in errors if error.hint)
    return UnitError(f"cannot list {scope}: {reason}", hint="; or ".join(hints))


async def list_by_sql(
    information_schema: InformationSchema, schemas: tuple[str, ...]
) -> AsyncGenerator[SchemaPage, None]:
    """The tables of all *schemas* by one statement; closes each schema with a last page."""
    # SQL knows lower-case names only; the rows come ordered by schema.
    named = {schema.lower(): schema for schema in schemas}
    current = ""
    async with aclosing(information_schema.tables(schemas)) as batches:
        async for batch in batches:
            for key, rows in groupby(batch, key=itemgetter(0)):
                if current and key != current:
                    yield SchemaPage(named.pop(current), [], "sql", is_last=True)

                current = key
                details = [sql_detail(named[key], name, is_view=view) for _, name, view in rows]
                yield SchemaPage(named[key], details, "sql")

    for schema in named.values():
        yield SchemaPage(schema, [], "sql", is_last=True)
