"""The rows of the estate's tables, and the hidden tables that go with them."""

from __future__ import annotations

from kada_athena_async.sandbox.estate.model import Schema, Table
from kada_athena_async.sandbox.execute.column_data import ColumnData
from kada_athena_async.sandbox.execute.session import table_named
from kada_athena_async.sandbox.execute.trino_types import duckdb_type


def sample_table(table: Table) -> ColumnData:
    """The table's sample rows, one column for each current column; empty if it has none."""
    rows = table.sample_rows
    width = len(rows[0]) if rows else 0
    # Sample rows hold values either for all columns or only for the current ones.
    columns = table.columns if width == len(table.columns) else table.current_columns
    columns_by_name = {
        column.name.lower(): (duckdb_type(column.trino_type), [row[at] for row in rows])
        for at, column in enumerate(columns)
        if column.is_current
    }
    return ColumnData(columns_by_name)


def hidden_relation(schema: Schema, name: str) -> ColumnData | None:
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

    data = sample_table(table).columns
    return sorted(set(zip(*(data[key][1] for key in keys), strict=True)), key=str)


def _partitions(table: Table) -> ColumnData:
    keys = [column for column in table.current_columns if column.is_partition_key]
    values = partition_values(table)
    return ColumnData(
        {
            column.name.lower(): (duckdb_type(column.trino_type), [row[at] for row in values])
            for at, column in enumerate(keys)
        }
    )


def _snapshots(table: Table) -> ColumnData:
    made_at = [table.updated_at or table.created_at] if table.table_format == "iceberg" else []
    count = len(made_at)
    return ColumnData(
        {
            "made_current_at": ("TIMESTAMPTZ", made_at),
            "snapshot_id": ("BIGINT", [1] * count),
            "parent_id": ("BIGINT", [None] * count),
            "is_current_ancestor": ("BOOLEAN", [True] * count),
        }
    )
