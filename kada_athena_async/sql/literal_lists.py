"""Lists of values in masked SQL: what is repeated after IN, in ARRAY or in rows counts once.

A list may be as long as a statement: one pass, and what repeats is passed over unread.
"""

from __future__ import annotations

import re

from kada_athena_async.sql.substitute import substitute

_LIST = re.compile(r"\b(?:in\s?\(|array\s?\[|values\b)", re.IGNORECASE)
_MARK = re.compile(
    r"""(?:"[^"]*"|`[^`]*`) | (?P<values>\bvalues(?=\s?(?:row\s?)?\())
    | (?P<open>(?P<in>\bin\s?\(|\barray\s?\[)|[(\[]) | (?P<close>[)\]]) | (?P<comma>,)""",
    re.IGNORECASE | re.VERBOSE,
)
_NEXT_ROW = re.compile(r"\s?,(?=\s?(?:row\s?)?\()", re.IGNORECASE)
_SUBQUERY = re.compile(r"[\s(]*(?:select|with|values|table)\b", re.IGNORECASE)
_ONE = r"""(?:(?:(?:date|timestamp|time|decimal|uuid|ipaddress|json|boolean|varchar|char|double|real
        |bigint|integer|smallint|tinyint)\s?)?(?:[-+]\s?)?\? | null | true | false
    | (?:try_)?cast\((?:[-+]\s?)?\?\ ?as\ [a-z ]+(?:\([0-9, ]+\))?\))"""
_CONSTANT = re.compile(_ONE, re.IGNORECASE | re.VERBOSE)
# Rows of one column: VALUES 1, 2. A step is bounded, for the interpreter's lock is not free in it.
_BARE_ROWS = re.compile(
    rf"(\bvalues\s?{_ONE})(?:\s?,\s?{_ONE}){{1,2000}}(?=\s?(?:[),]|\Z))",
    re.IGNORECASE | re.VERBOSE,
)
_MAX_DEPTH = 20
"""Lists within lists that are looked at; each level copies what is in it."""


class _List:
    """An open list: after IN, of rows after VALUES, or a row of either.

    Args:
        kind: ``in``, ``values`` or ``row``, all of whose items are kept.
        begin: Number of the pieces before its current item.
        start: Place of that item in the text.
    """

    __slots__ = ("begin", "items", "kind", "start")

    def __init__(self, kind: str, begin: int, start: int) -> None:
        self.kind = kind
        self.begin = begin
        self.start = start
        self.items: list[str] = []


def fold_lists(text: str) -> str:
    """Return *text*, of single spaces, with each item of its lists once, and ``?`` for constants.

    So ``IN (1, NULL, DATE '2026-01-01')`` is ``IN (?)``, and ``ARRAY[1, 2]`` is ``ARRAY[?]``; an
    item with a function or a name in it is one of its own. The items of a ROW are all kept: their
    number is its type.
    """
    if not _LIST.search(text):
        return text

    folder = _Folder(substitute(_BARE_ROWS, r"\1", text))
    folder.run()
    return "".join(folder.pieces)


class _Folder:
    def __init__(self, text: str) -> None:
        self.pieces: list[str] = []
        self._text = text
        self._position = 0
        self._open: list[_List | None] = []  # None for parentheses that are no list
        self._depth = 0

    def run(self) -> None:
        while mark := _MARK.search(self._text, self._position):
            start, end = mark.span()
            if mark["values"] or mark["open"]:
                self._pass_to(end)
                self._begin(mark)
            elif mark["close"]:
                self._pass_to(start)
                self._end_list()
                self._pass_to(end)
                self._end_row()
            elif mark["comma"] and self._open and self._open[-1] is not None:
                self._pass_to(start)
                self._end_item(self._open[-1])
            else:
                self._pass_to(end)

        self._pass_to(len(self._text))
        while self._open:
            self._end_list()

    def _pass_to(self, position: int) -> None:
        self.pieces.append(self._text[self._position : position])
        self._position = position

    def _begin(self, mark: re.Match[str]) -> None:
        around = self._open[-1] if self._open else None
        kind = "values" if mark["values"] else ""
        if mark["in"] and not _SUBQUERY.match(self._text, mark.end()):
            kind = "in"
        elif mark["open"] == "(" and around is not None and around.kind != "row":
            kind = "row"

        if kind and self._depth < _MAX_DEPTH:
            self._depth += 1
            self._open.append(_List(kind, len(self.pieces), mark.end()))
        elif not mark["values"]:
            self._open.append(None)

    def _end_item(self, one: _List) -> None:
        """Take what was passed since the item began, and pass over the comma and what repeats."""
        text, end = self._text, self._position + 1
        item = "".join(self.pieces[one.begin :])
        del self.pieces[one.begin :]
        one.items.append("?" if _CONSTANT.fullmatch(item.strip()) else item)
        again = text[one.start : end]
        while one.kind != "row" and text.startswith(again, end):
            end += len(again)
        self._position = one.start = end

    def _end_list(self) -> None:
        one = self._open.pop() if self._open else None
        if one is not None:
            position = self._position
            self._end_item(one)
            self._position = position
            distinct: dict[object, str] = {}
            for number, item in enumerate(one.items):
                distinct.setdefault(number if one.kind == "row" else item.strip(), item)
            self.pieces.append(",".join(distinct.values()))
            self._depth -= 1

    def _end_row(self) -> None:
        """After a row of VALUES another begins, or the list of rows ends."""
        rows = self._open[-1] if self._open else None
        if rows is not None and rows.kind == "values":
            if _NEXT_ROW.match(self._text, self._position):
                self._pass_to(self._text.index(",", self._position))
                self._end_item(rows)
            else:
                self._end_list()
