"""``duckdb``: one DuckDB database, a table for each kind of extract, with the rows of all runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import duckdb
import pyarrow as pa

from kada_athena_async.export.arrow import batches, schema_of
from kada_athena_async.export.history import History
from kada_athena_async.export.interface import OutputFolder
from kada_athena_async.records import KINDS


def write_duckdb(history: History, folder: OutputFolder) -> Iterator[None]:
    """See ``Target``; the file is named as the collector."""
    file = f"{history.newest.manifest.name}.duckdb"
    count = 0
    with closing(duckdb.connect(str(folder.path / file))) as database:
        for kind in KINDS:
            database.register("batch", schema_of(kind).empty_table())
            database.execute(f"CREATE TABLE {kind} AS SELECT * FROM batch")
            for batch in batches(history, kind):
                database.register("batch", pa.Table.from_batches([batch]))
                database.execute(f"INSERT INTO {kind} SELECT * FROM batch")
                count += batch.num_rows
                yield

            database.unregister("batch")

    folder.add(file, count)
