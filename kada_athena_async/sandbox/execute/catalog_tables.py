"""``information_schema`` of a catalog as columns, with Trino's columns in Trino's order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from kada_athena_async.sandbox.estate.model import Catalog, Column, Schema, Table
from kada_athena_async.sandbox.execute.column_data import ColumnData
from kada_athena_async.sandbox.execute.session import INFORMATION_SCHEMA


class Relation(NamedTuple):
    """A relation of ``information_schema``.

    Attributes:
        columns: What ``*`` stands for.
        hidden: What a statement must name to see.
    """

    columns: tuple[str, ...]
    hidden: tuple[str, ...] = ()


# Trino's InformationSchemaTable, version 4xx, which Athena engine version 3 derives from.
RELATIONS = {
    "columns": Relation(
        columns=(
            "table_catalog",
            "table_schema",
            "table_name",
            "column_name",
            "ordinal_position",
            "column_default",
            "is_nullable",
            "data_type",
        ),
        hidden=("comment", "column_comment", "extra_info"),
    ),
    "tables": Relation(
        columns=("table_catalog", "table_schema", "table_name", "table_type"),
        hidden=("table_comment",),
    ),
    "views": Relation(columns=("table_catalog", "table_schema", "table_name", "view_definition")),
    "schemata": Relation(columns=("catalog_name", "schema_name")),
    "table_privileges": Relation(
        columns=(
            "grantor",
            "grantor_type",
            "grantee",
            "grantee_type",
            "table_catalog",
            "table_schema",
            "table_name",
            "privilege_type",
            "is_grantable",
            "with_hierarchy",
        )
    ),
    "roles": Relation(columns=("role_name",)),
    "applicable_roles": Relation(columns=("grantee", "grantee_type", "role_name", "is_grantable")),
    "enabled_roles": Relation(columns=("role_name",)),
}

# Relations whose rows belong to tables, so that predicates on their names narrow them.
BY_TABLE = frozenset({"columns", "tables", "views"})

Placed = tuple[Schema, Table]


def own_schema() -> Schema:
    """``information_schema`` as a schema, because it lists itself."""
    tables = {
        name: Table(
            name=name,
            table_type="SYSTEM",
            table_format=None,
            columns=tuple(
                Column(name=c, type="string", trino_type=_trino_type(c)) for c in relation.columns
            ),
        )
        for name, relation in RELATIONS.items()
    }
    return Schema(name=INFORMATION_SCHEMA, tables=tables)


def build_relation(
    name: str, catalog: Catalog, placed: Iterable[Placed], hidden: Sequence[str]
) -> ColumnData:
    """The relation *name* over the tables in *placed*, with those of its hidden columns."""
    shown = [*RELATIONS[name].columns, *hidden]
    rows = _BUILDERS[name](catalog, placed) if name in _BUILDERS else {}
    return ColumnData(
        {column: (_trino_type(column).upper(), rows.get(column, [])) for column in shown}
    )


def all_schemas(catalog: Catalog) -> list[Schema]:
    """The catalog's schemas and ``information_schema``."""
    return [*list(catalog.schemas.values()), own_schema()]


def _columns(catalog: Catalog, placed: Iterable[Placed]) -> dict[str, list[object]]:
    schemas: list[object] = []
    tables: list[object] = []
    positions: list[object] = []
    columns: list[Column] = []
    for schema, table in placed:
        current = table.current_columns
        schemas.extend([schema.name.lower()] * len(current))
        tables.extend([table.name.lower()] * len(current))
        positions.extend(range(1, len(current) + 1))
        columns.extend(current)

    comments: list[object] = [column.comment for column in columns]
    return {
        "table_catalog": [catalog.name.lower()] * len(columns),
        "table_schema": schemas,
        "table_name": tables,
        "column_name": [column.name.lower() for column in columns],
        "ordinal_position": positions,
        "column_default": [None] * len(columns),
        "is_nullable": ["YES" if column.is_nullable else "NO" for column in columns],
        "data_type": [column.trino_type for column in columns],
        "comment": comments,
        "column_comment": comments,
        "extra_info": ["partition key" if column.is_partition_key else None for column in columns],
    }


def _tables(catalog: Catalog, placed: Iterable[Placed]) -> dict[str, list[object]]:
    found = list(placed)
    return {
        **_names(catalog, found),
        # A materialized view is a table to the engine: it has a format.
        "table_type": [
            "VIEW" if table.is_view and not table.table_format else "BASE TABLE"
            for _, table in found
        ],
        "table_comment": [table.comment for _, table in found],
    }


def _views(catalog: Catalog, placed: Iterable[Placed]) -> dict[str, list[object]]:
    # Trino leaves out what it cannot read: a Hive view is in `tables` and `columns`, not here.
    found = [(schema, table) for schema, table in placed if table.view_dialect == "athena"]
    return {**_names(catalog, found), "view_definition": [table.view_sql for _, table in found]}


def _schemata(catalog: Catalog, placed: Iterable[Placed]) -> dict[str, list[object]]:
    names: list[object] = [schema.name.lower() for schema in all_schemas(catalog)]
    return {"catalog_name": [catalog.name.lower()] * len(names), "schema_name": names}


_BUILDERS: dict[str, Callable[[Catalog, Iterable[Placed]], dict[str, list[object]]]] = {
    "columns": _columns,
    "tables": _tables,
    "views": _views,
    "schemata": _schemata,
}


def _names(catalog: Catalog, found: Sequence[Placed]) -> dict[str, list[object]]:
    return {
        "table_catalog": [catalog.name.lower()] * len(found),
        "table_schema": [schema.name.lower() for schema, _ in found],
        "table_name": [table.name.lower() for _, table in found],
    }


def _trino_type(column: str) -> str:
    if column == "ordinal_position":
        return "bigint"

    return "boolean" if column == "with_hierarchy" else "varchar"
