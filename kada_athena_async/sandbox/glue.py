"""Glue's reads, served from the estate: moto neither pages them nor keeps all of their members."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping

import msgspec

from kada_athena_async.sandbox.athena.shapes import epoch, present
from kada_athena_async.sandbox.athena.site import DEFAULT_CATALOG
from kada_athena_async.sandbox.caller import Call
from kada_athena_async.sandbox.estate.model import Catalog, Column, Estate, Schema, Table
from kada_athena_async.sandbox.pages import PageRule
from kada_athena_async.sandbox.wire import AwsError, Json, text

# Page sizes of botocore's service model of Glue.
DATABASES_PAGE = PageRule(1, 100, 100, "InvalidInputException")
TABLES_PAGE = PageRule(1, 100, 100, "InvalidInputException")
CATALOGS_PAGE = PageRule(1, 1000, 1000, "InvalidInputException")


def get_catalogs(estate: Estate, call: Call) -> Json:
    """Catalogs below the account's own, and the parents that hold them."""
    paths = {c.name: c.description for c in estate.catalogs.values() if c.is_nested}
    parents = {path.rpartition("/")[0] for path in paths}
    every: dict[str, str | None] = {**dict.fromkeys(sorted(parents)), **paths}
    found, token = call.page(
        [(path, every[path]) for path in every],
        scope="catalogs",
        rule=CATALOGS_PAGE,
    )
    shapes = [
        present(
            {
                "CatalogId": f"{call.account_id}:{path}",
                "Name": path.rpartition("/")[2],
                "ResourceArn": f"arn:aws:glue:{call.region}:{call.account_id}:catalog/{path}",
                "Description": description,
            }
        )
        for path, description in found
    ]
    return present({"CatalogList": shapes, "NextToken": token})


def get_databases(estate: Estate, call: Call) -> Json:
    catalog = catalog_of(estate, call)
    found, token = call.page(
        list(catalog.schemas.values()),
        scope=f"databases {catalog.name}",
        rule=DATABASES_PAGE,
    )
    shapes = [_database(schema, _owner(catalog, call)) for schema in found]
    return present({"DatabaseList": shapes, "NextToken": token})


def get_database(estate: Estate, call: Call) -> Json:
    catalog = catalog_of(estate, call)
    return {"Database": _database(_schema(catalog, call, "Name"), _owner(catalog, call))}


def get_tables(estate: Estate, call: Call) -> Json:
    catalog = catalog_of(estate, call)
    schema = _schema(catalog, call, "DatabaseName")
    expression = text(call.parameters, "Expression") or ""
    try:
        wanted = re.compile(expression)
    except re.error as error:
        raise AwsError("InvalidInputException", f"Expression: {error}") from error

    found, token = call.page(
        [table for table in list(schema.tables.values()) if wanted.search(table.name)],
        scope=f"tables {catalog.name} {schema.name} {expression}",
        rule=TABLES_PAGE,
    )
    owner = _owner(catalog, call)
    return present({"TableList": [_table(t, schema, owner) for t in found], "NextToken": token})


def get_table(estate: Estate, call: Call) -> Json:
    catalog = catalog_of(estate, call)
    schema = _schema(catalog, call, "DatabaseName")
    table = schema.tables.get(_required(call, "Name").lower())
    if table is None:
        raise AwsError("EntityNotFoundException", f"Table {call.parameters['Name']} not found.")

    return {"Table": _table(table, schema, _owner(catalog, call))}


def get_partitions(estate: Estate, call: Call) -> Json:
    _schema(catalog_of(estate, call), call, "DatabaseName")
    return {"Partitions": []}


OPERATIONS: Mapping[str, Callable[[Estate, Call], Json]] = {
    "GetCatalogs": get_catalogs,
    "GetDatabases": get_databases,
    "GetDatabase": get_database,
    "GetTables": get_tables,
    "GetTable": get_table,
    "GetPartitions": get_partitions,
}


