"""Facts that a statement's text gives before it runs."""

from __future__ import annotations

import re

# Comments, string literals and quoted names: nothing in them is a statement's own text.
_OPAQUE = re.compile(
    r"""--[^\n]*|/\*.*?(?:\*/|\Z)|'(?:[^']|'')*(?:'|\Z)|"(?:[^"]|"")*(?:"|\Z)|`[^`]*(?:`|\Z)""",
    re.DOTALL,
)


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
