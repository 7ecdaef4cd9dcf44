"""Sums over executions: by workgroup, fingerprint and kind of failure."""

from __future__ import annotations

from pathlib import Path

import pytest

from kada_athena_async.extracts import history
from kada_athena_async.extracts.history import (
    FailureTotal,
    FingerprintTotal,
    WorkgroupTotal,
    add_samples,
    failure_totals,
    fingerprint_totals,
    workgroup_totals,
)
from tests.unit.extracts.making import make_package, query


def test_workgroups_are_summed(tmp_path: Path) -> None:
    """Queries by their end, time and bytes; what scanned most comes first, null is nothing."""
    rows = [
        query(1, workgroup="a", total_ms=5, scanned_bytes=10),
        query(2, workgroup="b", total_ms=7, scanned_bytes=30),
        query(3, workgroup="a", status="FAILED", total_ms=1),
        query(4, workgroup="a", status="CANCELLED"),
    ]

    assert workgroup_totals(make_package(tmp_path, {"databaselog": rows})) == [
        WorkgroupTotal(workgroup="b", queries=1, total_ms=7, scanned_bytes=30),
        WorkgroupTotal(
            workgroup="a", queries=3, failed=1, cancelled=1, total_ms=6, scanned_bytes=10
        ),
    ]


def test_fingerprints_are_ranked_and_shown_masked(tmp_path: Path) -> None:
    """The dearest first, by time or by bytes; the sample is masked even if the extract is not."""
    secret = "SELECT a FROM t WHERE b = 'kestrel'"
    rows = [
        query(1, fingerprint="x", total_ms=5, scanned_bytes=10, query=secret),
        query(2, fingerprint="x", total_ms=9, scanned_bytes=10, query=secret),
        query(3, fingerprint="y", total_ms=11, scanned_bytes=500, query="SELECT 1"),
        query(4, total_ms=99),
    ]
    package = make_package(tmp_path, {"databaselog": rows})

    slowest, is_exact = fingerprint_totals(package, by="total_ms", count=1)
    dearest, _ = fingerprint_totals(package, by="scanned_bytes", count=9)
    add_samples(package, slowest)

    assert slowest == [
        FingerprintTotal(
            fingerprint="x",
            queries=2,
            total_ms=14,
            max_ms=9,
            scanned_bytes=20,
            sample="SELECT a FROM t WHERE b = ?",
        )
    ]
    assert is_exact
    assert [total.fingerprint for total in dearest] == ["y", "x"]


def test_memory_does_not_grow_with_the_shapes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond a bound the cheapest are given up, and that is said; the dear ones stay right."""
    monkeypatch.setattr(history, "MAX_FINGERPRINTS", 5)
    rows = [query(n, fingerprint=f"rare{n}", total_ms=1) for n in range(40)]
    rows += [query(n, fingerprint=f"dear{n % 3}", total_ms=100) for n in range(9)]
    rows += [query(n, fingerprint=f"rare{n}", total_ms=1) for n in range(40)]

    totals, is_exact = fingerprint_totals(
        make_package(tmp_path, {"databaselog": rows}), by="total_ms", count=3
    )

    assert not is_exact
    assert {(t.fingerprint, t.queries, t.total_ms) for t in totals} == {
        (f"dear{n}", 3, 300) for n in range(3)
    }


def test_failures_are_counted_by_kind(tmp_path: Path) -> None:
    """By Athena's word, else by its category; samples are masked, cancelled ones left out."""
    reasons = [
        ("SYNTAX_ERROR: line 1:8: mismatched input 'kestrel'", 2, "a"),
        ("line 9:9: mismatched input x", 2, "b"),
        ("Query exhausted resources", 1, "a"),
        (None, None, "a"),
    ]
    rows = [
        query(n, status="FAILED", status_reason=reason, error_category=category, workgroup=group)
        for n, (reason, category, group) in enumerate(reasons)
    ]
    rows.append(query(9, status="CANCELLED", status_reason="SYNTAX_ERROR: no"))

    assert failure_totals(make_package(tmp_path, {"databaselog": rows})) == [
        FailureTotal(
            kind="SYNTAX_ERROR",
            queries=2,
            workgroups=2,
            sample="SYNTAX_ERROR: line 1:8: mismatched input ?",
        ),
        FailureTotal(kind="no reason given", queries=1, workgroups=1, sample=""),
        FailureTotal(
            kind="system error", queries=1, workgroups=1, sample="Query exhausted resources"
        ),
    ]
