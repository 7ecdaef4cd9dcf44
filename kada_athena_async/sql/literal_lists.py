"""Lists of literals in masked SQL: those after IN, and the rows of VALUES.

A list may be as long as a statement. It is looked at piece by piece, so that no single call of the
pattern engine, which keeps the interpreter's lock, takes long.
"""

from __future__ import annotations

import re
from collections.abc import Callable

_PIECE_ITEMS = 500
_IN = re.compile(r"\bin ?\Z", re.IGNORECASE)
_LONGEST_IN = 4
"""Characters of ``IN`` and a space, and one before them."""


class ListGrammar:
    """The spelling of a list in one form of masked text, white space being single spaces.

    Args:
        item: The pattern of an item; it may not match the beginning of a longer one.
        gap: The pattern of what may stand around an item.
    """

    def __init__(self, item: str, *, gap: str = "") -> None:
        piece = rf"{gap}{item}(?:{gap},{gap}{item}){{0,{_PIECE_ITEMS}}}{gap}"
        self._piece = re.compile(piece, re.IGNORECASE)
        self._item = re.compile(item, re.IGNORECASE)
        self._next_row = re.compile(rf"{gap},{gap}(?=\()")

    def fold(self, text: str, one_list: Callable[[str, bool], str]) -> str:
        """Return *text* with one list in place of each run of them, separated by commas.

        Args:
            one_list: Gives what stands for a run, from its first list and whether IN is before it.
        """
        pieces: list[str] = []
        done = 0
        begin = text.find("(")
        while begin >= 0:
            end = self._end(text, begin)
            if end:
                is_after_in = _IN.search(text, max(0, begin - _LONGEST_IN), begin) is not None
                pieces += (text[done:begin], one_list(text[begin:end], is_after_in))
                done = end = self._end_of_rows(text, end)
            begin = text.find("(", end or begin + 1)

        pieces.append(text[done:])
        return "".join(pieces)

    def width(self, one_list: str) -> int:
        """The number of items of a list."""
        return sum(1 for _ in self._item.finditer(one_list))

    def _end(self, text: str, begin: int) -> int:
        """End of the list that opens at *begin*; 0 if there is none."""
        position = begin + 1
        while piece := self._piece.match(text, position):
            position = piece.end() + 1
            mark = text[position - 1 : position]
            if mark == ")":
                return position
            if mark != ",":
                break

        return 0

    def _end_of_rows(self, text: str, end: int) -> int:
        while (following := self._next_row.match(text, end)) and (
            after := self._end(text, following.end())
        ):
            end = after

        return end
