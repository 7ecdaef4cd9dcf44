"""MATCH_RECOGNIZE: the columns of its result (trino.io, "MATCH_RECOGNIZE")."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sqlglot import exp

from kada_athena_async.sql.frames import Frame
from kada_athena_async.sql.parse_tree import expressions_of
from kada_athena_async.sql.relations import (
    OPAQUE,
    Ledger,
    Output,
    Relation,
    Sources,
    joined,
    whole,
    without,
)

_BEARING = {"partition_by": "group_by", "order": "sort", "define": "filter"}


def frame_after(
    select: exp.Select, before: Frame, trace: Callable[[exp.Expr, Frame], Sources], ledger: Ledger
) -> Frame:
    """The frame of a query whose FROM has MATCH_RECOGNIZE.

    Args:
        before: The frame without it.
        trace: Gives the sources of an expression.
    """
    match = select.args["match"]
    alias, rows = next(iter(before.relations.items()), ("", OPAQUE))
    if _is_of_from(select):
        result = _matched(match, rows, alias, trace, ledger)
    else:
        ledger.problem("match_recognize")
        ledger.use_all(rows)
        result = OPAQUE

    after = Frame()
    after.add(match.alias or alias, result)
    return after


def _is_of_from(select: exp.Select) -> bool:
    """True if the clause is that of the first item of FROM, which is all that the tree says."""
    keys = list(select.args)
    joins = select.args.get("joins") or select.args.get("laterals")
    return not joins or keys.index("match") < keys.index("joins")


def _matched(
    match: exp.Expr, rows: Relation, alias: str, trace: Callable[[exp.Expr, Frame], Sources],
    ledger: Ledger,
) -> Relation:  # fmt: skip
    """The result of *match* over *rows*, whose alias is *alias*."""
    frame = Frame()
    frame.add(alias, rows)
    for column in match.find_all(exp.Column):  # A.price: of a row that the pattern calls A
        frame.relations.setdefault(column.table.lower(), rows)

    for name, how in _BEARING.items():
        for part in expressions_of(match.args.get(name)):
            ledger.influence(trace(part, frame), how)

    keys = [*_columns(match, "partition_by")]
    is_whole_match = "ALL ROWS" not in str(match.args.get("rows") or "").upper()
    if not is_whole_match:
        ledger.use_all(rows)
        keys += _columns(match, "order")
    given = whole(Output(key.name, trace(key, frame)) for key in keys)
    measures = whole(
        Output(one.this.alias, trace(one.this, frame)) for one in match.args.get("measures") or ()
    )
    if is_whole_match:
        return joined([given, measures])

    rest = without(rows, (output.name for output in given.named))
    return joined([given, measures, rest])


def _columns(match: exp.Expr, clause: str) -> Iterator[exp.Column]:
    for part in expressions_of(match.args.get(clause)):
        yield from part.find_all(exp.Column)
