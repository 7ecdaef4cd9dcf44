"""From finished parts to published extracts, all of them or none, and the HWM behind them."""

from __future__ import annotations

from kada_athena_async.commit.manifest import (
    CommittedManifest,
    Manifest,
    ManifestFile,
    ManifestGap,
    ManifestTimeline,
    ManifestWarning,
    RunFacts,
    newest_manifest,
    parse_manifest,
    read_manifest,
)
from kada_athena_async.commit.publication import Delivery
from kada_athena_async.commit.published import (
    PublishedPackage,
    held_principals,
    published_ids,
    published_packages,
    submitted_before,
)
from kada_athena_async.commit.recovery import Recovery, RecoverySettings, ResumableRun, recover
from kada_athena_async.commit.transaction import SPARE_BYTES, CommitRequest, commit

__all__ = [
    "SPARE_BYTES",
    "CommitRequest",
    "CommittedManifest",
    "Delivery",
    "Manifest",
    "ManifestFile",
    "ManifestGap",
    "ManifestTimeline",
    "ManifestWarning",
    "PublishedPackage",
    "Recovery",
    "RecoverySettings",
    "ResumableRun",
    "RunFacts",
    "commit",
    "held_principals",
    "newest_manifest",
    "parse_manifest",
    "published_ids",
    "published_packages",
    "read_manifest",
    "recover",
    "submitted_before",
]