def catalog_of(estate: Estate, call: Call) -> Catalog:
    """The catalog of Glue that a call names by its id, or the account's own."""
    wanted = text(call.parameters, "CatalogId")
    if wanted in (None, "", call.account_id):
        return estate.catalogs[DEFAULT_CATALOG]

    for catalog in estate.catalogs.values():
        if catalog.type == "GLUE" and catalog.parameters.get("catalog-id") == wanted:
            return catalog

    raise AwsError("EntityNotFoundException", f"Catalog {wanted} not found.")


def _owner(catalog: Catalog, call: Call) -> str:
    return catalog.parameters.get("catalog-id") or call.account_id


def _schema(catalog: Catalog, call: Call, member: str) -> Schema:
    name = _required(call, member)
    schema = catalog.schemas.get(name) or catalog.schemas.get(name.lower())
    if schema is None:
        raise AwsError("EntityNotFoundException", f"Database {name} not found.")

    return schema


def _required(call: Call, member: str) -> str:
    value = text(call.parameters, member)
    if not value:
        raise AwsError("InvalidInputException", f"{member} must not be empty")

    return value


def _database(schema: Schema, owner: str) -> Json:
    return present(
        {
            "Name": schema.name,
            "Description": schema.description,
            "LocationUri": schema.location,
            "CreateTime": epoch(schema.created_at) if schema.created_at else None,
            "CatalogId": owner,
        }
    )


def _table(table: Table, schema: Schema, owner: str) -> Json:
    members: Json = {
        "Name": table.name,
        "DatabaseName": schema.name,
        "Description": table.comment,
        "Owner": table.owner,
        "CreateTime": epoch(table.created_at) if table.created_at else None,
        "UpdateTime": epoch(table.updated_at) if table.updated_at else None,
        "LastAccessTime": epoch(table.last_access_at) if table.last_access_at else None,
        "Retention": 0,
        "StorageDescriptor": _storage(table),
        "PartitionKeys": [_column(c) for c in table.columns if c.is_partition_key],
        "TableType": table.table_type,
        "Parameters": _parameters(table),
        "IsRegisteredWithLakeFormation": False,
        "CatalogId": owner,
        "VersionId": "0",
        "IsMultiDialectView": False,
        **_view(table, schema),
        **table.glue,
    }
    return present(members)


def _storage(table: Table) -> Json:
    return present(
        {
            "Columns": [_column(c) for c in table.columns if not c.is_partition_key],
            "Location": table.location or "",
            "InputFormat": table.input_format,
            "OutputFormat": table.output_format,
            "Compressed": False,
            "NumberOfBuckets": 0,
            "SerdeInfo": present({"SerializationLibrary": table.serde}),
            "SortColumns": [],
            "StoredAsSubDirectories": False,
        }
    )


def _column(column: Column) -> Json:
    dropped = {} if column.is_current else {"iceberg.field.current": "false"}
    parameters = (dropped | column.parameters) or None
    return present(
        {
            "Name": column.name,
            "Type": column.type,
            "Comment": column.comment,
            "Parameters": parameters,
        }
    )


def _parameters(table: Table) -> dict[str, str]:
    if table.view_dialect != "athena":
        return table.parameters

    marks = {"presto_view": "true", "comment": table.comment or "Presto View"}
    return marks | table.parameters


def _view(table: Table, schema: Schema) -> Json:
    """A view's text: base64 JSON if Athena made it, raw if Hive did."""
    if table.view_sql is None:
        return {}

    if table.view_dialect != "athena":
        return {"ViewOriginalText": table.view_sql, "ViewExpandedText": table.view_sql}

    definition = {
        "originalSql": table.view_sql,
        "catalog": "awsdatacatalog",
        "schema": table.view_schema or schema.name,
        "columns": [{"name": c.name, "type": c.trino_type} for c in table.columns],
    }
    encoded = base64.b64encode(msgspec.json.encode(definition)).decode()
    return {
        "ViewOriginalText": f"/* Presto View: {encoded} */",
        "ViewExpandedText": "/* Presto View */",
    }
