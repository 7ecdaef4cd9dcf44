"""The rows of the estate's tables, and the hidden tables that go with them."""

from __future__ import annotations

import pyarrow as pa

from kada_athena_async.sandbox.estate.model import Schema, Table
from kada_athena_async.sandbox.execute.session import table_named
from kada_athena_async.sandbox.execute.trino_types import arrow_type


def sample_table(table: Table) -> pa.Table:
    """The table's sample rows, one column for each current column; empty if it has none."""
    rows = table.sample_rows
    width = len(rows[0]) if rows else 0
    # Sample rows hold values either for all columns or only for the current ones.
    columns = table.columns if width == len(table.columns) else table.current_columns
    arrays = {
        column.name.lower(): _array([row[at] for row in rows], column.trino_type)
        for at, column in enumerate(columns)
        if column.is_current
    }
    return pa.table(arrays)


def hidden_relation(schema: Schema, name: str) -> pa.Table | None:
    """Rows of ``"table$partitions"`` and the like; None if *name* is none of them."""
    base, _, suffix = name.rpartition("$")
    table = table_named(schema, base) if base else None
    if table is None:
        return None

    if suffix.lower() == "partitions":
        return _partitions(table)

    return _snapshots(table) if suffix.lower() in ("history", "snapshots") else None


def partition_values(table: Table) -> list[tuple[object, ...]]:
    """The distinct values of the partition keys in the sample rows, in order."""
    keys = [column.name.lower() for column in table.current_columns if column.is_partition_key]
    if not keys:
        return []

    data = sample_table(table).select(keys).group_by(keys).aggregate([])
    rows = {tuple(row[key] for key in keys) for row in data.to_pylist()}
    return sorted(rows, key=str)


def _partitions(table: Table) -> pa.Table:
    keys = [column for column in table.current_columns if column.is_partition_key]
    values = partition_values(table)
    return pa.table(
        {
            column.name.lower(): _array([row[at] for row in values], column.trino_type)
            for at, column in enumerate(keys)
        }
    )


def _snapshots(table: Table) -> pa.Table:
    made_at = [table.updated_at or table.created_at] if table.table_format == "iceberg" else []
    count = len(made_at)
    return pa.table(
        {
            "made_current_at": pa.array(made_at, pa.timestamp("us", tz="UTC")),
            "snapshot_id": pa.array([1] * count, pa.int64()),
            "parent_id": pa.array([None] * count, pa.int64()),
            "is_current_ancestor": pa.array([True] * count, pa.bool_()),
        }
    )


def _array(values: list[object], trino_type: str) -> pa.Array:
    try:
        return pa.array(values, arrow_type(trino_type))
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError):
        return pa.array([None if v is None else str(v) for v in values], pa.string())
