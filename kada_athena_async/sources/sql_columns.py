"""Columns of a batch by SQL, around the tables that break the statement.

One bad table (a lost Iceberg metadata file, a view without Athena's dialect) fails a whole
information_schema.columns statement. So a statement that fails is divided in two, or around the
table that the error names, until the table is alone; the others are answered.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from math import ceil
from typing import NamedTuple, TypeAlias

from kada_athena_async.concurrency import batches
from kada_athena_async.errors import QueryFailedError
from kada_athena_async.sources.information_schema import InformationSchema, SqlTable, TableKey
from kada_athena_async.sources.statement_texts import PREFIX_MAX
from kada_athena_async.sources.table_batches import TableBatch

HOPELESS_FAILURES = 7
"""Failures without one success (a statement, its halves, their halves) after which the tables are
not to blame: no place for results, no right, a broken connector. A statement of several scans,
which can fail for each, is not counted."""

SUSPECTS_MAX = 3

TakeTables: TypeAlias = Callable[[list[SqlTable]], Awaitable[None]]
"""Takes tables with all their columns, some pages' worth at a time."""


class Group(NamedTuple):
    """Subject of one statement: whole schemas, or some tables of one schema."""

    schemas: tuple[str, ...]
    names: tuple[str, ...] = ()


@dataclass(slots=True)
class SqlAnswer:
    """Result of asking SQL about a batch.

    Attributes:
        unreadable_tables: Table -> why its columns cannot be read by SQL.
        failed_schemas: Schema without known tables that cannot be read -> why.
        hopeless: Why SQL was given up for what was not answered; empty if it was not.
    """

    unreadable_tables: dict[TableKey, str] = field(default_factory=dict)
    failed_schemas: dict[str, str] = field(default_factory=dict)
    hopeless: str = ""


async def columns_by_sql(
    information_schema: InformationSchema, batch: TableBatch, take: TakeTables
) -> SqlAnswer:
    """Give *take* the columns of all tables of *batch*, as far as SQL can give them.

    Raises:
        UnitError: SQL is refused as such (not: a statement failed), or a result breaks off.
    """
    # Filled when a statement fails: until then their names are held by the batch, compressed.
    tables: dict[str, list[str]] = {}
    answer = SqlAnswer()
    successes = failures = 0
    names = () if batch.is_whole else tuple(table.name for table in batch.names())
    groups = _groups(information_schema, Group(tuple(batch.schemas), names))
    while groups:
        following: list[Group] = []
        for group in groups:
            try:
                known = sum(len(tables[schema]) for schema in group.schemas if tables)
                count = len(group.names) or known or len(batch)
                async with aclosing(information_schema.columns(*group, expected=count)) as batches:
                    async for answered in batches:
                        await take(answered)

                successes += 1
            except QueryFailedError as exc:
                failures += len(group.names) <= PREFIX_MAX
                if failures >= HOPELESS_FAILURES and not successes:
                    answer.hopeless = exc.redacted_reason
                    return answer

                tables = tables or _by_schema(batch)
                for some in _after_failure(group, tables, exc, answer):
                    following += _groups(information_schema, some)

        groups = following

    return answer


def _groups(information_schema: InformationSchema, group: Group) -> list[Group]:
    """*group* as statements can name it."""
    if not group.names:
        return [group]

    return [Group(group.schemas, names) for names in information_schema.portions(group.names)]


def _by_schema(batch: TableBatch) -> dict[str, list[str]]:
    tables: dict[str, list[str]] = {schema: [] for schema in batch.schemas}
    for table in batch.names():
        tables[table.schema].append(table.name)

    return tables


def _after_failure(
    group: Group, tables: dict[str, list[str]], error: QueryFailedError, answer: SqlAnswer
) -> list[Group]:
    """The groups to ask next; a table that is alone goes into the answer as unreadable."""
    if len(group.schemas) > 1:
        middle = len(group.schemas) // 2
        halves = [Group(group.schemas[:middle]), Group(group.schemas[middle:])]
        return _around_suspects(group, tables, error.reason) or halves

    schema = group.schemas[0]
    names = group.names or tuple(tables[schema])
    if not names:
        answer.failed_schemas[schema] = error.redacted_reason
        return []

    if len(names) == 1:
        answer.unreadable_tables[schema.lower(), names[0].lower()] = error.redacted_reason
        return []

    around = _around_suspects(Group((schema,), names), tables, error.reason)
    # Scan by scan, then by halves.
    size = PREFIX_MAX if len(group.names) > PREFIX_MAX else ceil(len(names) / 2)
    return around or [Group((schema,), tuple(part)) for part in batches(names, size)]


def _around_suspects(group: Group, tables: dict[str, list[str]], reason: str) -> list[Group]:
    """The tables that the error names, one by one, and the rest; nothing if it names none.

    A whole schema of which one table is left out must be asked for by its other names.
    """
    words = set(re.findall(r"[\w$-]+", reason.lower()))
    suspects = [
        (schema, name)
        for schema in group.schemas
        for name in (group.names or tables[schema])
        if name.lower() in words
    ]
    if not 1 <= len(suspects) <= SUSPECTS_MAX:
        return []

    suspected = {schema for schema, _ in suspects}
    groups = [Group((schema,), (name,)) for schema, name in suspects]
    innocent = tuple(schema for schema in group.schemas if schema not in suspected)
    if innocent:
        groups.append(Group(innocent))

    for schema in sorted(suspected):
        rest = [n for n in (group.names or tables[schema]) if (schema, n) not in suspects]
        groups += [Group((schema,), tuple(rest))] * bool(rest)

    return groups
