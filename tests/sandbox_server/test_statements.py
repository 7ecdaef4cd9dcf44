"""The kind of a statement is known before it runs."""

from __future__ import annotations

import pytest

from kada_athena_async.sandbox.athena.statements import is_single, mentions_catalog, reads_catalog
from kada_athena_async.sandbox.estate.kinds import bare_statement, kind_of


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("SELECT 1", ("DML", ".csv")),
        ("-- a note\n/* and another */ with t AS (SELECT 1) SELECT * FROM t", ("DML", ".csv")),
        ("INSERT INTO t VALUES (1)", ("DML", "")),
        ("UNLOAD (SELECT 1) TO 's3://b/p/' WITH (format = 'PARQUET')", ("DML", ".csv")),
        ("CREATE TABLE t AS SELECT 1 AS x", ("DML", "tables/")),
        ("CREATE EXTERNAL TABLE t (x int) LOCATION 's3://b/p/'", ("DDL", ".txt")),
        ("show tables in s", ("UTILITY", ".txt")),
        ("DESCRIBE s.t", ("UTILITY", ".txt")),
        ("nonsense", ("DML", ".csv")),
    ],
)
def test_a_statement_is_known_by_its_first_words(query: str, expected: tuple[str, str]) -> None:
    """Its type, and what its result object's name adds to its id."""
    kind = kind_of(bare_statement(query))

    assert (kind.type, kind.result_key("<id>").replace("<id>", "")) == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("SELECT 1", True),
        ("SELECT 1;\n-- done; really", True),
        ("SELECT ';', \"a;b\", 'it''s; so' /* ; */", True),
        ("SELECT 1; SELECT 2", False),
        ("SELECT ';'; SELECT 2", False),
    ],
)
def test_one_statement_is_told_from_two(query: str, expected: bool) -> None:
    """A semicolon within a text, a quoted name or a comment ends nothing."""
    assert is_single(query) is expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ('SELECT * FROM "dynamo".s.t', True),
        ("SELECT * FROM Dynamo.s.t", True),
        ("SELECT * FROM s.dynamo", False),
        ("SELECT * FROM other_dynamo.s.t", False),
        ("SELECT * FROM s.dynamo.x", False),
    ],
)
def test_a_catalog_is_seen_in_a_name(query: str, expected: bool) -> None:
    """Only where a name begins with it."""
    assert mentions_catalog(query, "dynamo") is expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("SELECT 1", False),
        ("SELECT ' from '", False),
        ("SELECT * FROM t", True),
        ("SHOW TABLES", True),
        ("WITH x AS (SELECT 1) SELECT * FROM x", True),
    ],
)
def test_only_a_bare_select_needs_no_catalog(query: str, expected: bool) -> None:
    """Everything else reads the metastore."""
    assert reads_catalog(query) is expected
