"""Effect of the parts of an expression on its value, after OpenLineage's kinds of lineage."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from sqlglot import exp

from kada_athena_async.sql.relations import DIRECT

Part = tuple[exp.Expr, str]

# Aggregates of Trino that the parser knows by name only (trino.io, "Aggregate functions").
_AGGREGATES = re.compile(
    r"\w+agg|approx_\w+|bool_and|bool_or|checksum|entropy|evaluate_classifier_predictions|every"
    r"|geometric_mean|histogram|learn_\w+|make_set_digest|map_union|merge\w*|numeric_histogram",
    re.IGNORECASE,
)
# Of a window or a row pattern: they pick values of other rows, which stay as they are.
_PICKS_ROWS = tuple(
    getattr(exp, name)
    for name in ("Lag", "Lead", "FirstValue", "LastValue", "NthValue", "AnyValue", "First", "Last")
    if hasattr(exp, name)
)


def parts(node: exp.Expr, how: str) -> Iterator[Part]:
    """The parts of *node*, each with its bearing upon what *node* bears upon as *how* says."""
    for kind, split in _SPLITS:
        if isinstance(node, kind):
            yield from split(node, how)
            return

    changed = changed_by(node, how)
    for part in node.iter_expressions():
        yield part, changed


def changed_by(node: exp.Expr, how: str) -> str:
    """*how* after a value went through *node*."""
    if how not in DIRECT or isinstance(node, (exp.Alias, exp.Paren)):
        return how

    is_named = isinstance(node, exp.Anonymous) and _AGGREGATES.fullmatch(node.name)
    if is_named or (isinstance(node, exp.AggFunc) and not isinstance(node, _PICKS_ROWS)):
        return "aggregation"

    return max(how, "transformation", key=DIRECT.index)


def _window(node: exp.Expr, how: str) -> Iterator[Part]:
    changed = changed_by(node, how)
    bearing = "window" if how in DIRECT else how
    yield node.this, changed
    for window in (node, *_named_window(node)):
        for name in ("partition_by", "order", "spec"):
            clause = window.args.get(name)
            for part in clause if isinstance(clause, list) else [clause]:
                if isinstance(part, exp.Expr):
                    yield part, bearing


def _named_window(node: exp.Expr) -> Iterator[exp.Expr]:
    """The definitions in WINDOW of the window that *node* names, and of those that it extends."""
    select = node.find_ancestor(exp.Select)
    windows = (select.args.get("windows") or ()) if select else ()
    defined = {window.name.lower(): window for window in windows}
    one: exp.Expr | None = node
    while one is not None and (name := one.args.get("alias")):
        one = defined.pop(str(getattr(name, "name", name)).lower(), None)
        if one is not None:
            yield one


def _conditional(how: str) -> str:
    return "conditional" if how in DIRECT else how


def _case(node: exp.Expr, how: str) -> Iterator[Part]:
    if isinstance(node.this, exp.Expr):
        yield node.this, _conditional(how)
    for branch in node.args.get("ifs") or ():
        yield branch, how
    if default := node.args.get("default"):
        yield default, changed_by(node, how)


def _if(node: exp.Expr, how: str) -> Iterator[Part]:
    yield node.this, _conditional(how)
    for name in ("true", "false"):
        if value := node.args.get(name):
            yield value, changed_by(node, how)


def _filter(node: exp.Expr, how: str) -> Iterator[Part]:
    yield node.this, how
    yield node.expression, _conditional(how)


def _order(node: exp.Expr, how: str) -> Iterator[Part]:
    if isinstance(node.this, exp.Expr):
        yield node.this, how
    for item in node.expressions:
        yield item, "sort" if how in DIRECT else how


def _nullif(node: exp.Expr, how: str) -> Iterator[Part]:
    yield node.this, changed_by(node, how)
    yield node.expression, _conditional(how)


def _extreme(node: exp.Expr, how: str) -> Iterator[Part]:
    """``max_by(x, y)``: y says of which row x is."""
    yield node.this, changed_by(node, how)
    yield node.expression, "sort" if how in DIRECT else how
    if isinstance(count := node.args.get("count"), exp.Expr):
        yield count, _conditional(how)


def _kept_items(node: exp.Expr, how: str) -> Iterator[Part]:
    """``filter(items, x -> ...)``: what the condition compares with is not in the result."""
    items, *conditions = node.iter_expressions()
    yield items, changed_by(node, how)
    for condition in conditions:
        yield condition, _conditional(how)


def _no_value(node: exp.Expr, how: str) -> Iterator[Part]:
    """``grouping(x)`` says how rows are grouped, whatever x is."""
    yield from ()


def _called(node: exp.Expr, how: str) -> Iterator[Part]:
    if node.name.lower() == "map_filter":
        yield from _kept_items(node, how)
    else:
        changed = changed_by(node, how)
        yield from ((part, changed) for part in node.iter_expressions())


_SPLITS: tuple[tuple[type[exp.Expr], Callable[[exp.Expr, str], Iterator[Part]]], ...] = (
    (exp.Window, _window),
    (exp.Case, _case),
    (exp.If, _if),
    (exp.Filter, _filter),
    (exp.Order, _order),
    (exp.Nullif, _nullif),
    (exp.ArgMax, _extreme),
    (exp.ArgMin, _extreme),
    (exp.ArrayFilter, _kept_items),
    (exp.Grouping, _no_value),
    (exp.Anonymous, _called),
)
