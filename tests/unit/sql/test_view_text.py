"""View texts: what Glue keeps, read back."""

from __future__ import annotations

import json
from base64 import b64encode, urlsafe_b64encode

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


@pytest.mark.parametrize("padding", [True, False])
@pytest.mark.parametrize(
    "comment", ["/* Presto View: %s */", "/*Presto View:%s*/", "/*  presto  view: %s\n*/"]
)
def test_views_are_decoded_however_their_writer_spelt_them(comment: str, padding: bool) -> None:
    """The alphabet for URLs, no padding, another case or spacing: the text is the same."""
    raw = json.dumps({"originalSql": "SELECT '???>>>~~~' x"}, ensure_ascii=False).encode()
    digits = urlsafe_b64encode(raw).decode()
    assert set("-_") & set(digits)

    found = decode_view(comment % (digits if padding else digits.rstrip("=")))
    assert found is not None
    assert (found.definition, found.dialect) == ("SELECT '???>>>~~~' x", "athena")


def test_little_is_enough() -> None:
    """Only the text must be there."""
    assert decode_view(encoded({"originalSql": "SELECT 1"})) == ViewText(
        "SELECT 1", "athena", None, None, ()
    )


@pytest.mark.parametrize(
    "raw",
    [
        {**DEFINITION, "columns": None, "catalog": 5},
        {**DEFINITION, "columns": ["a", {"name": None}], "schema": {}},
        b"\xef\xbb\xbf" + json.dumps(DEFINITION).encode() + b"\x00",
        json.dumps(DEFINITION).replace("ann", "\\ud800").encode(),
    ],
    ids=["nulls", "items", "mark and NUL", "half a pair"],
)
def test_a_member_that_cannot_be_read_costs_only_itself(raw: object) -> None:
    """The text is there all the same."""
    found = decode_view(encoded(raw) + ";")
    assert found is not None
    assert found.definition == DEFINITION["originalSql"]


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
    """A text that is unreadable, nested without end or too long gives nothing, raises nothing."""
    assert decode_view(text) is None


def test_a_presto_view_without_its_text_is_no_hive_view() -> None:
    """The parameter says that the text must be encoded."""
    assert decode_view("SELECT 1", {"presto_view": "true"}) is None
