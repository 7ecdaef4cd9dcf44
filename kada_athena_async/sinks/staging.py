"""Staging directory of a run: its parts, unpublished, until they are committed or continued."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from uuid import uuid4

import anyio
from msgspec.structs import replace

from kada_athena_async.config import check_name
from kada_athena_async.errors import CommitError, StateError
from kada_athena_async.files import Files, failing, is_disk_full, to_bytes
from kada_athena_async.files.threads import in_thread
from kada_athena_async.sinks.journal import (
    COMMIT,
    INTENT,
    SEAL_END,
    PartFile,
    RunIntent,
    Seal,
    read_journal,
    read_seal,
)
from kada_athena_async.sinks.part import HELD_BYTES, PartWriter

# What a staging directory is called while it is removed.
DONE = ".done"

PARTS, SEALS = "parts", "seals"

# A workgroup may be called ".." and a table anything at all, so nothing passes that a file system
# could understand; the hash keeps apart what differs by case, by Unicode form or behind the cut.
_ALLOWED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-")
_MAX_READABLE = 100
_HASH_DIGITS = 16

_RUN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,63}")


def staging_root(output_path: Path, name: str) -> Path:
    """The directory that holds the staging directories of all runs of *name*."""
    return output_path / f".{check_name(name)}-staging"


def lock_path(output_path: Path, name: str) -> Path:
    """The lock of *name* in *output_path*, to be taken before anything else here."""
    return output_path / f".{check_name(name)}.lock"


def safe_name(text: str) -> str:
    """A file name for *text*: readable, at most 120 ASCII bytes, another for every other text.

    Never hidden, never ``..``, never a device of Windows, and distinct also on a file system that
    ignores case.
    """
    raw = text.encode("utf-8", "surrogatepass")
    readable = "".join(chr(byte) if byte in _ALLOWED else f"%{byte:02X}" for byte in raw)
    digest = hashlib.sha256(raw).hexdigest()[:_HASH_DIGITS]
    return f"u-{readable[:_MAX_READABLE]}-{digest}"


def new_run_id(now: datetime) -> str:
    """A new run's id: its start and random digits."""
    return f"{now:%Y%m%dT%H%M%SZ}-{uuid4().hex[:8]}"


def is_run_id(text: str) -> bool:
    """True if *text* may name a run's directory."""
    return _RUN_ID.fullmatch(text) is not None


