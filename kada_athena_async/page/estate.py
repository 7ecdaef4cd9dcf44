"""Catalogs, schemas, tables and formats, and the completeness of what was read."""

from __future__ import annotations

from dataclasses import dataclass

from kada_athena_async.commit import Manifest
from kada_athena_async.page.warehouse import Warehouse
from kada_athena_async.report import ScopeFacts

MAX_SCHEMAS = 500
"""Schemas in the page, those with most tables first; the rest is counted."""

MAX_LARGEST = 15
MAX_PROBLEMS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaFigures:
    """A schema.

    Attributes:
        formats: Such as ``"iceberg 12, hive 3"``, most first; empty where nobody says.
        size_bytes: Sum of the table sizes that the catalog knows; None if it knows none.
    """

    catalog: str
    schema: str
    tables: int
    views: int
    columns: int
    formats: str
    size_bytes: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EstateFigures:
    """The estate in numbers.

    Attributes:
        schemas: At most ``MAX_SCHEMAS``; ``schema_count`` is the number of all.
        formats: Table format -> tables.
        largest: (catalog, schema, table, bytes) of the largest tables with a known size.
        sized_tables: How many tables have a known size.
    """

    catalogs: int
    schema_count: int
    tables: int
    views: int
    columns: int
    schemas: tuple[SchemaFigures, ...]
    formats: tuple[tuple[str, int], ...]
    largest: tuple[tuple[str, str, str, int], ...]
    sized_tables: int


_SCHEMAS = f"""
    WITH per_format AS (
        SELECT catalog, schema, table_format, count(*) AS n
        FROM tables WHERE table_type <> 'VIEW' AND table_format <> '' GROUP BY ALL
    ), formats AS (
        SELECT catalog, schema,
            string_agg(table_format || ' ' || n, ', ' ORDER BY n DESC, table_format) AS formats
        FROM per_format GROUP BY ALL
    ), contents AS (
        SELECT catalog, schema, count(*) FILTER (table_type <> 'VIEW') AS tables,
            count(*) FILTER (table_type = 'VIEW') AS views, sum(size_bytes)::BIGINT AS size_bytes
        FROM tables GROUP BY ALL
    ), widths AS (
        SELECT catalog, schema, count(*) AS columns FROM columns GROUP BY ALL
    ), names AS (
        SELECT catalog, schema FROM schemas UNION SELECT catalog, schema FROM contents
    )
    SELECT catalog, schema, coalesce(tables, 0), coalesce(views, 0), coalesce(columns, 0),
        coalesce(formats, ''), size_bytes
    FROM names LEFT JOIN contents USING (catalog, schema) LEFT JOIN widths USING (catalog, schema)
        LEFT JOIN formats USING (catalog, schema)
    ORDER BY coalesce(tables, 0) + coalesce(views, 0) DESC, catalog, schema
    LIMIT {MAX_SCHEMAS}
"""

_FORMATS = """
    SELECT CASE table_format WHEN '' THEN 'not said' ELSE table_format END, count(*) AS n
    FROM tables WHERE table_type <> 'VIEW' GROUP BY ALL ORDER BY n DESC, 1
"""

_TOTALS = """
    SELECT (SELECT count(*) FROM catalogs),
        (SELECT count(*) FROM (SELECT catalog, schema FROM schemas
            UNION SELECT catalog, schema FROM tables)),
        count(*) FILTER (table_type <> 'VIEW'), count(*) FILTER (table_type = 'VIEW'),
        (SELECT count(*) FROM columns), count(size_bytes)
    FROM tables
"""

_LARGEST = f"""
    SELECT catalog, schema, "table", size_bytes FROM tables WHERE size_bytes > 0
    ORDER BY 4 DESC, 1, 2, 3 LIMIT {MAX_LARGEST}
"""


def estate_figures(warehouse: Warehouse) -> EstateFigures:
    """Count what the metadata extracts hold."""
    catalogs, schema_count, tables, views, columns, sized = warehouse.row(_TOTALS)
    return EstateFigures(
        catalogs=catalogs,
        schema_count=schema_count,
        tables=tables,
        views=views,
        columns=columns,
        schemas=tuple(
            SchemaFigures(
                catalog=row[0],
                schema=row[1],
                tables=row[2],
                views=row[3],
                columns=row[4],
                formats=row[5],
                size_bytes=row[6],
            )
            for row in warehouse.rows(_SCHEMAS)
        ),
        formats=tuple((row[0], row[1]) for row in warehouse.rows(_FORMATS)),
        largest=tuple((row[0], row[1], row[2], row[3]) for row in warehouse.rows(_LARGEST)),
        sized_tables=sized,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class CompletenessFigures:
    """Share of the requested scopes that the run read.

    Attributes:
        outcomes: Outcome -> scopes.
        problems: The scopes that are not complete, at most ``MAX_PROBLEMS``.
        gaps: Times whose executions no extract holds, in words.
    """

    outcomes: dict[str, int]
    problems: tuple[ScopeFacts, ...]
    problem_count: int
    gaps: tuple[str, ...]
    warnings: tuple[str, ...]


_MINUTE = "%Y-%m-%d %H:%M"


def completeness_figures(manifest: Manifest) -> CompletenessFigures:
    """Scopes, gaps and warnings of the manifest."""
    asked_for = [r for r in manifest.facts.completeness if r.outcome != "excluded"]
    outcomes = {"complete": 0, "partial": 0, "skipped": 0, "denied": 0}
    for record in asked_for:
        outcomes[record.outcome] += 1

    problems = [r for r in asked_for if r.outcome != "complete"]
    problems.sort(key=lambda r: (r.outcome, r.scope, r.name))
    return CompletenessFigures(
        outcomes=outcomes,
        problems=tuple(problems[:MAX_PROBLEMS]),
        problem_count=len(problems),
        gaps=tuple(
            f"{gap.workgroup or 'all workgroups'}: {gap.start:{_MINUTE}} to {gap.end:{_MINUTE}} "
            f"UTC ({gap.kind})"
            for gap in manifest.facts.gaps
        ),
        warnings=tuple(warning.message for warning in manifest.facts.warnings),
    )
