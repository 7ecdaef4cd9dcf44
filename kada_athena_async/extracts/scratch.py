"""A database on disk for as long as extracts are counted or joined, so that memory stays small."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from kada_athena_async.errors import StateError

CACHE_KIB = 24_000
"""Pages that SQLite holds in memory; the others lie in the temporary directory."""


@contextmanager
def scratch_database(schema: str) -> Iterator[sqlite3.Connection]:
    """Open an empty database with *schema*, in one transaction that is never committed.

    Raises:
        StateError: There is no room on the disk.
    """
    with TemporaryDirectory(prefix="kada-athena-extracts-") as directory:
        try:
            with closing(sqlite3.connect(Path(directory) / "scratch.sqlite")) as connection:
                connection.isolation_level = None
                connection.executescript(
                    f"""PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;
                    PRAGMA locking_mode = EXCLUSIVE; PRAGMA cache_size = -{CACHE_KIB};
                    PRAGMA temp_store = FILE; BEGIN; {schema}"""
                )
                yield connection
        except sqlite3.DatabaseError as error:
            # Its message may quote a value, and with it a literal.
            raise StateError(
                f"the extracts cannot be counted in {directory} ({type(error).__name__})",
                hint="make room there for twice the extracts uncompressed, or point TMPDIR to a "
                "larger disk",
            ) from None
