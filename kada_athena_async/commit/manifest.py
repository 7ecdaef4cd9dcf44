"""The manifest: the published extracts of a run, and how complete they are."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec

from kada_athena_async.files import Files, parse_document, read_document
from kada_athena_async.files.digest import FileName
from kada_athena_async.hwm import RunState
from kada_athena_async.scopes import ScopeFacts, WorkgroupLimits

MANIFEST_VERSION = 2
STAMP = "%Y%m%dT%H%M%SZ"

REMEDY = "restore it from a backup, or move it and the files it names away"


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
        carried: State for the next run, and the instance that the package belongs to; a lost state
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
    carried: RunState


@dataclass(frozen=True, slots=True, kw_only=True)
class CommittedManifest:
    """A published manifest."""

    path: Path
    sha256: str
    manifest: Manifest


def extract_name(name: str, kind: str, end: datetime, *, compress: bool) -> str:
    """The file name of an extract."""
    return f"{name}_{kind}_{end:{STAMP}}.csv{'.gz' if compress else ''}"


def manifest_name(name: str, end: datetime) -> str:
    """The file name of a manifest."""
    return f"{name}_manifest_{end:{STAMP}}.json"


def read_manifest(path: Path, files: Files) -> CommittedManifest | None:
    """The manifest at *path*; None if there is none.

    Raises:
        StateError: It is junk, or newer than this package.
    """
    manifest = read_document(files, path, Manifest, newest=MANIFEST_VERSION, remedy=REMEDY)
    if manifest is None:
        return None

    return CommittedManifest(path=path, sha256=files.digest(path).sha256, manifest=manifest)


def parse_manifest(data: bytes, *, source: str) -> Manifest:
    """The manifest that *data* is.

    Raises:
        StateError: It is junk, or newer than this package.
    """
    return parse_document(data, Manifest, source=source, newest=MANIFEST_VERSION, remedy=REMEDY)


def manifest_paths(
    output_path: Path, name: str, files: Files, *, since: datetime | None = None
) -> list[Path]:
    """The published manifests of *name* whose windows end at *since* or later, oldest first."""
    pattern = re.compile(rf"{re.escape(name)}_manifest_(\d{{8}}T\d{{6}}Z)\.json")
    least = f"{since:{STAMP}}" if since else ""
    return [
        output_path / match.group()
        for match in map(pattern.fullmatch, files.names(output_path))
        if match and match[1] >= least
    ]


def newest_manifest(output_path: Path, name: str, files: Files) -> CommittedManifest | None:
    """Blocks. The published manifest of *name* whose window ends last; None if there is none.

    Raises:
        StateError: It is junk.
    """
    paths = manifest_paths(output_path, name, files)
    return read_manifest(paths[-1], files) if paths else None
