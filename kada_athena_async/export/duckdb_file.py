"""``duckdb``: one DuckDB database, a table for each kind of extract, with the rows of all runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager

import duckdb
import pyarrow as pa

from kada_athena_async.errors import CommitError
from kada_athena_async.export.arrow import batches, schema_of
from kada_athena_async.export.history import History
from kada_athena_async.export.interface import OutputFolder
from kada_athena_async.records import KINDS


def write_duckdb(history: History, folder: OutputFolder) -> Iterator[None]:
    """See ``Target``; the file is named as the collector."""
    file = f"{history.newest.manifest.name}.duckdb"
    count = 0
    with _named(file), closing(duckdb.connect(str(folder.path / file))) as database:
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


@contextmanager
def _named(file: str) -> Iterator[None]:
    """Turn what DuckDB raises into a ``CommitError`` without its message, which may quote data."""
    try:
        yield
    except duckdb.Error as error:
        is_full = "No space left" in str(error)
        reason = "no space left on the disk" if is_full else type(error).__name__
        raise CommitError(
            f"DuckDB cannot write {file}: {reason}",
            hint="free space there, or name another directory with -o",
        ) from error
