"""The lexer: it covers the text, agrees with another one, and takes linear time."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
import sqlglot
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlglot.errors import TokenError
from sqlglot.tokens import TokenType

from kada_athena_async.sql.engine_choice import EngineChoice, choose_engine
from kada_athena_async.sql.fingerprints import fingerprint
from kada_athena_async.sql.literals import find_literals
from kada_athena_async.sql.masking import mask_text
from kada_athena_async.sql.tokens import Engine, tokenize
from tests.kit.growth import MAX_GROWTH, cpu_growth
from tests.unit.sql.generated import Generator
from tests.unit.sql.labelled import LABELLED

LITERALS = {
    TokenType.STRING,
    TokenType.NUMBER,
    TokenType.HEX_STRING,
    TokenType.BIT_STRING,
    TokenType.UNICODE_STRING,
    TokenType.NATIONAL_STRING,
    TokenType.RAW_STRING,
}
# sqlglot takes the rest of these statements for one string, so there is nothing to compare.
OPAQUE = {TokenType.COMMAND, TokenType.SHOW, TokenType.EXECUTE}

# What sqlglot calls a literal and we keep, or cut otherwise; each with its reason.
EXPLAINED = re.compile(
    r"[0-9]{1,2}"  # an ordinal or the parameter of a type
    r"|2024"  # the beginning of a name, 2024_sales, which sqlglot cuts in two
    r"|N'kestrel'"  # Trino has no such prefix: a name and a string
    r"|113\.77"  # the middle of 203.0.113.77, cut elsewhere
)


@pytest.mark.parametrize("engine", list(Engine))
@given(text=st.text(alphabet="'\"`\\-/*“’.,()? \n01_eExUu&a\x00é", max_size=50))
@settings(max_examples=300, deadline=None)
def test_tokens_cover_the_text(engine: Engine, text: str) -> None:
    """Every character belongs to exactly one token, none of which is empty."""
    tokens = list(tokenize(text, engine))

    assert "".join(text[token.start : token.end] for token in tokens) == text
    assert all(token.start < token.end for token in tokens)


def kept_by_us(sql: str) -> list[str] | None:
    """Literals of sqlglot's tokenizer that are none of ours; None if it cannot tell."""
    try:
        tokens = sqlglot.tokenize(sql, dialect="trino")
    except TokenError:
        return None

    if any(token.token_type in OPAQUE for token in tokens):
        return None

    hidden = find_literals(sql, Engine.TRINO)[0]
    literals = [token for token in tokens if token.token_type in LITERALS]
    return [
        sql[token.start : token.end + 1]
        for token in literals
        if not any(one.start <= token.start < token.end + 1 <= one.end for one in hidden)
    ]


def test_literals_are_those_that_sqlglot_sees() -> None:
    """Whatever another tokenizer calls a string or a number is hidden, but for explained cases."""
    generator = Generator(7)
    statements = [case.sql for case in LABELLED]
    statements += [generator.trino_statement().sql for _ in range(1_000)]
    compared = [kept for sql in statements if (kept := kept_by_us(sql)) is not None]

    assert len(compared) > 900
    assert [k for kept in compared for k in kept if not EXPLAINED.fullmatch(k)] == []


