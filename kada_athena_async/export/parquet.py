"""``parquet``: a Parquet file for each kind of extract, with the rows of all runs."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pyarrow.parquet

from kada_athena_async.export.arrow import batches, schema_of
from kada_athena_async.export.history import History
from kada_athena_async.export.interface import OutputFile, OutputFolder
from kada_athena_async.records import KINDS


class _Stream(io.RawIOBase):
    """An ``OutputFile`` as pyarrow wants a file."""

    def __init__(self, output: OutputFile) -> None:
        self._output = output
        self._size_bytes = 0

    def writable(self) -> bool:
        return True

    def notify(self) -> int:
        return self._size_bytes

    def write(self, data: object) -> int:
        block = bytes(data)  # type: ignore[call-overload]  # any buffer
        self._output.write(block)
        self._size_bytes += len(block)
        return len(block)


def write_parquet(history: History, folder: OutputFolder) -> Iterator[None]:
    """See ``Target``."""
    for kind in KINDS:
        with (
            folder.create(f"{kind}.parquet") as output,
            pyarrow.parquet.ParquetWriter(
                _Stream(output), schema_of(kind), compression="zstd"
            ) as writer,
        ):
            for batch in batches(history, kind):
                writer.write_batch(batch)
                output.count += batch.num_rows
                yield
