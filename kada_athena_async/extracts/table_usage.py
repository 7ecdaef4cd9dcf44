"""Tables with and without use: the usage of all runs, the metadata of the newest."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import TypeAlias

from kada_athena_async.extracts.package import Package
from kada_athena_async.extracts.runs import Runs

S3_USD_PER_GB_MONTH = 0.023
"""Storage class Standard, first 50 TB, us-east-1 (aws.amazon.com/s3/pricing)."""

GB_BYTES = 2**30
_DAY_CHARS = len("2026-11-28")
MAX_USERS = 1_000
"""Users of a table that are distinguished."""

MAINTAINS = re.compile(
    r"\s*(?:(?:--[^\r\n]*(?![^\r\n])|/\*(?:[^*]|\*(?!/))*\*/)\s*)*(?:optimize|vacuum)\b",
    re.IGNORECASE,
)
"""Begins a statement that leaves the rows of a table as they are."""

_SOURCE = ("source_catalog", "source_schema", "source_table")
_TARGET = ("target_catalog", "target_schema", "target_table")
_WRITING = ("CTAS", "INSERT", "MERGE", "UPDATE")

TableName: TypeAlias = "tuple[str, str, str]"
"""Catalog, schema and table."""


@dataclass(slots=True, kw_only=True)
class TableUse:
    """The use of a table.

    Attributes:
        reads, writes: Executions.
        users: How many users, up to ``MAX_USERS``.
        last_read_at, last_write_at: As the extracts write times; empty for never.
    """

    catalog: str
    schema: str
    table: str
    reads: int = 0
    writes: int = 0
    failed: int = 0
    scanned_bytes: int = 0
    users: int = 0
    last_read_at: str = ""
    last_write_at: str = ""
    _users: set[str] = field(default_factory=set)

    def to_dict(self) -> dict[str, object]:
        """The figures as plain JSON values."""
        names = (n for n in self.__dataclass_fields__ if not n.startswith("_"))
        return {name: getattr(self, name) or (None if "_at" in name else getattr(self, name))
                for name in names}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class UnusedTable:
    """A table or view that no execution used, not even through a view.

    Attributes:
        size_bytes: None where the catalog does not say.
        usd_per_month: What S3 takes to keep it, roughly; None where the size is not known.
    """

    catalog: str
    schema: str
    table: str
    table_type: str
    size_bytes: int | None
    row_count: int | None
    created_at: str
    usd_per_month: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unused:
    """The tables that no execution used.

    Attributes:
        tables: The largest first.
        schemas: How many schemas were looked at.
        left_out: Schemas that some run did not read completely.
        doubts: What may have happened and no run holds: executions that may have used more.
    """

    tables: tuple[UnusedTable, ...]
    schemas: int
    left_out: tuple[tuple[str, str], ...]
    doubts: tuple[str, ...]


def table_uses(runs: Runs) -> list[TableUse]:
    """The use of each table that was used, the most read first."""
    found: dict[TableName, TableUse] = {}
    for package in runs.packages:
        for row in usage_of(package):
            if runs.counts_day(row[3]):
                _add(found, row)

    for use in found.values():
        use.users = len(use._users)

    return sorted(found.values(), key=lambda u: (-u.reads, -u.writes, u.catalog, u.schema, u.table))


def used_tables(runs: Runs) -> list[TableUse]:
    """``table_uses`` without executions that read a table only to define a view, or maintained it.

    dbt makes its views anew each night, and jobs optimize all tables, whether anyone reads them or
    not.
    """
    uses = table_uses(runs)
    idle = _idle_accesses(runs, uses)
    for use in uses:
        use.reads -= idle["READ", use.catalog, use.schema, use.table]
        use.writes -= idle["WRITE", use.catalog, use.schema, use.table]

    return [use for use in uses if use.reads or use.writes]


def _idle_accesses(runs: Runs, uses: Sequence[TableUse]) -> Counter[tuple[str, ...]]:
    """Number of executions that read each table to define a view, or wrote it to maintain it.

    The latter only where a table may have no other use: statements are long to read.
    """
    names = ("query_id", "event_type", "catalog", "schema", "table", "occurred_at")
    found: Counter[tuple[str, ...]] = Counter()
    defining, may_be_idle = _links(runs, uses)
    for package in runs.packages:
        if not package.extracts("usage"):
            continue

        texts = package.rows("databaselog", "query_id", "query") if may_be_idle else ()
        maintain = {query_id for query_id, query in texts if MAINTAINS.match(query)}
        if not maintain and package.path not in defining:
            continue

        # The events of an execution follow each other; of these only one that defines creates
        # without writing.
        for query_id, rows in groupby(package.rows("events", *names), key=itemgetter(0)):
            touched = {tuple(row[1:]) for row in rows}
            types = {what for what, *_ in touched}
            defines = "CREATE" in types and "WRITE" not in types
            if defines or query_id in maintain:
                idle = "READ" if defines else "WRITE"
                found.update(
                    (what, *name)
                    for what, *name, at in touched
                    if what == idle and runs.counts_day(at[:_DAY_CHARS])
                )

    return found


def _links(runs: Runs, uses: Sequence[TableUse]) -> tuple[set[Path], bool]:
    """The packages in which executions define views, and if lineage leaves open the use of a table.

    A table that is read otherwise, or into which lineage leads, is used.
    """
    names = ("linkage_type", *_SOURCE, *_TARGET, "query_id", "last_at")
    defining, viewed, written = set[Path](), set[TableName](), set[TableName]()
    for package in runs.packages:
        for kind, *place, query_id, at in package.rows("linkages", *names):
            if kind == "VIEW" and query_id:
                defining.add(package.path)
                viewed.add(folded(*place[:3]))
            elif kind in _WRITING and runs.counts_day(at[:_DAY_CHARS]):
                written.add(folded(*place[3:]))

    read = {name for use in uses if use.reads and (name := _name(use)) not in viewed}
    return defining, not read.union(written).issuperset(map(_name, uses))


_COLUMNS = (
    *("catalog", "schema", "table", "usage_date", "user", "event_type"),
    *("executions", "failed_executions", "scanned_bytes", "last_at"),
)


def usage_of(package: Package) -> Iterator[tuple[str, ...]]:
    """Yield the rows of ``usage``: table, day, user, READ or WRITE, counts, last time.

    A run of a version that knew no ``usage`` is counted by its events, one row an execution and
    without its bytes.
    """
    if package.extracts("usage"):
        yield from package.rows("usage", *_COLUMNS)
        return

    names = ("query_id", "event_type", "catalog", "schema", "table", "user", "occurred_at")
    query, seen = "", set[tuple[str, ...]]()
    for query_id, what, catalog, schema, table, user, at in package.rows("events", *names):
        if query_id != query:
            query, seen = query_id, set()  # the events of an execution follow each other

        key = (what, catalog, schema, table)
        if what in ("READ", "WRITE") and catalog and key not in seen:
            seen.add(key)
            yield catalog, schema, table, at[:_DAY_CHARS], user, what, "1", "0", "0", at


def _add(found: dict[TableName, TableUse], row: tuple[str, ...]) -> None:
    catalog, schema, table, _, user, what, executions, failed, scanned, last_at = row
    name = (catalog, schema, table)
    use = found.get(name)
    if use is None:
        use = found[name] = TableUse(catalog=catalog, schema=schema, table=table)

    use.failed += int(failed)
    use.scanned_bytes += int(scanned)
    if what == "READ":
        use.reads += int(executions)
        use.last_read_at = max(use.last_read_at, last_at)
    else:
        use.writes += int(executions)
        use.last_write_at = max(use.last_write_at, last_at)

    if len(use._users) < MAX_USERS:
        use._users.add(user)


def unused_tables(runs: Runs) -> Unused:
    """The tables and views that no execution of *runs* read or wrote.

    A table is used too where a view reads it that is used; to define a view is no use of what it
    reads. Only schemas are looked at that all
    runs read completely: what is not known is not called unused.
    """
    sure, left_out = runs.complete_schemas()
    tables = each_unused_table(runs)
    return Unused(
        tables=tuple(
            sorted(tables, key=lambda t: (-(t.size_bytes or 0), t.catalog, t.schema, t.table))
        ),
        schemas=len(sure),
        left_out=tuple(left_out),
        doubts=tuple(runs.doubts()),
    )


def each_unused_table(runs: Runs, uses: Sequence[TableUse] | None = None) -> Iterator[UnusedTable]:
    """Yield the tables of ``unused_tables``, in no order.

    Args:
        uses: What ``used_tables`` found, where it is there already.
    """
    sure, _ = runs.complete_schemas()
    uses = used_tables(runs) if uses is None else uses
    used = set(map(_name, uses))
    _through_views(runs.newest, used)
    for table in _tables(runs.newest):
        is_used = folded(table.catalog, table.schema, table.table) in used
        if (table.catalog, table.schema) in sure and not is_used:
            yield table


def unread_tables(
    runs: Runs, uses: Sequence[TableUse], own_reads: Mapping[TableName, int]
) -> set[TableName]:
    """The names, folded, of the tables that were written and not read, not even through a view.

    Only of those that are there still: programs make tables for a moment, and read their files or
    give them another name.

    Args:
        uses: What ``used_tables`` found.
        own_reads: How many executions read a table only to change it, as MERGE does.
    """
    names = [(_name(use), use.reads) for use in uses]
    read = {name for name, reads in names if reads > own_reads.get(name, 0)}
    _through_views(runs.newest, read)
    there = runs.newest.rows("metadata_tables", "catalog", "schema", "table")
    unread = {name for name, _ in names} - read
    return unread.intersection(folded(*place) for place in there)


def _name(use: TableUse) -> TableName:
    return folded(use.catalog, use.schema, use.table)


def folded(catalog: str, schema: str, table: str) -> TableName:
    """A table's name for comparisons: callers do not agree on its case, nor does Athena mind."""
    return catalog.lower(), schema.lower(), table.lower()


def _through_views(package: Package, used: set[TableName]) -> None:
    """Add to *used* what its views read, and theirs."""
    sources: dict[TableName, set[TableName]] = {}
    for kind, *place in package.rows("linkages", "linkage_type", *_SOURCE, *_TARGET):
        if kind == "VIEW":
            sources.setdefault(folded(*place[3:]), set()).add(folded(*place[:3]))

    waiting = [name for name in used if name in sources]
    while waiting:
        for name in sources.pop(waiting.pop(), ()):
            used.add(name)
            if name in sources:
                waiting.append(name)


def _tables(package: Package) -> Iterator[UnusedTable]:
    names = ("catalog", "schema", "table", "table_type", "size_bytes", "row_count", "created_at")
    for catalog, schema, table, kind, size, rows, created_at in package.rows(
        "metadata_tables", *names
    ):
        size_bytes = int(size) if size else None
        yield UnusedTable(
            catalog=catalog,
            schema=schema,
            table=table,
            table_type=kind,
            size_bytes=size_bytes,
            row_count=int(rows) if rows else None,
            created_at=created_at,
            usd_per_month=None
            if size_bytes is None
            else round(size_bytes / GB_BYTES * S3_USD_PER_GB_MONTH, 4),
        )
