"""Spelling of the estate's names in SQL: Trino's double quotes, Hive's backticks."""

from __future__ import annotations

import re

_PLAIN = re.compile(r"[a-z_][a-z0-9_]*\Z", re.IGNORECASE)

# Trino's reserved words (trino.io, "Reserved keywords"): as a name they need quotes.
RESERVED = frozenset(
    [
        "alter",
        "and",
        "as",
        "auto",
        "between",
        "by",
        "case",
        "cast",
        "constraint",
        "create",
        "cross",
        "cube",
        "current_catalog",
        "current_date",
        "current_path",
        "current_role",
        "current_schema",
        "current_time",
        "current_timestamp",
        "current_user",
        "deallocate",
        "delete",
        "describe",
        "distinct",
        "drop",
        "else",
        "end",
        "escape",
        "except",
        "exists",
        "extract",
        "false",
        "for",
        "from",
        "full",
        "group",
        "grouping",
        "having",
        "in",
        "inner",
        "insert",
        "intersect",
        "into",
        "is",
        "join",
        "json_array",
        "json_exists",
        "json_object",
        "json_query",
        "json_table",
        "json_value",
        "left",
        "like",
        "listagg",
        "localtime",
        "localtimestamp",
        "natural",
        "normalize",
        "not",
        "null",
        "on",
        "or",
        "order",
        "outer",
        "prepare",
        "recursive",
        "right",
        "rollup",
        "select",
        "skip",
        "table",
        "then",
        "trim",
        "true",
        "uescape",
        "union",
        "unnest",
        "using",
        "values",
        "when",
        "where",
        "with",
    ]
)


def is_plain(name: str) -> bool:
    """True if *name* is a Trino name without quotes."""
    return _PLAIN.match(name) is not None and name.lower() not in RESERVED


def quoted(name: str) -> str:
    """*name* in Trino's double quotes."""
    return '"' + name.replace('"', '""') + '"'


def trino_name(*parts: str) -> str:
    """A dotted name for Trino, quoted only where it must be."""
    return ".".join(part if is_plain(part) else quoted(part) for part in parts)


def hive_name(*parts: str) -> str:
    """A dotted name for Hive DDL, each part in backticks where it must be.

    A leading underscore needs backticks there (Athena user guide, names of tables).
    """
    return ".".join(
        part if is_plain(part) and not part.startswith("_") else f"`{part}`" for part in parts
    )
