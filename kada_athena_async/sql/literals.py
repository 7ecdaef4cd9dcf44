"""Finds what must not be seen in a statement: its literals and comments, by position."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from kada_athena_async.sql.tokens import QUOTES, Engine, Kind, Token, end_of_comment, token_at

PLACEHOLDER = "?"


class Literal(NamedTuple):
    """``text[start:end]`` gives way to *replacement*."""

    start: int
    end: int
    replacement: str


# A number in parentheses after one of these words is the parameter of a type, unless it is longer
# than such a parameter can be. Trino's decimal takes 38 digits, its timestamps 12. The transforms
# are Iceberg's and stand in Hive's DDL only.
_TYPE = r"""(?i:
    (?:decimal|numeric|dec)\s*\(\s*[0-9]{1,2}\s*(?:,\s*[0-9]{1,2}\s*)?\)
  | (?:varchar|char|character|varying)\s*\(\s*[0-9]{1,7}\s*\)
  | time(?:stamp)?\s*\(\s*[0-9]{1,2}\s*\)
)"""
_TRANSFORM = r"(?i:bucket|truncate)\s*\(\s*[0-9]{1,5}\s*,"

# What is no literal, begins no comment and says nothing about the numbers after it: passed over in
# one step, which makes the whole several times as fast. A step is bounded: within one the lock of
# the interpreter is not free.
_PLAIN = r"""(?:
    [\ \t\n\r\f\v{parens},?=<>!+*%|&^~:;@\#\[\]{{}}]+
  | \$(?!\$) | -(?!-) | /(?!\*) | \.(?![0-9])
  | (?=[bcdntvBCDNTV])(?:{types})
  | (?![xX]'|[uU]&')(?!(?i:group|order)(?![A-Za-z0-9_])){unless}
    [A-Za-z_][A-Za-z0-9_]*(?![A-Za-z0-9_\x80-\U0010FFFF])
){{1,1000}}"""
_PLAINS = {
    Engine.TRINO: re.compile(_PLAIN.format(parens="()", types=_TYPE, unless=""), re.VERBOSE),
    Engine.HIVE: re.compile(
        _PLAIN.format(parens="()", types=f"{_TYPE} | {_TRANSFORM}", unless=""), re.VERBOSE
    ),
}

# Most literals; as the tokens have them, only sooner.
_SIMPLE_NUMBER = re.compile(r"[0-9]+(?![\w.])|\.[0-9]+(?!\w)")
_ORDINAL_DIGITS = 3
_BEFORE_BY = re.compile(r"(?:group|order)(?!\w)", re.IGNORECASE)
_BY = re.compile(r"by(?!\w)", re.IGNORECASE)
# What no engine takes outside of quotes, to the end of the word that it ends in.
_FOREIGN = re.compile(rf"[^\x09-\x0d\x20-\x5b\x5d-\x7e\s{QUOTES}]+(?:(?<=\w)\w+)?")

_COMMENT_BEGINS = frozenset("-/")
_LINE_COMMENT = re.compile(r"--[^\r\n]*")
_BY_BEGINS = frozenset("gGoO")
_ORDINALS = re.compile(rf"(?:\s*[0-9]{{1,{_ORDINAL_DIGITS}}}\s*,)+")
_ENDS = (
    "select|from|where|having|limit|offset|fetch|union|intersect|except|window|values|rows|range"
    "|groups|using"
)
_ENDS_ORDINALS = re.compile(_ENDS, re.IGNORECASE)
_PLAIN_IN_CLAUSE = re.compile(
    _PLAIN.format(parens="", types=_TYPE, unless=rf"(?!(?i:{_ENDS})(?!\w))"), re.VERBOSE
)
_AFTER_ORDINAL = re.compile(
    "asc|desc|nulls|having|limit|offset|fetch|union|intersect|except|window|order", re.IGNORECASE
)

# A name may begin with digits (2024_sales). Trino has no such names without quotes, so there only
# what clearly is meant as one is kept; a card number with a letter at its end is data.
_DIGIT_NAMES = {
    Engine.TRINO: re.compile(r"[0-9]{1,8}_(?=[0-9_]*[A-Za-z])[A-Za-z0-9_]+"),
    Engine.HIVE: re.compile(r"[0-9]{1,8}[A-Za-z_][A-Za-z0-9_]*"),
}
_NUMBER_SHAPE = re.compile(
    r"[0-9](?:_?[0-9])*(?:[eE][0-9]+|[LSYlsy]|[bB][dD]|[bBkKmMgGdDfF])?"
    r"|0[xX][0-9a-fA-F_]+|0[oO][0-7_]+|0[bB][01_]+"
)
_COMPARISONS = frozenset("=<>!+-*/%|&^~")
_LOOK_BACK_CHARS = 100
_HARMLESS = frozenset((Kind.QUOTED_NAME, Kind.PAREN, Kind.OPERATORS))
_REPLACEMENTS = {Kind.LINE_COMMENT: f"--{PLACEHOLDER}", Kind.BLOCK_COMMENT: f"/*{PLACEHOLDER}*/"}


def find_literals(text: str, engine: Engine) -> tuple[list[Literal], bool]:
    """Find every literal and comment of *text*, in order.

    Returns:
        The literals, and True if the text reads as *engine* would write it: False if a quote
        never ends or there are characters that no SQL has outside of quotes, which says that the
        quotes may not mean what they seem to.
    """
    finder = _Finder(text, engine)
    finder.run()
    return finder.found, finder.is_clean


def splice(text: str, literals: Iterable[Literal]) -> str:
    """Return *text* with the replacement of each of *literals*, which are in order and apart."""
    pieces: list[str] = []
    position = 0
    for start, end, replacement in literals:
        pieces += (text[position:start], replacement)
        position = end

    pieces.append(text[position:])
    return "".join(pieces)


def blanked(text: str, literals: Sequence[Literal]) -> str:
    """*text* with blanks for comments and ``?`` for literals, all else at its place."""
    pieces: list[str] = []
    position = 0
    for start, end, replacement in literals:
        mark = "?" if replacement == PLACEHOLDER else " "
        pieces += (text[position:start], mark * (end - start))
        position = end

    pieces.append(text[position:])
    return "".join(pieces)


class _Finder:
    """One pass over a text; token by token only where ordinals may stand."""

    def __init__(self, text: str, engine: Engine) -> None:
        self.found: list[Literal] = []
        self.is_clean = True
        self._text = text
        self._engine = engine
        # While GROUP BY or ORDER BY is being read: how many parentheses are open, how many were
        # where each such clause began, and whether an item of its list begins here.
        self._depth = 0
        self._clauses: list[int] = []
        self._begins_item = False

    def run(self) -> None:
        text, skip = self._text, _PLAINS[self._engine].match
        position, length = 0, len(text)
        while position < length:
            if text[position] in _COMMENT_BEGINS and (end := self._end_of_comment(position)):
                position = end
            elif not self._clauses and (plain := skip(text, position)):
                position = plain.end()
            elif not self._clauses and (number := _SIMPLE_NUMBER.match(text, position)):
                position = number.end()
                self.found.append(Literal(number.start(), position, PLACEHOLDER))
            elif self._clauses and text[position] in "()":
                self._pass_parenthesis(text[position])
                position += 1
            elif self._begins_item and (ordinals := _ORDINALS.match(text, position)):
                position = ordinals.end()
            elif self._clauses and (plain := _PLAIN_IN_CLAUSE.match(text, position)):
                self._pass(plain.group().rstrip())
                position = plain.end()
            elif foreign := _FOREIGN.match(text, position):
                position = foreign.end()
                self.found.append(Literal(foreign.start(), position, PLACEHOLDER))
                self.is_clean = self._begins_item = False
            elif text[position] in _BY_BEGINS and (end := self._clause_begins(position)):
                self._enter_clause()
                position = end
            else:
                token = token_at(text, position, self._engine)
                position = self._step(token) if self._clauses else self._judge(token)

    def _end_of_comment(self, position: int) -> int:
        """End of the comment at *position*, which is noted; 0 if there is none, or no end."""
        kind, end = Kind.LINE_COMMENT, 0
        if comment := _LINE_COMMENT.match(self._text, position):
            end = comment.end()
        elif self._text.startswith("/*", position):
            kind, end = Kind.BLOCK_COMMENT, end_of_comment(self._text, position, self._engine)
        if end <= 0:
            return 0

        self.found.append(Literal(position, end, _REPLACEMENTS[kind]))
        return end

    def _clause_begins(self, position: int) -> int:
        """Begin of the list of GROUP BY or ORDER BY at *position*; 0 if there is none.

        Comments between the two words are noted.
        """
        begin = _BEFORE_BY.match(self._text, position)
        if begin is None:
            return 0

        position = begin.end()
        comments: list[Token] = []
        while position < len(self._text):
            token = token_at(self._text, position, self._engine)
            if token.kind in _REPLACEMENTS:
                comments.append(token)
            elif not self._text[position : token.end].isspace():
                break
            position = token.end

        by = _BY.match(self._text, position) if position > begin.end() else None
        for comment in comments if by else ():
            self._judge(comment)
        return by.end() if by else 0

    def _enter_clause(self) -> None:
        if not self._clauses:
            self._depth = 0
        if self._clauses[-1:] != [self._depth]:
            self._clauses.append(self._depth)
        self._begins_item = True

    def _step(self, token: Token) -> int:
        """Judge *token* within GROUP BY or ORDER BY; return where to go on."""
        kind, start, end = token
        if kind in _REPLACEMENTS:
            return self._judge(token)

        begins_item, self._begins_item = self._begins_item, False
        if kind is Kind.OPERATORS:
            self._begins_item = begins_item
            self._pass(self._text[start:end].rstrip())
        elif kind is Kind.WORD:
            if _ENDS_ORDINALS.fullmatch(self._text, start, end):
                self._leave_clauses(self._depth - 1)
        elif kind is Kind.NUMBER and begins_item and self._is_ordinal(start, end):
            return end

        return self._judge(token)

    def _pass(self, stretch: str) -> None:
        """Pass over text without literals: an item of the list begins after its last comma."""
        if stretch:
            self._begins_item = stretch[-1] == "," and self._clauses[-1] == self._depth

    def _pass_parenthesis(self, parenthesis: str) -> None:
        self._begins_item = False
        self._depth += 1 if parenthesis == "(" else -1
        self._leave_clauses(self._depth)

    def _leave_clauses(self, depth: int) -> None:
        while self._clauses and self._clauses[-1] > depth:
            self._clauses.pop()

    def _is_ordinal(self, start: int, end: int) -> bool:
        """True for a number that is a whole item of the list."""
        return (
            end - start <= _ORDINAL_DIGITS
            and self._text[start:end].isdecimal()
            and self._ends_item(end)
        )

    def _ends_item(self, position: int) -> bool:
        """True if what follows, comments aside, ends an item of the list or its clause."""
        text = self._text
        while position < len(text):
            kind, start, position = token_at(text, position, self._engine)
            if kind in _REPLACEMENTS or text[start:position].isspace():
                continue

            if kind is Kind.OPERATORS:
                return text[start:position].lstrip()[0] in ",;"

            if kind is Kind.WORD:
                return _AFTER_ORDINAL.fullmatch(text, start, position) is not None

            return kind is Kind.PAREN and text[start] == ")"

        return True

    def _judge(self, token: Token) -> int:
        """Note *token* if it is a literal or a comment; return where it ends."""
        kind, start, end = token
        if kind is Kind.OTHER or kind is Kind.WORD:
            # Outside of quotes neither engine takes anything but ASCII, and of that no control
            # characters.
            is_literal = kind is Kind.OTHER or not self._text[start:end].isascii()
            self.is_clean = self.is_clean and not is_literal
        elif kind is Kind.DIGIT_NAME:
            is_literal = not self._is_digit_name(start, end)
        else:
            is_literal = kind not in _HARMLESS
            self.is_clean = self.is_clean and kind is not Kind.OPEN

        if is_literal:
            self.found.append(Literal(start, end, _REPLACEMENTS.get(kind, PLACEHOLDER)))
        return end

    def _is_digit_name(self, start: int, end: int) -> bool:
        token = self._text[start:end]
        for literal in reversed(self.found):  # a comment is not what stands before
            between = self._text[max(literal.end, start - _LOOK_BACK_CHARS) : start]
            if literal.replacement == PLACEHOLDER or between.strip():
                break
            start = literal.start
        before = self._text[max(0, start - _LOOK_BACK_CHARS) : start].rstrip()
        if _NUMBER_SHAPE.fullmatch(token) or before[-1:] in _COMPARISONS:
            return False

        return _DIGIT_NAMES[self._engine].fullmatch(token) is not None
