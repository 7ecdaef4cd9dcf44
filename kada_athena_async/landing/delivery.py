"""Delivery: what was committed goes to the landing, oldest first, each package whole.

A package's data files go first, some at a time, and each is confirmed by size and checksum. Its
manifest goes last, and only if no other lies there: whoever reads only what a manifest names
never sees half a package. Everything may be repeated: what this attempt stored is found and not
sent again, so an interrupted delivery is simply begun anew.

Every write is conditional on what lay there when it was looked at. ``engine.pending_delivery``
says what that is good for where two runners share a high-water mark.
"""

from __future__ import annotations

import hashlib
from collections.abc import Container, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

from kada_athena_async.codes import WarningCode
from kada_athena_async.concurrency import Clock, map_bounded
from kada_athena_async.errors import (
    AccessDeniedError,
    CommitError,
    DeliveryError,
    KadaAthenaError,
    LockedError,
    NotFoundError,
    StateError,
    UnitError,
)
from kada_athena_async.events import (
    DeliveryFinished,
    DeliveryStarted,
    FileDelivered,
    Observer,
    Warned,
)
from kada_athena_async.files import Files, failing
from kada_athena_async.files.digest import NamedFile
from kada_athena_async.files.threads import in_thread
from kada_athena_async.landing.delivery_report import DeliveryReport
from kada_athena_async.landing.interface import Claim, Landing, PutRequest, Stored
from kada_athena_async.landing.journal import Journal
from kada_athena_async.manifest import PublishedPackage, published_packages, unlisted

FILES_AT_ONCE = 4

TRIES = 20
"""Tries to look at a file and store it while others store under its name."""

_HINT = "then `push`, or run again: it is delivered first, nothing is lost"


async def deliver(
    output_path: Path,
    name: str,
    landing: Landing,
    *,
    files: Files,
    notify: Observer,
    clock: Clock,
    limit: int = FILES_AT_ONCE,
    keep_days: float | None = None,
    held_back: Container[str] = (),
    claim: Claim | None = None,
) -> DeliveryReport:
    """Bring every published package of *name* to *landing* that is not there yet, oldest first.

    The caller holds the lock of the run. On return all of them are confirmed; after any failure
    the next call goes on where this one stopped.

    Args:
        limit: Files on their way at a time.
        keep_days: Remove files here that were delivered longer ago; None keeps all. The newest
            package always stays.
        held_back: Names of manifests whose packages are not to be sent.
        claim: The right to deliver the package whose high-water mark has not moved yet.

    Raises:
        LockedError: Another runner took over what *claim* is about, and owns what is there.
        DeliveryError: The landing refuses, is down, or holds another package of the same name; a
            file here is damaged. Packages before that one are delivered.
        StateError: A manifest or the journal is damaged.
        CommitError: The journal cannot be written.
    """
    packages = await in_thread(lambda: published_packages(output_path, name, files))
    journal = await Journal.open(output_path, name, files)
    pending = [
        p
        for p in packages
        if not journal.is_delivered(p, landing.place) and p.name not in held_back
    ]
    report = DeliveryReport(place=landing.place)
    if pending:
        delivery = _Delivery(landing, journal, files, notify, clock, limit, claim)
        report = await delivery.run(pending, packages)

    if keep_days is None:
        return report

    before = clock.now() - timedelta(days=keep_days)
    delivered = [
        package
        for package in packages[:-1]
        if (found := journal.find(package.name, landing.place)) and found.delivered_at < before
    ]
    removed = [name for package in delivered for name in await _remove(package, files)]
    return replace(report, removed=tuple(removed))


