"""Columns as the catalog's API tells them, decoded from the JSON of its answer; pure."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from kada_athena_async.aws.wire import CatalogColumn
from kada_athena_async.errors import RequestError
from kada_athena_async.sources.interface import RawColumns, TableDetail


class CatalogColumns(NamedTuple):
    """The columns of a table, field by field, in ordinal order: partition keys last.

    Attributes:
        source_types: The catalog's spelling, Hive's mostly; None if it says none.
        partition_keys: Names of those that are partition keys.
    """

    names: list[str]
    source_types: list[str | None]
    comments: list[str | None]
    partition_keys: frozenset[str]


NO_COLUMNS = CatalogColumns([], [], [], frozenset())

_COLUMNS: msgspec.json.Decoder[list[CatalogColumn] | None] = msgspec.json.Decoder(
    list[CatalogColumn] | None
)


def columns_of(detail: TableDetail) -> CatalogColumns:
    """The columns of a table; none where the source tells none.

    Partition keys come last, unless the catalog lists them among the rest. An Iceberg column that
    was dropped stays in Glue, flagged as no longer current; a partition key may stand in both
    lists (pyiceberg writes it so) and is one column.

    Raises:
        RequestError: The answer holds something else.
    """
    if detail.columns is None:
        return NO_COLUMNS

    try:
        columns, keys = _decode(detail.columns)
    except (msgspec.DecodeError, UnicodeDecodeError) as exc:
        # The message of msgspec carries no data, only the path and the expected type.
        raise RequestError(
            f"the columns of {detail.schema}.{detail.name} cannot be decoded: {exc}",
            code="Malformed",
        ) from None

    if any(column.parameters for column in columns):
        columns = [column for column in columns if _is_current(column)]

    partition_keys = frozenset(key.name for key in keys)
    if partition_keys:
        named = {column.name for column in columns}
        columns += {key.name: key for key in keys if key.name not in named}.values()

    return CatalogColumns(
        [column.name for column in columns],
        [column.type or None for column in columns],
        [column.comment for column in columns],
        partition_keys,
    )


def _decode(raw: RawColumns) -> tuple[list[CatalogColumn], list[CatalogColumn]]:
    return _COLUMNS.decode(raw.columns) or [], _COLUMNS.decode(raw.partition_keys) or []


def _is_current(column: CatalogColumn) -> bool:
    flags = column.parameters
    return not flags or flags.get("iceberg.field.current", "true").lower() != "false"
