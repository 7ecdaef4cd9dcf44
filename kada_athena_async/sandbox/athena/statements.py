"""Kind of a statement, known before it runs."""

from __future__ import annotations

import re
from typing import NamedTuple

from kada_athena_async.sandbox.execute.kinds import bare_statement, kind_of

# Comments, string literals and quoted names: nothing in them is a statement's own text.
_OPAQUE = re.compile(
    r"""--[^\n]*|/\*.*?(?:\*/|\Z)|'(?:[^']|'')*(?:'|\Z)|"(?:[^"]|"")*(?:"|\Z)|`[^`]*(?:`|\Z)""",
    re.DOTALL,
)
# Statements whose result is rows that can be read back; others leave a manifest only.
_READABLE = ("SELECT", "UNLOAD", "EXECUTE")


class Statement(NamedTuple):
    """Fields of GetQueryExecution while a query still runs.

    Attributes:
        suffix: Of its result object, after the query id; None where it has no readable result.
    """

    statement_type: str | None
    substatement_type: str | None
    suffix: str | None


def describe(query: str) -> Statement:
    """The statement *query*, read by its first words."""
    kind = kind_of(bare_statement(query))
    if kind is None:
        return Statement(None, None, ".csv")

    if kind.is_plain_text and kind.subtype != "CREATE_TABLE_AS_SELECT":
        return Statement(kind.type, kind.subtype, ".txt")

    return Statement(kind.type, kind.subtype, ".csv" if kind.subtype in _READABLE else None)


def is_single(query: str) -> bool:
    """True where *query* holds one statement only."""
    bare = _OPAQUE.sub(" ", query).rstrip(" \t\r\n;")
    return ";" not in bare


def mentions_catalog(query: str, catalog: str) -> bool:
    """True where *query* names something of *catalog*, quoted or not."""
    name = re.escape(catalog)
    return re.search(rf'(?:"{name}"|(?<![\w."]){name})\s*\.', query, re.IGNORECASE) is not None


def reads_catalog(query: str) -> bool:
    """True where *query* needs the metastore, as all but a bare SELECT do."""
    bare = _OPAQUE.sub(" x ", query)
    return re.match(r"\s*select\b(?!.*\bfrom\b)", bare, re.IGNORECASE | re.DOTALL) is None
