"""UNNEST of an array of rows, whose fields Trino makes columns and DuckDB does not."""

from __future__ import annotations

from sqlglot import exp


def spread_rows(tree: exp.Query) -> exp.Query:
    """*tree* with each UNNEST that names more columns than it has arrays spread by field."""
    for unnest in list(tree.find_all(exp.Unnest)):
        alias = unnest.args.get("alias")
        arrays = unnest.expressions
        if alias is None or len(arrays) != 1 or len(alias.columns) < 2 or unnest.args.get("offset"):
            continue

        depth = exp.PropertyEQ(
            this=exp.to_identifier("max_depth"), expression=exp.Literal.number(2)
        )
        fields = exp.Anonymous(this="unnest", expressions=[arrays[0].copy(), depth])
        rows = exp.Subquery(this=exp.Select(expressions=[fields]))
        unnest.replace(exp.Lateral(this=rows, alias=alias.copy()))

    return tree
