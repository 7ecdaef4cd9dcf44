"""Reads one query: the tables and columns it reads, and where each of its outputs comes from.

The only caller of the SQL parser for lineage. Runs in a worker process, because a parser may crash
or never return; what goes in and out is small and carries no literal of any statement.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Iterator

import sqlglot
from sqlglot import exp

from kada_athena_async.sql.clean import parseable
from kada_athena_async.sql.frames import Frame
from kada_athena_async.sql.parse_request import ParsedQuery, ParseRequest, Read, by_name, guess
from kada_athena_async.sql.parse_tree import items_of_row
from kada_athena_async.sql.relations import (
    NO_SOURCES,
    Ledger,
    Output,
    Sources,
    TooManySourcesError,
)
from kada_athena_async.sql.resolver import Ctes, Resolver

# A parser is not asked about what could hurt it; 5,000 open parentheses have crashed one.
_UNKNOWN_TARGET = "unknown_target_columns"
MAX_CHARS = 262_144
MAX_TOKENS = 100_000
MAX_DEPTH = 200


def read_query(question: ParseRequest) -> ParsedQuery:
    """Return what a query reads; never raises for anything that is in its text."""
    reason = _too_much(question.query)
    if reason:
        return guess(question, reason)

    # It logs the SQL that it does not know.
    logging.getLogger("sqlglot").setLevel(logging.CRITICAL + 1)
    try:
        tree = sqlglot.parse_one(parseable(question.query), dialect=question.dialect)
        return _read_tree(tree, question)
    except TooManySourcesError:
        return guess(question, "too_many_sources")
    except Exception as error:
        # A parser may raise anything. Its message repeats the SQL: only its class goes on.
        return guess(question, type(error).__name__)


def _too_much(query: str) -> str:
    """Reason to keep a text from the parser; empty if it may see it."""
    if len(query) > MAX_CHARS:
        return "too_long"

    if sum(1 for _ in re.finditer(r"\w+|[^\w\s]", query)) > MAX_TOKENS:
        return "too_many_tokens"

    depth = deepest = 0
    for match in re.finditer(r"[(\[]|[)\]]|\bcase\b|\bend\b", query, re.IGNORECASE):
        depth += 1 if match.group().lower() in ("(", "[", "case") else -1
        deepest = max(deepest, depth)

    return "too_deep" if deepest > MAX_DEPTH else ""


def _read_tree(tree: exp.Expr, question: ParseRequest) -> ParsedQuery:
    ledger = Ledger(by_name(question.tables))
    resolver = Resolver(question.context, ledger)
    if isinstance(tree, (exp.Query, exp.Values)):
        outputs = resolver.query(tree, Ctes()).outputs
    elif isinstance(tree, (exp.Update, exp.Delete, exp.Merge)):
        outputs = _change(tree, resolver)
    else:
        return guess(question, f"unknown_{type(tree).__name__.lower()}")

    reads = (
        Read(table, None if table in ledger.unlisted else tuple(sorted(columns)))
        for table, columns in ledger.reads.items()
    )
    influences = tuple(ledger.influences)
    return ParsedQuery(tuple(reads), outputs, tuple(ledger.problems), influences=influences)


def _change(
    tree: exp.Update | exp.Delete | exp.Merge, resolver: Resolver
) -> tuple[Output, ...] | None:
    """The columns that UPDATE and MERGE set, by name; DELETE sets none. None if not known."""
    frame = Frame()
    ctes = resolver.with_ctes(tree, Ctes(), ())
    resolver.source(tree.this, frame, ctes, ())
    target = next(iter(frame.relations.values()))
    if using := tree.args.get("using"):
        resolver.source(using, frame, ctes, ())
    if from_ := tree.args.get("from_"):  # of an UPDATE; not Trino's
        resolver.source(from_.this, frame, ctes, ())

    outputs: list[Output] = []
    for name, how in (("on", "join"), ("where", "filter")):
        if condition := tree.args.get(name):
            resolver.ledger.influence(resolver.sources(condition, frame, ctes), how)

    if isinstance(tree, exp.Update):
        outputs += _assigned(tree.expressions, frame, resolver)

    whens = tree.args.get("whens")
    for when in whens.expressions if whens else ():
        if condition := when.args.get("condition"):
            resolver.ledger.influence(resolver.sources(condition, frame, ctes), "filter")
        then = when.args["then"]
        if isinstance(then, exp.Update):
            outputs += _assigned(then.expressions, frame, resolver)
        elif isinstance(then, exp.Insert):
            outputs += _inserted(
                then, frame, resolver, [output.name for output in target.outputs or ()]
            )

    is_unknown = isinstance(tree, exp.Merge) and _UNKNOWN_TARGET in resolver.ledger.problems
    return None if is_unknown else tuple(_merged(outputs))


def _assigned(expressions: Iterable[exp.Expr], frame: Frame, resolver: Resolver) -> list[Output]:
    outputs: list[Output] = []
    for equation in expressions:
        if not isinstance(equation, exp.EQ):
            continue
        column = equation.this.unnest()
        if isinstance(column, exp.Tuple):
            names = [column.name for column in column.expressions]
            outputs += _assigned_together(names, equation.expression, frame, resolver)
        else:
            sources = resolver.sources(equation.expression, frame, Ctes())
            outputs.append(Output(column.name, sources))

    return outputs


def _assigned_together(
    names: list[str], value: exp.Expr, frame: Frame, resolver: Resolver
) -> list[Output]:
    """``(a, b) = (1, 2)`` and ``(a, b) = (SELECT ...)``; not Trino's, but other engines'."""
    if isinstance(value, exp.Query):
        given = resolver.query(value, Ctes(), (frame,)).outputs or ()
        found = [output.sources for output in given]
    else:
        found = [resolver.sources(item, frame, Ctes()) for item in items_of_row(value)]
    if len(found) != len(names):
        resolver.ledger.problem(_UNKNOWN_TARGET)
        together = NO_SOURCES.union(*found)
        found = [frozenset(s._replace(is_sure=False) for s in together)] * len(names)

    return [Output(name, sources) for name, sources in zip(names, found, strict=True)]


def _inserted(
    then: exp.Insert, frame: Frame, resolver: Resolver, all_columns: list[str]
) -> list[Output]:
    """The columns that a row fills; none if nobody knows which these are."""
    values = then.expression
    items = values.expressions if isinstance(values, exp.Tuple) else [values]
    names = [column.name for column in then.this.expressions] if then.this else all_columns
    traced = [resolver.sources(item, frame, Ctes()) for item in items if isinstance(item, exp.Expr)]
    if len(names) != len(traced):
        resolver.ledger.problem(_UNKNOWN_TARGET)
        return []

    return [Output(name, sources) for name, sources in zip(names, traced, strict=True)]


def _merged(outputs: Iterable[Output]) -> Iterator[Output]:
    """One output for each column, though several branches may set it."""
    by_name: dict[str, Sources] = {}
    for name, sources in outputs:
        by_name[name] = by_name.get(name, NO_SOURCES) | sources
    for name, together in by_name.items():
        yield Output(name, together)
