"""Tells the names of tables in double quotes from values that were wrongly quoted so."""

from __future__ import annotations

import re
from collections.abc import Sequence

from kada_athena_async.sql.literals import Literal

# Nothing that could be an address, a date or a sentence.
_NAME = re.compile(r'"[A-Za-z_][A-Za-z0-9_$:-]{0,127}"')
_BEFORE = re.compile(r"\b(?:from|join)\s+(?:[A-Za-z_][A-Za-z0-9_$]*\s*\.\s*){0,2}\Z", re.IGNORECASE)
_LOOK_BACK_CHARS = 160


def without_table_names(text: str, literals: Sequence[Literal]) -> list[Literal]:
    """Those of *literals* that are no name of a table: right after FROM or JOIN, or a part of it.

    Every BI tool quotes them; to Hive, which reads such text too, they would be strings.
    """
    kept: list[Literal] = []
    end_of_name = position = 0
    for literal in literals:
        start, end, _ = literal
        before = max(position, start - _LOOK_BACK_CHARS)
        follows = bool(end_of_name) and text[end_of_name:start].strip() == "."
        follows = follows or _BEFORE.search(text, before, start) is not None
        is_name = follows and _NAME.fullmatch(text, start, end) is not None
        end_of_name = end if is_name else 0
        position = end
        if not is_name:
            kept.append(literal)

    return kept
