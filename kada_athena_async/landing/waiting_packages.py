"""Packages that wait for a landing: not unmasked ones, nor those that another landing has."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kada_athena_async.config import Config, config_digest
from kada_athena_async.files import Files
from kada_athena_async.files.threads import in_thread
from kada_athena_async.landing.journal import Journal
from kada_athena_async.manifest import PublishedPackage, published_packages


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """Published packages that a landing is not known to hold, by what happens to them.

    Attributes:
        due: To be sent.
        unmasked: Held back, for ``mask`` is on and their texts are not masked.
        elsewhere: Not asked for: another landing has them.
        places: The landings that have those.
    """

    due: tuple[PublishedPackage, ...]
    unmasked: tuple[PublishedPackage, ...]
    elsewhere: tuple[PublishedPackage, ...]
    places: tuple[str, ...]

    @property
    def held_back(self) -> frozenset[str]:
        """Names of the manifests that are not to be sent."""
        return frozenset(p.name for p in (*self.unmasked, *self.elsewhere))


async def packages_waiting(
    output_path: Path, config: Config, name: str, place: str, *, files: Files, sends_all: bool
) -> Waiting:
    """Sort what is published of *name*; no call is made.

    Args:
        place: The landing's URL.
        sends_all: Send also what another landing has.

    Raises:
        StateError: A manifest or the journal is damaged.
    """
    journal = await Journal.open(output_path, name, files)
    missing = [
        package
        for package in await in_thread(lambda: published_packages(output_path, name, files))
        if not journal.is_delivered(package, place)
    ]
    unmasked = [package for package in missing if config.mask and not _is_masked(package, config)]
    elsewhere = [
        package
        for package in missing
        if not sends_all and package not in unmasked and journal.places(package)
    ]
    places = sorted({found for package in elsewhere for found in journal.places(package)})
    return Waiting(
        due=tuple(p for p in missing if p not in unmasked and p not in elsewhere),
        unmasked=tuple(unmasked),
        elsewhere=tuple(elsewhere),
        places=tuple(places),
    )


def _is_masked(package: PublishedPackage, config: Config) -> bool:
    """True if the texts are masked; for packages of earlier versions the configuration decides."""
    if package.manifest.mask is not None:
        return package.manifest.mask

    return package.manifest.config_digest == config_digest(config)