LARGE: dict[str, Callable[[int], str]] = {
    "list of numbers": lambda n: "SELECT * FROM t WHERE a IN (" + "1234," * (n // 5) + "1)",
    "list of strings": lambda n: "SELECT " + "'x'," * (n // 4),
    "words": lambda n: "SELECT " + "a " * (n // 2),
    "one word": lambda n: "SELECT " + "a" * n,
    "word in another script": lambda n: "SELECT " + "aé" * (n // 2),
    "open parentheses": lambda n: "SELECT " + "(" * n,
    "quotes": lambda n: "SELECT " + "'" * (n | 1),
    "double quotes": lambda n: "SELECT " + '"' * (n | 1),
    "doubled quotes, never closed": lambda n: "SELECT '" + "''" * (n // 2),
    "backslashes": lambda n: "ALTER TABLE t '" + "\\" * n,
    "comments never closed": lambda n: "SELECT " + "/*" * (n // 2),
    "nested comments never closed": lambda n: "ALTER " + "/*" * (n // 2),
    "dashes": lambda n: "SELECT " + "- " * (n // 2),
    "broken numbers": lambda n: "SELECT " + "1." * (n // 2),
    "digits": lambda n: "SELECT " + "1" * n,
    "digits and underscores": lambda n: "SELECT " + "1_" * (n // 2) + "!",
    "points and names": lambda n: "SELECT " + ".1x" * (n // 3),
    "smart quotes": lambda n: "SELECT " + "“" * n,
    "smart apostrophes": lambda n: "SELECT " + "‘a’a" * (n // 4),
    "ordinals": lambda n: "SELECT a ORDER BY " + "1, " * (n // 3),
    "ordinals before comments": lambda n: "SELECT a ORDER BY " + "1/*x*/," * (n // 7),
    "ordinals before space": lambda n: "SELECT a ORDER BY " + f"1{' ' * 50}x," * (n // 53),
    "group by": lambda n: "SELECT a " + "GROUP BY " * (n // 9),
    "nested group by": lambda n: "SELECT a " + "(GROUP BY " * (n // 10),
    "types": lambda n: "SELECT " + "decimal(1," * (n // 10),
    "types and space": lambda n: "SELECT decimal" + " " * n + "x",
    "space": lambda n: "SELECT" + " " * n + "x",
    "create table": lambda n: "CREATE TABLE x (" + "a int, " * (n // 7),
}


@pytest.mark.parametrize("make", LARGE.values(), ids=LARGE)
def test_time_is_linear(make: Callable[[int], str]) -> None:
    """Eight times the text takes about eight times as long, never 64 times, whatever is in it."""
    assert cpu_growth(fingerprint, make, 131_072) < MAX_GROWTH


@pytest.mark.parametrize("piece", ["'", "a'", "'a ", '"', "1", "1-", "a@", "a", "‘a’", "line 1:"])
def test_time_is_linear_for_messages(piece: str) -> None:
    """The same holds for messages."""
    assert cpu_growth(mask_text, lambda n: piece * (n // len(piece) | 1), 131_072) < MAX_GROWTH


TRINO, HIVE = Engine.TRINO, Engine.HIVE


@pytest.mark.parametrize(
    ("sql", "types", "engine", "is_certain"),
    [
        ("SELECT 1", (None, None), TRINO, True),
        ("(( select 1 ))", (None, None), TRINO, True),
        ("-- c\n/* d */ with x as (select 1) select 1", (None, None), TRINO, True),
        ("CREATE OR REPLACE VIEW v AS SELECT 1", ("DDL", "CREATE_VIEW"), TRINO, True),
        ("DROP VIEW v", ("DDL", "DROP_VIEW"), TRINO, True),
        ("DROP TABLE v", ("DDL", "DROP_TABLE"), HIVE, True),
        ("CREATE TABLE t AS SELECT 1", (None, None), TRINO, True),
        ("CREATE TABLE t WITH (a='x') AS (SELECT 1)", (None, None), TRINO, True),
        ("CREATE TABLE t (a int) STORED AS PARQUET", (None, None), HIVE, True),
        ("CREATE TABLE t (a int COMMENT 'it\\'s') AS SELECT 'x'", (None, None), HIVE, False),
        ("CREATE TABLE t (a int COMMENT 'it\\'s')", ("DDL", "CREATE_TABLE"), HIVE, True),
        ("CREATE EXTERNAL TABLE t (a int) AS SELECT", (None, None), HIVE, True),
        ("CREATE DATABASE d", (None, None), HIVE, True),
        ("MSCK REPAIR TABLE t", ("DDL", None), HIVE, True),
        ("SHOW TABLES", ("UTILITY", None), HIVE, True),
        ("EXPLAIN SELECT 1", ("UTILITY", "EXPLAIN"), TRINO, True),
        ("frobnicate", (None, None), TRINO, False),
        ("frobnicate", ("DDL", "ALTER_TABLE"), HIVE, False),
        ("SHOW TABLES", ("DML", None), TRINO, False),
        ("", (None, None), TRINO, False),
    ],
)
def test_the_engine_is_chosen(
    sql: str, types: tuple[str | None, str | None], engine: Engine, is_certain: bool
) -> None:
    """The service decides, the text breaks ties, and where they contradict nothing is certain."""
    choice = choose_engine(sql, statement_type=types[0], substatement_type=types[1])

    assert choice == EngineChoice(engine, is_certain)
