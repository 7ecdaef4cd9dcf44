"""Packages: a manifest in sight and the extracts that it names."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from kada_athena_async.commit import Manifest
from kada_athena_async.commit.manifest import manifest_paths, read_manifest
from kada_athena_async.errors import StateError
from kada_athena_async.files import Files


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """What one run put in sight.

    Attributes:
        path: Of the manifest; its extracts lie beside it.
    """

    path: Path
    manifest: Manifest

    def extracts(self, kind: str) -> list[Path]:
        """The extracts of *kind*; none if the run wrote none."""
        return [self.path.parent / file.name for file in self.manifest.files if file.kind == kind]

    def check(self, files: Files) -> None:
        """Read every extract once and see that it is what the manifest says.

        Raises:
            StateError: One is missing, or holds other bytes.
        """
        for file in self.manifest.files:
            path = self.path.parent / file.name
            try:
                is_whole = files.digest(path).sha256 == file.sha256
            except FileNotFoundError:
                raise StateError(
                    f"{path} is gone, though {self.path.name} names it",
                    hint="restore it from where it was delivered, or extract that window again",
                ) from None

            if not is_whole:
                raise StateError(
                    f"{path} is torn: it holds other bytes than {self.path.name} says",
                    hint="restore it from where it was delivered, or extract that window again",
                )


def newest_packages(output_path: Path, name: str, files: Files, *, count: int) -> list[Package]:
    """The last *count* packages of *name* in *output_path*, newest first.

    Raises:
        StateError: There is none, or a manifest is junk.
    """
    try:
        paths = manifest_paths(output_path, name, files)
    except (FileNotFoundError, NotADirectoryError):
        paths = []

    found = [read_manifest(path, files) for path in paths[::-1][:count]]
    packages = [Package(path=each.path, manifest=each.manifest) for each in found if each]
    if not packages:
        raise StateError(
            f"there are no extracts of {name!r} in {output_path}",
            hint="extract first, or name the directory and the collector's name with "
            "--output-path and --name",
        )

    return packages
