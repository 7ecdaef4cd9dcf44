"""One estate of what real catalogs hold and no documentation shows: one thing of each kind.

Sources: the public reports of what AWS sends (unpadded views, links without storage, twins of
federated sources); columns' parameters as Iceberg's GlueCatalog writes them
(IcebergToGlueConverter, apache/iceberg).
"""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import datetime

import msgspec

from kada_athena_async.sandbox.estate.catalogs import glue_catalog, other_catalogs
from kada_athena_async.sandbox.estate.model import Catalog, Column, Estate, Schema, Table
from kada_athena_async.sandbox.estate.tables import STORAGE
from kada_athena_async.sandbox.estate.workgroups import build_workgroups

ACCOUNT = "123456789012"
LINK_OWNER = "999988887777"
VIEW_SQL = "SELECT id, note FROM odd.plain WHERE id > 10"
SPARK_SQL = "SELECT `id`, `note` FROM `odd`.`plain` LIMIT 5"

_ID = Column(name="id", type="bigint", trino_type="bigint")
_NOTE = Column(name="note", type="string", trino_type="varchar")
_DAY = Column(name="day", type="string", trino_type="varchar", is_partition_key=True)


def awkward_estate(now: datetime) -> Estate:
    """Schema ``odd`` of AwsDataCatalog, and twins in a federated catalog; no executions."""
    glue, federated = glue_catalog(ACCOUNT), other_catalogs(ACCOUNT, "ap-southeast-2")[0]
    tables = [*_hive_tables(), *_iceberg_tables(), *_views(), *_links()]
    glue.schemas["odd"] = Schema(name="odd", tables={table.name: table for table in tables})
    twins = {table.name: table for table in _twins()}
    federated.schemas["default"] = Schema(name="default", tables=twins)
    for name, column in (("Sales", _ID), ("sales", _NOTE)):
        bills = Table(name="bills", table_type="EXTERNAL", table_format=None, columns=(column,))
        federated.schemas[name] = Schema(name=name, tables={"bills": bills})
    lake, registered = _nested("s3tablescatalog/lake"), _nested("s3tablescatalog/registered")
    under_own_name = replace(registered, name="registered_lake")
    return Estate(
        account_id=ACCOUNT,
        region="ap-southeast-2",
        catalogs={c.name: c for c in (glue, federated, lake, registered, under_own_name)},
        workgroups=build_workgroups(now=now, results_bucket="kada-athena-results"),
    )


def _nested(path: str) -> Catalog:
    """A bucket of S3 Tables as Glue shows it."""
    readings = _table("readings", _ID, _NOTE, kind="iceberg")
    return Catalog(
        name=path,
        type="GLUE",
        parameters={"catalog-id": f"{ACCOUNT}:{path}"},
        schemas={"lake": Schema(name="lake", tables={"readings": readings})},
    )


def _table(name: str, *columns: Column, kind: str = "parquet", **more: object) -> Table:
    storage = STORAGE[kind]
    fields: dict[str, object] = {
        "table_type": "EXTERNAL_TABLE",
        "table_format": storage.table_format,
        "location": f"s3://odd/{name}/",
        "serde": storage.serde,
        "input_format": storage.input_format,
        "output_format": storage.output_format,
        "parameters": dict(storage.parameters),
        **more,
    }
    return Table(name=name, columns=columns, **fields)  # type: ignore[arg-type]


def _hive_tables() -> list[Table]:
    spaced = (
        ("a", "map< string , array<int > >", "map(varchar, array(integer))"),
        ("b", "array<struct<a:int> >", "array(row(a integer))"),
        (
            "c",
            "struct<name:string COMMENT 'x, <y>: (z)',url:string>",
            "row(name varchar, url varchar)",
        ),
        ("d", " DECIMAL ( 9 , 2 ) ", "decimal(9,2)"),
        (
            "e",
            "struct<`a``b`:double  precision,At:timestamp>",
            'row("a`b" double, at timestamp(3))',
        ),
    )
    types = [Column(name=name, type=hive, trino_type=trino) for name, hive, trino in spaced]
    no_columns: dict[str, object] = {
        "StorageDescriptor": {"Columns": [], "Location": "s3://odd/delta_bare/"},
        "PartitionKeys": [],
    }
    of_spark: dict[str, object] = {
        "StorageDescriptor": {
            "Columns": [{"Name": "col", "Type": "array<string>", "Comment": "from deserializer"}],
            "Location": "s3://odd/odd.db/delta_of_spark-__PLACEHOLDER__",
            "SerdeInfo": {"Parameters": {"path": "s3://odd/spark/", "serialization.format": "1"}},
        },
        "PartitionKeys": [],
        "Parameters": {"table_type": "EXTERNAL", "spark.sql.sources.provider": "delta"},
    }
    return [
        _table("plain", _ID, _NOTE, _DAY),
        _table("delta_of_spark", _ID, _NOTE, kind="delta", glue=of_spark),
        _table("spaced_types", *types),
        # Spark registers a Delta table by its place alone; the engine reads the columns there.
        _table("delta_bare", _ID, _NOTE, kind="delta", glue=no_columns),
    ]


