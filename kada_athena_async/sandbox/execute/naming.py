"""Names for the output columns that a statement leaves without one."""

from __future__ import annotations

from sqlglot import exp

# Stands for Trino's `_col<position>` until positions are known, which `*` can shift.
UNNAMED = "__unnamed_"


def name_outputs(tree: exp.Query) -> exp.Query:
    """*tree* with a marked alias on each output expression that has no name of its own."""
    for select in tree.find_all(exp.Select):
        for position, output in enumerate(select.expressions):
            if not isinstance(output, (exp.Alias, exp.Column, exp.Dot, exp.Star, exp.Aliases)):
                output.replace(exp.alias_(output.copy(), unnamed(position), quoted=True))

    return tree


def unnamed(position: int) -> str:
    """The marked name for the output at *position*."""
    return f"{UNNAMED}{position}"
