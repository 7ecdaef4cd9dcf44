"""From finished parts to extracts in sight, all of them or none, and the mark behind them."""

from __future__ import annotations

from kada_athena_async.commit.manifest import (
    CommittedManifest,
    Manifest,
    ManifestFile,
    ManifestGap,
    ManifestTimeline,
    ManifestWarning,
    RunFacts,
    known_mark,
    manifest_covering,
    newest_manifest,
    parse_manifest,
)
from kada_athena_async.commit.recovery import Recovery, RecoverySettings, Resumable, recover
from kada_athena_async.commit.transaction import SPARE_BYTES, CommitRequest, Deliver, commit

__all__ = [
    "SPARE_BYTES",
    "CommitRequest",
    "CommittedManifest",
    "Deliver",
    "Manifest",
    "ManifestFile",
    "ManifestGap",
    "ManifestTimeline",
    "ManifestWarning",
    "Recovery",
    "RecoverySettings",
    "Resumable",
    "RunFacts",
    "commit",
    "known_mark",
    "manifest_covering",
    "newest_manifest",
    "parse_manifest",
    "recover",
]
