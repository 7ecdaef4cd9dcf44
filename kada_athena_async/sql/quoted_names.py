"""Tells the names of tables in double quotes from values that were wrongly quoted so."""

from __future__ import annotations

import re
from collections.abc import Sequence

from kada_athena_async.sql.literals import Literal

# Nothing that could be an address, a date or a sentence.
_NAME = re.compile(r'"[A-Za-z_][A-Za-z0-9_$:-]{0,127}"')
_BEFORE = re.compile(
    r"(?P<distinct>\bdistinct\s+)?\b(?:from|join|into|update|table|view|exists|optimize|vacuum)\s+"
    r"(?:[A-Za-z_][A-Za-z0-9_$]*\s*\.\s*){0,2}\Z",
    re.IGNORECASE,
)
# In these calls FROM stands before a value.
_TAKES_FROM = re.compile(r"\b(?:extract|trim|substring|overlay)\s*\(", re.IGNORECASE)
_PAREN = re.compile(rf"(?P<takes_from>{_TAKES_FROM.pattern})|\(|\)", re.IGNORECASE)
_LOOK_BACK_CHARS = 160


def without_table_names(text: str, literals: Sequence[Literal]) -> list[Literal]:
    """Those of *literals* that are no name of a table: right after FROM, INTO and such, or a part.

    Every BI tool quotes them; to Hive, which reads such text too, they would be strings.
    """
    kept: list[Literal] = []
    end_of_name = position = 0
    takes_from: list[bool] = []  # of each open parenthesis
    has_calls = _TAKES_FROM.search(text) is not None
    for literal in literals:
        start, end, _ = literal
        if has_calls:
            _follow(text, position, start, takes_from)
        follows = bool(end_of_name) and text[end_of_name:start].strip() == "."
        if not follows and takes_from[-1:] != [True]:
            word = _BEFORE.search(text, max(position, start - _LOOK_BACK_CHARS), start)
            follows = word is not None and not word["distinct"]
        is_name = follows and _NAME.fullmatch(text, start, end) is not None
        end_of_name = end if is_name else 0
        position = end
        if not is_name:
            kept.append(literal)

    return kept


def _follow(text: str, start: int, end: int, takes_from: list[bool]) -> None:
    """Open and close the parentheses in ``text[start:end]``."""
    for paren in _PAREN.finditer(text, start, end):
        if paren.group() != ")":
            takes_from.append(paren["takes_from"] is not None)
        elif takes_from:
            takes_from.pop()
