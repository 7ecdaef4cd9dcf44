"""Effect of the parts of an expression on its value, after OpenLineage's kinds of lineage."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sqlglot import exp

from kada_athena_async.sql.parse_tree import expressions_of
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
    for name in ("Lag", "Lead", "FirstValue", "LastValue", "NthValue", "First", "Last")
    if hasattr(exp, name)
)


def parts(node: exp.Expr, how: str) -> Iterator[Part]:
    """The parts of *node*, each with its bearing upon what *node* bears upon as *how* says."""
    if isinstance(node, exp.Window):
        yield from _window(node, how)
        return

    for kind, roles in _ROLES:
        if isinstance(node, kind):
            yield from _by_role(node, how, roles)
            return

    first = changed = changed_by(node, how)
    if isinstance(node, exp.Anonymous) and node.name.lower() == "map_filter":
        changed = _bearing("conditional", how)  # what is compared with is not in the result
    for number, part in enumerate(node.iter_expressions()):
        yield part, changed if number else first


def changed_by(node: exp.Expr, how: str) -> str:
    """*how* after a value went through *node*."""
    if how not in DIRECT or isinstance(node, (exp.Alias, exp.Paren)):
        return how

    is_named = isinstance(node, exp.Anonymous) and _AGGREGATES.fullmatch(node.name)
    if is_named or (isinstance(node, exp.AggFunc) and not isinstance(node, _PICKS_ROWS)):
        return "aggregation"

    return max(how, "transformation", key=DIRECT.index)


def _window(node: exp.Expr, how: str) -> Iterator[Part]:
    yield node.this, changed_by(node, how)
    for window in (node, *_named_window(node)):
        for name in ("partition_by", "order", "spec"):
            for part in expressions_of(window.args.get(name)):
                yield part, _bearing("window", how)


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


# Each part of an expression by how it bears upon the value: as what is around it, changed, or not
# flowing into it at all. ``grouping(x)`` says how rows are grouped, whatever x is.
_SAME, _CHANGED = "same", "changed"
_ROLES: tuple[tuple[type[exp.Expr], dict[str, str]], ...] = (
    (exp.Case, {"this": "conditional", "ifs": _SAME, "default": _CHANGED}),
    (exp.If, {"this": "conditional", "true": _CHANGED, "false": _CHANGED}),
    (exp.Filter, {"this": _SAME, "expression": "conditional"}),
    (exp.Order, {"this": _SAME, "expressions": "sort"}),
    (exp.Nullif, {"this": _CHANGED, "expression": "conditional"}),
    (exp.ArgMax, {"this": _CHANGED, "expression": "sort", "count": "conditional"}),
    (exp.ArgMin, {"this": _CHANGED, "expression": "sort", "count": "conditional"}),
    (exp.ArrayFilter, {"this": _CHANGED, "expression": "conditional"}),
    (exp.Grouping, {}),
)


def _by_role(node: exp.Expr, how: str, roles: dict[str, str]) -> Iterator[Part]:
    known = {_SAME: how, _CHANGED: changed_by(node, how)}
    for name, role in roles.items():
        for part in expressions_of(node.args.get(name)):
            yield part, known.get(role) or _bearing(role, how)


def _bearing(role: str, how: str) -> str:
    return role if how in DIRECT else how
