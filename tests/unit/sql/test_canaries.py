"""Canaries: literals in every position of the grammar, looked for in all that is made of a text."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kada_athena_async.sql.analysis import Statement, analyse
from kada_athena_async.sql.event_rows import events, linkages
from kada_athena_async.sql.execution_texts import ExecutionText, MaskedText, mask_texts
from kada_athena_async.sql.masking import is_unmaskable, mask_sql
from kada_athena_async.sql.schema_index import SchemaIndex
from tests.unit.sql.labelled import DATA

# None may survive; each with another value of the same kind.
CANARIES = {
    "kestrel": "merlin",
    "zanzibar": "hobby",
    "8675309": "1029384",
    "1987": "2024",
    "42.4242": "17.1717",
    "7.31e": "8.42e",
    "deadbeef": "0badcafe",
    "DEADBEEF": "0BADCAFE",
    "cafe0": "beef1",
    "10.99.88.77": "10.11.22.33",
    "４２４２": "３１３１",
}
LINES = (DATA / "canaries.jsonl").read_text("utf-8").split("\n")
STATEMENTS = [(row["sql"], row["keep"]) for row in map(json.loads, filter(None, LINES))]

# Doubled quotes are two empty strings to both engines: only where the statement failed is it known
# that its author meant something else. So it is with a quote that was forgotten.
FAILED_ONLY = (
    "SELECT''kestrel'' FROM t",
    "SELECT a FROM t WHERE b = /kestrel/zanzibar/' AND c = 1",
    "SELECT a FROM t WHERE b = kestrel:8675309|zanzibar*'",
)


def canaries_in(text: object) -> list[str]:
    return [canary for canary in CANARIES if canary in str(text)]


@pytest.mark.parametrize(
    "facts",
    [
        {},
        {"is_failed": True},
        {"dialect": "hive"},
        {"dialect": "redshift"},
        {"statement_type": "DDL"},
        {"statement_type": "DML"},
    ],
    ids=str,
)
def test_no_canary_survives_and_no_word_is_lost(facts: dict[str, Any]) -> None:
    """Whatever is said of a statement, its literals are hidden; its words stay."""
    found = {sql: mask_sql(sql, **facts) for sql, _ in STATEMENTS}
    exempt = () if facts.get("is_failed") else FAILED_ONLY

    assert {s: m for s, m in found.items() if canaries_in(m) and s not in exempt} == {}
    assert {s: m for s, m in found.items() if is_unmaskable(m) or mask_sql(m, **facts) != m} == {}
    if not facts:
        lost = {s: [k for k in keep.split() if k not in found[s]] for s, keep in STATEMENTS}
        assert {sql: words for sql, words in lost.items() if words} == {}


@pytest.mark.parametrize("is_failed", [False, True])
def test_texts_that_differ_in_canaries_are_one(is_failed: bool) -> None:
    """Masked text, message, inner statement and fingerprint do not depend on what is hidden."""

    def masked(sql: str) -> MaskedText:
        reason = f"line 1:8: mismatched input {sql!r}. Cannot cast {sql} to bigint: {sql}"
        text = ExecutionText(sql, None, None, is_failed, "c", "s", reason)
        return mask_texts([text], True, False)[0]

    differing = {}
    for sql, _ in STATEMENTS:
        if sql in FAILED_ONLY and not is_failed:
            continue
        other = sql
        for canary, value in CANARIES.items():
            other = other.replace(canary, value)
        found = masked(sql)
        if canaries_in(found) or found[:2] != masked(other)[:2]:
            differing[sql] = found

    assert differing == {}


def test_no_canary_is_in_lineage() -> None:
    """Linkages and events of a statement, masked before, hold names only."""
    shown = {}
    for sql, _ in STATEMENTS:
        statement = Statement(sql=mask_sql(sql, is_failed=True), is_masked=True)
        analysis = analyse(statement, SchemaIndex())
        rows = [
            *linkages(analysis, server="s", query_id="q", hide_locations=True),
            *events(
                analysis, server="s", query_id="q", user="u", occurred_at=None, hide_locations=True
            ),
        ]
        if canaries_in((analysis, rows)):
            shown[sql] = rows

    assert shown == {}
