"""Tables and columns that came, went or changed since the run before, where both read
everything."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from kada_athena_async.extracts import Package, comparable_schemas
from kada_athena_async.page.warehouse import Warehouse

MAX_CHANGES = 200
"""Rows of each kind of change in the page; the rest is counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A table or column that is not what it was; *column* is empty for tables."""

    catalog: str
    schema: str
    table: str
    column: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeList:
    """Changes of one kind, at most ``MAX_CHANGES`` of *count*."""

    title: str
    count: int
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangesFigures:
    """Changes since the run before.

    Attributes:
        since: End of the window of the run before.
        compared: Schemas that both runs read completely.
        left_out: Schemas that one of them did not: their tables may look added or removed.
    """

    since: datetime
    compared: int
    left_out: int
    lists: tuple[ChangeList, ...]

    @property
    def count(self) -> int:
        return sum(each.count for each in self.lists)


# Kind of change -> rows (catalog, schema, table, column, before, after). A column of a table that
# came or went as a whole is not listed again.
_KINDS = {
    "Tables added": """
        SELECT catalog, schema, "table", '' AS "column", '' AS before, table_type AS after
        FROM tables ANTI JOIN before_tables USING (catalog, schema, "table")
        SEMI JOIN compared USING (catalog, schema)""",
    "Tables removed": """
        SELECT catalog, schema, "table", '' AS "column", table_type AS before, '' AS after
        FROM before_tables ANTI JOIN tables USING (catalog, schema, "table")
        SEMI JOIN compared USING (catalog, schema)""",
    "Columns added": """
        SELECT catalog, schema, "table", "column", '' AS before, data_type AS after
        FROM columns ANTI JOIN before_columns USING (catalog, schema, "table", "column")
        SEMI JOIN before_tables USING (catalog, schema, "table")
        SEMI JOIN compared USING (catalog, schema)""",
    "Columns removed": """
        SELECT catalog, schema, "table", "column", data_type AS before, '' AS after
        FROM before_columns ANTI JOIN columns USING (catalog, schema, "table", "column")
        SEMI JOIN tables USING (catalog, schema, "table")
        SEMI JOIN compared USING (catalog, schema)""",
    "Columns of another type": """
        SELECT catalog, schema, "table", "column", b.data_type AS before, a.data_type AS after
        FROM columns a JOIN before_columns b USING (catalog, schema, "table", "column")
        SEMI JOIN compared USING (catalog, schema)
        WHERE a.data_type IS DISTINCT FROM b.data_type""",
}


def changes_figures(warehouse: Warehouse, before: Package | None) -> ChangesFigures | None:
    """Compare the metadata of two runs; None if there was none before.

    Only schemas take part of which ``comparable_schemas`` is sure.
    """
    if before is None:
        return None

    compared, others = comparable_schemas(warehouse.runs.newest.manifest, before.manifest)
    warehouse.rows(
        "CREATE TABLE compared AS SELECT unnest(?) AS catalog, unnest(?) AS schema",
        [catalog for catalog, _ in compared],
        [schema for _, schema in compared],
    )
    return ChangesFigures(
        since=before.manifest.end,
        compared=len(compared),
        left_out=len(others),
        lists=tuple(_changes(warehouse, title, sql) for title, sql in _KINDS.items()),
    )


def _changes(warehouse: Warehouse, title: str, sql: str) -> ChangeList:
    (count,) = warehouse.row(f"SELECT count(*) FROM ({sql})")
    rows = warehouse.rows(f"SELECT * FROM ({sql}) ORDER BY ALL LIMIT {MAX_CHANGES}")
    return ChangeList(
        title=title,
        count=count,
        changes=tuple(
            Change(
                catalog=row[0],
                schema=row[1],
                table=row[2],
                column=row[3],
                before=row[4] or "",
                after=row[5] or "",
            )
            for row in rows
        ),
    )
