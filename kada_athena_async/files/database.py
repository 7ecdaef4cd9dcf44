"""A SQLite database in a file that only its owner can read."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

_MODE = 0o600


def open_database(path: Path | None, script: str) -> sqlite3.Connection:
    """The database at *path*, made if it is not there, after *script*; in memory if that is None.

    The connection may be used from several threads, one at a time.

    Raises:
        OSError, sqlite3.Error: It cannot be opened, or is damaged.
    """
    if path is not None:
        # Made here, for SQLite would let others read it; what it makes beside it has the same mode.
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, _MODE))

    database = sqlite3.connect(path or ":memory:", check_same_thread=False)
    try:
        database.executescript(script)
    except sqlite3.Error:
        database.close()
        raise

    return database
