"""Destination of an instance: its landing, and the store of its high-water mark."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from kada_athena_async.codes import WarningCode
from kada_athena_async.concurrency import Clock
from kada_athena_async.config import Config
from kada_athena_async.config.landing import Place
from kada_athena_async.engine.connection import identity_of
from kada_athena_async.engine.ownership import Owner, origin_of
from kada_athena_async.engine.window_planner import WindowPlanner
from kada_athena_async.errors import (
    AccessDeniedError,
    CredentialsError,
    DeliveryError,
    LockedError,
    NetworkError,
    NotFoundError,
    RetriesExhaustedError,
    UnitError,
)
from kada_athena_async.events import Observer, StageFinished, StageStarted, Warned
from kada_athena_async.files import Files
from kada_athena_async.files.threads import in_thread
from kada_athena_async.hwm.store import FileHwmStore, Store
from kada_athena_async.hwm.window import HWM_FORMAT
from kada_athena_async.landing import (
    DeliveryReport,
    Landing,
    Runtime,
    Waiting,
    deliver,
    open_landing,
    packages_waiting,
)
from kada_athena_async.landing.hwm_stores import open_hwm_store
from kada_athena_async.landing.interface import Claim
from kada_athena_async.landing.journal import Journal
from kada_athena_async.manifest import Manifest, PublishedPackage, read_manifest, unlisted
from kada_athena_async.sinks.staging import staging_root

_CREATE = "create it, or correct landing, then run again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """Opens what the configuration of an instance names outside its output directory."""

    config: Config
    name: str
    files: Files
    clock: Clock
    rng: Random
    notify: Observer
    _warned: set[str] = field(init=False, default_factory=set)

    def landing(self, place: Place) -> AbstractAsyncContextManager[Landing]:
        """The landing at *place*, connected."""
        return open_landing(place, self.runtime)

    async def deliver(
        self,
        output_path: Path,
        *,
        owner: Owner,
        sends_all: bool = False,
        claim: Claim | None = None,
        is_alone: bool = False,
    ) -> DeliveryReport | None:
        """Bring what is published and not delivered to the landing; None if there is no landing.

        The caller holds the lock. What is not masked stays while ``mask`` is on, and what another
        landing has is not sent here too unless that is asked for; both are said. A package whose
        high-water mark has not moved goes with a claim only.

        Args:
            owner: Whose packages are delivered; another's are refused.
            sends_all: Send also what another landing has.
            is_alone: True if no other runner has the mark: then no claim is needed.

        Raises:
            StateError: A package belongs to another.
            DeliveryError: The landing refuses or is down; what is published stays.
        """
        place, days = self.config.landing, self.config.keep_delivered_days
        if place is None:
            return None

        waiting = await packages_waiting(
            output_path, self.config, self.name, place.url, files=self.files, sends_all=sends_all
        )
        for package in waiting.due:
            await owner.check(package.origin, f"the package {package.name}")

        self._warn_held_back(waiting, place.url)
        unclaimed = frozenset[str]()
        if not is_alone:
            unclaimed = await self._unclaimed(output_path, waiting, claim)

        if len(unclaimed) == len(waiting.due) and not days:
            return DeliveryReport(place=place.url)

        async with self.stage("deliver"):
            return await self._send(output_path, place, waiting.held_back | unclaimed, claim)

    @asynccontextmanager
    async def stage(self, name: str) -> AsyncIterator[None]:
        """Report the block as a stage of the run; one that an error ends is not reported over."""
        begun = self.clock.monotonic()
        self.notify(StageStarted(stage=name))
        yield
        duration_s = round(self.clock.monotonic() - begun, 3)
        self.notify(StageFinished(stage=name, duration_s=duration_s))

    async def _send(
        self, output_path: Path, place: Place, held_back: frozenset[str], claim: Claim | None
    ) -> DeliveryReport:
        refused = f"nothing was delivered to {place.url}"
        async with self._reached(place, refused) as landing:
            return await deliver(
                output_path,
                self.name,
                landing,
                files=self.files,
                notify=self.notify,
                clock=self.clock,
                keep_days=self.config.keep_delivered_days or None,
                held_back=held_back,
                claim=claim,
            )

    @asynccontextmanager
    async def _reached(self, place: Place, refused: str) -> AsyncIterator[Landing]:
        """The landing; a refusal in the block becomes a ``DeliveryError`` that begins so."""
        try:
            async with self.landing(place) as landing:
                yield landing
        except (CredentialsError, NetworkError, UnitError) as exc:
            message = f"{refused}: {exc.message}"
            raise DeliveryError(message, hint=exc.hint) from exc

    async def _unclaimed(
        self, output_path: Path, waiting: Waiting, claim: Claim | None
    ) -> frozenset[str]:
        """Manifests whose high-water mark has not moved, without *claim* to deliver them."""
        root = staging_root(output_path, self.name)
        unsettled = await in_thread(lambda: self.files.names(root))
        return frozenset(
            package.name
            for package in waiting.due
            if package.manifest.manages_hwm
            and package.manifest.run_id in unsettled
            and (claim is None or claim.intent.sha256 != package.sha256)
        )

    def _warn_held_back(self, waiting: Waiting, place: str) -> None:
        for package in waiting.unmasked:
            window = package.window
            start, end = (f"{moment:{HWM_FORMAT}}" for moment in (window.start, window.end))
            message = (
                f"{package.name} is not delivered: its texts are not masked, or that "
                "is unknown, and mask is on"
            )
            if message not in self._warned:
                self._warned.add(message)
                self.notify(
                    Warned(
                        code=WarningCode.UNMASKED,
                        message=message,
                        hint=f'extract it masked: run with `again=True` `start_hwm=...` "{start}" '
                        f'`end_hwm=...` "{end}"; or set mask to false to deliver it as it is',
                    )
                )

        message = (
            f"{len(waiting.elsewhere)} packages that {', '.join(waiting.places)} has are not sent "
            f"to {place}"
        )
        if waiting.elsewhere and message not in self._warned:
            self._warned.add(message)
            self.notify(
                Warned(
                    code=WarningCode.DELIVERED_ELSEWHERE,
                    message=message,
                    hint="send them there too: push --all (in Python: push(sends_all=True))",
                )
            )

    async def check_landing(self) -> None:
        """Refuse a landing that cannot be used, before anything is asked that costs.

        One that is down is none of these: what is extracted waits for it.

        Raises:
            DeliveryError: It does not exist, or does not accept who we are or what we write.
            NetworkError: No connection to it came about, or who answers does not prove to be it.
        """
        place = self.config.landing
        if place is None:
            return

        try:
            async with self.landing(place) as landing:
                await landing.probe(f"{self.name}_delivery.json")
        except RetriesExhaustedError:
            return
        except (CredentialsError, NetworkError, UnitError) as exc:
            kind = NetworkError if isinstance(exc, NetworkError) else DeliveryError
            raise kind(
                f"nothing was extracted, because {place.url} cannot be used: {exc.message}",
                hint=exc.hint or _CREATE,
            ) from exc

    async def look_up(self, name: str) -> bytes | None:
        """The content of a small file in the landing; None if it is not there, or not for us.

        Raises:
            DeliveryError: The landing is down.
        """
        place = self.config.landing
        if place is None:
            return None

        async with self._reached(place, f"{place.url} cannot be asked for {name}") as landing:
            try:
                cell = await landing.read(name)
            except AccessDeniedError:
                return None

        return cell.data if cell else None

    async def replaceable(self, output_path: Path, committed: PublishedPackage[Manifest]) -> str:
        """SHA-256 of the manifest in the landing that *committed* replaces; empty if none is there.

        Raises:
            LockedError: It is none that this machine knows.
            DeliveryError: The landing is down.
        """
        name, place = committed.name, self.config.landing
        data = await self.look_up(name)
        if data is None or place is None:
            return ""

        older = await in_thread(lambda: read_manifest(output_path / name, self.files))
        earlier = (await Journal.open(output_path, self.name, self.files)).find(name, place.url)
        known = {found.sha256 for found in (committed, older, earlier) if found is not None}
        sha256 = hashlib.sha256(data).hexdigest()
        if sha256 not in known and unlisted(data) != data:
            raise LockedError(
                f"{place.url} holds another {name} than the one that was extracted here: it was "
                "replaced there, and nothing of this run is published",
                hint="extract it again on the machine that replaced it; or give each collector "
                "its own `name=...` or prefix",
            )

        return sha256

    async def complete(self, name: str, data: bytes, *, is_new: bool) -> None:
        """Write the manifest of a delivery that another runner decided, if it is not there.

        Args:
            is_new: False if it replaces an older one.

        Raises:
            DeliveryError: The landing refuses, is down, or holds another one.
        """
        place = self.config.landing
        assert place is not None
        async with self._reached(place, f"{name} cannot be completed in {place.url}") as landing:
            older = None if is_new else await landing.read(name)
            replaces = older.version if older else None
            written = await landing.write(name, data, replaces=replaces)

        if written is None:
            raise DeliveryError(
                f"{place.url} holds another {name} than the one that was decided",
                hint="two collectors deliver under one name: give each its own `name=...` or "
                "prefix, or remove it there",
            )

    async def missing_rights(self) -> list[str]:
        """Look at the landing; what is not allowed there, in words.

        Raises:
            CredentialsError: It does not accept who we are.
            UnitError: It does not exist or does not answer.
        """
        if self.config.landing is None:
            return []

        async with self.landing(self.config.landing) as landing:
            try:
                # Unlike a look at it, a read says if it is the bucket that is missing.
                await landing.read(f"{self.name}_delivery.json")
            except AccessDeniedError as exc:
                return [exc.message]
            except NotFoundError as exc:
                message = f"the landing {self.config.landing.url} cannot be used: {exc.message}"
                raise NotFoundError(message, hint=exc.hint or _CREATE) from exc

        return []

    @asynccontextmanager
    async def store(self, hwm_path: Path | None) -> AsyncIterator[Store]:
        """The store of the mark: *hwm_path* if given, else as configured, else a file here."""
        place, landing = self.config.hwm_store, self.config.landing
        if hwm_path is not None or place is None:
            path, is_chosen = hwm_path or Path(f"{self.name}_hwm.txt"), hwm_path is not None
            out = self.config.output_path
            yield await in_thread(
                lambda: FileHwmStore(path, self.files, output_path=out, is_chosen=is_chosen)
            )
            return

        where = landing if place == "landing" else place
        assert where is not None  # the configuration is refused without
        is_landing = place == "landing"
        async with open_hwm_store(where, self.name, self.runtime, is_landing=is_landing) as store:
            yield store

    def planner(self, store: Store | None, output_path: Path | None = None) -> WindowPlanner:
        """The planner of the instance's windows; *output_path* with its links resolved, if it is
        known to exist."""
        return WindowPlanner(
            config=self.config,
            origin=origin_of(self.config, self.name),
            output_path=output_path or self.config.output_path,
            store=store,
            files=self.files,
        )

    @property
    def runtime(self) -> Runtime:
        return Runtime(
            identity=identity_of(self.config),
            endpoint_url=self.config.endpoint_url,
            files=self.files,
            clock=self.clock,
            rng=self.rng,
            notify=self.notify,
        )
