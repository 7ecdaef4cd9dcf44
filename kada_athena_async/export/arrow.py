"""The records as Arrow tables, their types from ``records.py``; with the columns of the run."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from types import UnionType
from typing import Any, get_args, get_type_hints

import pyarrow as pa

from kada_athena_async.export.history import History
from kada_athena_async.records import RECORD_TYPES

BATCH_RECORDS = 10_000

RUN_COLUMNS = ("run_id", "window_end")
"""The last columns of every table: the run that wrote the row, and the end of its window."""

_TIME = pa.timestamp("ms", tz="UTC")


def schema_of(kind: str) -> Any:
    """The Arrow schema of a kind of extract."""
    hints = get_type_hints(RECORD_TYPES[kind])
    fields = [pa.field(name, _type(hint)) for name, hint in hints.items()]
    run_id, window_end = RUN_COLUMNS
    return pa.schema([*fields, pa.field(run_id, pa.string()), pa.field(window_end, _TIME)])


def _type(hint: object) -> Any:
    members = get_args(hint) if isinstance(hint, UnionType) else (hint,)
    for kind, found in (
        (bool, pa.bool_()),
        (datetime, _TIME),
        (int, pa.int64()),
        (float, pa.float64()),
        (str, pa.string()),
    ):
        if kind in members:
            return found

    if any(str(member).startswith("tuple") for member in members):
        return pa.list_(pa.string())

    return pa.map_(pa.string(), pa.string())


def batches(history: History, kind: str) -> Iterator[Any]:
    """The rows of a kind of extract of all runs, oldest first, in record batches."""
    schema = schema_of(kind)
    for package in history.packages:
        manifest = package.manifest
        records = package.records(kind)
        while rows := list(islice(records, BATCH_RECORDS)):
            fields = [list(field) for field in zip(*rows, strict=True)]
            columns = [
                [[*value.items()] if isinstance(value, dict) else value for value in column]
                for column in fields
            ]
            columns += [[manifest.run_id] * len(rows), [manifest.end] * len(rows)]
            arrays = [pa.array(c, f.type) for c, f in zip(columns, schema, strict=True)]
            yield pa.RecordBatch.from_arrays(arrays, schema=schema)
