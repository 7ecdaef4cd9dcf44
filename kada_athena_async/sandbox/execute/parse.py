"""Statements in Athena's dialect as trees, their parameters filled in."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise

import sqlglot
from sqlglot import TokenType, exp
from sqlglot.errors import ParseError, TokenError

from kada_athena_async.sandbox.execute.naming import unnamed
from kada_athena_async.sandbox.execute.outcome import START, Position, StatementFailed

ATHENA = "athena"
HIVE = "hive"

# The compiled sqlglot loads a dialect's parts at first use, and two threads that use it first at
# the same time find them half loaded; so each is used once here, by the one thread that imports.
for _dialect in (ATHENA, HIVE, "trino", "duckdb"):
    sqlglot.parse_one("SELECT 1", read=_dialect).sql(_dialect)


def parse_query(sql: str, dialect: str = ATHENA) -> exp.Query:
    """The tree of a SELECT, WITH, VALUES or TABLE statement.

    Raises:
        StatementFailed: It is no such statement.
    """
    tree = parse(sql, dialect)
    if isinstance(tree, exp.Values):
        return _selected_values(tree)

    if not isinstance(tree, exp.Query):
        raise mismatched(sql.split(maxsplit=1)[0] if sql.split() else "<EOF>")

    return tree


def parse(sql: str, dialect: str = ATHENA) -> exp.Expr:
    """The tree of one statement, the caller's own.

    Raises:
        StatementFailed: It cannot be parsed, or there is more than one.
    """
    return _parsed(sql, dialect).copy()


@lru_cache(maxsize=256)
def _parsed(sql: str, dialect: str) -> exp.Expr:
    # A client asks the same again and again; a copy takes a quarter of the time.
    try:
        trees = [tree for tree in sqlglot.parse(sql, read=dialect) if tree is not None]
    except ParseError as error:
        first = error.errors[0] if error.errors else {}
        raise mismatched(*_broken_at(sql, first)) from error
    except TokenError as error:
        raise StatementFailed(f"{START}: mismatched input. {error}") from error

    _refuse_dangling_comma(sql, dialect)
    if not trees:
        raise mismatched("<EOF>")

    if len(trees) > 1:
        raise StatementFailed("Only one sql statement is allowed. Got: " + sql.strip())

    return trees[0]


def fill_parameters(tree: exp.Query, parameters: Sequence[str]) -> exp.Query:
    """*tree* with each ``?`` replaced; a parameter is an SQL literal, strings in their quotes.

    Raises:
        StatementFailed: There are more or fewer parameters than places.
    """
    places = [place for place in tree.find_all(exp.Placeholder, bfs=False) if not place.this]
    if len(places) != len(parameters):
        raise StatementFailed(
            f"INVALID_PARAMETER_USAGE: {START}: Incorrect number of parameters: "
            f"expected {len(places)} but found {len(parameters)}"
        )

    for place, parameter in zip(places, parameters, strict=True):
        place.replace(parse(f"SELECT {parameter}").expressions[0])

    return tree


def position_of(node: exp.Expr | None) -> Position:
    """Position of a table or column in its statement; the start if it is not known."""
    parts = node.parts if isinstance(node, (exp.Table, exp.Column)) else []
    if not parts or "line" not in parts[0].meta:
        return START

    first = parts[0].meta
    return Position(first["line"], max(1, first["col"] - (first["end"] - first["start"])))


def _selected_values(values: exp.Values) -> exp.Query:
    row = values.expressions[0]
    width = len(row.expressions) if isinstance(row, exp.Tuple) else 1
    columns = [exp.to_identifier(unnamed(position), quoted=True) for position in range(width)]
    alias = exp.TableAlias(this=exp.to_identifier("rows"), columns=columns)
    values.set("alias", alias)
    return exp.select("*").from_(values)


def _refuse_dangling_comma(sql: str, dialect: str) -> None:
    # sqlglot lets a comma stand before FROM; Trino does not.
    tokens = sqlglot.tokenize(sql, read=dialect)
    for comma, following in pairwise(tokens):
        if comma.token_type is TokenType.COMMA and following.token_type is TokenType.FROM:
            length = following.end - following.start
            raise mismatched(following.text, Position(following.line, following.col - length))


def _broken_at(sql: str, error: dict[str, object]) -> tuple[str, Position]:
    word = str(error.get("highlight") or "<EOF>")
    end = int(str(error.get("col") or 1))
    return word, Position(int(str(error.get("line") or 1)), max(1, end - len(word) + 1))


def mismatched(word: str, at: Position = START) -> StatementFailed:
    """The error for a word that stands where none of its kind may."""
    return StatementFailed(
        f"{at}: mismatched input '{word}'. Expecting: 'ALTER', 'ANALYZE', 'CALL', 'COMMENT', "
        "'COMMIT', 'CREATE', 'DEALLOCATE', 'DELETE', 'DESC', 'DESCRIBE', 'DROP', 'EXECUTE', "
        "'EXPLAIN', 'GRANT', 'INSERT', 'MERGE', 'PREPARE', 'REFRESH', 'SHOW', 'UNLOAD', 'UPDATE', "
        "'USE', 'VACUUM', 'WITH', <query>"
        if at == START
        else f"{at}: mismatched input '{word}'"
    )
