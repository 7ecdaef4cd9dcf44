"""Values that stand outside of quotes: those of Hive's SET, PARTITION and properties."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from kada_athena_async.sql.literals import PLACEHOLDER, Literal, blanked

_SET = re.compile(
    r"\s*set\s+(?!session\b|time\s|path\s|role\s)[\w.:$-]+\s*=\s*(?=[^\s?])", re.IGNORECASE
)
_MAY_HAVE_VALUES = re.compile(r"\b(?:set|partition)\b|properties", re.IGNORECASE)
_PARTITION = re.compile(r"\b(?:partition|(?:tbl|serde|db)properties)\s*\(", re.IGNORECASE)
_VALUE = re.compile(
    r"(?P<end>\))|(?:=|<>|[<>!]=?)\s*(?P<value>\?*[A-Za-z_./:+*-][^,()=<>!]*)(?<!\s)"
)


def find_bare_values(text: str, literals: Sequence[Literal]) -> Iterator[Literal]:
    """Yield the values without quotes of ``SET key=value``, ``PARTITION (key=value)`` and such.

    Args:
        literals: The literals and comments of *text*, in order and apart.
    """
    if _MAY_HAVE_VALUES.search(text) is None:
        return

    blank = blanked(text, literals)
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
