"""Parser's answer to each distinct question, kept so that it is asked once.

A cache in every sense: a reading is a function of its question alone, whose digest is its key, so
that one that is lost is read again, and one that was kept by a run that was interrupted holds for
the run that continues it.
"""

from __future__ import annotations

import sqlite3
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import lru_cache
from hashlib import blake2b
from importlib.metadata import version
from pathlib import Path
from threading import Lock
from typing import TypeVar

import msgspec

from kada_athena_async.files.database import open_database
from kada_athena_async.sql.parse_request import ParsedQuery, ParseRequest
from kada_athena_async.version import __version__

HeldT = TypeVar("HeldT", bytes, ParsedQuery)

_HELD_READINGS = 1_000
_DIGEST_BYTES = 16
_CHECK_BYTES = 8
# A log with checksums: what a crash tears is not read back. Not durable, for it is a cache.
_SCRIPT = """
    PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;
    PRAGMA cache_size = -500;
    CREATE TABLE IF NOT EXISTS readings (key BLOB PRIMARY KEY, data BLOB) WITHOUT ROWID;
"""


_DECODER = msgspec.msgpack.Decoder(ParsedQuery)


def decoded(data: bytes) -> ParsedQuery:
    """The reading that ``encoded`` made *data* of."""
    return _DECODER.decode(data)


def key_of(question: ParseRequest) -> bytes:
    """The digest of *question* and of the parser; statements that differ in literals share it."""
    digest = blake2b(_parser(), digest_size=_DIGEST_BYTES)
    pieces = [question.dialect, *map(str, question.context), question.query]
    for table in question.tables:
        pieces += ("", *table.name, *table.columns)
    digest.update("\x00".join(pieces).encode("utf-8", "replace"))
    return digest.digest()


@lru_cache(maxsize=1)
def _parser() -> bytes:
    return f"{__version__} {version('sqlglot')}\x00".encode()


class ParseCache:
    """Parsed statements by key: the latest in memory, all in a file; usable from several threads.

    Args:
        path: The file, which may be one that an interrupted run left; None keeps the latest only.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._turn = Lock()
        # As they are encoded: what they are decoded into takes ten times as much.
        self._held: OrderedDict[bytes, bytes] = OrderedDict()
        self._guesses: OrderedDict[bytes, ParsedQuery] = OrderedDict()
        self._file = None if path is None else _opened(path)

    def find(self, keys: Iterable[bytes]) -> dict[bytes, ParsedQuery]:
        """The readings that are known of *keys*."""
        with self._turn:
            found: dict[bytes, ParsedQuery] = {}
            for key in keys:
                data = self._held.get(key) or self._read(key)
                if data is not None:
                    _hold(self._held, {key: data})
                    found[key] = decoded(data)
                elif key in self._guesses:
                    found[key] = self._guesses[key]
            return found

    def keep(
        self, readings: Mapping[bytes, bytes], guesses: Mapping[bytes, ParsedQuery] | None = None
    ) -> dict[bytes, ParsedQuery]:
        """Keep *readings*, which are as ``encoded`` made them, and return all.

        Args:
            guesses: Of questions that the parser could not answer: held, so as not to ask again,
                and not in the file, for the run that continues this one may have better luck.
        """
        found = {key: decoded(data) for key, data in readings.items()}
        with self._turn:
            _hold(self._held, readings)
            _hold(self._guesses, guesses or {})
            rows = [(key, _check(key, data) + data) for key, data in readings.items()]
            if self._file is not None and rows:
                try:
                    with self._file:
                        self._file.executemany(
                            "INSERT OR REPLACE INTO readings VALUES (?, ?)", rows
                        )
                except sqlite3.Error:
                    self._drop()
        return {**found, **(guesses or {})}

    def close(self) -> None:
        """Let go of the file; it stays for a run that continues this one."""
        with self._turn:
            self._drop()

    def _read(self, key: bytes) -> bytes | None:
        """The reading in the file; None if it is not there, or not what was written."""
        if self._file is None:
            return None

        try:
            row = self._file.execute("SELECT data FROM readings WHERE key = ?", (key,)).fetchone()
        except sqlite3.Error:
            self._drop()
            return None

        if row is None or row[0][:_CHECK_BYTES] != _check(key, row[0][_CHECK_BYTES:]):
            return None

        data: bytes = row[0][_CHECK_BYTES:]
        return data

    def _drop(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            with suppress(sqlite3.Error):
                file.close()


def _hold(held: OrderedDict[bytes, HeldT], readings: Mapping[bytes, HeldT]) -> None:
    for key, reading in readings.items():
        held[key] = reading
        held.move_to_end(key)
    while len(held) > _HELD_READINGS:
        held.popitem(last=False)


def _check(key: bytes, data: bytes) -> bytes:
    return blake2b(data, key=key, digest_size=_CHECK_BYTES).digest()


def _opened(path: Path) -> sqlite3.Connection | None:
    """The file at *path*, anew if it is damaged; None where none can be had."""
    for _ in range(2):
        with suppress(sqlite3.Error, OSError):
            return open_database(path, _SCRIPT)

        for name in (path.name, f"{path.name}-wal"):
            with suppress(OSError):
                path.with_name(name).unlink()

    return None
