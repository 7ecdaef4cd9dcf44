"""Two runners, one high-water mark: who delivers, and who goes on when a machine is lost.

A runner on another machine (a pod, a pool of workers) finds nothing of a run but the HWM, what the
landing got of it, and the **delivery intent** beside the HWM. All three are changed by conditional
writes only: created if absent, replaced if still what was seen. Names of files follow from the end
of the window, and the platform loads every file that it finds in the landing, so a lost attempt may
leave no file behind, and may not touch one that a manifest names.

The delivery intent has four states:

- **none**, or closed: nothing is under way. Whoever has a package journaled *claims*: it writes its
  intent, with an attempt id that no other claim ever has. Then it publishes on its own disk, and
  stores the data files, each marked with the attempt.
- **open**: its own, until another takes it over. A runner that finds an open intent extracts the
  same window once more, with the same names, before anything else, and claims it for itself. The
  slower one learns that from the next file or from the seal, removes what it published on its own
  disk, and ends with exit code 3; its next run goes on from the HWM.
- **sealed**: all data files are in place; the intent now holds the manifest. This is the decision:
  a sealed delivery is never taken over. Whoever finds one writes the manifest into the landing (the
  same bytes, whoever writes them), moves the HWM and closes the intent.
- A hand that sets the HWM closes it too.

A file is stored by the attempt *a* in these steps; a runner may stop before each, for hours:

1. Look. If *a* itself stored it, done. If nothing is there, create it on condition that nothing is.
2. Something is there: it belongs to an attempt that *a* has overtaken, or that has overtaken *a*.
   Read the intent: if it is not *a*'s any more, stop. Revoke the writes of others of this name.
3. Begin the write, read the intent again, and let it take effect if what was seen at 1 is still
   there. If not, begin anew.

So nothing that *b* stored is ever changed by *a*, whom *b* overtook:

- a creation fails, because no name that is in use ever gets free again;
- a replacement saw its version before *b* had claimed (step 3 reads the intent after step 1), and
  *b* replaced that version, though it held the right bytes: it was not marked with *b*. In a store
  whose versions come back with the content (S3's ETag) the write is revoked besides: it had begun
  before *b* claimed, and *b* revokes after that;
- *a*'s manifest was never written, because only a seal lets it, and a seal is a conditional write
  of the intent that *b* has changed.

And nothing of *a* stays: *b* stores under the same names, all of them. That is why the window, and
whether files are compressed, are taken over with the intent.

A claim reads the intent first and then compares the HWM with what was read when the run began: if
the intent is still the same when the claim is written, nobody claimed, and so nobody moved the
HWM, in between. A sealed intent is not claimed over; its delivery is completed first.

A package that is **extracted again** (``--reprocess``) has its files replaced where they lie, and
the manifest there would name a mixture meanwhile. So the manifest is replaced first, by itself
without its files: from then on it is true, and whoever reads what manifests name does not see the
package until the new manifest, which names all of them again, is written after the seal. Only a
manifest that the intent names, by its SHA-256, is replaced; if another lies there, somebody
replaced it since, and what was extracted here is given up. The HWM does not move, so the intent is
closed for itself, after the state is written. Whoever takes the delivery over may not have the
packages: the intent names the executions that came from before the window and those of its window
that are to be left out, since other packages hold them or the next run emits them; and the same of
their principals.

The HWM: state and HWM are written on condition of what was read when the run began. A package
whose start is no longer the HWM is superseded, wherever the HWM is now: it is unpublished. If the
landing holds its manifest, then somebody completed its delivery, and it stays.

Not covered: a landing that is emptied while a delivery is open (a name that was in use gets free),
one instance whose runners have different landings, and a right to read the intent that is missing.

tests/landing/test_two_runners.py explores every order of the calls of two runners.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path

import anyio.lowlevel
import msgspec

from kada_athena_async.codes import WarningCode
from kada_athena_async.commit.publication import Publisher
from kada_athena_async.commit.recovery import InterruptedRun, RecoverySettings, recover
from kada_athena_async.engine.destination import Destination
from kada_athena_async.engine.ownership import Owner
from kada_athena_async.errors import StateError
from kada_athena_async.events import Warned
from kada_athena_async.files.digest import NamedFile
from kada_athena_async.hwm import DeliveryIntent, format_hwm
from kada_athena_async.landing import DeliveryReport
from kada_athena_async.landing.interface import Claim, overtaken
from kada_athena_async.manifest import Manifest, PublishedPackage, parse_manifest
from kada_athena_async.sinks.journal import CommitJournal, RunIntent
from kada_athena_async.sinks.staging import staging_root


@dataclass(slots=True, kw_only=True)
class PendingDelivery(Publisher):
    """One run's part in the protocol above.

    Args:
        owner: Who may deliver, complete and finish what is here; another's is refused.
        store: None if the caller keeps the HWM; then nothing is delivered later.

    Attributes:
        reports: What was delivered.
    """

    destination: Destination
    owner: Owner
    output_path: Path
    reports: list[DeliveryReport | None] = field(default_factory=list, init=False)
    _claim: Claim | None = field(default=None, init=False)

    async def begin(
        self,
        settings: RecoverySettings,
        *,
        before_discard: Callable[[], Awaitable[object]] = anyio.lowlevel.checkpoint,
        sends_all: bool = False,
    ) -> tuple[InterruptedRun | None, DeliveryIntent | None]:
        """Bring to its end what earlier runs left, here and elsewhere, before anything new.

        Args:
            before_discard: As for ``recover``.
            sends_all: Deliver also what another landing has.

        Returns:
            The interrupted run to continue here, and the delivery of another runner whose window
            goes first.

        Raises:
            StateError: Mark, state, delivery intent, or a commit here cannot be trusted, or is
                another's.
            LockedError: Another runner is faster.
            DeliveryError: The landing refuses or is down.
        """
        destination = self.destination
        await self.complete_decided()
        resumable = await recover(
            self.output_path,
            destination.name,
            settings=settings,
            publisher=self,
            before_discard=before_discard,
        )
        # What an earlier run could not deliver goes before anything new is extracted; but for
        # packages whose HWM has not moved.
        await self._deliver(sends_all=sends_all)
        unfinished = await self.unfinished()
        if unfinished is not None and unfinished.sealed:  # by another runner, since we looked
            await self.complete_decided()
            unfinished = await self.unfinished()

        return resumable, unfinished

    async def check_owner(self, intent: RunIntent) -> None:
        await self.owner.check(intent.origin, f"the unfinished commit of {intent.window}")

    async def claim(self, committed: PublishedPackage[Manifest], journal: CommitJournal) -> None:
        self._claim = None
        manifest, place = committed.manifest, self.destination.config.landing
        if self.store is None or place is None or not manifest.manages_hwm:
            return

        # In this order: if the intent is still this one when it is written, nobody claimed since
        # it was read, so nobody moved the HWM since that was compared.
        intent = await self.store.read_intent()
        await self.store.check()
        hwm, _ = await self.store.read()
        # A manifest names its run, so no other run has its SHA-256.
        own = (committed.sha256, place.url)
        if intent is None or (intent.sha256, intent.place) != own:
            files = tuple(file.name for file in manifest.files)
            other = intent if intent is not None and intent.binds(hwm) else None
            if other is not None:
                if other.window != manifest.window or other.sealed:
                    raise overtaken(other)

                _refuse_leftovers(other, files)

            replaces = hwm is not None and manifest.end <= hwm
            replaced_sha256 = other.replaced_sha256 if other else ""
            if replaces and other is None:
                replaced_sha256 = await self.destination.replaceable(self.output_path, committed)

            intent = DeliveryIntent(
                run_id=manifest.run_id,
                hwm=hwm,
                start=manifest.start,
                end=manifest.end,
                manifest=committed.name,
                sha256=committed.sha256,
                attempt=f"{self.destination.rng.getrandbits(128):032x}",
                place=place.url,
                files=files,
                compress=any(name.endswith(".gz") for name in files),
                replaces=replaces,
                replaced_sha256=replaced_sha256,
                early=journal.early,
                elsewhere=journal.elsewhere,
                principals=journal.principals,
                origin=manifest.state.origin,
            )
            await self.store.write_intent(intent)

        self._claim = Claim(self.store, intent)

    async def bring(self, committed: PublishedPackage[Manifest]) -> None:
        await self._deliver(claim=self._claim)

    async def close(self) -> None:
        """Close the intent of a package that replaces one: the HWM need not move with it."""
        claim = self._claim
        if claim and claim.intent.replaces and (found := await claim.found()):
            await self._close(found)

    async def claimed_elsewhere(self, intent: RunIntent) -> bool:
        found = await self.unfinished()
        if found is None or not intent.manages_hwm or found.run_id == intent.run_id:
            return False

        return found.window != intent.window or found.compress not in (None, intent.compress)

    async def holds(self, manifest: NamedFile) -> bool:
        return await self._held(manifest.name, manifest.sha256) is not None

    async def is_completed(self, intent: RunIntent) -> bool:
        if self.store is None or self._claim is None:
            return False

        hwm, _ = await self.store.read_anew()
        if not self._claim.intent.replaces:
            return hwm != intent.hwm

        return await self._claim.found() is None

    async def unfinished(self) -> DeliveryIntent | None:
        """The delivery that goes before anything else; None if there is none.

        Raises:
            StateError: The delivery intent cannot be trusted.
        """
        if self.store is None or self.destination.config.landing is None:
            return None

        found = await self.store.read_intent()
        return found if found is not None and found.binds((await self.store.read())[0]) else None

    async def complete_decided(self) -> None:
        """Complete a delivery that is decided, unless its run is here to be recovered.

        Raises:
            DeliveryError: The landing cannot be asked.
            LockedError: Another runner completes it at this moment.
            StateError: The manifest is newer than this package, or was for another landing.
        """
        found, place = await self.unfinished(), self.destination.config.landing
        if found is None or self.store is None or place is None:
            return

        await self.owner.check(found.origin, f"the unfinished delivery {found.manifest}")
        if found.place not in ("", place.url):
            raise StateError(
                f"the delivery of {found.manifest} to {found.place} is not finished, and the "
                f"landing is {place.url} now",
                hint=f"set landing to {found.place} for one run; or give that package up with "
                f"`publish_hwm`, and remove what lies of it there",
            )

        root = staging_root(self.output_path, self.destination.name)
        is_here = self.files.exists(root / found.run_id)
        manifest = None if is_here else await self._decided(found)
        if manifest is None:
            return

        if found.replaces and (await self.store.read())[0] != manifest.end:
            await self._close(found)
        else:
            await self.store.write(
                manifest.state, run_id=manifest.run_id, manifest_sha256=found.sha256
            )

        self.notify(
            Warned(
                code=WarningCode.DELIVERY_COMPLETED,
                message=f"the high-water mark moves to {format_hwm(manifest.end)}: "
                f"{found.manifest} was "
                "delivered by a run whose disk is not this one, and which ended before that",
            )
        )

    async def push(self, *, sends_all: bool) -> None:
        """Deliver where no other runner shares the HWM; see ``Destination.deliver``."""
        await self._deliver(sends_all=sends_all, is_alone=True)

    async def _deliver(
        self, *, claim: Claim | None = None, sends_all: bool = False, is_alone: bool = False
    ) -> None:
        report = await self.destination.deliver(
            self.output_path,
            owner=self.owner,
            claim=claim,
            sends_all=sends_all,
            is_alone=is_alone,
        )
        self.reports.append(report)

    async def _close(self, intent: DeliveryIntent) -> None:
        assert self.store is not None
        await self.store.write_intent(msgspec.structs.replace(intent, is_open=False))

    async def _decided(self, intent: DeliveryIntent) -> Manifest | None:
        """The manifest of a delivery that is decided, in the landing now; else None."""
        if intent.sealed:
            data = intent.sealed.encode()
            await self.destination.complete(intent.manifest, data, is_new=not intent.replaces)
            return parse_manifest(data, source=intent.manifest)

        if intent.attempt:
            return None

        # Earlier versions did not seal: there the manifest in the landing is the decision.
        found = await self._held(intent.manifest, intent.sha256)
        return parse_manifest(found, source=intent.manifest) if found is not None else None

    async def _held(self, name: str, sha256: str) -> bytes | None:
        """The file of that name in the landing; None if there is none of just these bytes."""
        data = await self.destination.look_up(name)
        return data if data is not None and hashlib.sha256(data).hexdigest() == sha256 else None


def _refuse_leftovers(intent: DeliveryIntent, files: Collection[str]) -> None:
    """Refuse to take over a delivery of files that this version would leave in the landing."""
    if more := sorted(set(intent.files) - set(files)):
        raise StateError(
            f"the delivery of {intent.manifest} is not finished, and the run that began it writes "
            f"files that this one does not: {', '.join(more)}",
            hint="run the version of this package that began it, once",
        )
