"""Calls of a run to AWS: number, throttles, and distance to the quotas."""

from __future__ import annotations

from typing import Any

from kada_athena_async.manifest import Manifest
from kada_athena_async.observers.escaping import escape


def calls_figures(manifest: Manifest) -> list[dict[str, Any]]:
    """The calls of each operation, the most frequent first, as plain JSON values.

    ``peak`` is the most calls a second, averaged over a bucket of the timeline, ``quota`` what AWS
    allows the account; each None if unknown.
    """
    facts = manifest.facts
    kept = facts.timeline
    counts = kept.calls if kept else {}
    width = kept.bucket_s if kept else 1
    return [
        {
            "operation": escape(operation),
            "calls": calls,
            "throttles": facts.throttles.get(operation, 0),
            "peak": max(counts[operation]) / width if counts.get(operation) else None,
            "quota": kept.quotas.get(operation) if kept else None,
        }
        for operation, calls in sorted(facts.calls.items(), key=lambda item: (-item[1], item[0]))
    ]
