"""Turns masked SQL into what a parser can take: no comments, short lists, harmless literals."""

from __future__ import annotations

import re
from collections.abc import Callable

_NAME = re.compile(r'("[^"]*(?:""[^"]*)*"|`[^`]*(?:``[^`]*)*`)')
_COMMENT = re.compile(r"--\?|/\*\?\*/")
_ESCAPE = re.compile(r"\?\s*uescape\s*\?", re.IGNORECASE)  # of U&'...', one literal
_ITEM = r"(?:null|true|false|(?:[A-Za-z]{4,9}\s*)?(?:[-+]\s*)?\?)"
_LIST = re.compile(rf"\b(in)\s*\(\s*{_ITEM}(?:\s*,\s*{_ITEM})+\s*\)", re.IGNORECASE)
_ROW = rf"\(\s*{_ITEM}(?:\s*,\s*{_ITEM})*\s*\)"
_ROWS = re.compile(rf"({_ROW})(?:\s*,\s*{_ROW})+", re.IGNORECASE)

# Where the grammar wants a string; a number does everywhere else.
_STRINGS = re.compile(
    r"\b(date|timestamp|time|interval|json|uuid|ipaddress|decimal|escape|zone|bigint|double"
    r"|real|integer|varchar|char|boolean)(\s*)\?",
    re.IGNORECASE,
)
_DIGIT_NAME = re.compile(r"(?<![\w.])[0-9]+_\w*[A-Za-z]\w*")


def clean(masked: str) -> str:
    """Return *masked* without its comments and with one item or row for each list of literals."""
    return _outside_names(masked, _clean)


def parseable(cleaned: str) -> str:
    """Return *cleaned* with literals that the grammar takes in place of ``?``."""
    return _outside_names(cleaned, _with_literals)


def _outside_names(text: str, change: Callable[[str], str]) -> str:
    pieces = _NAME.split(text)
    pieces[::2] = (change(piece) for piece in pieces[::2])
    return "".join(pieces)


def _clean(piece: str) -> str:
    without = _ESCAPE.sub("?", _COMMENT.sub(" ", piece))
    return _ROWS.sub(r"\1", _LIST.sub(r"\1 (?)", without))


def _with_literals(piece: str) -> str:
    strings = _STRINGS.sub(r"\1 '1' ", piece)
    return _DIGIT_NAME.sub(r'"\g<0>"', strings.replace("?", " 1 "))
