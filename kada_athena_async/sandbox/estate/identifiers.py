"""Spelling of the estate's names in SQL: Trino's double quotes, Hive's backticks."""

from __future__ import annotations

import re

from sqlglot.dialects.dialect import Dialect

_PLAIN = re.compile(r"[a-z_][a-z0-9_]*\Z", re.IGNORECASE)

# As a name they need quotes.
_RESERVED = Dialect.get_or_raise("trino").generator_class.RESERVED_KEYWORDS


def is_plain(name: str) -> bool:
    """True if *name* is a Trino name without quotes."""
    return _PLAIN.match(name) is not None and name.lower() not in _RESERVED


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
