"""Journal of a run in its staging directory: written and read here."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TypeVar

import msgspec

from kada_athena_async.files import WHOLE, Files, parse_document, read_bytes, read_document
from kada_athena_async.files.digest import FileName, NamedFile
from kada_athena_async.hwm import HeldPrincipals, Origin, Window

SCHEMA_VERSION = 3

INTENT = "intent.json"
COMMIT = "commit.json"
SEAL_END = b"\0"

_REMEDY = (
    "a run's journals are written whole or not at all, so look at the disk; to give up what that "
    "run extracted, remove its directory"
)


class RunIntent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Plan of a run; written before its first part.

    Attributes:
        start, end: The window.
        hwm: The high-water mark that the run found, None if there was none or it keeps none.
        manages_hwm: True if the commit moves the HWM, False if the caller keeps its own.
        replaces: True if it may replace an older commit of the same end, also when continued.
        config_digest, plan_digest, version, statements_digest, origin: The run may be continued
            only by one with the same; those that earlier versions did not write are empty.
        mask: True if the texts are masked; None in intents of earlier versions.
        statements_digest: SHA-256 of the statements that the caller overwrote; empty if none.
        version: Of this package.
        origin: Whose run it is.
    """

    schema_version: int = SCHEMA_VERSION
    run_id: str
    name: str
    start: datetime
    end: datetime
    hwm: datetime | None
    manages_hwm: bool
    compress: bool
    replaces: bool = False
    config_digest: str
    plan_digest: str
    started_at: datetime
    mask: bool | None = None
    statements_digest: str = ""
    version: str = ""
    origin: Origin | None = None

    @property
    def window(self) -> Window:
        return Window(self.start, self.end)


class PartFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A finished part.

    Attributes:
        file: Path of the file of its own, or of its unit's seal, which holds the small ones. On
            disk the name alone; empty for the seal.
        offset: Of its first byte in the seal's file, on disk behind ``SEAL_END``; None if it has a
            file of its own.
        rows: How many records it holds.
        size_bytes, sha256: Of its bytes as they are stored.
    """

    kind: str
    index: int
    file: str
    offset: int | None = None
    rows: int
    size_bytes: int
    sha256: str

    @property
    def path(self) -> Path:
        return Path(self.file)

    @property
    def within(self) -> range:
        """The place of its bytes in the file."""
        return WHOLE if self.offset is None else range(self.offset, self.offset + self.size_bytes)


class Seal(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Checkpoint of a finished unit; in its file the bytes of its small parts follow, behind
    ``SEAL_END``.

    Attributes:
        parts: In the order of kind and index.
        facts: What ``Staging.seal`` was given; JSON.
    """

    schema_version: int = SCHEMA_VERSION
    unit_id: str
    parts: tuple[PartFile, ...]
    facts: dict[str, object]


class CommitJournal(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Plan of a commit; written before it touches anything published.

    Attributes:
        files: The data files.
        replaces: True if an older commit of the same window is to be replaced.
        removes: Files of that older commit which have no successor of the same name.
        early, elsewhere, principals: As in the delivery intent.
    """

    schema_version: int = SCHEMA_VERSION
    run_id: str
    files: tuple[NamedFile, ...]
    manifest: NamedFile
    replaces: bool
    removes: tuple[FileName, ...] = ()
    early: dict[str, tuple[str, ...]] = {}
    elsewhere: tuple[str, ...] = ()
    principals: HeldPrincipals = HeldPrincipals()


def read_seal(files: Files, path: Path) -> tuple[Seal, int]:
    """The seal at *path*, and how many bytes come before those of its parts.

    Raises:
        StateError: It cannot be read, or is none.
    """
    data = read_bytes(files, path, remedy=_REMEDY) or b""
    head, end, _ = data.partition(SEAL_END)
    seal = parse_document(head, Seal, source=str(path), newest=SCHEMA_VERSION, remedy=_REMEDY)
    return seal, len(head) + len(end)


JournalT = TypeVar("JournalT", RunIntent, CommitJournal)


def read_journal(files: Files, path: Path, kind: type[JournalT]) -> JournalT | None:
    """The journal at *path*; None if there is none.

    Raises:
        StateError: It cannot be read, is no such journal, or is newer than this package.
    """
    return read_document(files, path, kind, newest=SCHEMA_VERSION, remedy=_REMEDY)
