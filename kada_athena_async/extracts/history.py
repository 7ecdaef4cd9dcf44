"""Sums over the executions of runs: by workgroup, by fingerprint, by kind of failure.

One pass over the rows, in memory that does not grow with their number.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from operator import attrgetter
from typing import Literal

from kada_athena_async.extracts.package import Package
from kada_athena_async.extracts.runs import Runs
from kada_athena_async.sql.masking import mask_sql, mask_text

MAX_FINGERPRINTS = 50_000
"""Twice as many shapes of statements are held at most; then those that cost least are given up."""

MAX_FAILURE_KINDS = 1_000
OTHER_KINDS = "(other kinds)"
_REASON_CHARS = 2_000

Cost = Literal["total_ms", "scanned_bytes"]


@dataclass(slots=True, kw_only=True)
class WorkgroupTotal:
    """Figures of one workgroup.

    Attributes:
        total_ms: Of all its executions, waiting included.
    """

    workgroup: str
    queries: int = 0
    failed: int = 0
    cancelled: int = 0
    total_ms: int = 0
    scanned_bytes: int = 0


@dataclass(slots=True, kw_only=True)
class FingerprintTotal:
    """Figures of the executions of one fingerprint.

    Attributes:
        max_ms: The longest of them.
        sample: A statement of that shape, masked; empty until ``add_samples``.
    """

    fingerprint: str
    queries: int = 0
    total_ms: int = 0
    max_ms: int = 0
    scanned_bytes: int = 0
    sample: str = ""


@dataclass(slots=True, kw_only=True)
class FailureTotal:
    """The executions that failed for one kind of reason.

    Attributes:
        kind: Athena's word for it, such as ``TABLE_NOT_FOUND``, or its category.
        workgroups: The number of workgroups in which that happened.
        sample: One of the reasons, masked.
    """

    kind: str
    queries: int = 0
    workgroups: int = 0
    sample: str = ""


def workgroup_totals(runs: Package | Runs) -> list[WorkgroupTotal]:
    """A total for each workgroup, the one that scanned most first."""
    totals: dict[str, WorkgroupTotal] = {}
    names = ("workgroup", "status", "total_ms", "scanned_bytes")
    for workgroup, status, total_ms, scanned_bytes in runs.rows("databaselog", *names):
        total = totals.get(workgroup)
        if total is None:
            total = totals[workgroup] = WorkgroupTotal(workgroup=workgroup)
        total.queries += 1
        total.failed += status == "FAILED"
        total.cancelled += status == "CANCELLED"
        total.total_ms += int(total_ms or 0)
        total.scanned_bytes += int(scanned_bytes or 0)

    return sorted(totals.values(), key=lambda t: (-t.scanned_bytes, -t.total_ms, t.workgroup))


def fingerprint_totals(
    runs: Package | Runs, *, by: Cost, count: int
) -> tuple[list[FingerprintTotal], bool]:
    """The *count* fingerprints of which *by* is greatest, without samples.

    Returns:
        The totals, and False if there were so many shapes that some that cost little were given
        up on the way, so that a total may lack the one or other of its executions.
    """
    totals: dict[str, FingerprintTotal] = {}
    is_exact = True
    names = ("fingerprint", "total_ms", "scanned_bytes")
    for fingerprint, total_ms, scanned_bytes in runs.rows("databaselog", *names):
        if not fingerprint:
            continue

        total = totals.get(fingerprint)
        if total is None:
            if len(totals) >= 2 * MAX_FINGERPRINTS:
                totals = {t.fingerprint: t for t in _greatest(totals, by, MAX_FINGERPRINTS)}
                is_exact = False
            total = totals[fingerprint] = FingerprintTotal(fingerprint=fingerprint)
        took_ms = int(total_ms or 0)
        total.queries += 1
        total.total_ms += took_ms
        total.max_ms = max(total.max_ms, took_ms)
        total.scanned_bytes += int(scanned_bytes or 0)

    return _greatest(totals, by, count), is_exact


def _greatest(totals: dict[str, FingerprintTotal], by: Cost, count: int) -> list[FingerprintTotal]:
    cost = attrgetter(by)
    return sorted(totals.values(), key=lambda t: (-cost(t), -t.queries, t.fingerprint))[:count]


def add_samples(runs: Package | Runs, totals: Iterable[FingerprintTotal]) -> None:
    """Give each of *totals* a statement of its shape, masked whether the extracts are or not."""
    missing = {total.fingerprint: total for total in totals}
    names = ("fingerprint", "query", "statement_type", "substatement_type", "status")
    if not missing:
        return

    for fingerprint, query, kind, detail, status in runs.rows("databaselog", *names):
        total = missing.pop(fingerprint, None)
        if total is None:
            continue

        total.sample = mask_sql(
            query,
            statement_type=kind or None,
            substatement_type=detail or None,
            is_failed=status != "SUCCEEDED",
        )
        if not missing:
            return


# Athena begins a reason with a word of Trino's list of errors, such as SYNTAX_ERROR.
_KIND = re.compile(r"\s*([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)\b")

# Trino's and Hive's parsers say it without a word of that list.
_SYNTAX = re.compile(
    r"line \d+:\d+: (?:mismatched|extraneous|missing|no viable|token recognition)|.*ParseException"
)

# Athena API reference, AthenaError.ErrorCategory.
_CATEGORIES = {"1": "system error", "2": "user error", "3": "other error"}


def failure_totals(runs: Package | Runs) -> list[FailureTotal]:
    """A total for each kind of failure, the most frequent first; what was cancelled is none."""
    totals: dict[str, FailureTotal] = {}
    places: dict[str, set[str]] = {}
    names = ("status", "workgroup", "status_reason", "error_category", "query")
    for status, workgroup, reason, category, query in runs.rows("databaselog", *names):
        if status != "FAILED":
            continue

        kind = failure_kind(reason, category)
        if kind not in totals and len(totals) >= MAX_FAILURE_KINDS:
            kind = OTHER_KINDS
        total = totals.get(kind)
        if total is None:
            sample = mask_text(reason, mask_sql(query, is_failed=True))[:_REASON_CHARS]
            total = totals[kind] = FailureTotal(kind=kind, sample=sample)
        total.queries += 1
        places.setdefault(kind, set()).add(workgroup)

    for kind, workgroups in places.items():
        totals[kind].workgroups = len(workgroups)
    return sorted(totals.values(), key=lambda t: (-t.queries, t.kind))


def failure_kind(reason: str, category: str) -> str:
    """Athena's word for a reason, such as ``TABLE_NOT_FOUND``, or its category.

    Args:
        category: AthenaError's, 1 to 3; empty where Athena gives none.
    """
    if found := _KIND.match(reason):
        return found[1]

    if _SYNTAX.match(reason):
        return "SYNTAX_ERROR"

    return _CATEGORIES.get(category, "no reason given" if not reason else "other error")
