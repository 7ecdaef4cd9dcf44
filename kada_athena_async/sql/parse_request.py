"""Questions about one query and their answers; and what can be answered without a parser.

Apart from the parser, which takes 30 MB: only the worker processes load that.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import msgspec

from kada_athena_async.sql.names import (
    QUALIFIED_PATTERN,
    Context,
    TableName,
    complete,
    split_name,
)
from kada_athena_async.sql.relations import KnownTable, Ledger, Output, Source


class Read(NamedTuple):
    """A table that is read, and which of its columns, sorted; None if that is not known."""

    table: TableName
    columns: tuple[str, ...] | None


class ParsedQuery(NamedTuple):
    """Sources and outputs of one query.

    Attributes:
        outputs: Its columns in order, for UPDATE and MERGE those that are set; None if not known.
        problems: Why columns could not be traced, as words such as ``no_schema``; empty if all
            were.
        is_parsed: False if the tables are those that a look at the text found.
        influences: Columns that bear upon all rows: by a filter, a join, a grouping or an order.
    """

    reads: tuple[Read, ...]
    outputs: tuple[Output, ...] | None
    problems: tuple[str, ...]
    is_parsed: bool = True
    influences: tuple[Source, ...] = ()


class ParseRequest(NamedTuple):
    """A query to read.

    Attributes:
        query: Its text, without comments, ``?`` for each literal.
        dialect: ``trino`` or ``hive``.
        tables: The columns of the tables that it may mention.
    """

    query: str
    dialect: str
    context: Context
    tables: tuple[KnownTable, ...] = ()


_ENCODER = msgspec.msgpack.Encoder()


def encoded(reading: ParsedQuery) -> bytes:
    """*reading* as bytes, to be sent and kept."""
    try:
        return _ENCODER.encode(reading)
    except UnicodeEncodeError:  # a lone surrogate in a name
        return _ENCODER.encode(ParsedQuery((), None, ("unwritable",), is_parsed=False))


def guess(question: ParseRequest, reason: str) -> ParsedQuery:
    """Name the tables by a look at the text, for what cannot be parsed."""
    ledger = Ledger(by_name(question.tables))
    for name in mentioned(question.query, question.context, without_ctes=True):
        ledger.read(name)

    reads = tuple(Read(table, None) for table in ledger.reads)
    return ParsedQuery(reads, None, (reason,), is_parsed=False)


_WORD = re.compile(rf"(?P<name>{QUALIFIED_PATTERN})(?=\s*(?P<call>\()?)|[(),;?]")
_NAME_OF_TABLE_FOLLOWS = frozenset(("from", "join", "into", "update", "using", "table"))
_ENDS_FROM_TEXT = """
    select where group having order limit offset fetch set when union intersect except values window
    with returning match_recognize
"""
_ENDS_FROM = frozenset(_ENDS_FROM_TEXT.split())
_BEFORE_TABLE = frozenset(("lateral", "unnest", "only", "external", "function", "on"))
_TAKES_FROM = frozenset(("extract", "trim", "substring", "overlay"))


class _Parens:
    """Open parentheses while a text is looked over.

    Attributes:
        before: The word before the parenthesis.
        is_from: The list of a FROM is being read, so that a comma is followed by a table.
    """

    __slots__ = ("before", "is_from")

    def __init__(self, before: str, is_from: bool) -> None:
        self.before = before
        self.is_from = is_from


def mentioned(query: str, context: Context, *, without_ctes: bool = False) -> Iterator[TableName]:
    """Yield the names that stand where a table may stand in a query; each once.

    Args:
        without_ctes: Leave out the names of common table expressions, wherever they are seen.
    """
    found: dict[TableName, str] = {}
    ctes: set[str] = set()
    for parts in _table_positions(query, ctes):
        name = complete(parts, context)
        if name is not None:
            found.setdefault(name, parts[0] if len(parts) == 1 else "")

    for name, alone in found.items():
        if not (without_ctes and alone in ctes):
            yield name


def _table_positions(query: str, ctes: set[str]) -> Iterator[tuple[str, ...]]:
    """The names after FROM, JOIN and such, as their parts; notes the names of CTEs in *ctes*."""
    open_parens = [_Parens("", False)]
    expects = False
    last = closed = ""
    for match in _WORD.finditer(query):
        text = match["name"]
        top = open_parens[-1]
        if text is None:
            expects, closed = _step(match.group(), open_parens, expects, last), top.before
            last = match.group()
            continue

        word, before, last = text.lower(), last, text
        if word in _NAME_OF_TABLE_FOLLOWS:
            is_table = before != "distinct" and top.before not in _TAKES_FROM
            expects = is_table and not (word == "using" and match["call"])
            top.is_from = top.is_from or expects
        elif word in _ENDS_FROM:
            expects = top.is_from = False
        elif word == "as" and match["call"]:
            ctes.update(split_name(closed if before == ")" else before)[:1])
        elif expects and word not in _BEFORE_TABLE:
            expects = False
            if not match["call"] or before.lower() == "into":
                yield split_name(text)
        else:
            expects = False


def _step(mark: str, open_parens: list[_Parens], expects: bool, before: str) -> bool:
    """Follow a comma, parenthesis or literal; True if the name of a table may follow."""
    if mark == "(":
        open_parens.append(_Parens(before.lower(), expects))
        return expects

    if mark == ")":
        if len(open_parens) > 1:
            open_parens.pop()
        return False

    return mark == "," and open_parens[-1].is_from


def by_name(tables: Iterable[KnownTable]) -> dict[TableName, KnownTable]:
    """The tables by their names in lower case."""
    return {TableName(*(part.lower() for part in table.name)): table for table in tables}
