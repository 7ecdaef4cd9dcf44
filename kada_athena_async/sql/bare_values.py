"""Values that stand outside of quotes: those of Hive's SET and PARTITION, and doubled quotes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from kada_athena_async.sql.literals import PLACEHOLDER, Literal

_SET = re.compile(
    r"\s*set\s+(?!session\b|time\s|path\s|role\s)[\w.:$-]+\s*=\s*(?=[^\s?])", re.IGNORECASE
)
_MAY_HAVE_VALUES = re.compile(r"\b(?:set|partition)\b", re.IGNORECASE)
_PARTITION = re.compile(r"\bpartition\s*\(", re.IGNORECASE)
_VALUE = re.compile(r"(?P<end>\))|(?:=|<>|[<>!]=?)\s*(?P<value>[A-Za-z_][\w.:/-]*)")
_DOUBLED = ("''", '""')


def find_bare_values(text: str, literals: Sequence[Literal]) -> Iterator[Literal]:
    """Yield the values without quotes of ``SET key=value`` and ``PARTITION (key=value)``.

    Args:
        literals: The literals and comments of *text*, in order and apart.
    """
    if _MAY_HAVE_VALUES.search(text) is None:
        return

    blank = _blanked(text, literals)
    if (found := _SET.match(blank)) is not None:
        yield Literal(found.end(), len(text), PLACEHOLDER)
        return

    position = 0
    while begin := _PARTITION.search(blank, position):
        position = len(blank)
        for value in _VALUE.finditer(blank, begin.end()):
            if value["end"]:
                position = value.end()
                break
            yield Literal(value.start("value"), value.end("value"), PLACEHOLDER)


def _blanked(text: str, literals: Sequence[Literal]) -> str:
    """*text* with blanks for comments and ``?`` for literals, all else at its place."""
    pieces: list[str] = []
    position = 0
    for start, end, replacement in literals:
        mark = "?" if replacement == PLACEHOLDER else " "
        pieces += (text[position:start], mark * (end - start))
        position = end

    pieces.append(text[position:])
    return "".join(pieces)


def with_doubled_quotes(text: str, literals: Sequence[Literal]) -> list[Literal]:
    """*literals* and what lies between quotes that were doubled for another program's sake.

    In ``WHERE name = ''Ann''`` both engines see two empty strings and a word.
    """
    found: list[Literal] = []
    opened: Literal | None = None
    for literal in literals:
        quote = text[literal.start : literal.end]
        if opened is not None:
            if quote == text[opened.start : opened.end]:
                found.append(Literal(opened.start, literal.end, PLACEHOLDER))
                opened = None
            continue

        if quote in _DOUBLED and text[literal.end : literal.end + 1].isalnum():
            opened = literal
        else:
            found.append(literal)

    if opened is not None:
        found += [literal for literal in literals if literal.start >= opened.start]
    return found
