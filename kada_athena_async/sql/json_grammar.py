"""SQL/JSON in a spelling that the parser takes (trino.io, "JSON functions").

Of no bearing on lineage are how a result is given and the names of paths, which are left out. A
value that a path is given, ``PASSING x AS a``, goes to the text that the path is applied to: what
comes out is made of both.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from kada_athena_async.sql.substitute import substitute

_RESULT = re.compile(
    r"""\b(?:null|absent|error|empty(?:\ (?:array|object))?|true|false|unknown|default\ [-+]?\?)
        \ on\ (?:null|empty|error)\b
    | \b(?:keep|omit)\ quotes(?:\ on\ scalar\ string)?\b | \breturning\ \w+(?:\s?\([0-9,\ ]+\))?
    | \bwith(?:out)?(?:\ (?:un)?conditional)?(?:\ array)?\ wrapper\b
    | \bformat\ json(?:\ encoding\ utf\d+)?\b | \bwith(?:out)?\ unique(?:\ keys)?\b
    | \bplan\ (?:default\ )?\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)
        (?=\s?\)|\s?\w+\ on\ error\b)""",
    re.IGNORECASE | re.VERBOSE,
)
_PATH = re.compile(r"\?(?= ?columns\b)", re.IGNORECASE)  # of JSON_TABLE
_NESTED = re.compile(r"\bnested \?", re.IGNORECASE)

_NAMED = r'\ as\ (?:\w+|"[^"]*")'
_MARK = re.compile(
    rf"""(?P<passing>,\s?\?(?:{_NAMED})?\ passing\b) | (?P<path>(?<=\?){_NAMED}(?=\ ?columns\b))
    | (?P<name>{_NAMED}) | (?P<mark>[(),]|\bcolumns\b) | "[^"]*" | `[^`]*`""",
    re.IGNORECASE | re.VERBOSE,
)


def with_passed_values(text: str) -> str:
    """Return *text*, of single spaces, with ``x || y, ?`` for ``x, ? PASSING y AS a``."""
    lower = text.lower()
    if "json_" not in lower or not (" passing" in lower or " columns" in lower):
        return text

    return "".join(_pieces(text))


def _pieces(text: str) -> Iterator[str]:
    position = depth = 0
    lists: list[int] = []  # the depth of each list after PASSING
    for match in _MARK.finditer(text):
        yield text[position : match.start()]
        position = match.end()
        is_in_list = lists[-1:] == [depth]
        mark = (match["mark"] or "").lower()
        depth += (mark == "(") - (mark == ")")
        if match["passing"]:
            lists.append(depth)
            yield " || "
        elif is_in_list and mark == ",":
            yield " || "
        elif is_in_list and mark in (")", "columns"):
            lists.pop()
            yield f", ? {mark}"
        elif not (match["path"] or (is_in_list and match["name"])):
            yield match.group()

    yield text[position:]


def without_json_options(piece: str) -> str:
    """Return *piece*, which holds no quoted name, without what says how JSON is given."""
    if "json_" not in piece.lower():
        return piece

    plain = substitute(_NESTED, "nested path ?", substitute(_RESULT, "", piece))
    return substitute(_PATH, "'1'", plain)
