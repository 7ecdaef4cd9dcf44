"""Figures of the newest run: completeness, gaps, warnings, and its calls to AWS."""

from __future__ import annotations

from typing import Any

from kada_athena_async.manifest import Manifest
from kada_athena_async.observers.escaping import escape, one_line
from kada_athena_async.scopes import SPARK

MAX_PROBLEMS = 2_000

_MINUTE = "%Y-%m-%d %H:%M"


def completeness_figures(manifest: Manifest) -> dict[str, Any]:
    """Scopes, gaps and warnings of the manifest, as plain JSON values.

    A Spark workgroup, which holds no SQL, lacks nothing.
    """
    asked_for = [
        record
        for record in manifest.facts.completeness
        if record.outcome != "excluded" and record.reason != SPARK
    ]
    problems = [record for record in asked_for if record.outcome != "complete"]
    problems.sort(key=lambda r: (r.outcome, r.scope, r.name))
    return {
        "asked": len(asked_for),
        "incomplete": len(problems),
        "problems": [
            {
                "scope": r.scope,
                "name": escape(".".join(r.name)),
                "outcome": r.outcome,
                "reason": one_line(r.reason),
            }
            for r in problems[:MAX_PROBLEMS]
        ],
        "gaps": [
            {
                "workgroup": escape(gap.workgroup),
                "kind": escape(gap.kind),
                "start": f"{gap.start:{_MINUTE}}",
                "end": f"{gap.end:{_MINUTE}}",
            }
            for gap in manifest.facts.gaps[:MAX_PROBLEMS]
        ],
        "warnings": [one_line(w.message, limit=600) for w in manifest.facts.warnings],
    }


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
