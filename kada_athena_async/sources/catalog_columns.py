"""Columns as the catalog's API gives them, decoded from the JSON of its answer; pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from kada_athena_async.aws.lenient import read_list
from kada_athena_async.aws.wire import CatalogColumn, without_nulls
from kada_athena_async.sources.interface import TableDetail

# Parameters of columns that Iceberg's GlueCatalog writes (IcebergToGlueConverter, apache/iceberg);
# the first versions also wrote nested fields and partition fields among the columns.
_USAGE = "iceberg.field.usage"
_SCHEMA_COLUMN = "schema-column"
_PARTITION_FIELD = "partition-field"
_TRANSFORM = re.compile(r"(?P<name>\w+)(?:\[(?P<width>[0-9]+)\])?")


class CatalogColumns(NamedTuple):
    """The columns of a table, field by field, in ordinal order: partition keys last.

    Attributes:
        source_types: The catalog's spelling, Hive's mostly; None if it says none.
        exact_types: What an Iceberg column is where Hive has no such type (``uuid``,
            ``timestamptz``); None where the catalog does not say. Empty if it says so of none.
        required: Names of those that are never null.
        partition_keys: Names of those that are partition keys.
        partitioning: Names of partition keys, or transforms such as ``day(ordered_at)`` as Athena
            spells them; None where the catalog does not know them.
        unreadable: Columns that cannot be read, by path.
    """

    names: list[str]
    source_types: list[str | None]
    comments: list[str | None]
    exact_types: list[str | None]
    required: frozenset[str]
    partition_keys: frozenset[str]
    partitioning: tuple[str, ...] | None
    unreadable: tuple[str, ...] = ()


# Spark's entry for a table that Hive cannot read, such as Delta's, whose columns are in its own log
# (HiveExternalCatalog, apache/spark).
_PLACEHOLDER = ("col", "array<string>", "from deserializer")

NO_COLUMNS = CatalogColumns([], [], [], [], frozenset(), frozenset(), None)

_COLUMNS: msgspec.json.Decoder[list[CatalogColumn] | None] = msgspec.json.Decoder(
    list[CatalogColumn] | None
)


def columns_of(detail: TableDetail) -> CatalogColumns:
    """The columns of a table; none where the source gives none.

    Partition keys come last, unless the catalog lists them among the rest. An Iceberg column that
    was dropped stays in Glue, flagged as no longer current; a partition key may stand in both
    lists (pyiceberg writes it so) and is one column. Glue lists no partition keys of an Iceberg
    table: they are known only where its writer left the partition fields among the columns.
    What cannot be read is left out and named.
    """
    if detail.columns is None:
        return NO_COLUMNS

    name = detail.name
    listed, unreadable = _decode(detail.columns.columns, f"{name}.Columns")
    keys, unreadable_keys = _decode(detail.columns.partition_keys, f"{name}.PartitionKeys")
    found = {(column.name, column.type, column.comment) for column in listed[:2]}
    if detail.table_format == "delta" and not keys and found <= {_PLACEHOLDER}:
        return NO_COLUMNS._replace(unreadable=unreadable + unreadable_keys)

    has_parameters = any(column.parameters for column in listed)
    columns = [column for column in listed if _is_column(column)] if has_parameters else listed
    if len({column.name for column in columns}) < len(columns):
        columns = _once(columns)
    partition_keys = frozenset(key.name for key in keys)
    partitioning: tuple[str, ...] | None = tuple(dict.fromkeys(key.name for key in keys))
    if partition_keys:
        named = {column.name for column in columns}
        columns += {key.name: key for key in keys if key.name not in named}.values()
    elif detail.table_format == "iceberg":
        partitioning = _partitioning(listed) if has_parameters else None
        partition_keys = frozenset(partitioning or ()) & {column.name for column in columns}

    return CatalogColumns(
        [column.name for column in columns],
        [column.type or None for column in columns],
        [column.comment for column in columns],
        [_exact_type(column) for column in columns] if has_parameters else [],
        frozenset(
            column.name
            for column in columns
            if _flags(column).get("iceberg.field.optional", "true").lower() == "false"
        )
        if has_parameters
        else frozenset(),
        partition_keys,
        partitioning,
        unreadable + unreadable_keys,
    )


def _decode(raw: msgspec.Raw, path: str) -> tuple[list[CatalogColumn], tuple[str, ...]]:
    try:
        return _COLUMNS.decode(raw) or [], ()
    except (msgspec.DecodeError, UnicodeDecodeError):
        return read_list(CatalogColumn, bytes(raw), path)


def _once(columns: Sequence[CatalogColumn]) -> list[CatalogColumn]:
    """The first of each name: Glue stores a table with a column twice, which no query can read."""
    found: dict[str, CatalogColumn] = {}
    for column in columns:
        found.setdefault(column.name, column)

    return [*found.values()]


def _flags(column: CatalogColumn) -> Mapping[str, str]:
    return without_nulls(column.parameters)


def _is_column(column: CatalogColumn) -> bool:
    """True if a query sees it: not dropped, not a field or a partition field."""
    flags = _flags(column)
    return (
        flags.get("iceberg.field.current", "true").lower() != "false"
        and flags.get(_USAGE, _SCHEMA_COLUMN) == _SCHEMA_COLUMN
    )


def _exact_type(column: CatalogColumn) -> str | None:
    flags = _flags(column)
    # In `type.string` the first versions wrote Hive's spelling, which knows neither of these.
    kind = flags.get("iceberg.field.type.typeid", "").lower()
    return kind if kind in ("uuid", "time") else flags.get("iceberg.field.type.string")


def _partitioning(columns: Sequence[CatalogColumn]) -> tuple[str, ...] | None:
    """The partition spec of an Iceberg table, if its writer put it among the columns."""
    usages = [_flags(column).get(_USAGE) for column in columns]
    if not any(usages):
        return None

    sources = {
        _flags(column).get("iceberg.field.id"): column.name
        for column, usage in zip(columns, usages, strict=True)
        if usage != _PARTITION_FIELD
    }
    keys = []
    for column, usage in zip(columns, usages, strict=True):
        if usage == _PARTITION_FIELD:
            flags = _flags(column)
            source = sources.get(flags.get("iceberg.partition.source-id"), column.name)
            keys.append(_key(source, flags.get("iceberg.partition.transform", "identity")))

    return tuple(key for key in keys if key)


def _key(source: str, transform: str) -> str:
    """A partition field as Athena's DDL writes it; empty for one that was dropped (``void``)."""
    found = _TRANSFORM.fullmatch(transform.lower())
    if found is None or found["name"] == "identity":
        return source

    if found["name"] == "void":
        return ""

    arguments = f"{found['width']}, {source}" if found["width"] else source
    return f"{found['name']}({arguments})"
