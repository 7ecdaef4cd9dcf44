"""The interface of a target: records of published runs in, files in a folder out."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import msgspec

from kada_athena_async.export.history import History
from kada_athena_async.files import Files

STEP_RECORDS = 500
"""Records after which a target yields, so that a cancelled export ends soon: some milliseconds."""

_BUFFER_BYTES = 1 << 20

# Ends of lines to Unicode, and so to some readers of JSON lines; JSON lets them stand in a text.
_LINE_ENDS = {mark.encode(): f"\\u{ord(mark):04x}".encode() for mark in "\x85\u2028\u2029"}


@dataclass(slots=True)
class OutputFile:
    """A file that is being written.

    Attributes:
        count: Records in it.
    """

    files: Files
    fd: int
    count: int = 0
    _held: list[bytes] = field(default_factory=list)
    _held_bytes: int = 0

    def write(self, data: bytes, *, count: int = 0) -> None:
        """Append *data*, which holds *count* records."""
        self._held.append(data)
        self._held_bytes += len(data)
        self.count += count
        if self._held_bytes >= _BUFFER_BYTES:
            self.flush()

    def write_line(self, record: object) -> None:
        """Append *record* as a line of JSON, which is one line to every reader."""
        line = msgspec.json.encode(record)
        for mark, escaped in _LINE_ENDS.items():
            line = line.replace(mark, escaped)

        self.write(line + b"\n", count=1)

    def flush(self) -> None:
        """Write what is held."""
        self.files.write(self.fd, b"".join(self._held))
        self._held.clear()
        self._held_bytes = 0


@dataclass(slots=True)
class OutputFolder:
    """The folder that a target writes into; its files are published when all are complete.

    Attributes:
        counts: Name of each file -> the records in it, in the order in which they were written.
    """

    path: Path
    files: Files
    counts: dict[str, int] = field(default_factory=dict)

    @contextmanager
    def create(self, name: str) -> Iterator[OutputFile]:
        """A new file *name*, durable when the block ends.

        Raises:
            OSError: As the system says.
        """
        output = OutputFile(self.files, self.files.create(self.path / name))
        try:
            yield output
            output.flush()
            self.files.sync(output.fd)
        finally:
            self.files.close(output.fd)

        self.counts[name] = output.count

    def add(self, name: str, count: int) -> None:
        """Make durable what a library wrote as *name*, with *count* records."""
        path = self.path / name
        path.chmod(0o600)
        fd = os.open(path, os.O_RDWR)
        try:
            self.files.sync(fd)
        finally:
            os.close(fd)

        self.counts[name] = count


Target: TypeAlias = Callable[[History, OutputFolder], Iterator[None]]
"""Writes its files into the folder; yields after every ``STEP_RECORDS`` records or so.

Raises ``StateError`` if an extract is missing or torn, ``OSError`` if a file cannot be written.
"""
