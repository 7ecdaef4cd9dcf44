"""S7: no name of a catalog, schema or table becomes anything but a name in our statements."""

from __future__ import annotations

import pytest
import sqlglot
from hypothesis import given
from hypothesis import strategies as st
from sqlglot import exp

from kada_athena_async.sources.statement_texts import condition_on, default_texts, fill
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
    sql = fill(TEXTS[name], catalog=catalog, condition=condition_on(schemas, tables), run_id="r")
    plain = fill(
        TEXTS[name],
        catalog="c",
        condition=condition_on(["s"] * len(schemas), ["t"] * len(tables)),
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
