"""Columns of a statement's result; to check a statement that the caller wrote."""

from __future__ import annotations


def output_columns(sql: str) -> list[str] | None:
    """Names of the columns of the one query in *sql*, lower case; None if it is no such thing."""
    # Loaded here: sqlglot costs 30 MB and a fifth of a second, and few callers overwrite.
    import sqlglot  # noqa: PLC0415
    from sqlglot import exp  # noqa: PLC0415

    try:
        trees = [tree for tree in sqlglot.parse(sql, read="trino") if tree is not None]
    except Exception:  # a parser may raise anything
        return None

    if len(trees) != 1 or not isinstance(trees[0], exp.Query):
        return None

    return [name.lower() for name in trees[0].named_selects]
