"""UNION, INTERSECT and EXCEPT: the columns of their results, by place or by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from sqlglot import exp

from kada_athena_async.sql.parse_tree import only_picks
from kada_athena_async.sql.relations import (
    NO_SOURCES,
    OPAQUE,
    Ledger,
    Output,
    Relation,
    Sources,
    whole,
)

_Columns = list[tuple[str, list[Sources]]]


def united(
    first: Relation,
    branches: Sequence[exp.SetOperation],
    query: Callable[[exp.Expr], Relation],
    ledger: Ledger,
) -> Relation:
    """The result of *first* and the later queries of *branches*, which come last to first."""
    columns: _Columns = [(output.name, [output.sources]) for output in first.named]
    is_whole = first.is_whole
    for branch in reversed(branches):
        relation = query(branch.expression)
        picks = only_picks(branch)
        if picks:
            # These rows only say which of the others stay.
            for output in relation.named:
                ledger.influence(output.sources, "filter")

        is_whole = is_whole and (relation.is_whole or picks)
        named = () if picks else relation.named
        if branch.args.get("by_name"):
            is_whole = is_whole and relation.is_whole
            columns = _by_name(columns, relation.named, branch, adds=not picks)
        else:
            for (_, found), output in zip(columns, named, strict=False):
                found.append(output.sources)

    if branches and not is_whole:
        only_first = all(only_picks(one) and not one.args.get("by_name") for one in branches)
        return first if only_first else OPAQUE

    return whole(Output(name, ledger.union(sources)) for name, sources in columns)


def _by_name(
    columns: _Columns, named: Iterable[Output], branch: exp.SetOperation, *, adds: bool
) -> _Columns:
    """BY NAME has the columns of both; CORRESPONDING those that both have, or that it lists."""
    later = {output.name.lower(): output for output in named}
    listed = [column.name.lower() for column in branch.args.get("on") or ()]
    is_outer = branch.args.get("kind") is None
    united: _Columns = []
    for name, sources in columns:
        match = later.pop(name.lower(), None)
        if is_outer or (match is not None and (not listed or name.lower() in listed)):
            united.append((name, [*sources, match.sources] if match and adds else sources))

    if is_outer and adds:
        united += [(output.name, [output.sources]) for output in later.values()]
    return united


def outputs_that_sort(order: exp.Expr, result: Relation) -> Sources:
    """The sources of the outputs that the ORDER BY of a set operation names."""
    found: set[Sources] = set()
    for item in order.expressions:
        found.add(output_of(item, result) or NO_SOURCES)
        for column in item.find_all(exp.Column):
            found.add(result.by_name.get(column.name.lower(), NO_SOURCES))

    return NO_SOURCES.union(*found)


def output_of(item: exp.Expr, result: Relation) -> Sources | None:
    """The sources of the output that an item of GROUP BY or ORDER BY names by number or alias."""
    named = item.this if isinstance(item, exp.Ordered) else item
    if isinstance(named, exp.Literal) and named.name.isdecimal():
        place = int(named.name)
        is_one = result.is_whole and 0 < place <= len(result.named)
        return result.named[place - 1].sources if is_one else NO_SOURCES

    if isinstance(named, exp.Column) and not named.table:
        return result.by_name.get(named.name.lower())

    return None
