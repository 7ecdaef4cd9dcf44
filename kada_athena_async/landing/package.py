"""The published packages: a manifest and the files that it names."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec

from kada_athena_async.codes import WarningCode
from kada_athena_async.files import Files, read_document
from kada_athena_async.files.digest import NamedFile
from kada_athena_async.files.threads import in_thread
from kada_athena_async.hwm import Origin

NEWEST_MANIFEST = 2


class _Carried(msgspec.Struct, frozen=True):
    origin: Origin | None = None


class _Manifest(msgspec.Struct, frozen=True):
    """The members of a manifest that a delivery needs; the rest is passed over."""

    name: str
    run_id: str
    start: datetime
    end: datetime
    manages_hwm: bool
    files: tuple[NamedFile, ...]
    carried: _Carried
    mask: bool | None = None
    config_digest: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """The extracts that one run committed; delivered as a whole, the manifest last.

    Attributes:
        directory: Where its files lie.
        manifest: The manifest itself, as a file.
        origin: Whose it is; None in packages of earlier versions.
        mask: True if its texts are masked; None in packages of earlier versions.
        manages_hwm: True if it is to be delivered before the high-water mark moves.
    """

    directory: Path
    run_id: str
    manages_hwm: bool
    start: datetime
    end: datetime
    manifest: NamedFile
    files: tuple[NamedFile, ...]
    origin: Origin | None = None
    mask: bool | None = None
    config_digest: str = ""

    @property
    def size_bytes(self) -> int:
        """Of all files together."""
        return sum(file.size_bytes for file in (*self.files, self.manifest))


def unlisted(manifest: bytes) -> bytes:
    """The manifest without its files, for as long as these are replaced; the same if it is so.

    A manifest must never name a mixture. Equal manifests give equal bytes, whoever writes them.
    """
    document = msgspec.json.decode(manifest)
    if not document["files"]:
        return manifest

    code = WarningCode.BEING_REPLACED
    warning = {"code": code.value, "message": code.meaning}
    facts = document["facts"]
    facts["warnings"] = [*facts.get("warnings", ()), warning]
    return msgspec.json.format(msgspec.json.encode(document | {"files": []}), indent=1)


async def packages_of(output_path: Path, name: str, files: Files) -> list[Package]:
    """The packages of the instance *name* in *output_path*, oldest window first.

    Raises:
        StateError: A manifest is damaged, or newer than this package.
    """
    pattern = re.compile(rf"{re.escape(name)}_manifest_\d{{8}}T\d{{6}}Z\.json")

    def look() -> list[Package]:
        found = [
            _read(output_path / n, files) for n in files.names(output_path) if pattern.match(n)
        ]
        return [package for package in found if package is not None]

    return await in_thread(look)


def _read(path: Path, files: Files) -> Package | None:
    remedy = "restore it from a backup, or move it and the files it names away"
    manifest = read_document(files, path, _Manifest, newest=NEWEST_MANIFEST, remedy=remedy)
    if manifest is None:
        return None

    return Package(
        directory=path.parent,
        run_id=manifest.run_id,
        manages_hwm=manifest.manages_hwm,
        start=manifest.start,
        end=manifest.end,
        manifest=NamedFile(name=path.name, **files.digest(path)._asdict()),
        files=manifest.files,
        origin=manifest.carried.origin,
        mask=manifest.mask,
        config_digest=manifest.config_digest,
    )
