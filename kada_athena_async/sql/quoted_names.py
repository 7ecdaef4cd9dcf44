"""Distinguishes names of tables in double quotes from values that were wrongly quoted so."""

from __future__ import annotations

import re
from collections.abc import Sequence

from kada_athena_async.sql.literals import PLACEHOLDER, Literal

# Nothing that could be an address, a date or a sentence.
_NAME = re.compile(r'"[A-Za-z_][A-Za-z0-9_$:-]{0,127}"')
_BEFORE = re.compile(
    r"(?P<distinct>\bdistinct )?\b(?:from|join|into|update|table|view|exists|optimize|vacuum)\b ?"
    r"(?:[A-Za-z_][A-Za-z0-9_$]* ?\. ?){0,2}\Z",
    re.IGNORECASE,
)
_PAREN = re.compile(r"[()]")
# In these calls FROM stands before a value.
_TAKES_FROM = re.compile(r"\b(?:extract|trim|substring|overlay) ?\Z", re.IGNORECASE)
_LONGEST_TAKES_FROM = len(" substring ")
_LOOK_BACK_CHARS = 400
_LONGEST_DISTINCT = len(" distinct ")


def without_table_names(text: str, literals: Sequence[Literal]) -> list[Literal]:
    """Those of *literals* that are no name of a table: right after FROM, INTO and such, or a part.

    Every BI tool quotes them; to Hive, which reads such text too, they would be strings.
    """
    kept: list[Literal] = []
    position = 0
    before = _Before()
    is_part = False  # of a name: the literal before it is one
    for literal in literals:
        start, end, replacement = literal
        before.add(text[position:start])
        position = end
        if replacement != PLACEHOLDER:  # a comment
            before.add(" ")
            kept.append(literal)
            continue

        follows = (is_part and before.is_dot) or before.expects_name
        is_part = follows and _NAME.fullmatch(text, start, end) is not None
        before.restart()
        if not is_part:
            kept.append(literal)

    return kept


class _Before:
    """The words since the last literal, without comments and each space one."""

    def __init__(self) -> None:
        self._words = ""
        self._is_cut = False
        self._takes_from: list[bool] = []  # of each open parenthesis

    def add(self, piece: str) -> None:
        """Take what follows."""
        if not piece or piece.isspace():
            self._words += " " if piece and not self._words.endswith(" ") else ""
            return

        spaced = " ".join(f".{piece}.".split())[1:-1]
        if self._words.endswith(" "):
            spaced = spaced.lstrip()
        unseen = len(self._words)
        self._words += spaced
        for paren in _PAREN.finditer(self._words, unseen):
            self._follow(paren.start())
        if len(self._words) > _LOOK_BACK_CHARS:
            self._words = self._words[-_LOOK_BACK_CHARS:]
            self._is_cut = True

    def restart(self) -> None:
        """Begin anew after a literal."""
        self._words, self._is_cut = PLACEHOLDER, False

    @property
    def is_dot(self) -> bool:
        return self._words[1:].strip() == "."

    @property
    def expects_name(self) -> bool:
        """True after FROM and such, where these words announce a table."""
        if self._takes_from[-1:] == [True]:
            return False

        found = _BEFORE.search(self._words)
        if found is None or found["distinct"]:
            return False

        return not self._is_cut or found.start() > _LONGEST_DISTINCT

    def _follow(self, paren: int) -> None:
        """Open or close the parenthesis at *paren*."""
        if self._words[paren] == "(":
            begin = max(0, paren - _LONGEST_TAKES_FROM)
            called = _TAKES_FROM.search(self._words, begin, paren)
            self._takes_from.append(called is not None)
        elif self._takes_from:
            self._takes_from.pop()
