"""Tables and columns that came, went or changed between two runs, where both read everything.

Held at a time are two numbers for each table, and what changed; not the columns.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Set
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from typing import TypeAlias

from kada_athena_async.extracts.package import Package
from kada_athena_async.extracts.runs import schema_outcomes
from kada_athena_async.manifest import Manifest

TableKey: TypeAlias = "tuple[str, str, str]"
"""Catalog, schema and table."""

ALL_CATALOGS = "*"
"""Stands in a completeness record for the list of catalogs itself."""

_BITS = (1 << 64) - 1


@dataclass(frozen=True, slots=True, order=True)
class ColumnChange:
    """A column that is not what it was.

    Attributes:
        before, after: Its type; empty if it was or is not there.
    """

    table: TableKey
    column: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, order=True)
class TableChange:
    """A table or view that came or went.

    Attributes:
        before, after: TABLE or VIEW; empty if it was or is not there.
    """

    table: TableKey
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """Changes in the schemas that can be compared.

    The columns of a table that came or went are not listed again.

    Attributes:
        compared: How many schemas that were.
        left_out: The others, which were not read wholly in one of the runs: what is missing there
            need not have been removed.
    """

    compared: int
    left_out: tuple[tuple[str, str], ...]
    tables: tuple[TableChange, ...] = field(default=())
    columns: tuple[ColumnChange, ...] = field(default=())


def changes_between(before: Package, after: Package) -> Changes:
    """Compare the tables and columns of two packages; reads each extract twice at most.

    A first pass distinguishes tables by hashes of 64 bits; the second, by their names, looks only
    at those that differ.
    """
    sure, left_out = comparable_schemas(after.manifest, before.manifest)
    schemas = frozenset(sure)
    old, new = _kinds(before, schemas), _kinds(after, schemas)
    other = {number for number in old.keys() | new.keys() if old.get(number) != new.get(number)}
    common = old.keys() & new.keys()
    sums, other_sums = _sums(before, common), _sums(after, common)
    changed = {number for number in common if sums.get(number) != other_sums.get(number)}
    return Changes(
        compared=len(sure),
        left_out=tuple(left_out),
        tables=tuple(sorted(_table_changes(before, after, other))),
        columns=tuple(sorted(_column_changes(before, after, changed))),
    )


def _kinds(package: Package, schemas: frozenset[tuple[str, str]]) -> dict[int, str]:
    """The number of each table -> whether it is a table or a view."""
    return {
        hash(key): sys.intern(kind) for key, kind in _tables(package) if (key[0], key[1]) in schemas
    }


def _tables(package: Package) -> Iterator[tuple[TableKey, str]]:
    names = ("catalog", "schema", "table", "table_type")
    for catalog, schema, table, kind in package.rows("metadata_tables", *names):
        yield (catalog, schema, table), kind


def _table_changes(before: Package, after: Package, other: set[int]) -> Iterator[TableChange]:
    if not other:
        return

    old = {key: kind for key, kind in _tables(before) if hash(key) in other}
    new = {key: kind for key, kind in _tables(after) if hash(key) in other}
    for key in old.keys() | new.keys():
        yield TableChange(key, old.get(key, ""), new.get(key, ""))


_COLUMN = ("catalog", "schema", "table", "column", "data_type")


def _sums(package: Package, tables: Set[int]) -> dict[int, int]:
    """A number for the columns of each table, in whatever order they come."""
    sums: dict[int, int] = {}
    # A table's columns follow each other, mostly: its name is looked at once.
    for key, columns in groupby(package.rows("metadata_columns", *_COLUMN), itemgetter(0, 1, 2)):
        table = hash(key)
        if table in tables:
            number = sum(hash((column, data_type)) for *_, column, data_type in columns)
            sums[table] = (sums.get(table, 0) + number) & _BITS

    return sums


def _columns(package: Package) -> Iterator[tuple[TableKey, str, str]]:
    for catalog, schema, table, column, data_type in package.rows("metadata_columns", *_COLUMN):
        yield (catalog, schema, table), column, data_type


def _column_changes(before: Package, after: Package, changed: set[int]) -> Iterator[ColumnChange]:
    if not changed:
        return

    old, new = _types(before, changed), _types(after, changed)
    for table, column in old.keys() | new.keys():
        was, now = old.get((table, column), ""), new.get((table, column), "")
        if was != now:
            yield ColumnChange(table, column, was, now)


def _types(package: Package, tables: set[int]) -> dict[tuple[TableKey, str], str]:
    # A type that nobody knows must not look like a column that is not there.
    return {
        (key, column): data_type or "unknown"
        for key, column, data_type in _columns(package)
        if hash(key) in tables
    }


def comparable_schemas(
    now: Manifest, then: Manifest
) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """The schemas whose changes are sure, and the others.

    What was not read must not look as if it had been removed. A schema is sure if the completeness
    records of both runs call it complete; or one run does and the other does not know it, although
    it asked for the same and could list its catalog.
    """
    of_now, of_then = schema_outcomes(now), schema_outcomes(then)
    is_same = now.config_digest == then.config_digest
    in_doubt = _catalogs_in_doubt(now) | _catalogs_in_doubt(then)
    sure: list[tuple[str, str]] = []
    others: list[tuple[str, str]] = []
    for name in sorted(of_now.keys() | of_then.keys()):
        both = {outcomes.get(name) for outcomes in (of_now, of_then)}
        is_sure_absence = is_same and in_doubt.isdisjoint({name[0], ALL_CATALOGS})
        is_sure = both == {"complete"} or (both == {"complete", None} and is_sure_absence)
        (sure if is_sure else others).append(name)

    return sure, others


def _catalogs_in_doubt(manifest: Manifest) -> set[str]:
    return {
        record.name[0]
        for record in manifest.facts.completeness
        if record.scope == "catalog" and record.outcome != "complete"
    }