def _iceberg_tables() -> list[Table]:
    typed = (
        ("id", "bigint", "bigint", "long"),
        ("seen", "timestamp", "timestamp(6)", "timestamp"),
        ("seen_tz", "timestamp", "timestamp(6) with time zone", "timestamptz"),
        ("key", "string", "uuid", "uuid"),
        ("opens", "string", "time(6)", "time"),
        ("raw", "binary", "varbinary", "fixed[16]"),
        (
            "log",
            "array<struct<at:timestamp,by:string>>",
            "array(row(at timestamp(6) with time zone, by uuid))",
            "list<struct<7: at: optional timestamptz, 8: by: required uuid>>",
        ),
    )
    exact = [
        Column(
            name=name,
            type=hive,
            trino_type=trino,
            is_nullable=name != "id",
            parameters={
                "iceberg.field.id": str(number),
                "iceberg.field.optional": str(name != "id").lower(),
                "iceberg.field.type.string": iceberg,
            },
        )
        for number, (name, hive, trino, iceberg) in enumerate(typed, start=1)
    ]
    gone = Column(name="gone", type="int", trino_type="integer", is_current=False)
    nested = "struct<a:timestamp,b:array<timestamp>>"
    plain = (
        Column(name="ts", type="timestamp", trino_type="timestamp(6)"),
        Column(name="nested", type=nested, trino_type="row(a timestamp(6), b array(timestamp(6)))"),
    )
    return [
        _table("iceberg_exact", exact[0], gone, *exact[1:], kind="iceberg"),
        _table("iceberg_plain", *plain, kind="iceberg"),
        _iceberg_of_old(),
    ]


def _iceberg_of_old() -> Table:
    """As the first versions wrote it: nested and partition fields stand among the columns."""

    def field(name: str, type_: str, usage: str, number: int, **flags: str) -> dict[str, object]:
        named = {key.replace("_", "."): value for key, value in flags.items()}
        parameters = {"iceberg.field.usage": usage, "iceberg.field.id": str(number), **named}
        return {"Name": name, "Type": type_, "Parameters": parameters}

    def partition(name: str, number: int, source: int, transform: str) -> dict[str, object]:
        found = field(name, "int", "partition-field", number)
        found["Parameters"] |= {  # type: ignore[operator]
            "iceberg.partition.source-id": str(source),
            "iceberg.partition.transform": transform,
        }
        return found

    listed = [
        field("id", "bigint", "schema-column", 1),
        field("pos", "struct<lat:double>", "schema-column", 2),
        field("seen", "timestamp", "schema-column", 3),
        field("lat", "double", "schema-subfield", 4),
        partition("seen_day", 1000, 3, "day"),
        partition("id_bucket", 1001, 1, "bucket[16]"),
        partition("lost", 1002, 1, "void"),
    ]
    columns = (
        _ID,
        Column(name="pos", type="struct<lat:double>", trino_type="row(lat double)"),
        Column(name="seen", type="timestamp", trino_type="timestamp(6)"),
    )
    storage: dict[str, object] = {"Columns": listed, "Location": "s3://odd/iceberg_old/"}
    return _table("iceberg_old", *columns, kind="iceberg", glue={"StorageDescriptor": storage})


def _views() -> list[Table]:
    document = {"originalSql": VIEW_SQL, "catalog": "awsdatacatalog", "schema": "odd"}
    # Blanks at the end so that the encoded text would need padding.
    raw = msgspec.json.encode(document)
    raw += b" " * ((1 - len(raw)) % 3)
    unpadded = base64.b64encode(raw).decode().rstrip("=")

    def view(name: str, dialect: str, sql: str, glue: dict[str, object]) -> Table:
        return Table(
            name=name,
            table_type="VIRTUAL_VIEW",
            table_format=None,
            columns=(_ID, _NOTE),
            view_sql=sql,
            view_dialect=dialect,
            glue=glue,
        )

    def encoded(text: str) -> dict[str, object]:
        return {"ViewOriginalText": f"/* Presto View: {text} */"}

    def spoken(**texts: str) -> dict[str, object]:
        told = [{"Dialect": name, "ViewOriginalText": text} for name, text in texts.items()]
        return {
            "ViewOriginalText": None,
            "ViewExpandedText": None,
            "ViewDefinition": {"IsProtected": True, "Representations": told},
        }

    refreshed = _table(
        "v_materialized",
        _ID,
        _NOTE,
        kind="iceberg",
        view_sql=SPARK_SQL,
        view_dialect="spark",
        glue={**spoken(SPARK=SPARK_SQL), "IsMaterializedView": True},
    )
    return [
        view("v_unpadded", "athena", VIEW_SQL, encoded(unpadded)),
        view("v_garbled", "athena", VIEW_SQL, encoded("e30")),
        view("v_two_dialects", "athena", VIEW_SQL, spoken(SPARK=SPARK_SQL, ATHENA=VIEW_SQL)),
        view("v_spark", "spark", SPARK_SQL, spoken(SPARK=SPARK_SQL)),
        refreshed,
    ]


def _links() -> list[Table]:
    def target(name: str) -> dict[str, object]:
        return {"CatalogId": LINK_OWNER, "DatabaseName": "shared", "Name": name}

    orphan: dict[str, object] = {
        "StorageDescriptor": None,
        "PartitionKeys": None,
        "TableType": None,
        "TargetTable": target("lost"),
    }
    return [
        _table("link_open", _ID, _NOTE, glue={"TargetTable": target("rates")}),
        # The engine lists its name, too, and no columns.
        Table(name="link_orphan", table_type=None, table_format=None, columns=(), glue=orphan),
    ]


def _twins() -> list[Table]:
    def twin(name: str, *columns: Column) -> Table:
        return Table(name=name, table_type="EXTERNAL", table_format=None, columns=columns)

    total = Column(name="total", type="double", trino_type="double")
    return [twin("Orders", _ID, total), twin("orders", _ID, _NOTE), twin("carts", _ID)]
