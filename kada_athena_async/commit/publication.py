"""Publication: a journaled commit becomes visible and delivered, then the HWM moves; see
``transaction``."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import anyio

from kada_athena_async.codes import WarningCode
from kada_athena_async.errors import LockedError, StateError
from kada_athena_async.events import FileCommitted, Observer, Warned
from kada_athena_async.files import Files, failing
from kada_athena_async.files.digest import NamedFile
from kada_athena_async.files.threads import in_thread
from kada_athena_async.hwm.object_store import Store
from kada_athena_async.manifest import Manifest, PublishedPackage, read_manifest
from kada_athena_async.sinks.journal import COMMIT, CommitJournal, RunIntent
from kada_athena_async.sinks.staging import remove_run

OUT = "out"


class Delivery(Protocol):
    """The way of a commit to the landing, among runners that share its high-water mark."""

    async def check_owner(self, intent: RunIntent) -> None:
        """Refuse a commit that is another site's or instance's.

        Raises:
            StateError: It is.
        """

    async def claim(self, committed: PublishedPackage[Manifest], journal: CommitJournal) -> None:
        """Announce that a commit is about to be published and delivered.

        Raises:
            LockedError: Another runner delivers, or the HWM has moved.
        """

    async def bring(self, committed: PublishedPackage[Manifest]) -> None:
        """Deliver what is claimed, and whatever waits before it.

        Raises:
            LockedError: Another runner took it over.
            DeliveryError: The landing refuses or is down.
        """

    async def close(self) -> None:
        """End what was claimed: it is delivered, and state and mark are written.

        Raises:
            LockedError: Another runner completed it.
        """

    async def claimed_elsewhere(self, intent: RunIntent) -> bool:
        """True if another runner's delivery goes before that of *intent*."""

    async def holds(self, manifest: NamedFile) -> bool:
        """True if just this manifest lies in the landing.

        Raises:
            DeliveryError: The landing cannot be asked.
        """

    async def is_completed(self, intent: RunIntent) -> bool:
        """True if another runner completed our sealed delivery and moved the HWM."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Publisher:
    """Publishes commits that are journaled.

    Args:
        store: None if the caller keeps the HWM.
        delivery: Brings what is published to the landing, after which the HWM moves.
    """

    files: Files
    notify: Observer
    store: Store | None
    delivery: Delivery | None = None

    async def complete(
        self, run_path: Path, intent: RunIntent, journal: CommitJournal
    ) -> PublishedPackage[Manifest]:
        """Steps 3 to 8 of a commit that is journaled; may be called again after a crash.

        Raises:
            LockedError: Another runner is faster; nothing of this run stays.
            DeliveryError: As *delivery*; the HWM has not moved.
            CommitError: The file system refuses.
        """
        output_path, files, delivery = run_path.parent.parent, self.files, self.delivery
        try:
            if delivery is not None:
                staged = await in_thread(lambda: _staged(run_path, journal, files))
                await delivery.claim(staged, journal)

            # From here on stopping half-way only costs the next run the work of finishing.
            with anyio.CancelScope(shield=True), failing(output_path):
                committed = await in_thread(lambda: publish(run_path, journal, files))

            # Takes its time and may be cancelled: what is published stays, the HWM waits.
            if delivery is not None:
                await delivery.bring(committed)
        except LockedError:
            with anyio.CancelScope(shield=True), failing(output_path):
                await in_thread(lambda: discard(run_path, journal, files))

            raise

        with anyio.CancelScope(shield=True):
            await self._finalize(run_path, intent, committed)

        return committed

    async def _finalize(
        self, run_path: Path, intent: RunIntent, committed: PublishedPackage[Manifest]
    ) -> None:
        """Steps 7 and 8: state and HWM, then the staging directory goes.

        The HWM only moves forward, and not at all if somebody else moved it meanwhile. Once the
        delivery is decided any runner may complete it: then the HWM moved without us.
        """
        if self.store is not None and intent.manages_hwm:
            try:
                await self._move_hwm(self.store, intent, committed)
                if self.delivery is not None:
                    await self.delivery.close()
            except LockedError:
                if self.delivery is None or not await self.delivery.is_completed(intent):
                    raise

        with failing(run_path):
            await in_thread(lambda: remove_run(run_path, self.files))

        for file in committed.manifest.files:
            self.notify(
                FileCommitted(
                    name=file.name, kind=file.kind, rows=file.rows, size_bytes=file.size_bytes
                )
            )

    async def _move_hwm(
        self, store: Store, intent: RunIntent, committed: PublishedPackage[Manifest]
    ) -> None:
        manifest = committed.manifest
        hwm, _ = await store.read()
        if hwm not in (intent.hwm, manifest.end):
            message = f"the high-water mark was set to {hwm} during the run and stays there"
            self.notify(Warned(code=WarningCode.HWM_EDITED, message=message))
        elif hwm is None or hwm <= manifest.end:
            await store.write(
                manifest.state, run_id=manifest.run_id, manifest_sha256=committed.sha256
            )


def _staged(run_path: Path, journal: CommitJournal, files: Files) -> PublishedPackage[Manifest]:
    """The manifest that is about to be published, or is already."""
    name = journal.manifest.name
    for directory in (run_path / OUT, run_path.parent.parent):
        if (found := read_manifest(directory / name, files)) is not None:
            return found

    raise StateError(f"the manifest {name} vanished from {run_path}", hint="run again")


def publish(run_path: Path, journal: CommitJournal, files: Files) -> PublishedPackage[Manifest]:
    """Steps 4 to 6: move what the journal names to its place, the manifest last.

    May be called again after a crash at any of its steps. An error before the manifest is published
    unpublishes the data files again.

    Raises:
        OSError: As the system says.
    """
    output_path, out = run_path.parent.parent, run_path / OUT
    if journal.replaces and files.exists(out / journal.manifest.name):
        _unpublish_older(output_path, journal, files)

    try:
        for file in journal.files:
            _move(out / file.name, output_path / file.name, files)

        files.sync_dir(output_path)
        _move(out / journal.manifest.name, output_path / journal.manifest.name, files)
    except OSError:
        if not journal.replaces and files.exists(out / journal.manifest.name):
            _unpublish(run_path, journal, files)

        raise

    files.sync_dir(output_path)
    committed = read_manifest(output_path / journal.manifest.name, files)
    if committed is None:
        raise FileNotFoundError(f"the manifest {journal.manifest.name} vanished")

    return committed


def _move(source: Path, target: Path, files: Files) -> None:
    if files.exists(source):
        files.rename(source, target)


def _unpublish_older(output_path: Path, journal: CommitJournal, files: Files) -> None:
    manifest = output_path / journal.manifest.name
    if files.exists(manifest):
        files.remove(manifest)
        files.sync_dir(output_path)

    for name in journal.removes:
        files.remove(output_path / name)


def _unpublish(run_path: Path, journal: CommitJournal, files: Files) -> None:
    """Undo the moves of a commit that failed; the parts are still there to be joined again.

    The files are removed and not moved back: on a full disk a rename may fail, a removal does not.
    What cannot be undone is left to ``recover``, which finds the journal.
    """
    output_path, out = run_path.parent.parent, run_path / OUT
    with suppress(OSError):
        for file in journal.files:
            if not files.exists(out / file.name):
                files.remove(output_path / file.name)

        files.sync_dir(output_path)
        files.remove(run_path / COMMIT)
        files.sync_dir(run_path)


def discard(run_path: Path, journal: CommitJournal, files: Files) -> None:
    """Unpublish a commit, its manifest first, and give it up; may be repeated after a crash."""
    output_path = run_path.parent.parent
    if is_intact(output_path / journal.manifest.name, journal.manifest, files):
        files.remove(output_path / journal.manifest.name)
        files.sync_dir(output_path)
        unpublish(run_path, journal, files)

    remove_run(run_path, files)


def unpublish(run_path: Path, journal: CommitJournal, files: Files) -> None:
    """Remove what an unfinished commit published, and nothing else."""
    output_path = run_path.parent.parent
    for file in journal.files:
        if is_intact(output_path / file.name, file, files):
            files.remove(output_path / file.name)

    files.sync_dir(output_path)


def is_intact(path: Path, file: NamedFile, files: Files) -> bool:
    """True if *path* holds exactly what the journal says of *file*."""
    try:
        return files.digest(path) == (file.size_bytes, file.sha256)
    except OSError:
        return False
