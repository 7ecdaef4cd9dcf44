"""Figures of an estate, for tests whose sandbox is another process."""

from __future__ import annotations

from collections import Counter

from kada_athena_async.sandbox.estate.model import Estate
from kada_athena_async.sandbox.wire import Json


def count(estate: Estate) -> Json:
    """Number of objects by place; plain JSON.

    Returns:
        ``schemas``: ``catalog.schema`` -> tables, views and current columns;
        ``executions``: workgroup -> state -> how many.
    """
    schemas: dict[str, Counter[str]] = {
        f"{catalog.name}.{schema.name}": Counter(tables=0, views=0, columns=0)
        for catalog in estate.catalogs.values()
        for schema in catalog.schemas.values()
    }
    for catalog, schema, table in estate.tables():
        figures = schemas[f"{catalog.name}.{schema.name}"]
        figures["views" if table.is_view else "tables"] += 1
        figures["columns"] += len(table.current_columns)

    executions: dict[str, Counter[str]] = {name: Counter() for name in estate.workgroups}
    for execution in estate.executions.values():
        executions.setdefault(execution.workgroup, Counter())[execution.state] += 1

    return {"schemas": schemas, "executions": executions}
