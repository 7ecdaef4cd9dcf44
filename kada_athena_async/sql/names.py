"""Names of tables: cut from SQL text, completed from the context, distinguished as Athena does."""

from __future__ import annotations

import re
from typing import NamedTuple

DEFAULT_CATALOG = "AwsDataCatalog"
"""The catalog that a name without one refers to (Athena API, QueryExecutionContext.Catalog)."""
DEFAULT_SCHEMA = "default"

NAME_PATTERN = r'(?:"(?:[^"]|"")*"|`(?:[^`]|``)*`|[\w$]+)'
QUALIFIED_PATTERN = rf"{NAME_PATTERN}(?:\s*\.\s*{NAME_PATTERN}){{0,3}}"
_NAME = re.compile(NAME_PATTERN)

# Iceberg's and Hive's metadata tables (trino.io, connectors Iceberg and Hive, "Metadata tables").
_METADATA_TABLE = re.compile(
    r"\$(?:partitions|history|files|snapshots|manifests|refs|properties|metadata_log_entries"
    r"|entries|all_entries|data)\Z",
    re.IGNORECASE,
)


class TableName(NamedTuple):
    """A table or view by its full name."""

    catalog: str
    schema: str
    table: str


class Context(NamedTuple):
    """Session of a statement: completes names that lack a catalog or a schema.

    Attributes:
        synonym: What another engine, which made a view, calls Glue's catalog.
    """

    catalog: str | None = None
    schema: str | None = None
    synonym: str = DEFAULT_CATALOG


def split_name(text: str, *, keeps_case: bool = False) -> tuple[str, ...]:
    """Return the parts of a dotted name, without their quotes.

    Names without quotes are in lower case, as both engines read them, unless *keeps_case*.
    """
    return tuple(_unquoted(part, keeps_case) for part in _NAME.findall(text))


def _unquoted(part: str, keeps_case: bool) -> str:
    quote = part[0]
    if quote in '"`':
        return part[1:-1].replace(quote * 2, quote)

    return part if keeps_case else part.lower()


def complete(parts: tuple[str, ...], context: Context) -> TableName | None:
    """Return the table that *parts* name in *context*; None if there are none or too many.

    A metadata table, such as ``orders$partitions``, is the table whose metadata it holds. All
    names of Glue's catalog are in lower case, those of other catalogs keep the case of quotes.
    """
    if not 1 <= len(parts) <= 3 or not parts[-1]:
        return None

    catalog, schema = context.catalog or DEFAULT_CATALOG, context.schema or DEFAULT_SCHEMA
    table = _METADATA_TABLE.sub("", parts[-1]) or parts[-1]
    if len(parts) == 3:
        catalog = parts[0]
    if len(parts) >= 2:
        schema = parts[-2]
    if catalog.lower() in (DEFAULT_CATALOG.lower(), context.synonym.lower()):
        return TableName(DEFAULT_CATALOG, schema.lower(), table.lower())

    return TableName(catalog, schema, table)