@dataclass(slots=True)
class _Delivery:
    """One way to the landing, with all that is pending."""

    landing: Landing
    journal: Journal
    files: Files
    notify: Observer
    clock: Clock
    limit: int
    claim: Claim | None
    sent: list[NamedFile] = field(default_factory=list)
    skipped: list[NamedFile] = field(default_factory=list)
    _is_blind: bool = False

    async def run(
        self, pending: Sequence[PublishedPackage], packages: Sequence[PublishedPackage]
    ) -> DeliveryReport:
        """Deliver *pending* in their order, noting each."""
        place, begun = self.landing.place, self.clock.monotonic()
        manifests = tuple(package.name for package in pending)
        self.notify(
            DeliveryStarted(
                place=place,
                manifests=manifests,
                files=sum(len(package.files) + 1 for package in pending),
                size_bytes=sum(file.size_bytes for p in pending for file in (*p.files, p.file)),
            )
        )
        for package in pending:
            with _failing(package, place):
                await self._deliver(package)
                await self.journal.add(package, place, self.clock.now(), packages=packages)

        sent_bytes = sum(file.size_bytes for file in self.sent)
        self.notify(
            DeliveryFinished(
                place=place,
                sent=len(self.sent),
                skipped=len(self.skipped),
                sent_bytes=sent_bytes,
                duration_s=round(self.clock.monotonic() - begun, 3),
            )
        )
        return DeliveryReport(
            place=place,
            manifests=manifests,
            sent=len(self.sent),
            skipped=len(self.skipped),
            sent_bytes=sent_bytes,
        )

    async def _deliver(self, package: PublishedPackage) -> None:
        claim = self.claim
        if claim is not None and claim.intent.sha256 != package.sha256:
            claim = None

        there = await self._look(package.file)
        if there is not None and there.holds(package.file):
            # The manifest goes last, so all that it names was there when it was written.
            for file in (*package.files, package.file):
                self._note(file, self.clock.monotonic(), was_there=True)

            return

        version = await self._unlist(package, claim) if there is not None else None

        async def bring(file: NamedFile) -> None:
            await self._bring(package.path.parent / file.name, file, package, claim)

        await map_bounded(bring, package.files, limit=self.limit)
        await self._bring_manifest(package, version, claim)

    async def _unlist(self, package: PublishedPackage, claim: Claim | None) -> str:
        """Take the files of a package that is replaced out of its manifest, before they change.

        Returns:
            The version of what lies there now.

        Raises:
            DeliveryError: It is not the package that this one replaces.
        """
        name = package.name
        earlier = self.journal.find(name, self.landing.place)
        replaced = {earlier.sha256} if earlier else set()
        if claim is not None and claim.intent.replaced_sha256:
            replaced.add(claim.intent.replaced_sha256)

        cell = await self.landing.read(name)
        if claim is not None:
            await claim.check()  # whoever overtook us may be done already

        if cell is None or not replaced:
            raise _conflict(package)

        rest = unlisted(cell.data)
        if rest == cell.data:
            return cell.version

        if hashlib.sha256(cell.data).hexdigest() not in replaced:
            raise _conflict(package)

        version = await self.landing.write(name, rest, replaces=cell.version)
        if version is None:
            if claim is not None:
                await claim.check()

            raise _conflict(package)

        return version

    async def _bring(
        self, path: Path, facts: NamedFile, package: PublishedPackage, claim: Claim | None
    ) -> None:
        begun = self.clock.monotonic()
        attempt = claim.intent.attempt if claim else package.manifest.run_id

        async def check() -> None:
            if claim is not None:
                await claim.check()

        for tried in range(TRIES):
            stored = await self._look(facts)
            if stored is not None and stored.is_of(facts, attempt):
                self._note(facts, begun, was_there=tried == 0)
                return

            # Whatever lies there is of an attempt that was given up, or was overtaken by this one.
            if stored is not None:
                await check()
                await self.landing.revoke(facts.name)

            request = PutRequest(
                path=path,
                facts=facts,
                attempt=attempt,
                replaces=stored.version if stored else None,
                check=check,
                is_blind=self._is_blind,
            )
            if await self._put(request):
                self._note(facts, begun)
                return

            await check()

        raise DeliveryError(
            f"{facts.name} was changed in the landing {TRIES} times while it was sent",
            hint="two collectors deliver under one name: give each its own `name=...` or prefix",
        )

    async def _put(self, request: PutRequest) -> bool:
        try:
            return await self.landing.put(request)
        except UnitError:
            # The answer may be lost while the file was stored: then it lies there.
            stored = await self._look(request.facts)
            if stored is None or not stored.is_of(request.facts, request.attempt):
                raise

            return True

    async def _bring_manifest(
        self, package: PublishedPackage, replaces: str | None, claim: Claim | None
    ) -> None:
        begun = self.clock.monotonic()
        facts = package.file
        with failing(package.path):
            data = await in_thread(
                lambda: self.files.read(package.path, max_bytes=facts.size_bytes)
            )

        if claim is not None:
            await claim.seal(data)

        if await self.landing.write(facts.name, data, replaces=replaces) is None:
            raise _conflict(package)

        self._note(facts, begun)

    async def _look(self, facts: NamedFile) -> Stored | None:
        """The object there; None also if reading it is denied, which is S3's answer for
        "nothing"."""
        try:
            return await self.landing.look(facts.name)
        except AccessDeniedError as exc:
            if not self._is_blind:
                self._is_blind = True
                self.notify(
                    Warned(
                        code=WarningCode.DESTINATION_UNREADABLE,
                        message=f"what lies in {self.landing.place} may not be looked at, "
                        "so files may be sent that are there already",
                        hint=exc.hint,
                    )
                )

            return None

    def _note(self, facts: NamedFile, begun: float, *, was_there: bool = False) -> None:
        (self.skipped if was_there else self.sent).append(facts)
        self.notify(
            FileDelivered(
                name=facts.name,
                size_bytes=facts.size_bytes,
                duration_s=round(self.clock.monotonic() - begun, 3),
                was_there=was_there,
            )
        )


async def _remove(package: PublishedPackage, files: Files) -> list[str]:
    """Remove a package here, its manifest first: no manifest names what is gone."""
    directory, names = package.path.parent, [file.name for file in package.files]

    def remove() -> None:
        files.remove(package.path)
        files.sync_dir(directory)
        for name in names:
            files.remove(directory / name)

        files.sync_dir(directory)

    with failing(directory):
        await in_thread(remove)

    return [package.name, *names]


def _conflict(package: PublishedPackage) -> DeliveryError:
    return DeliveryError(
        f"the landing holds another {package.name} than the one here (run "
        f"{package.manifest.run_id}); it was not touched",
        hint="two collectors deliver under one name, or it was changed there: give each its own "
        "`name=...` or prefix, or remove it there, then `push`",
    )


@contextmanager
def _failing(package: PublishedPackage, place: str) -> Iterator[None]:
    try:
        yield
    except (DeliveryError, StateError, LockedError, CommitError):
        raise
    except KadaAthenaError as exc:
        remedy = "create it, or correct landing" if isinstance(exc, NotFoundError) else exc.hint
        raise DeliveryError(
            f"the package of {package.name} was not delivered to {place}: {exc.message}",
            hint=f"{remedy or 'mend the landing'}, {_HINT}",
        ) from exc
