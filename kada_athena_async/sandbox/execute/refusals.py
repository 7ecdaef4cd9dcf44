"""DuckDB's errors in Athena's words."""

from __future__ import annotations

import re

import duckdb
from sqlglot import exp

from kada_athena_async.sandbox.execute.outcome import (
    DATA_ERROR,
    ENGINE_ERROR,
    START,
    StatementFailed,
)
from kada_athena_async.sandbox.execute.parse import position_of

_COLUMN = re.compile(r'(?:Referenced column "|does not have a column named ")([^"]+)"')
_TABLE = re.compile(r'Referenced table "([^"]+)" not found')
_UNGROUPED = re.compile(r'column "([^"]+)" must appear in the GROUP BY')
_FUNCTION = re.compile(
    r"Function with name \"?(\w+)\"? does not exist|given name and argument types '(\w+)\("
)


def refusal_of(error: duckdb.Error, tree: exp.Query) -> StatementFailed:
    """Athena's error where DuckDB reports *error* about the statement *tree*."""
    text = str(error).split("\n", 1)[0]
    for pattern, refused in _BY_NAME:
        if named := pattern.search(text):
            return refused(named[named.lastindex or 1], tree)

    detail = text.partition(": ")[2] or text
    if "Division by zero" in detail:
        return StatementFailed("DIVISION_BY_ZERO: Division by zero", type=DATA_ERROR)

    if isinstance(error, duckdb.ConversionException):
        return StatementFailed(f"INVALID_CAST_ARGUMENT: {detail}", type=DATA_ERROR)

    if isinstance(error, (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException)):
        return StatementFailed(f"SYNTAX_ERROR: {START}: {detail}")

    return StatementFailed(f"GENERIC_USER_ERROR: {detail}", type=ENGINE_ERROR)


def _unresolved(name: str, tree: exp.Query) -> StatementFailed:
    named = (c for c in tree.find_all(exp.Column) if c.name.lower() == name.lower())
    return _unresolved_column(next(named, None), name)


def _unresolved_table(name: str, tree: exp.Query) -> StatementFailed:
    *_, table = name.split(".")
    named = (c for c in tree.find_all(exp.Column) if c.table.lower() == table.lower())
    return _unresolved_column(next(named, None), name)


def _unresolved_column(column: exp.Column | None, name: str) -> StatementFailed:
    parts = [part.name for part in column.parts] if column else [name]
    return StatementFailed(
        f"COLUMN_NOT_FOUND: {position_of(column)}: Column '{'.'.join(parts).lower()}' cannot be "
        "resolved or requester is not authorized to access requested resources"
    )


def _unregistered(name: str, tree: exp.Query) -> StatementFailed:
    return StatementFailed(f"FUNCTION_NOT_FOUND: {START}: Function '{name.lower()}' not registered")


def _ungrouped(name: str, tree: exp.Query) -> StatementFailed:
    named = (c for c in tree.find_all(exp.Column) if c.name.lower() == name.lower())
    return StatementFailed(
        f"EXPRESSION_NOT_AGGREGATE: {position_of(next(named, None))}: '{name.lower()}' must be an "
        "aggregate expression or appear in GROUP BY clause"
    )


_BY_NAME = (
    (_COLUMN, _unresolved),
    (_TABLE, _unresolved_table),
    (_FUNCTION, _unregistered),
    (_UNGROUPED, _ungrouped),
)
