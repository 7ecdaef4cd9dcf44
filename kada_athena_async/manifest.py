"""The manifest of a run, written and read here: its extracts, and how complete they are."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Generic

import msgspec
from typing_extensions import TypeVar

from kada_athena_async.codes import WarningCode
from kada_athena_async.files import Files, parse_document, read_bytes
from kada_athena_async.files.digest import FileName, NamedFile
from kada_athena_async.hwm import Origin, RunState, Window
from kada_athena_async.scopes import ScopeFacts, WorkgroupLimits

MANIFEST_VERSION = 2
STAMP = "%Y%m%dT%H%M%SZ"

_REMEDY = "restore it from a backup, or move it and the files it names away"
_FILE_NAME = re.compile(r"(.+)_manifest_\d{8}T\d{6}Z\.json")


class ManifestFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An extract.

    Attributes:
        name: File name, in the directory of the manifest.
        kind: Kind of extract, such as ``databaselog``.
        rows: Number of rows without the header.
        size_bytes: Size of the file as it lies there, compressed or not.
        sha256: SHA-256 of the file as it lies there, 64 hex digits.
    """

    name: FileName
    kind: str
    rows: int
    size_bytes: int
    sha256: str


class ManifestGap(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A time whose executions no extract holds.

    Attributes:
        kind: ``retention`` (Athena no longer has them) or ``operator`` (the high-water mark was
            set forward).
        start: Start of the gap, UTC.
        end: End of the gap, UTC, excluded.
        workgroup: Its name; empty if the gap is one of all workgroups.
    """

    kind: str
    start: datetime
    end: datetime
    workgroup: str = ""


class ManifestWarning(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something the reader of the extracts should know.

    Attributes:
        code: Code of the warning; docs/troubleshooting.md lists them.
        message: A sentence.
    """

    code: str
    message: str


class ManifestTimeline(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Calls to AWS over time, beside the quotas.

    It begins with the process that committed: of a run that was interrupted and continued it holds
    what was asked after the interruption.

    Attributes:
        started_at: Begin of the first bucket.
        bucket_s: Width of a bucket, in seconds.
        calls, throttles: Operation -> one count a bucket; what follows the last count is zero.
        quotas: Operation -> calls per second that AWS allows, where that is known.
        quota_share: The part of them that the run allowed itself, in (0, 1].
    """

    started_at: datetime
    bucket_s: int
    calls: dict[str, tuple[int, ...]] = {}
    throttles: dict[str, tuple[int, ...]] = {}
    quotas: dict[str, float] = {}
    quota_share: float = 1.0


class RunFacts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Completeness, gaps, calls and warnings of a run, as the manifest holds them.

    Attributes:
        version: Version of this package.
        server: ``server`` of the configuration, the first column of every extract.
        region: Region of Athena.
        usd_per_tb: Price of a terabyte scanned, where the configuration names it.
        usd_per_dpu_hour: Price of a DPU hour, where the configuration names it.
        completeness: One record for each catalog, schema and workgroup.
        gaps: Times whose executions no extract holds.
        reconciliation: Figures of what the sources say about each other, by scope.
        history: Executions of each workgroup: ``listed``, and what became of them.
        workgroup_limits: Bytes that a query may scan; None in manifests of earlier versions.
        calls: Calls of each operation, such as ``athena:ListQueryExecutions``.
        throttles: Throttled calls of each operation.
        timeline: When the calls were made; None in manifests of earlier versions.
        warnings: What the reader of the extracts should know.
    """

    version: str
    server: str = ""
    region: str = ""
    usd_per_tb: float | None = None
    usd_per_dpu_hour: float | None = None
    completeness: tuple[ScopeFacts, ...] = ()
    gaps: tuple[ManifestGap, ...] = ()
    reconciliation: dict[str, dict[str, int]] = {}
    history: dict[str, dict[str, int]] = {}
    workgroup_limits: WorkgroupLimits | None = None
    calls: dict[str, int] = {}
    throttles: dict[str, int] = {}
    timeline: ManifestTimeline | None = None
    warnings: tuple[ManifestWarning, ...] = ()


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The published extracts of one run. Do not read extracts that no manifest names.

    Attributes:
        schema_version: Version of this format.
        run_id: Names the run, in logs too.
        name: Name of the collector's instance, the first part of its file names.
        start: Start of the window, UTC, included.
        end: End of the window, UTC, excluded.
        started_at: When the run began, UTC.
        config_digest: SHA-256 of the configuration without its secrets.
        plan_digest: SHA-256 of the planned units of work.
        manages_hwm: False if the caller keeps the high-water mark.
        state: State for the next run, and the instance that the package belongs to; a lost state
            file is rebuilt from it. Not meant for readers of the extracts.
        mask: True if the texts are masked; None in manifests of earlier versions.
        statements_digest: SHA-256 of the statements that the caller overwrote; empty if none.
        files: The extracts, in the order of the kinds.
        facts: Completeness, gaps, calls and warnings of the run.
    """

    schema_version: int = MANIFEST_VERSION
    run_id: str
    name: str
    start: datetime
    end: datetime
    started_at: datetime
    config_digest: str
    plan_digest: str
    manages_hwm: bool
    mask: bool | None = None
    statements_digest: str = ""
    files: tuple[ManifestFile, ...]
    facts: RunFacts
    state: RunState = msgspec.field(name="carried")

    @property
    def window(self) -> Window:
        return Window(self.start, self.end)


class _StateHead(msgspec.Struct, frozen=True):
    hwm: datetime
    origin: Origin | None = None


class ManifestHead(msgspec.Struct, frozen=True, kw_only=True):
    """The members of a manifest that windows and deliveries depend on; the others, with their ids
    of executions and records of completeness, are not decoded."""

    run_id: str
    start: datetime
    end: datetime
    manages_hwm: bool
    config_digest: str = ""
    mask: bool | None = None
    files: tuple[ManifestFile, ...]
    state: _StateHead = msgspec.field(name="carried")


ManifestT = TypeVar("ManifestT", Manifest, ManifestHead, default=ManifestHead)


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedPackage(Generic[ManifestT]):
    """The extracts that one run published: a manifest, and the files beside it that it names.

    Attributes:
        path: Of the manifest.
        size_bytes, sha256: Of the manifest.
    """

    path: Path
    size_bytes: int
    sha256: str
    manifest: ManifestT

    @property
    def name(self) -> str:
        """Name of the manifest."""
        return self.path.name

    @property
    def file(self) -> NamedFile:
        """The manifest itself, as a file."""
        return NamedFile(name=self.path.name, size_bytes=self.size_bytes, sha256=self.sha256)

    @property
    def window(self) -> Window:
        return Window(self.manifest.start, self.manifest.end)

    @property
    def origin(self) -> Origin | None:
        """The instance that the package belongs to; None in packages of earlier versions."""
        return self.manifest.state.origin

    @property
    def files(self) -> list[NamedFile]:
        """The extracts, as files."""
        return [named(file) for file in self.manifest.files]

    def extracts(self, kind: str) -> list[Path]:
        """The extracts of *kind*; none if the run wrote none."""
        return [self.path.parent / file.name for file in self.manifest.files if file.kind == kind]


def named(file: ManifestFile) -> NamedFile:
    """The name, size and hash of an extract."""
    return NamedFile(name=file.name, size_bytes=file.size_bytes, sha256=file.sha256)


def extract_name(name: str, kind: str, end: datetime, *, compress: bool) -> str:
    """The file name of an extract."""
    return f"{name}_{kind}_{end:{STAMP}}.csv{'.gz' if compress else ''}"


def manifest_name(name: str, end: datetime) -> str:
    """The file name of a manifest."""
    return f"{name}_manifest_{end:{STAMP}}.json"


def manifest_paths(output_path: Path, name: str, files: Files) -> list[Path]:
    """The published manifests of *name*, by the ends of their windows, oldest first."""
    matches = map(_FILE_NAME.fullmatch, files.names(output_path))
    return [output_path / match.group() for match in matches if match and match[1] == name]


def published_names(output_path: Path, files: Files) -> list[str]:
    """The instances that published something in *output_path*, sorted."""
    matches = map(_FILE_NAME.fullmatch, files.names(output_path))
    return sorted({match[1] for match in matches if match})


def read_manifest(path: Path, files: Files) -> PublishedPackage[Manifest] | None:
    """The manifest at *path*, whole; None if there is none.

    Raises:
        StateError: It is damaged, or newer than this package.
    """
    return _read(path, files, Manifest)


def parse_manifest(data: bytes, *, source: str) -> Manifest:
    """The manifest that *data* is.

    Raises:
        StateError: It is damaged, or newer than this package.
    """
    return parse_document(data, Manifest, source=source, newest=MANIFEST_VERSION, remedy=_REMEDY)


def newest_manifest(
    output_path: Path, name: str, files: Files
) -> PublishedPackage[Manifest] | None:
    """Blocks. The published manifest of *name* whose window ends last; None if there is none.

    Raises:
        StateError: It is damaged.
    """
    paths = manifest_paths(output_path, name, files)
    return read_manifest(paths[-1], files) if paths else None


def published_packages(output_path: Path, name: str, files: Files) -> list[PublishedPackage]:
    """Blocks. The packages of *name* in *output_path*, oldest window first.

    Raises:
        StateError: A manifest is damaged, or newer than this package.
    """
    paths = manifest_paths(output_path, name, files)
    found = (_read(path, files, ManifestHead) for path in paths)
    return [package for package in found if package is not None]


def _read(path: Path, files: Files, kind: type[ManifestT]) -> PublishedPackage[ManifestT] | None:
    data = read_bytes(files, path, remedy=_REMEDY)
    if data is None:
        return None

    return PublishedPackage(
        path=path,
        size_bytes=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        manifest=parse_document(
            data, kind, source=str(path), newest=MANIFEST_VERSION, remedy=_REMEDY
        ),
    )


def unlisted(manifest: bytes) -> bytes:
    """The manifest without its files, for as long as these are replaced; the same if it is so.

    A manifest must never name a mixture. Equal manifests give equal bytes.
    """
    document = msgspec.json.decode(manifest)
    if not document["files"]:
        return manifest

    code = WarningCode.BEING_REPLACED
    warning = {"code": code.value, "message": code.meaning}
    facts = document["facts"]
    facts["warnings"] = [*facts.get("warnings", ()), warning]
    return msgspec.json.format(msgspec.json.encode(document | {"files": []}), indent=1)
