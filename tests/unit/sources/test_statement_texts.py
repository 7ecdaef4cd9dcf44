"""S7: no name of a catalog, schema or table becomes anything but a name in our statements."""

from __future__ import annotations

from itertools import chain

import pytest
import sqlglot
from hypothesis import given
from hypothesis import strategies as st
from sqlglot import exp

from kada_athena_async.sources.statement_texts import (
    NAMES_BYTES_MAX,
    NAMES_MAX,
    conditions_on,
    default_texts,
    fill,
    portions,
)
from kada_athena_async.sql.tokens import Engine, tokenize

HOSTILE = [
    'x" OR 1=1 --',
    "x' OR '1'='1",
    'x"; DROP TABLE t; --',
    "x') UNION SELECT * FROM secrets --",
    "{1}",
    "{0}",
    "x*/ y /*",
    "\\",
    "\\'",
    '\\"',
    "a\nb",
    "\u2019; \uff1b \u02ba",
    "\x00",
    "",
]
NAMES = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=20))
TEXTS = default_texts()


def kinds(sql: str) -> list[object]:
    """Tokens that Trino's lexer makes of a statement."""
    return [token.kind for token in tokenize(sql, Engine.TRINO)]


@pytest.mark.parametrize("name", TEXTS)
@given(
    catalog=NAMES.filter(bool),
    schemas=st.lists(NAMES, min_size=1, max_size=3),
    tables=st.lists(NAMES, max_size=3),
)
def test_s7_a_name_stays_a_name(
    name: str, catalog: str, schemas: list[str], tables: list[str]
) -> None:
    """One SELECT of the same shape as with plain names, with just these names in it."""
    conditions = conditions_on(schemas, tables)
    sql = fill(TEXTS[name], catalog=catalog, conditions=conditions, run_id="r")
    plain = fill(
        TEXTS[name],
        catalog="c",
        conditions=conditions_on(["s"] * len(schemas), ["t"] * len(tables)),
        run_id="r",
    )

    assert kinds(sql) == kinds(plain)
    (statement,) = sqlglot.parse(sql, dialect="trino")
    assert isinstance(statement, exp.Select)
    (table,) = statement.find_all(exp.Table)
    assert (table.catalog, table.db) == (catalog, "information_schema")
    lists = [[value.name for value in found.expressions] for found in statement.find_all(exp.In)]
    wanted = [[text.lower() for text in texts] for texts in (schemas, tables) if texts]
    assert sorted(lists) == sorted(wanted)


@pytest.mark.parametrize("name", ["COLUMNS_SQL", "TABLES_SQL", "VIEWS_SQL"])
@given(tables=st.lists(NAMES, min_size=101, max_size=250))
def test_s7_each_scan_of_several_has_a_hundred_names_and_no_more(
    name: str, tables: list[str]
) -> None:
    """Trino pushes down no more for one scan; together they name all tables, in one order."""
    conditions = conditions_on(["s"], tables)
    sql = fill(TEXTS[name], catalog="c", conditions=conditions, run_id="r")

    (statement,) = sqlglot.parse(sql, dialect="trino")
    assert isinstance(statement, exp.Union)
    assert not statement.args["distinct"]
    order = [ordered.this.name for ordered in statement.args["order"].expressions]
    assert order[:2] == ["table_schema", "table_name"]
    scans = list(statement.find_all(exp.Select))
    assert not any(scan.args.get("order") for scan in scans)
    lists = [[v.name for v in found.expressions] for found in statement.find_all(exp.In)]
    named = [names for names in lists if names != ["s"]]
    assert max(map(len, named)) <= 100
    assert sorted(chain.from_iterable(named)) == sorted(table.lower() for table in tables)


@pytest.mark.parametrize("letter", ["a", "'", "\u00e4", "\u8868"])
def test_the_names_of_a_statement_leave_half_of_its_bytes_free(letter: str) -> None:
    """The longest names that Glue allows, in any letters, are divided over more statements."""
    names = [f"{number:05d}{letter * 250}" for number in range(1_300)]
    found = list(portions(names, NAMES_MAX))

    assert [name for some in found for name in some] == names
    for some in found:
        (sql, *_) = [
            fill(TEXTS[name], catalog="c", conditions=conditions_on(["s" * 255], some), run_id="r")
            for name in ("COLUMNS_SQL", "VIEWS_SQL")
        ]
        assert len(some) <= NAMES_MAX
        assert len(sql.encode()) < NAMES_BYTES_MAX + 20_000
