"""Athena's metadata operations: data catalogs, databases and tables."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from kada_athena_async.sandbox.athena.shapes import (
    catalog_shape,
    catalog_summary,
    present,
    table_metadata,
)
from kada_athena_async.sandbox.caller import Call
from kada_athena_async.sandbox.estate.model import Catalog, Estate, Schema
from kada_athena_async.sandbox.pages import PageRule
from kada_athena_async.sandbox.wire import AwsError, Json, invalid_request, required, text

# Page sizes and name lengths of botocore's service model of Athena.
CATALOGS_PAGE = PageRule(2, 50, 50)
DATABASES_PAGE = PageRule(1, 50, 50)
TABLES_PAGE = PageRule(1, 50, 50)
MAX_NAME = 128
MAX_EXPRESSION = 256

# The Glue right that each operation needs behind Athena's own, for catalogs that Glue keeps.
GLUE_ACTIONS: Mapping[str, str] = {
    "ListDatabases": "glue:GetDatabases",
    "GetDatabase": "glue:GetDatabase",
    "ListTableMetadata": "glue:GetTables",
    "GetTableMetadata": "glue:GetTable",
}


def list_data_catalogs(estate: Estate, call: Call) -> Json:
    found, token = call.page(
        [catalog for catalog in estate.catalogs.values() if not catalog.is_nested],
        scope="catalogs",
        rule=CATALOGS_PAGE,
    )
    return present({"DataCatalogsSummary": [catalog_summary(c) for c in found], "NextToken": token})


def get_data_catalog(estate: Estate, call: Call) -> Json:
    catalog = find_catalog(estate, required(call.parameters, "Name"))
    if catalog.is_nested:
        raise invalid_request(f"Data catalog {catalog.name} was not found")

    return {"DataCatalog": catalog_shape(catalog)}


def list_databases(estate: Estate, call: Call) -> Json:
    catalog = _open_catalog(estate, call)
    found, token = call.page(
        list(catalog.schemas.values()),
        scope=f"databases {catalog.name}",
        rule=DATABASES_PAGE,
    )
    return present({"DatabaseList": [_database(schema) for schema in found], "NextToken": token})


def get_database(estate: Estate, call: Call) -> Json:
    catalog = _open_catalog(estate, call)
    return {"Database": _database(_find_schema(catalog, _name(call, "DatabaseName")))}


def list_table_metadata(estate: Estate, call: Call) -> Json:
    catalog = _open_catalog(estate, call)
    schema = _find_schema(catalog, _name(call, "DatabaseName"))
    tables = list(schema.tables.values())
    expression = text(call.parameters, "Expression")
    if expression:
        wanted = _pattern(expression)
        tables = [table for table in tables if wanted.search(table.name)]

    found, token = call.page(
        tables,
        scope=f"tables {catalog.name} {schema.name} {expression or ''}",
        rule=TABLES_PAGE,
    )
    return present({"TableMetadataList": [table_metadata(t) for t in found], "NextToken": token})


def get_table_metadata(estate: Estate, call: Call) -> Json:
    catalog = _open_catalog(estate, call)
    schema = _find_schema(catalog, _name(call, "DatabaseName"))
    name = _name(call, "TableName")
    table = schema.tables.get(name) or schema.tables.get(name.lower())
    if table is None:
        raise metadata_error(f"Table {name} not found", "EntityNotFoundException")

    return {"TableMetadata": table_metadata(table)}


def find_catalog(estate: Estate, name: str) -> Catalog:
    """The catalog of that name; Athena does not look at the case.

    Raises:
        AwsError: There is none.
    """
    exact = estate.catalogs.get(name)
    if exact is not None:
        return exact

    for catalog in estate.catalogs.values():
        if catalog.name.lower() == name.lower():
            return catalog

    raise invalid_request(f"Data catalog {name} was not found")


def metadata_error(message: str, inner_code: str) -> AwsError:
    """A fault of Glue as Athena's metadata operations wrap it."""
    return AwsError(
        "MetadataException",
        f"{message} (Service: AmazonDataCatalog; Status Code: 400; Error Code: {inner_code}; "
        "Request ID: 00000000-0000-0000-0000-000000000000; Proxy: null)",
    )


def _open_catalog(estate: Estate, call: Call) -> Catalog:
    """The catalog of *call*, if it works and the caller may look into it."""
    catalog = find_catalog(estate, required(call.parameters, "CatalogName"))
    if catalog.status not in (None, "CREATE_COMPLETE"):
        raise AwsError("MetadataException", f"Data catalog {catalog.name} is {catalog.status}")

    broken = call.fault("metadata_exception")
    if broken is not None:
        raise AwsError(
            "MetadataException",
            broken.message
            or f"Failed to invoke lambda function due to an error of the connector of "
            f"{catalog.name}: Task timed out after 60.00 seconds",
        )

    if catalog.type == "GLUE":
        _require_glue(catalog, call)

    return catalog


def _require_glue(catalog: Catalog, call: Call) -> None:
    action = GLUE_ACTIONS[call.name]
    owner = catalog.parameters.get("catalog-id") or call.account_id
    database = text(call.parameters, "DatabaseName") or "*"
    table = text(call.parameters, "TableName") or "*"
    prefix = f"arn:aws:glue:{call.region}:{owner}"
    arns = [f"{prefix}:catalog", f"{prefix}:database/{database}"]
    if "Table" in call.name:
        arns.append(f"{prefix}:table/{database}/{table}")

    for arn in arns:
        if not call.may(action, arn):
            raise metadata_error(
                f"User: {call.key.principal.arn} is not authorized to perform: {action} on "
                f"resource: {arn} because no identity-based policy allows the {action} action",
                "AccessDeniedException",
            )


def _find_schema(catalog: Catalog, name: str) -> Schema:
    schema = catalog.schemas.get(name) or catalog.schemas.get(name.lower())
    if schema is None:
        raise metadata_error(f"Database {name} not found", "EntityNotFoundException")

    return schema


def _database(schema: Schema) -> Json:
    return present(
        {
            "Name": schema.name,
            "Description": schema.description,
            "Parameters": {"location": schema.location} if schema.location else None,
        }
    )


def _name(call: Call, member: str) -> str:
    name = required(call.parameters, member)
    if len(name) > MAX_NAME:
        lower = member[0].lower() + member[1:]
        raise invalid_request(
            f"1 validation error detected: Value '{name}' at '{lower}' failed to satisfy "
            f"constraint: Member must have length less than or equal to {MAX_NAME}"
        )

    return name


def _pattern(expression: str) -> re.Pattern[str]:
    if len(expression) > MAX_EXPRESSION:
        raise invalid_request(f"expression is longer than {MAX_EXPRESSION} characters")

    try:
        return re.compile(expression)
    except re.error as error:
        raise invalid_request(f"expression is not a regular expression: {error}") from error


OPERATIONS: Mapping[str, Callable[[Estate, Call], Json]] = {
    "ListDataCatalogs": list_data_catalogs,
    "GetDataCatalog": get_data_catalog,
    "ListDatabases": list_databases,
    "GetDatabase": get_database,
    "ListTableMetadata": list_table_metadata,
    "GetTableMetadata": get_table_metadata,
}
