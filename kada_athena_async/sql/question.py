"""What is asked about one query and what comes back; and what can be told without a parser.

Apart from the parser, which takes 30 MB: only the worker processes load that.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from kada_athena_async.sql.names import (
    NAME_PATTERN,
    QUALIFIED_PATTERN,
    Context,
    TableName,
    complete,
    split_name,
)
from kada_athena_async.sql.relations import KnownTable, Ledger, Output


class Read(NamedTuple):
    """A table that is read, and which of its columns, sorted; None if that is not known."""

    table: TableName
    columns: tuple[str, ...] | None


class Reading(NamedTuple):
    """What one query reads and gives.

    Attributes:
        outputs: Its columns in order, for UPDATE and MERGE those that are set; None if not known.
        problems: Why columns could not be traced, as words such as ``no_schema``; empty if all
            were.
        is_parsed: False if the tables are those that a look at the text found.
    """

    reads: tuple[Read, ...]
    outputs: tuple[Output, ...] | None
    problems: tuple[str, ...]
    is_parsed: bool = True


class Question(NamedTuple):
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


def guess(question: Question, reason: str) -> Reading:
    """Name the tables by a look at the text, for what cannot be parsed."""
    ledger = Ledger(by_name(question.tables))
    for name in mentioned(question.query, question.context, after_keyword=True):
        ledger.read(name)

    reads = tuple(Read(table, None) for table in ledger.reads)
    return Reading(reads, None, (reason,), is_parsed=False)


_TABLE_AFTER = re.compile(
    rf"(?<!distinct )\b(?:from|join|into|update|using|table)\s+(?P<name>{QUALIFIED_PATTERN})"
    r"(?!\w|\s*\()",
    re.IGNORECASE,
)
_ANY_NAME = re.compile(rf"(?P<name>{QUALIFIED_PATTERN})")
_FROM_OF_FUNCTION = re.compile(r"\b(?:extract|trim|substring|overlay)\s*\([^()]*\)", re.IGNORECASE)
_CTE = re.compile(rf"({NAME_PATTERN})\s*(?:\([^()]*\)\s*)?as\s*\(", re.IGNORECASE)
_KEYWORD = re.compile(r"select|lateral|unnest|where|values|on", re.IGNORECASE)


def mentioned(query: str, context: Context, *, after_keyword: bool = False) -> Iterator[TableName]:
    """Yield what may be the name of a table in a query; each once.

    Args:
        after_keyword: Only where a table must follow, and no name of a CTE; otherwise every name.
    """
    pattern = _TABLE_AFTER if after_keyword else _ANY_NAME
    text = _FROM_OF_FUNCTION.sub(" ", query) if after_keyword else query
    ctes = {split_name(name)[0] for name in _CTE.findall(text)} if after_keyword else set()
    seen: set[TableName] = set()
    for match in pattern.finditer(text):
        parts = split_name(match["name"])
        name = complete(parts, context)
        if name is None or name in seen or (len(parts) == 1 and parts[0] in ctes):
            continue

        if not (after_keyword and _KEYWORD.fullmatch(match["name"])):
            seen.add(name)
            yield name


def by_name(tables: Iterable[KnownTable]) -> dict[TableName, KnownTable]:
    """The tables by their names in lower case."""
    return {TableName(*(part.lower() for part in table.name)): table for table in tables}
