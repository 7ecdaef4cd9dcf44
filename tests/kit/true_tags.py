"""Tags of Lake Formation that an extract must have, from an estate."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from kada_athena_async.sandbox.estate.model import Estate, Schema, Table
from kada_athena_async.sandbox.estate.tags import effective_tags


class TagTruth(NamedTuple):
    """A value of a tag that a resource has, its own or its parent's."""

    catalog: str
    schema: str
    table: str
    column: str
    key: str
    value: str
    is_inherited: bool


def true_tags(estate: Estate) -> Iterator[TagTruth]:
    """Every tag of the estate's databases and tables, and those assigned to columns."""
    for catalog in estate.catalogs.values():
        for schema in catalog.schemas.values():
            above = schema.lf_tags
            for key, value in above.items():
                yield TagTruth(catalog.name, schema.name, "", "", key, value, False)

            for table in schema.tables.values():
                yield from _of_table(catalog.name, schema, table)


def _of_table(catalog: str, schema: Schema, table: Table) -> Iterator[TagTruth]:
    own = effective_tags(schema, table)
    where = (catalog, schema.name, table.name)
    for key, value in own.items():
        yield TagTruth(*where, "", key, value, schema.lf_tags.get(key) == value)

    for column in table.columns:
        for key, value in column.lf_tags.items():
            yield TagTruth(*where, column.name, key, value, own.get(key) == value)
