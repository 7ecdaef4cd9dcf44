"""Publication: a journaled commit becomes visible and delivered, then the HWM moves; see
``transaction``."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import anyio

from kada_athena_async.codes import WarningCode
from kada_athena_async.errors import LockedError, StateError
from kada_athena_async.events import FileCommitted, Observer, Warned
from kada_athena_async.files import Files, failing
from kada_athena_async.files.digest import NamedFile
from kada_athena_async.files.threads import in_thread
from kada_athena_async.hwm.store import Store
from kada_athena_async.manifest import Manifest, PublishedPackage, read_manifest
from kada_athena_async.sinks.journal import COMMIT, CommitJournal, RunIntent
from kada_athena_async.sinks.staging import remove_run

OUT = "out"


@dataclass(frozen=True, slots=True)
class JournaledCommit:
    """A commit whose files lie in ``OUT`` or are published already. All methods block.

    Args:
        run_path: The staging directory of its run.
    """

    run_path: Path
    intent: RunIntent
    journal: CommitJournal
    files: Files

    @property
    def output_path(self) -> Path:
        return self.run_path.parent.parent

    def staged(self) -> PublishedPackage[Manifest]:
        """The manifest that is about to be published, or is already.

        Raises:
            StateError: It vanished.
        """
        name = self.journal.manifest.name
        for directory in (self.run_path / OUT, self.output_path):
            if (found := read_manifest(directory / name, self.files)) is not None:
                return found

        raise StateError(f"the manifest {name} vanished from {self.run_path}", hint="run again")

    def publish(self) -> PublishedPackage[Manifest]:
        """Steps 4 to 6: move what the journal names to its place, the manifest last.

        May be called again after a crash at any of its steps. An error before the manifest is
        published unpublishes the data files again.

        Raises:
            OSError: As the system says.
        """
        manifest, is_new = self.journal.manifest, not self.journal.replaces
        if not is_new and self._is_staged(manifest):
            self._unpublish_older()

        try:
            for file in self.journal.files:
                self._move(file)

            self.files.sync_dir(self.output_path)
            self._move(manifest)
        except OSError:
            if is_new and self._is_staged(manifest):
                self._take_back()

            raise

        self.files.sync_dir(self.output_path)
        committed = read_manifest(self.output_path / manifest.name, self.files)
        if committed is None:
            raise FileNotFoundError(f"the manifest {manifest.name} vanished")

        return committed

    def discard(self) -> None:
        """Unpublish the commit, its manifest first, and give it up; may be repeated."""
        if self.is_published(self.journal.manifest):
            self.files.remove(self.output_path / self.journal.manifest.name)
            self.files.sync_dir(self.output_path)
            self.unpublish()

        remove_run(self.run_path, self.files)

    def unpublish(self) -> None:
        """Remove the data files that the commit published, and nothing else."""
        for file in self.journal.files:
            if self.is_published(file):
                self.files.remove(self.output_path / file.name)

        self.files.sync_dir(self.output_path)

    def missing(self) -> tuple[str, ...]:
        """The files that are neither published nor staged, or are damaged."""
        wanted = self.journal.files
        if not self.is_published(self.journal.manifest):
            wanted = (*wanted, self.journal.manifest)

        return tuple(
            file.name
            for file in wanted
            if not self._is_intact(self.run_path / OUT, file) and not self.is_published(file)
        )

    def is_published(self, file: NamedFile) -> bool:
        """True if *file* is published, unharmed."""
        return self._is_intact(self.output_path, file)

    def _is_intact(self, directory: Path, file: NamedFile) -> bool:
        try:
            return self.files.digest(directory / file.name) == (file.size_bytes, file.sha256)
        except OSError:
            return False

    def _is_staged(self, file: NamedFile) -> bool:
        return self.files.exists(self.run_path / OUT / file.name)

    def _move(self, file: NamedFile) -> None:
        if self._is_staged(file):
            self.files.rename(self.run_path / OUT / file.name, self.output_path / file.name)

    def _unpublish_older(self) -> None:
        manifest = self.output_path / self.journal.manifest.name
        if self.files.exists(manifest):
            self.files.remove(manifest)
            self.files.sync_dir(self.output_path)

        for name in self.journal.removes:
            self.files.remove(self.output_path / name)

    def _take_back(self) -> None:
        """Undo the moves of a commit that failed; the parts are still there to be joined again.

        The files are removed and not moved back: on a full disk a rename may fail, a removal does
        not. What cannot be undone is left to ``recover``, which finds the journal.
        """
        with suppress(OSError):
            for file in self.journal.files:
                if not self._is_staged(file):
                    self.files.remove(self.output_path / file.name)

            self.files.sync_dir(self.output_path)
            self.files.remove(self.run_path / COMMIT)
            self.files.sync_dir(self.run_path)


@dataclass(slots=True, kw_only=True)
class Publisher:
    """Publishes commits that are journaled, then moves the HWM.

    Who has a landing, and shares its HWM with other runners, overrides what stands behind
    ``complete``.

    Args:
        store: None if the caller keeps the HWM.
    """

    files: Files
    notify: Observer
    store: Store | None

    async def complete(self, commit: JournaledCommit) -> PublishedPackage[Manifest]:
        """Steps 3 to 8 of a commit that is journaled; may be called again after a crash.

        Raises:
            LockedError: Another runner is faster; nothing of this run stays.
            DeliveryError: As ``bring``; the HWM has not moved.
            CommitError: The file system refuses.
        """
        try:
            await self.claim(await in_thread(commit.staged), commit.journal)
            # From here on stopping half-way only costs the next run the work of finishing.
            with anyio.CancelScope(shield=True), failing(commit.output_path):
                committed = await in_thread(commit.publish)

            # Takes its time and may be cancelled: what is published stays, the HWM waits.
            await self.bring(committed)
        except LockedError:
            with anyio.CancelScope(shield=True), failing(commit.output_path):
                await in_thread(commit.discard)

            raise

        with anyio.CancelScope(shield=True):
            await self._finalize(commit, committed)

        return committed

    async def check_owner(self, intent: RunIntent) -> None:
        """Refuse a commit that is another site's or instance's.

        Raises:
            StateError: It is.
        """

    async def claim(self, committed: PublishedPackage[Manifest], journal: CommitJournal) -> None:
        """Announce that a commit is about to be published and delivered.

        Raises:
            LockedError: Another runner delivers, or the HWM has moved.
            CommitError: The place of the HWM refuses.
        """

    async def bring(self, committed: PublishedPackage[Manifest]) -> None:
        """Deliver what is claimed, and whatever waits before it.

        Raises:
            LockedError: Another runner took it over.
            DeliveryError: The landing refuses or is down.
        """

    async def close(self) -> None:
        """End what was claimed: it is delivered, and state and HWM are written.

        Raises:
            LockedError: Another runner completed it.
        """

    async def claimed_elsewhere(self, intent: RunIntent) -> bool:
        """True if another runner's delivery goes before that of *intent*."""
        return False

    async def holds(self, manifest: NamedFile) -> bool:
        """True if just this manifest lies in the landing.

        Raises:
            DeliveryError: The landing cannot be asked.
        """
        return False

    async def is_completed(self, intent: RunIntent) -> bool:
        """True if another runner completed our sealed delivery and moved the HWM."""
        return False

    async def _finalize(
        self, commit: JournaledCommit, committed: PublishedPackage[Manifest]
    ) -> None:
        """Steps 7 and 8: state and HWM, then the staging directory goes.

        The HWM only moves forward, and not at all if somebody else moved it meanwhile. Once the
        delivery is decided any runner may complete it: then the HWM moved without us.
        """
        if self.store is not None and commit.intent.manages_hwm:
            try:
                await self._move_hwm(self.store, commit.intent, committed)
                await self.close()
            except LockedError:
                if not await self.is_completed(commit.intent):
                    raise

        with failing(commit.run_path):
            await in_thread(lambda: remove_run(commit.run_path, self.files))

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
