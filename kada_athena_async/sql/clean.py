"""Turns masked SQL into what a parser can take: no comments, short lists, harmless literals."""

from __future__ import annotations

import re
from collections.abc import Callable

from kada_athena_async.sql.json_grammar import with_passed_values, without_json_options
from kada_athena_async.sql.literal_lists import fold_lists
from kada_athena_async.sql.substitute import split_at, substitute
from kada_athena_async.sql.tokens import unescaped

_NAME = re.compile(r'"[^"]*(?:""[^"]*)*"|`[^`]*(?:``[^`]*)*`')
_UNICODE_NAME = re.compile(r'\b[Uu]&("[^"]*(?:""[^"]*)*")(?!\s*uescape)', re.IGNORECASE)
_COMMENT = re.compile(r"--\?|/\*\?\*/")
_ESCAPE = re.compile(r"\? ?uescape ?\?", re.IGNORECASE)  # of U&'...', one literal

# Where the grammar wants a string; a number does everywhere else.
_STRINGS = re.compile(
    r"\b(date|timestamp|time|interval|json|uuid|ipaddress|decimal|escape|zone|path|bigint|double"
    r"|real|integer|varchar|char|boolean)(\s*)\?",
    re.IGNORECASE,
)
# Names for several variables of MATCH_RECOGNIZE together; the parser knows no such clause.
_SUBSETS = re.compile(
    r"\bsubset(?: ?,? ?\w+ ?= ?\([\w, ]*\))+(?= ?define\b)",
    re.IGNORECASE,
)
_VERSION = re.compile(r"\bsystem_version(?= as of\b)", re.IGNORECASE)
_DIGIT_NAME = re.compile(r"(?<![\w.])[0-9]+_\w*[A-Za-z]\w*")


def clean(masked: str) -> str:
    """Return *masked* without its comments, each space one, one item or row of each list."""
    if '&"' in masked:
        masked = _UNICODE_NAME.sub(_plain_name, masked)
    return fold_lists(outside_names(masked, _clean)).strip()


def _plain_name(match: re.Match[str]) -> str:
    """``U&"d\\0061y"`` as ``"day"``."""
    return unescaped(match[1]) or match.group()


def parseable(cleaned: str) -> str:
    """Return *cleaned* with literals that the grammar takes in place of ``?``."""
    return outside_names(with_passed_values(cleaned), _with_literals)


def without_comments(piece: str) -> str:
    """Return *piece*, which holds no quoted name, without comments and with single spaces."""
    if "--?" in piece or "/*?*/" in piece:
        piece = substitute(_COMMENT, " ", piece)
    before, after = (" " if end.isspace() else "" for end in (piece[:1], piece[-1:]))
    words = " ".join(piece.split())
    return f"{before}{words}{after}" if words else before


def outside_names(text: str, change: Callable[[str], str]) -> str:
    """Return *text* with the result of *change* for each piece that holds no quoted name."""
    if '"' not in text and "`" not in text:
        return change(text)

    pieces = ((change(piece), name) for piece, name in split_at(_NAME, text))
    return "".join(part for pair in pieces for part in pair)


def _clean(piece: str) -> str:
    spaced = without_comments(piece)
    return substitute(_ESCAPE, "?", spaced) if "?" in spaced else spaced


def _with_literals(piece: str) -> str:
    piece = substitute(_SUBSETS, "", without_json_options(piece))
    piece = substitute(_VERSION, "version", piece)
    strings = substitute(_STRINGS, r"\1 '1' ", piece)
    return substitute(_DIGIT_NAME, r'"\g<0>"', strings.replace("?", " 1 "))
