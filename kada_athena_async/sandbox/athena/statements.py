"""What kind of statement a text is, known before it runs."""

from __future__ import annotations

import re
from typing import NamedTuple

# Comments, string literals and quoted names: nothing in them is a statement's own text.
_OPAQUE = re.compile(
    r"""--[^\n]*|/\*.*?(?:\*/|\Z)|'(?:[^']|'')*(?:'|\Z)|"(?:[^"]|"")*(?:"|\Z)|`[^`]*(?:`|\Z)""",
    re.DOTALL,
)
_COMMENT = re.compile(r"--[^\n]*|/\*.*?(?:\*/|\Z)", re.DOTALL)

_DML = ("SELECT", "WITH", "VALUES", "TABLE", "INSERT", "UPDATE", "DELETE", "MERGE", "UNLOAD")
_UTILITY = ("SHOW", "DESCRIBE", "DESC", "EXPLAIN")
_CTAS = re.compile(r"CREATE\s+TABLE\b.*\bAS\b\s*\(?\s*(?:SELECT|WITH|VALUES|TABLE)\b", re.DOTALL)


class Kind(NamedTuple):
    """A statement's kind as GetQueryExecution gives it while it still runs.

    Attributes:
        suffix: Of its result object, after the query id; None where it has no readable result.
    """

    statement_type: str
    substatement_type: str
    suffix: str | None


def kind_of(query: str) -> Kind:
    """The kind of *query*, by its first words."""
    words = _COMMENT.sub(" ", query).strip(" \t\r\n;(").upper()
    first = re.split(r"\W", words, maxsplit=1)[0]
    if first == "EXECUTE" or first in _DML:
        sub = "SELECT" if first in ("WITH", "VALUES", "TABLE", "EXECUTE") else first
        return Kind("DML", sub, ".csv" if sub in ("SELECT", "UNLOAD") else None)

    if _CTAS.match(words):
        return Kind("DML", "CREATE_TABLE_AS_SELECT", None)

    if first in _UTILITY:
        return Kind("UTILITY", "_".join(words.split()[:2]) if first == "SHOW" else first, ".txt")

    return Kind("DDL", "_".join(words.split()[:2]), ".txt")


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