class Staging:
    """A run's own directory: ``<output_path>/.<name>-staging/<run_id>``, 0700, its files 0600.

    An async context manager: left because the disk is full, the directory is removed to free the
    space, unless a commit is under way that the next run has to finish. Left otherwise it stays:
    the commit has removed it, or a later run continues it.

    Attributes:
        held_bytes: What a unit's small parts may take in memory until its seal stores them; larger
            ones, and what is more, have files of their own.
    """

    held_bytes = HELD_BYTES

    def __init__(self, path: Path, intent: RunIntent, files: Files) -> None:
        self.path, self.intent, self.files = path, intent, files
        self._home = files.identity(self.output_path)
        self._open: dict[str, set[str]] = {}
        # With the bytes of those that have no file of their own yet.
        self._finished: dict[str, list[tuple[PartFile, bytes]]] = {}
        self._sealed: dict[str, Seal] = {}

    @property
    def run_id(self) -> str:
        """The run's id."""
        return self.intent.run_id

    @property
    def output_path(self) -> Path:
        """Directory of the extracts; no link."""
        return self.path.parent.parent

    @classmethod
    async def create(cls, output_path: Path, intent: RunIntent, files: Files) -> Staging:
        """Make the directory of a new run and write down its intent.

        Raises:
            CommitError: The file system refuses.
            StateError: The run id cannot name a directory, or the directory above it is a link or
                not ours alone.
        """
        if not is_run_id(intent.run_id):
            raise StateError(f"{intent.run_id!r} cannot be a run id", hint="use A-Z a-z 0-9 and -")

        def make() -> Staging:
            root = staging_root(output_path.resolve(strict=True), intent.name)
            path = root / intent.run_id
            files.guard(root)
            files.make_private_dir(root)
            files.sync_dir(root.parent)
            files.make_private_dir(path)
            for below in (PARTS, SEALS):
                files.make_private_dir(path / below)

            # A run without an intent is rubbish, so the intent comes last.
            files.sync_dir(root)
            files.sync_dir(path)
            files.write_durably(path / INTENT, to_bytes(intent))
            return cls(path, intent, files)

        with failing(output_path):
            return await in_thread(make)

    @classmethod
    async def reopen(cls, path: Path, files: Files) -> Staging:
        """Continue an interrupted run: its intact sealed units stay, all else of it is dropped.

        Raises:
            StateError: The directory has no legible intent.
        """

        def load() -> Staging:
            files.guard(path.parent)
            intent = read_journal(files, path / INTENT, RunIntent)
            if intent is None:
                raise StateError(f"no run was begun in {path}", hint="remove the directory")

            staging = cls(path, intent, files)
            staging._load_sealed()
            return staging

        with failing(path):
            return await in_thread(load)

    def part(self, unit_id: str, kind: str, index: int = 0) -> PartWriter:
        """A writer for one part of a unit; each (unit, kind, index) once until ``discard``.

        Raises:
            ValueError: The unit is sealed, or it has that part already.
        """
        if unit_id in self._sealed:
            raise ValueError(f"the unit {unit_id} is sealed")

        name = f"{safe_name(unit_id)}.{kind}.{index}.part"
        done = {part.path.name for part, _ in self._finished.get(unit_id, ())}
        open_parts = self._open.setdefault(unit_id, set())
        if name in open_parts | done:
            raise ValueError(f"the unit {unit_id} has a part {index} of {kind} already")

        open_parts.add(name)

        def end(writer: PartWriter) -> None:
            open_parts.discard(name)
            if writer.file is not None:
                self._finished.setdefault(unit_id, []).append((writer.file, writer.data))

        def may_hold_bytes() -> int:
            return self.held_bytes - sum(len(d) for _, d in self._finished.get(unit_id, ()))

        return PartWriter(
            self.path / PARTS / name,
            kind,
            index,
            compress=self.intent.compress,
            files=self.files,
            on_end=end,
            may_hold_bytes=may_hold_bytes,
        )

    async def seal(self, unit_id: str, facts: Mapping[str, object]) -> None:
        """Make the unit a checkpoint: all its parts and *facts* survive a crash, or none does.

        Args:
            facts: Anything that JSON can hold; given back by ``sealed``, also after a restart.

        Raises:
            ValueError: A part of the unit is still open, or it is sealed already.
            CommitError: The file system refuses.
        """
        if self._open.get(unit_id) or unit_id in self._sealed:
            raise ValueError(f"the unit {unit_id} has open parts or is sealed already")

        parts, held, path = [], b"", self._seal_path(unit_id)
        for part, data in sorted(
            self._finished.get(unit_id, ()), key=lambda done: (done[0].kind, done[0].index)
        ):
            offset = len(held) if data else None
            parts.append(replace(part, file="" if data else part.path.name, offset=offset))
            held += data

        seal = Seal(unit_id=unit_id, parts=tuple(parts), facts=dict(facts))

        def write() -> int:
            if any(part.offset is None for part in parts):
                self.files.sync_dir(self.path / PARTS)

            head = to_bytes(seal) + SEAL_END
            self.files.write_durably(path, head + held)
            return len(head)

        with failing(path, needed_bytes=len(held)):
            head_bytes = await in_thread(write)

        self._sealed[unit_id] = self._located(seal, path, head_bytes)
        self._finished.pop(unit_id, None)

    def sealed(self) -> Mapping[str, Seal]:
        """The finished units by id."""
        return dict(self._sealed)

    def parts(self, unit_ids: Iterable[str], kind: str) -> list[PartFile]:
        """The parts of *kind* of some units, in the order of *unit_ids*.

        Raises:
            StateError: A unit is not sealed.
        """
        found: list[PartFile] = []
        for unit_id in unit_ids:
            if unit_id not in self._sealed:
                raise StateError(f"the unit {unit_id} is not finished", hint="run again")

            found += (part for part in self._sealed[unit_id].parts if part.kind == kind)

        return found

    async def discard(self, unit_id: str) -> None:
        """Drop all that a unit wrote, sealed or not, so that it can begin anew or be left out.

        Raises:
            ValueError: A part of the unit is still open.
        """
        if self._open.get(unit_id):
            raise ValueError(f"the unit {unit_id} has open parts")

        parts = [part for part, _ in self._finished.pop(unit_id, [])]
        if unit := self._sealed.pop(unit_id, None):
            parts += unit.parts

        def remove() -> None:
            # The seal goes first and for good: a seal without its parts would be a hole.
            self.files.remove(self._seal_path(unit_id))
            self.files.sync_dir(self.path / SEALS)
            for part in parts:
                if part.offset is None:
                    self.files.remove(part.path)

        with failing(self.path):
            await in_thread(remove)

    def check_home(self) -> None:
        """Blocks. Make sure that ``output_path`` is still the directory it was.

        Raises:
            CommitError: It was replaced, by a link for example.
        """
        if self.files.identity(self.output_path) != self._home:
            raise CommitError(
                f"{self.output_path} was replaced by something else during the run",
                hint="find out who did that; nothing was written there",
            )

    async def remove(self) -> None:
        """Remove the directory and all in it."""
        with failing(self.path):
            await in_thread(lambda: remove_run(self.path, self.files))

    async def __aenter__(self) -> Staging:
        return self

    async def __aexit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        cause = error.__cause__ if error is not None else None
        if isinstance(cause, OSError) and is_disk_full(cause):
            with anyio.CancelScope(shield=True), failing(self.path):
                await in_thread(self._make_room)

    def _make_room(self) -> None:
        # A commit under way needs its journals to be finished, but its parts no longer.
        if self.files.exists(self.path / COMMIT):
            self.files.remove_tree(self.path / PARTS)
        else:
            remove_run(self.path, self.files)

    def _seal_path(self, unit_id: str) -> Path:
        return self.path / SEALS / f"{safe_name(unit_id)}.seal"

    def _load_sealed(self) -> None:
        kept = set()
        for name in self.files.names(self.path / SEALS):
            unit = self._load_unit(self.path / SEALS / name)
            if unit is None:
                self.files.remove(self.path / SEALS / name)
            else:
                self._sealed[unit.unit_id] = unit
                kept |= {part.path.name for part in unit.parts}

        self.files.sync_dir(self.path / SEALS)
        for name in self.files.names(self.path / PARTS):
            if name not in kept:
                self.files.remove(self.path / PARTS / name)

    def _load_unit(self, path: Path) -> Seal | None:
        """The unit of a seal; None if the seal or a part of it is not what was written."""
        try:
            seal, head_bytes = read_seal(self.files, path)
        except StateError:
            return None

        if self._seal_path(seal.unit_id) != path:
            return None

        unit = self._located(seal, path, head_bytes)
        return unit if all(map(self._is_intact, unit.parts)) else None

    def _located(self, seal: Seal, path: Path, head_bytes: int) -> Seal:
        """*seal*, which lies at *path*, with its parts as they are found."""

        def located(part: PartFile) -> PartFile:
            if part.offset is None:
                return replace(part, file=str(self.path / PARTS / part.path.name))

            return replace(part, file=str(path), offset=head_bytes + part.offset)

        return replace(seal, parts=tuple(map(located, seal.parts)))

    def _is_intact(self, part: PartFile) -> bool:
        try:
            return self.files.digest(part.path, part.within) == (part.size_bytes, part.sha256)
        except FileNotFoundError:
            return False


def remove_run(path: Path, files: Files) -> None:
    """Remove a run's directory so that no moment of it looks like a run to be continued."""
    if not files.exists(path):
        return

    done = path if path.suffix == DONE else path.with_name(f"{path.name}{DONE}")
    if done != path:
        files.rename(path, done)
        files.sync_dir(path.parent)

    files.remove_tree(done)
