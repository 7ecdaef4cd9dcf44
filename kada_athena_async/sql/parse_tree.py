"""Shapes of the parser's tree that lineage looks for."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp


def only_picks(branch: exp.SetOperation) -> bool:
    """True for EXCEPT and INTERSECT, whose later queries give no values."""
    return isinstance(branch, (exp.Except, exp.Intersect))


def items_of_row(row: exp.Expr) -> list[exp.Expr]:
    """The items of a row of VALUES: ``(1, 2)``, ``ROW (1, 2)`` or ``1``."""
    items = row.expressions if isinstance(row, exp.Tuple) else [row]
    if len(items) == 1 and isinstance(items[0], exp.Struct):
        return list(items[0].expressions)

    return list(items)


def is_star(item: exp.Expr) -> bool:
    """True for ``*``, ``t.*`` and ``row.*``, with names or without."""
    if isinstance(item, exp.Aliases):
        return is_star(item.this)

    if isinstance(item, exp.Column):
        return isinstance(item.this, exp.Star)

    return isinstance(item.expression if isinstance(item, exp.Dot) else item, exp.Star)


def identifiers(node: exp.Table | exp.Column) -> list[exp.Identifier]:
    """The parts of a name."""
    return [part for part in node.parts if isinstance(part, exp.Identifier)]


def alias_columns(node: exp.Expr) -> list[str]:
    """The names of columns that an alias gives."""
    alias = node.args.get("alias")
    return [column.name for column in alias.columns] if isinstance(alias, exp.TableAlias) else []


def expressions_of(clause: object) -> list[exp.Expr]:
    """A clause, or the items of one that is a list."""
    found = clause if isinstance(clause, list) else [clause]
    return [part for part in found if isinstance(part, exp.Expr)]


def names_table(node: exp.Expr, name: str) -> bool:
    """True if a table or common table expression *name*, without a schema, stands in *node*."""
    return any(not table.db and table.name.lower() == name for table in node.find_all(exp.Table))


def table_arguments(call: exp.Expr) -> Iterator[exp.Expr]:
    """The tables that a table function is given: ``TABLE(name)`` or ``TABLE(query)``."""
    for inner in call.find_all(exp.Anonymous):
        if inner.name.lower() == "table":
            yield from inner.expressions


def named_items(item: exp.Expr) -> Iterator[tuple[str, exp.Expr]]:
    """An item of SELECT with its name; as often as it has names."""
    if isinstance(item, exp.Aliases):  # stack(2, a, b) AS (x, y)
        yield from ((alias.name, item.this) for alias in item.expressions)
    else:
        yield output_name(item), item


def output_name(item: exp.Expr) -> str:
    """The name of an item of SELECT; empty if it has none."""
    if isinstance(item, exp.Alias):
        return str(item.alias)

    if isinstance(item, (exp.Column, exp.Dot)):
        return str(item.name)

    return ""
