"""Interface of a landing, for deliveries and for stores of the high-water mark."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Protocol

import msgspec

from kada_athena_async.aws.session import Identity
from kada_athena_async.concurrency import Clock
from kada_athena_async.errors import AccessDeniedError, DeliveryError, LockedError
from kada_athena_async.events import Observer
from kada_athena_async.files import Files
from kada_athena_async.files.digest import NamedFile
from kada_athena_async.hwm import DeliveryIntent
from kada_athena_async.hwm.object_store import VersionedObjects
from kada_athena_async.hwm.store import Store

SHA256_KEY = "sha256"
"""Name of the metadata in which an object says what it holds."""

ATTEMPT_KEY = "attempt"
"""Name of the metadata in which an object says which attempt at a delivery stored it."""


# A part of 8 MiB over 1 Mbit/s takes 67 seconds, and four are on their way at a time.
UPLOAD_TIMEOUT_S = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """Services of the run that a landing uses.

    Attributes:
        identity: Who the run is to AWS: stands in for what a landing in S3 leaves open.
        endpoint_url: The run's AWS emulator, if any.
    """

    identity: Identity
    endpoint_url: str | None
    files: Files
    clock: Clock
    rng: Random
    notify: Observer


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """An object that lies in a landing.

    Attributes:
        sha256: In hex; empty if the object does not say.
        version: Changes with each write; what a conditional write is compared with.
        attempt: The attempt that stored it; empty if it did not say.
    """

    size_bytes: int
    sha256: str
    version: str
    attempt: str = ""

    def holds(self, facts: NamedFile) -> bool:
        """True if the object is what *facts* describe."""
        return (self.size_bytes, self.sha256) == (facts.size_bytes, facts.sha256)

    def is_of(self, facts: NamedFile, attempt: str) -> bool:
        """True if just this attempt stored what *facts* describe."""
        return self.holds(facts) and self.attempt == attempt


@dataclass(frozen=True, slots=True, kw_only=True)
class PutRequest:
    """A conditional write of a file, which a paused process may wake up to send much too late.

    Attributes:
        path: Where the file lies here.
        attempt: The attempt at a delivery that it belongs to; the object remembers it.
        replaces: The version that is to be replaced; None if nothing may be there.
        check: Raises if the attempt was overtaken. Called once the later attempt could revoke the
            write, and before it takes effect: what passes is revoked by ``revoke`` from then on.
        is_blind: True if what lies there may not be looked at. Then nothing is compared: a write
            that replaces takes effect whatever is there.
    """

    path: Path
    facts: NamedFile
    attempt: str
    replaces: str | None
    check: Callable[[], Awaitable[None]]
    is_blind: bool = False


class Landing(VersionedObjects, Protocol):
    """A place that takes files, and keeps cells, by name; names are plain, without slashes.

    Its URL stays the same from run to run: the journal of deliveries knows it by that.

    Every method raises ``KadaAthenaError`` and nothing else of its SDK's: ``CredentialsError``,
    ``AccessDeniedError``, ``NotFoundError`` (no such bucket or container), ``RequestError`` or
    ``RetriesExhaustedError``; none holds a secret.
    """

    async def probe(self, name: str) -> None:
        """Look whether anything could be stored here, without storing anything.

        Args:
            name: Of a small object that may be there.

        Raises:
            NotFoundError: Directory, bucket or container do not exist.
            AccessDeniedError: Writing is known not to be allowed.
            CredentialsError: The landing does not accept who we are.
        """

    async def look(self, name: str) -> Stored | None:
        """The object under *name*; None if there is none."""

    async def revoke(self, name: str) -> None:
        """Make every write of *name* that was begun before this call fail, where that is needed.

        A store whose versions never come back needs nothing: the condition of such a write fails.
        """

    async def put(self, request: PutRequest) -> bool:
        """Store a file under its name if what is there is what the request says.

        On return with True the landing has confirmed every byte. Nothing half-done is published
        at any time.

        Returns:
            False if something else lies there, or was stored since.

        Raises:
            DeliveryError: The file is not what its facts say, or the landing confirmed other bytes.
        """


async def is_confirmed(landing: Landing, request: PutRequest, *, is_lost: bool) -> bool:
    """The answer of ``Landing.put`` after its last call.

    Args:
        is_lost: True if the landing says that something else lies there.

    Raises:
        DeliveryError: What lies there is not what was sent.
    """
    facts = request.facts
    try:
        stored = await landing.look(facts.name)
    except AccessDeniedError:
        return not is_lost  # each request was confirmed by its answer; to look is not allowed

    if stored is not None and stored.is_of(facts, request.attempt):
        return True

    if is_lost or (stored is not None and stored.attempt not in ("", request.attempt)):
        return False

    raise not_confirmed(facts.name)


def not_confirmed(name: str) -> DeliveryError:
    """The error of a landing that confirmed other bytes than were sent."""
    return DeliveryError(
        f"the landing did not confirm {name}: what it stored is not what was sent",
        hint="run `push` again; it is sent once more",
    )


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to deliver a package, as the delivery intent beside the high-water mark says.

    Attributes:
        intent: As it was announced.
    """

    store: Store
    intent: DeliveryIntent

    async def found(self) -> DeliveryIntent | None:
        """The intent as it stands now; None if it is closed, or another runner's."""
        found = await self.store.read_intent()
        return found if found is not None and found.attempt == self.intent.attempt else None

    async def check(self) -> None:
        """Refuse to go on with a delivery that another runner took over.

        Raises:
            LockedError: One did.
        """
        if await self.found() is None:
            raise overtaken(self.intent)

    async def seal(self, manifest: bytes) -> None:
        """Decide the delivery: all data files are there, and no runner takes it over any more.

        Raises:
            LockedError: Another runner took it over.
        """
        await self.check()
        sealed = msgspec.structs.replace(self.intent, sealed=manifest.decode())
        await self.store.write_intent(sealed)


def overtaken(intent: DeliveryIntent) -> LockedError:
    """The error of a delivery that another runner goes on with."""
    return LockedError(
        f"another runner delivers, or delivered, {intent.manifest}; nothing of this run was "
        "published",
        hint="let one runner at a time use a high-water mark; run again to go on from where it "
        "stands now",
    )
