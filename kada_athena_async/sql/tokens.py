"""Cuts SQL text into tokens the way Athena's two engines do, in linear time and without recursion.

The rules are Trino's ``SqlBase.g4`` (lexer part) and Hive's ``HiveLexerParent.g``. They differ in
what matters most here: where a string ends. In Trino a backslash is an ordinary character and
``"x"`` is a name; in Hive a backslash escapes, ``"x"`` is a string and block comments nest.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum, IntEnum
from typing import NamedTuple


class Engine(Enum):
    """Athena's engine that reads a statement: Trino (DML, views) or Hive (other DDL)."""

    TRINO = "trino"
    HIVE = "hive"


class Kind(IntEnum):
    """Kind of a token. The values are the group numbers of the patterns below."""

    LINE_COMMENT = 1
    BLOCK_COMMENT = 2
    STRING = 3
    QUOTED_NAME = 4
    OPEN = 5
    """A string, quoted name or comment that never ends; reaches to the end of the text."""
    NUMBER = 6
    DIGIT_NAME = 7
    """Digits that run into letters: ``2024_sales``, but also ``0xFF`` and ``10L``."""
    WORD = 8
    PAREN = 9
    """A run of parentheses."""
    OPERATORS = 10
    """A run of white space, commas, dots, placeholders and operators; the longest are several."""
    OTHER = 11


class Token(NamedTuple):
    """One piece of the text: ``text[start:end]``."""

    kind: Kind
    start: int
    end: int


# The order is the order of precedence. Text that no other rule knows ends in OTHER, so that every
# character belongs to exactly one token.
_PATTERN = r"""
  (--[^\r\n]*)
| (/\*)
| ({string})
| ({name})
| (['"`{quotes}][\s\S]*|\$\$[\s\S]*)
| ([0-9]+(?:_[0-9]+)*\.(?:[0-9]\w*(?:(?<=[eE])[+-][0-9]+)?|[eE][+-]?[0-9]+)?
  | [0-9]+(?:_[0-9]+)*[eE][+-][0-9]+
  | \.[0-9]+(?:_[0-9]+)*(?:[eE][+-]?[0-9]+)?(?!\w)
  | [0-9]+(?:_[0-9]+)*(?!\w))
| ([0-9]\w*)
| ([^\W\d]\w*)
| ([()]+)
| ((?:[\s,?=<>!+*%|&^~:;@\#\[\]{{}}]+|\$(?!\$)|-(?!-)|/(?!\*)|\.(?![0-9])){{1,1000}})
| ([^\w\s'"`{quotes}(),?=<>!+*%|&^~:;@$\#\[\]{{}}./-]+|[^\D0-9]+|[\s\S])
"""

# Word processors and chat programs put these in place of quotes, other languages and databases
# have their own; such a statement fails, but it is in the history. An apostrophe within a word does
# not end the text.
_PAIRED = """
    ＂＂ ＇＇ ´´ 「」 『』 ｢｣ 〝〞 〝〟 ❛❜ ❝❞ ❮❯ 《》 〈〉 【】 ⟨⟩ ⟪⟫ ′′ ″″ ‵′ ‶″ ʼʼ ʻʼ ˮˮ
"""
_PAIRS = _PAIRED.split()
QUOTES = "“”„‟«»‘’‚‛‹›" + "".join(sorted(set("".join(_PAIRS))))
"""Characters that stand in place of a quote; for a class of characters in a pattern."""
_IN_PAIRS = " | ".join(f"{pair[0]}[^{pair[1]}]*{pair[1]}" for pair in _PAIRS)
_SMART = (
    r"(?:[“”„‟«»][^“”«»]*[“”«»] | [‘’‚‛‹›](?:[^’‘‹›]|[’](?=\w))*[’‘‹›](?!(?<=’)\w)"
    rf" | {_IN_PAIRS} | \$\$(?:[^$]|\$(?!\$))*\$\$)+"
)

_TRINO = re.compile(
    _PATTERN.format(
        quotes=QUOTES,
        string=rf"(?:[Uu]&|[Xx])?'[^']*(?:''[^']*)*'(?!') | {_SMART}",
        name=r'"[^"]*(?:""[^"]*)*"(?!") | `[^`]*(?:``[^`]*)*`(?!`)',
    ),
    re.VERBOSE,
)

# Adjacent strings are one string in Hive, so 'it''s' is one literal here too.
_HIVE = re.compile(
    _PATTERN.format(
        quotes=QUOTES,
        string=r"(?:'[^'\\]*(?:\\[\s\S][^'\\]*)*' | \"[^\"\\]*(?:\\[\s\S][^\"\\]*)*\")+"
        rf" | {_SMART}",
        name=r"`[^`]*(?:``[^`]*)*`(?!`)",
    ),
    re.VERBOSE,
)
_COMMENT_MARK = re.compile(r"/\*|\*/")
_SURROGATES = frozenset(map(chr, range(0xD800, 0xE000)))
_ESCAPED = r"{0}(?:(?P<code>[0-9a-fA-F]{{4}}|\+[0-9a-fA-F]{{6}})|(?P<itself>{0})|)"
_KINDS = (Kind.OTHER, *Kind)


def tokenize(text: str, engine: Engine) -> Iterator[Token]:
    """Yield the tokens of *text* in order; together they cover it without gaps."""
    position, length = 0, len(text)
    while position < length:
        token = token_at(text, position, engine)
        yield token
        position = token.end


def significant_tokens(text: str, engine: Engine) -> Iterator[Token]:
    """Yield the tokens of *text* that are neither comments nor white space."""
    for token in tokenize(text, engine):
        is_comment = token.kind in (Kind.LINE_COMMENT, Kind.BLOCK_COMMENT)
        if not is_comment and not text[token.start : token.end].isspace():
            yield token


def token_at(text: str, position: int, engine: Engine) -> Token:
    """Return the token that begins at *position*, which must be where the one before it ended.

    Raises:
        IndexError: *position* is not in *text*.
    """
    match = (_TRINO if engine is Engine.TRINO else _HIVE).match(text, position)
    if match is None:
        raise IndexError(position)

    kind, end = _KINDS[match.lastindex or 0], match.end()
    if kind is Kind.BLOCK_COMMENT:
        end = end_of_comment(text, position, engine)
        if end < 0:
            return Token(Kind.OPEN, position, len(text))

    return Token(kind, position, end)


def unescaped(body: str, escape: str = "\\") -> str | None:
    """The text that ``U&'body' UESCAPE 'escape'`` stands for; None if an escape is none."""

    def character(match: re.Match[str]) -> str:
        if match["itself"]:
            return escape

        found = chr(int((match["code"] or "").lstrip("+"), 16))
        if found in _SURROGATES:
            raise ValueError(found)
        return found

    try:
        return re.sub(_ESCAPED.format(re.escape(escape)), character, body)
    except ValueError:  # neither the code of a character nor the escape itself
        return None


def end_of_comment(text: str, start: int, engine: Engine) -> int:
    """End of the block comment that opens at *start*; -1 if it never ends."""
    if engine is Engine.TRINO:
        closing = text.find("*/", start + 2)
        return closing + 2 if closing >= 0 else -1

    depth = 0
    for mark in _COMMENT_MARK.finditer(text, start):
        depth += 1 if mark.group() == "/*" else -1
        if depth == 0:
            return mark.end()

    return -1
