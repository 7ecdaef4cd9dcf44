"""Journal of delivered packages and their landings; kept beside the packages, across runs."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

import msgspec

from kada_athena_async.files import Files, failing, read_document, to_bytes
from kada_athena_async.files.threads import in_thread
from kada_athena_async.manifest import PublishedPackage

JOURNAL_VERSION = 1


class Delivery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A package that a landing has confirmed.

    Attributes:
        place: The landing's URL, without secrets.
        sha256: Of the manifest: a package that was extracted once more is another one.
    """

    place: str
    manifest: str
    sha256: str
    delivered_at: datetime


class _Book(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    schema_version: int = JOURNAL_VERSION
    deliveries: tuple[Delivery, ...] = ()


class Journal:
    """The journal of one instance. Losing it costs a look at the landing, no second delivery.

    Its entries go with the manifests that they are about, so it does not grow for ever.
    """

    def __init__(self, path: Path, files: Files, deliveries: Iterable[Delivery]) -> None:
        self._path = path
        self._files = files
        self._deliveries = list(deliveries)

    @classmethod
    async def open(cls, output_path: Path, name: str, files: Files) -> Journal:
        """Read it; an empty one if there is none.

        Raises:
            StateError: It is damaged, or newer than this package.
        """
        path = output_path / f".{name}-delivered.json"
        remedy = "remove it: what lies in the landing already is found there and not sent again"
        book = await in_thread(
            lambda: read_document(files, path, _Book, newest=JOURNAL_VERSION, remedy=remedy)
        )
        return cls(path, files, book.deliveries if book else ())

    def find(self, manifest: str, place: str) -> Delivery | None:
        """The last delivery of a manifest of this name to *place*, whatever its content was."""
        for delivery in reversed(self._deliveries):
            if (delivery.manifest, delivery.place) == (manifest, place):
                return delivery

        return None

    def places(self, package: PublishedPackage) -> tuple[str, ...]:
        """The landings that have just this package."""
        facts = package.file
        return tuple(
            delivery.place
            for delivery in self._deliveries
            if (delivery.manifest, delivery.sha256) == (facts.name, facts.sha256)
        )

    def is_delivered(self, package: PublishedPackage, place: str) -> bool:
        """True if just this package lies in *place*."""
        found = self.find(package.name, place)
        return found is not None and found.sha256 == package.sha256

    async def add(
        self,
        package: PublishedPackage,
        place: str,
        at: datetime,
        *,
        packages: Iterable[PublishedPackage],
    ) -> None:
        """Note a delivery, durably.

        Raises:
            CommitError: The file system refuses.
        """
        manifest = package.file
        names = {other.name for other in packages}
        self._deliveries = [
            delivery
            for delivery in self._deliveries
            if delivery.manifest in names
            and (delivery.manifest, delivery.place) != (manifest.name, place)
        ]
        self._deliveries.append(
            Delivery(place=place, manifest=manifest.name, sha256=manifest.sha256, delivered_at=at)
        )
        data = to_bytes(_Book(deliveries=tuple(self._deliveries)))
        with failing(self._path):
            await in_thread(lambda: self._files.write_durably(self._path, data))
