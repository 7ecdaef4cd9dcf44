"""Executions on their way from the unit that writes them to their lineage, in order."""

from __future__ import annotations

import pickle
import re
from collections import deque
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, NamedTuple, TypeAlias

import anyio
from isal import isal_zlib

from kada_athena_async.concurrency import offload
from kada_athena_async.records import QueryRecord

HELD_CHARS = 1_000_000
"""Of statements, with what a record takes beside; what exceeds them waits in a temporary file."""

_RECORD_CHARS = 1_500

BATCH_RECORDS = 500
Tables: TypeAlias = tuple[tuple[str | None, ...], ...]
_LENGTH_BYTES = 8
_LEVEL = 1
_UNWRITABLE = re.compile("[\x00\ud800-\udfff]")
_TEXTS = ("catalog", "schema", "statement_type", "substatement_type", "query", "fingerprint")


class Executed(NamedTuple):
    """An execution on its way.

    Attributes:
        accessed: The tables that it accessed, where Athena's system table says so.
    """

    record: QueryRecord
    accessed: Tables | None = None


class RecordQueue:
    """A queue of records with one writer, who never waits, and one reader.

    Args:
        directory: Where the temporary file may lie.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._held: deque[Sequence[Executed]] = deque()
        self._held_chars = 0
        self._file: IO[bytes] | None = None
        self._read_to = self._written_to = 0
        self._turn = anyio.Lock()
        self._changed = anyio.Event()
        self._is_over = False

    async def put(self, records: Sequence[Executed]) -> None:
        """Add *records*.

        Raises:
            OSError: The disk refuses.
        """
        chars = _chars(records)
        # What is in the file is older than what would be held.
        if self._read_to < self._written_to or self._held_chars + chars > HELD_CHARS:
            async with self._turn:
                await offload(lambda: self._write(records))
        else:
            self._held.append(records)
            self._held_chars += chars
        self._wake()

    def end(self) -> None:
        """Say that no more records come."""
        self._is_over = True
        self._wake()

    async def get(self) -> list[Executed]:
        """The next records, some hundreds at most; none at the end.

        Raises:
            OSError: The disk refuses.
        """
        while True:
            if self._held:
                return self._of_held()

            async with self._turn:
                if self._read_to < self._written_to:
                    return await offload(self._read)

            if self._is_over:
                return []

            await self._changed.wait()

    def close(self) -> None:
        """Remove the temporary file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _wake(self) -> None:
        self._changed.set()
        self._changed = anyio.Event()

    def _of_held(self) -> list[Executed]:
        found: list[Executed] = []
        while self._held and len(found) < BATCH_RECORDS:
            found += self._held.popleft()
        self._held_chars -= _chars(found)
        return found

    def _write(self, records: Sequence[Executed]) -> None:
        if self._file is None:
            self._file = TemporaryFile(dir=self._directory)  # noqa: SIM115 - closed by ``close``
        if self._read_to == self._written_to:
            self._read_to = self._written_to = 0
        data = isal_zlib.compress(
            pickle.dumps([(tuple(one.record), one.accessed) for one in records]), _LEVEL
        )
        self._file.seek(self._written_to)
        self._file.write(len(data).to_bytes(_LENGTH_BYTES, "big") + data)
        self._written_to = self._file.tell()

    def _read(self) -> list[Executed]:
        assert self._file is not None
        self._file.seek(self._read_to)
        found: list[Executed] = []
        while self._read_to < self._written_to and len(found) < BATCH_RECORDS:
            length = int.from_bytes(self._file.read(_LENGTH_BYTES), "big")
            # Our own records, in a file that nobody else can open.
            rows = pickle.loads(isal_zlib.decompress(self._file.read(length)))  # noqa: S301
            found += [Executed(QueryRecord._make(row), accessed) for row, accessed in rows]
            self._read_to = self._file.tell()
        return found


def _chars(records: Sequence[Executed]) -> int:
    return sum(_RECORD_CHARS + len(one.record.query or "") for one in records)


def as_written(record: QueryRecord) -> QueryRecord:
    """*record* as its extract has it, in the fields that lineage looks at."""
    changed: dict[str, object] = {}
    for name in _TEXTS:
        text: str | None = getattr(record, name)
        if text == "":
            changed[name] = None
        elif text is not None and not text.isascii():
            changed[name] = _UNWRITABLE.sub("\ufffd", text)
        elif text is not None and "\x00" in text:
            changed[name] = text.replace("\x00", "\ufffd")
    for name in ("submitted_at", "completed_at"):
        at: datetime | None = getattr(record, name)
        if at is not None and (at.microsecond % 1000 or at.tzinfo is not timezone.utc):
            whole = at.astimezone(timezone.utc)
            changed[name] = whole.replace(microsecond=whole.microsecond // 1000 * 1000)
    return record._replace(**changed) if changed else record  # type: ignore[arg-type]
