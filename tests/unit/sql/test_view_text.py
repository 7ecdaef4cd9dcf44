"""View texts: what Glue keeps, read back."""

from __future__ import annotations

import json
from base64 import b64encode

import pytest

from kada_athena_async.sql.view_text import ViewText, decode_view

DEFINITION = {
    "originalSql": "SELECT a, 'Ü' b FROM t",
    "catalog": "awsdatacatalog",
    "schema": "sales",
    "columns": [{"name": "a", "type": "integer"}, {"name": "b", "type": "varchar(1)"}],
    "owner": "ann",
    "runAsInvoker": False,
}


def encoded(definition: object, mark: str = "Presto View") -> str:
    raw = definition if isinstance(definition, bytes) else json.dumps(definition).encode()
    return f"/* {mark}: {b64encode(raw).decode()} */"


@pytest.mark.parametrize("mark", ["Presto View", "Presto Materialized View"])
def test_views_of_athena_are_decoded(mark: str) -> None:
    """Text, context and columns come out of the comment that hides them."""
    assert decode_view(encoded(DEFINITION, mark), {"presto_view": "true"}) == ViewText(
        "SELECT a, 'Ü' b FROM t",
        "athena",
        "awsdatacatalog",
        "sales",
        (("a", "integer"), ("b", "varchar(1)")),
    )


def test_little_is_enough() -> None:
    """Only the text must be there."""
    assert decode_view(encoded({"originalSql": "SELECT 1"})) == ViewText(
        "SELECT 1", "athena", None, None, ()
    )


def test_views_of_hive_are_as_they_are() -> None:
    """Without Presto's mark the text is the author's."""
    assert decode_view("SELECT `a` FROM t", {}) == ViewText(
        "SELECT `a` FROM t", "hive", None, None, ()
    )


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "  ",
        "/* Presto View */",
        "/* Presto View: !!! */",
        "/* Presto View: YQ */",
        encoded(b"\xff\xfe"),
        encoded(b"{"),
        encoded([1]),
        encoded({"originalSql": 5}),
        encoded({"catalog": "x"}),
        encoded(b'{"originalSql":"x","z":' + b"[" * 300_000 + b"]" * 300_000 + b"}"),
        "x" * 2_000_000,
    ],
    ids=lambda text: repr(text)[:30],
)
def test_junk_is_no_view(text: str | None) -> None:
    """What cannot be read, nested without end or too long gives nothing and raises nothing."""
    assert decode_view(text) is None


def test_a_presto_view_without_its_text_is_no_hive_view() -> None:
    """The parameter says that the text must be encoded."""
    assert decode_view("SELECT 1", {"presto_view": "true"}) is None
