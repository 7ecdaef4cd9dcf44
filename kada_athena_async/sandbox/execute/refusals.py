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
_FUNCTION = re.compile(
    r"Function with name \"?(\w+)\"? does not exist|given name and argument types '(\w+)\("
)


def refusal_of(error: duckdb.Error, tree: exp.Query) -> StatementFailed:
    """What Athena would say where DuckDB says *error* about the statement *tree*."""
    text = str(error).split("\n", 1)[0]
    if column := _COLUMN.search(text):
        return _unresolved(column[1], tree)

    if function := _FUNCTION.search(text):
        name = (function[1] or function[2]).lower()
        return StatementFailed(f"FUNCTION_NOT_FOUND: {START}: Function '{name}' not registered")

    detail = text.partition(": ")[2] or text
    if "Division by zero" in detail:
        return StatementFailed("DIVISION_BY_ZERO: Division by zero", type=DATA_ERROR)

    if isinstance(error, duckdb.ConversionException):
        return StatementFailed(f"INVALID_CAST_ARGUMENT: {detail}", type=DATA_ERROR)

    if isinstance(error, (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException)):
        return StatementFailed(f"SYNTAX_ERROR: {START}: {detail}")

    return StatementFailed(f"GENERIC_USER_ERROR: {detail}", type=ENGINE_ERROR)


def _unresolved(name: str, tree: exp.Query) -> StatementFailed:
    columns = (c for c in tree.find_all(exp.Column) if c.name.lower() == name.lower())
    found = next(columns, None)
    shown = name.lower() if found is None else ".".join(part.name for part in found.parts).lower()
    return StatementFailed(
        f"COLUMN_NOT_FOUND: {position_of(found)}: Column '{shown}' cannot be resolved "
        "or requester is not authorized to access requested resources"
    )
