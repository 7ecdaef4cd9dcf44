"""``tables_accessed`` of Athena's system table: an array of rows, read as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TypeAlias

from kada_athena_async.sources.statement_texts import quote_identifier

COLUMN = "tables_accessed"

Tables: TypeAlias = tuple[tuple[str | None, ...], ...]
"""Catalog, schema and name of each table."""

_FIELDS = (("catalog_name", "catalog"), ("database_name", "schema_name", "database", "schema"),
           ("table_name", "table"))  # fmt: skip
"""Names that the fields of a row may have; AWS's guide names catalog, database and table."""


def is_readable(column: str, data_type: str) -> bool:
    """False for a column whose type is not the one that its name promises.

    The text of a row names none of its fields; and ``tables_accessed`` of another type than an
    array could not be cast.
    """
    if column.lower() == COLUMN:
        return data_type.startswith("array(")

    return not data_type.startswith(("array(", "map(", "row("))


def selected(column: str) -> str:
    """*column* in a SELECT list; rows as JSON, since Athena quotes nothing in its text of a row."""
    name = quote_identifier(column)
    return f"json_format(CAST({name} AS JSON)) AS {name}" if column.lower() == COLUMN else name


def tables_of(text: str | None) -> Tables | None:
    """Read the JSON of an execution's tables; None where there is none, or in another form.

    Rows are objects; engines before Trino 356 made lists of them.
    """
    try:
        rows = json.loads(text) if text else None
    except ValueError:
        return None

    if not isinstance(rows, list):
        return None

    tables = [_table(row) for row in rows]
    found = tuple(table for table in tables if table is not None)
    return found if len(found) == len(tables) else None


def _table(row: object) -> tuple[str | None, ...] | None:
    if isinstance(row, Mapping):
        row = [next((row[name] for name in names if name in row), None) for names in _FIELDS]

    if not isinstance(row, list) or len(row) != len(_FIELDS) or not isinstance(row[-1], str):
        return None

    return tuple(part if isinstance(part, str) else None for part in row)
