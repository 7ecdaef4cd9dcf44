"""Puts the organisation's catalogs together: the Glue one, the federated ones and a broken one."""

from __future__ import annotations

from datetime import timedelta

from kada_athena_async.sandbox.estate.core_tables import CORE_TABLES, FEDERATED_TABLES
from kada_athena_async.sandbox.estate.families import family_tables
from kada_athena_async.sandbox.estate.model import Catalog, Schema, Table
from kada_athena_async.sandbox.estate.oddities import ODD_SCHEMAS, odd_tables
from kada_athena_async.sandbox.estate.queries import GLUE_CATALOG
from kada_athena_async.sandbox.estate.tables import TableLine, TableMaker, read_lines

TABLES_AT_FULL_SCALE = 320


def build_catalogs(
    maker: TableMaker, *, scale: float, account_id: str, region: str
) -> dict[str, Catalog]:
    """The catalogs with their tables; views come later."""
    glue = glue_catalog(account_id)
    fill_schemas(glue, maker, CORE_TABLES)
    for name, description in ODD_SCHEMAS.items():
        _add_schema(glue, maker, name, description)

    for schema, table in odd_tables(maker):
        glue.schemas[schema].tables[table.name] = table

    have = sum(len(schema.tables) for schema in glue.schemas.values())
    for schema, table in family_tables(maker, round(TABLES_AT_FULL_SCALE * scale) - have):
        glue.schemas[schema].tables[table.name] = table

    others = other_catalogs(account_id, region)
    for catalog in others:
        fill_schemas(catalog, maker, FEDERATED_TABLES.get(catalog.name, ""))

    return {catalog.name: catalog for catalog in (glue, *others)}


def glue_catalog(account_id: str) -> Catalog:
    """The catalog every account has, empty."""
    return Catalog(name=GLUE_CATALOG, type="GLUE", parameters={"catalog-id": account_id})


def other_catalogs(account_id: str, region: str) -> tuple[Catalog, ...]:
    """The catalogs beside Glue's, empty; one of them was never made (CREATE_FAILED)."""
    function = f"arn:aws:lambda:{region}:{account_id}:function"
    connection = f"arn:aws:glue:{region}:{account_id}:connection"
    return (
        Catalog(
            name="dynamo_orders",
            type="LAMBDA",
            description="Live carts, by the DynamoDB connector",
            parameters={"function": f"{function}:athena-dynamodb"},
        ),
        Catalog(
            name="hive_legacy",
            type="HIVE",
            status="CREATE_COMPLETE",
            description='The old cluster\'s metastore, "read only"',
            parameters={"metadata-function": f"{function}:hms-proxy", "sdk-version": "1.0"},
        ),
        Catalog(
            name="postgres_crm",
            type="FEDERATED",
            status="CREATE_COMPLETE",
            parameters={
                "connection-arn": f"{connection}/athenafederatedcatalog_crm",
                "connection-type": "POSTGRESQL",
            },
        ),
        Catalog(
            name="snowflake_finance",
            type="FEDERATED",
            status="CREATE_FAILED",
            description="Never worked",
            parameters={
                "connection-arn": f"{connection}/athenafederatedcatalog_sf",
                "connection-type": "SNOWFLAKE",
            },
        ),
    )


def fill_schemas(catalog: Catalog, maker: TableMaker, text: str) -> None:
    """Adds the schemas and tables that *text* describes (see ``core_tables``)."""
    for name, description, line in read_lines(text):
        if line is None:
            _add_schema(catalog, maker, name, description)
        else:
            catalog.schemas[name].tables[line.name] = _table(catalog, maker, line)


def _table(catalog: Catalog, maker: TableMaker, line: TableLine) -> Table:
    if catalog.type == "GLUE":
        return maker.table(line)

    return maker.federated(line, catalog.name)


def _add_schema(catalog: Catalog, maker: TableMaker, name: str, description: str | None) -> None:
    is_glue = catalog.type == "GLUE"
    age = timedelta(days=900 + maker.rng.randrange(900))
    catalog.schemas[name] = Schema(
        name=name,
        description=description,
        location=f"s3://scf-{name.replace('_', '-')}/" if is_glue and name != "default" else None,
        created_at=maker.now.replace(microsecond=0) - age if is_glue else None,
    )
