"""Names in statements that only Athena's Hive side understands."""

from __future__ import annotations

import re
from typing import NamedTuple

from kada_athena_async.sandbox.estate.model import Catalog, Schema, Table
from kada_athena_async.sandbox.execute.outcome import NOT_FOUND, START, StatementFailed
from kada_athena_async.sandbox.execute.session import Session, table_named

_PART = r'(?:`(?:[^`]|``)+`|"(?:[^"]|"")+"|[\w$@-]+)'
NAME = rf"{_PART}(?:\s*\.\s*{_PART}){{0,2}}"
_PARTS = re.compile(_PART)


class Place(NamedTuple):
    """Catalog, schema and name of a table."""

    catalog: Catalog
    schema: Schema
    table: Table


def split_name(name: str) -> list[str]:
    """The parts of a dotted name without their quotes, lower-cased as Athena does."""
    return [_unquoted(part).lower() for part in _PARTS.findall(name)]


def place_schema(name: str | None, session: Session) -> tuple[Catalog, Schema]:
    """The schema that *name* means, or the session's.

    Raises:
        StatementFailed: There is none.
    """
    *catalog_part, wanted = split_name(name) if name else [session.database or "default"]
    catalog = session.find_catalog(catalog_part[0] if catalog_part else None)
    try:
        return catalog, session.find_schema(catalog, wanted)
    except StatementFailed as failure:
        raise StatementFailed(
            f"FAILED: SemanticException [Error 10072]: Database does not exist: {wanted}",
            type=NOT_FOUND,
        ) from failure


def place_table(name: str, session: Session) -> Place:
    """The table that *name* means.

    Raises:
        StatementFailed: There is none.
    """
    *schema_parts, wanted = split_name(name)
    catalog, schema = place_schema(".".join(map("`{}`".format, schema_parts)) or None, session)
    table = table_named(schema, wanted)
    if table is None:
        raise StatementFailed(
            f"FAILED: SemanticException [Error 10001]: Table not found {schema.name}.{wanted}",
            type=NOT_FOUND,
        )

    return Place(catalog, schema, table)


def match_statement(pattern: re.Pattern[str], statement: str) -> re.Match[str]:
    """The parts of a statement.

    Raises:
        StatementFailed: It does not have the form of *pattern*.
    """
    found = pattern.match(statement)
    if found is None:
        last = statement.split()[-1]
        raise StatementFailed(
            f"FAILED: ParseException {START} cannot recognize input near '{last}'"
        )

    return found


def _unquoted(part: str) -> str:
    quote = part[0]
    return part[1:-1].replace(quote * 2, quote) if quote in '`"' else part
