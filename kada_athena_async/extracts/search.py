"""Finds tables by their names or their columns' names."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from fnmatch import translate

from kada_athena_async.extracts.changes import TableKey
from kada_athena_async.extracts.package import Package


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundColumn:
    """A column of a table that was found."""

    name: str
    data_type: str
    is_partition_key: bool
    is_match: bool
    comment: str


@dataclass(slots=True, kw_only=True)
class FoundTable:
    """A table or view whose name or columns fit.

    Attributes:
        table_format: Empty for a view.
        is_match: True if it is the name that fits.
        columns: In order.
    """

    key: TableKey
    table_type: str
    table_format: str
    comment: str
    is_match: bool
    columns: list[FoundColumn] = field(default_factory=list)

    @property
    def name(self) -> str:
        return ".".join(self.key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The first tables that fit, those by name before those by column, and how many there are."""

    tables: tuple[FoundTable, ...]
    count: int


def fits(pattern: str) -> Callable[[str], bool]:
    """A test of names against *pattern*, in any case.

    A glob if it has ``*``, ``?`` or ``[``, else a part of the name.
    """
    if set(pattern) & set("*?["):
        matcher = re.compile(translate(pattern.lower()))
        return lambda name: matcher.fullmatch(name.lower()) is not None

    part = pattern.lower()
    return lambda name: part in name.lower()


def search(package: Package, pattern: str, *, count: int) -> Found:
    """Find the tables of which the name, with or without its catalog and schema, or the name of a
    column fits *pattern*.
    """
    is_fit = fits(pattern)
    by_column: set[int] = set()  # hashes, for a short pattern fits most tables
    for catalog, schema, table, column in package.rows("metadata_columns", *_KEY, "column"):
        if is_fit(column):
            by_column.add(hash((catalog, schema, table)))

    by_name: list[FoundTable] = []
    others: list[FoundTable] = []
    total = 0
    names = (*_KEY, "table_type", "table_format", "comment")
    for catalog, schema, table, kind, form, comment in package.rows("metadata_tables", *names):
        key = (catalog, schema, table)
        is_match = any(map(is_fit, (table, f"{schema}.{table}", ".".join(key))))
        if not is_match and hash(key) not in by_column:
            continue

        total += 1
        found = by_name if is_match else others
        if len(found) < count:
            found.append(
                FoundTable(
                    key=key, table_type=kind, table_format=form, comment=comment, is_match=is_match
                )
            )

    chosen = (by_name + others)[:count]
    _add_columns(package, {each.key: each for each in chosen}, is_fit)
    return Found(tables=tuple(chosen), count=total)


_KEY = ("catalog", "schema", "table")


def _add_columns(
    package: Package, tables: dict[TableKey, FoundTable], is_fit: Callable[[str], bool]
) -> None:
    if not tables:
        return

    places: dict[TableKey, list[tuple[int, FoundColumn]]] = {key: [] for key in tables}
    names = (*_KEY, "column", "ordinal_position", "data_type", "is_partition_key", "comment")
    for catalog, schema, table, column, position, kind, is_key, comment in package.rows(
        "metadata_columns", *names
    ):
        columns = places.get((catalog, schema, table))
        if columns is not None:
            found = FoundColumn(
                name=column,
                data_type=kind,
                is_partition_key=is_key == "true",
                is_match=is_fit(column),
                comment=comment,
            )
            columns.append((int(position or 0), found))

    for key, found_columns in places.items():
        found_columns.sort(key=lambda each: each[0])
        tables[key].columns = [column for _, column in found_columns]
