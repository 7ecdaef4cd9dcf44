"""Values of statements that failed, whose quotes or comments are no SQL.

An apostrophe that nobody doubled turns all that follows inside out: what seems to lie between two
strings is a value. Where that may be so, everything from the first doubtful string on is hidden,
up to the last quote.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from kada_athena_async.sql.literals import PLACEHOLDER, Literal, blanked
from kada_athena_async.sql.tokens import QUOTES, Engine, Kind, token_at

_DOUBLED = ("''", '""')
_QUOTES = frozenset("'\"`" + QUOTES)
# What ends in an opening quote is a value that lacks one, with all that may be of it.
_WORDS_BEFORE = re.compile(rf"""[^=<>(),?'"`{QUOTES}]*[^\s=<>(),?'"`{QUOTES}|+!-]\Z""")
_LOOK_BACK_CHARS = 200
_WORD = re.compile(r"\w+")
_TOUCHES = re.compile(r"[\w^{$\\#@&~]")  # not what may follow a string
# After an empty string these words go on with the statement; any other begins a value, as in
# WHERE name = '' Ann ''.
_AFTER_VALUE = (
    "and|or|as|then|else|end|when|from|where|group|order|having|limit|union|except|intersect|asc|desc"
    "|is|in|not|between|like|escape|on|join|left|right|inner|outer|full|cross|natural|with|using"
    "|location|comment|tblproperties|stored|row|to|over|filter|null|nulls|uescape|offset|fetch|window"
    "|set|at|collate|distinct|all|any|some|select|case|within|default|values|tablesample|for|unnest"
)
_GOES_ON = re.compile(rf"\s+(?:{_AFTER_VALUE})\b", re.IGNORECASE)
# WHERE city = New York
_WORDS_IN_PLACE = rf"""(?:[=<>]|\blike\b)\ *
    (?P<words>(?!(?:{_AFTER_VALUE})\b)[A-Za-z][\w-]*(?:\ +(?!(?:{_AFTER_VALUE})\b)[A-Za-z][\w-]*)+)
    (?![\w-]|\ *[(.])"""
_BEGINS_VALUE = re.compile(rf"(?!(?:{_AFTER_VALUE})\b)[^\W_]", re.IGNORECASE)
_SPACED_WORD = re.compile(r"\s+\w")

# Comments of other languages, addresses, texts between the dollar tags of PostgreSQL, what is no
# name between backticks, and words in place of a value.
_FOREIGN = re.compile(
    rf"""
    \{{\#[\s\S]*?(?:\#\}}|\Z)
    | (?:\#|//)[^\r\n]*
    | \$(?P<tag>[A-Za-z_]\w{{0,63}})\$[\s\S]*?(?:\$(?P=tag)\$|\Z)
    | (?<!\w)\w{{1,20}}://[^\s,;()]*
    | (?<![^\s,;()=<>])[^\s,;()=<>]*@[^\s,;()=<>]+
    | (?P<name>`[\w$:.-]+`)
    | `[^`]*`
    | {_WORDS_IN_PLACE}
    """,
    re.VERBOSE | re.IGNORECASE,
)
# A quote as HTML and JSON write it; a backslash outside of quotes is hidden already.
_ENCODED_QUOTE = re.compile(
    r"&(?:quot|apos|[lrsb]d?quo|[lr]aquo|\#[x?0-9A-Fa-f]{2,6});|[\\?]u00(?:22|27)", re.IGNORECASE
)


def find_wrong_quotes(
    text: str, readings: Sequence[Sequence[Literal]], literals: Sequence[Literal], engine: Engine
) -> Iterator[Literal]:
    """Yield what is to be hidden in a statement that failed, beside *literals*.

    Args:
        readings: The literals that each engine finds.
        literals: All that is hidden so far, in order and apart.
        engine: The engine that the statement is for.
    """
    blank = blanked(text, literals)
    for found in _FOREIGN.finditer(blank):
        if not found["name"]:
            yield Literal(*found.span("words" if found["words"] else 0), PLACEHOLDER)

    if encoded := [found.span() for found in _ENCODED_QUOTE.finditer(blank)]:
        end = encoded[-1][1] if len(encoded) > 1 else len(text)
        yield Literal(encoded[0][0], end, PLACEHOLDER)

    if (stray := blank.rfind("*/")) >= 0:  # of a comment that began twice, or never
        before = [one.end for one in literals if one.end <= stray and text[one.end - 1] == "/"]
        begin = before[-1] if before else text.rfind("\n", 0, stray) + 1
        yield Literal(begin, stray + 2, PLACEHOLDER)

    touched = [one.start for found in readings for one in found if _is_touched(text, one)]
    if touched:
        yield _to_last_quote(text, min(touched))
    if (start := _start_of_quotes(text, literals, engine)) >= 0:
        yield Literal(_start_of_words(text, start), len(text), PLACEHOLDER)


def _is_touched(text: str, literal: Literal) -> bool:
    """True for a string that something follows, without a space, that cannot follow a string."""
    start, end, replacement = literal
    if replacement != PLACEHOLDER or end - start < 2 or text[end - 1] not in _QUOTES:
        return False

    return _TOUCHES.match(text, end) is not None


def _to_last_quote(text: str, start: int) -> Literal:
    end = max(text.rfind(quote) for quote in _QUOTES) + 1
    if _BEGINS_VALUE.match(text, end):  # an opening quote
        end = len(text)
    elif word := _WORD.match(text, end):
        end = word.end()
    return Literal(_start_of_words(text, start), end, PLACEHOLDER)


def _start_of_quotes(text: str, literals: Sequence[Literal], engine: Engine) -> int:
    """Start of the first literal in quotes of which one is never closed; -1 if all are."""
    last = literals[-1].start if literals else len(text)
    if last == len(text) or text[last] not in _QUOTES:
        return -1

    if token_at(text, last, engine).kind is not Kind.OPEN:
        return -1

    alike = QUOTES if text[last] in QUOTES else text[last]
    return next(literal.start for literal in literals if text[literal.start] in alike)


def _start_of_words(text: str, start: int) -> int:
    """Start of the words that end in the quote at *start*; *start* if none touches it."""
    begin = max(0, start - _LOOK_BACK_CHARS)
    words = _WORDS_BEFORE.search(text, begin, start)
    return words.start() if words else start


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

        if quote in _DOUBLED and _opens(text, literal.end):
            opened = literal
        else:
            found.append(literal)

    if opened is not None and _BEGINS_VALUE.match(text, opened.end):
        found.append(Literal(opened.start, len(text), PLACEHOLDER))
    elif opened is not None:
        found += [literal for literal in literals if literal.start >= opened.start]
    return found


def _opens(text: str, position: int) -> bool:
    """True if an empty string that ends at *position* seems to open a value."""
    following = text[position : position + 1]
    if not following.isspace():
        return following.isalnum()

    return _GOES_ON.match(text, position) is None and _SPACED_WORD.match(text, position) is not None
