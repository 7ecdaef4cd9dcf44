"""The invented estate: its names and contents, computed from indexes.

All names of a sort are equally long, so that the text of an object is a template in which only
the names change: any page and any byte range of a result can be made without what stands before.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import NamedTuple

from benchmarks.quota_server.settings import Settings

CATALOG = "AwsDataCatalog"
CREATED_S = 1_750_000_000.0
"""Create time of every object, as an epoch."""

_TYPES: tuple[tuple[str, str], ...] = (
    ("varchar", "string"),
    ("bigint", "bigint"),
    ("double", "double"),
    ("timestamp(3)", "timestamp"),
    ("decimal(18,2)", "decimal(18,2)"),
    ("array(varchar)", "array<string>"),
    ("row(a bigint, b varchar)", "struct<a:bigint,b:string>"),
)


class Column(NamedTuple):
    """A column of every table."""

    name: str
    trino_type: str
    hive_type: str
    comment: str | None
    is_partition_key: bool


class Estate:
    """Schemas ``bigone_NNNN`` and ``schema_NNNN`` with objects ``object_NNNNNN``, sorted so."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.view_every = settings.view_every
        self.schemas: tuple[str, ...] = (
            *(f"bigone_{index:04d}" for index in range(settings.giant_schemas)),
            *(f"schema_{index:04d}" for index in range(settings.schemas)),
        )
        self._known = frozenset(self.schemas)

    def objects_in(self, schema: str) -> int:
        """Tables and views of *schema*; 0 for an unknown one."""
        if schema not in self._known:
            return 0

        is_giant = schema.startswith("bigone_")
        return self.settings.giant_tables if is_giant else self.settings.tables

    def is_view(self, index: int) -> bool:
        """True if the object number *index* of any schema is a view."""
        return index % self.view_every == self.view_every - 1

    def views_below(self, index: int) -> int:
        """Number of views among the objects before number *index*."""
        return index // self.view_every

    def index_of(self, schema: str, name: str) -> int | None:
        """The number of the object called *name*, or None where there is none."""
        digits = name.removeprefix("object_")
        if len(digits) != 6 or not digits.isdigit():
            return None

        index = int(digits)
        return index if index < self.objects_in(schema) else None

    def columns(self, *, is_view: bool) -> list[Column]:
        """The columns of each table (the last one is its partition key) or of each view."""
        count = self.settings.columns
        return [
            Column(
                name=f"column_{number:04d}",
                trino_type=_TYPES[number % len(_TYPES)][0],
                hive_type=_TYPES[number % len(_TYPES)][1],
                comment=f'What column {number} means, in "words"' if number % 3 == 0 else None,
                is_partition_key=not is_view and number == count,
            )
            for number in range(1, count + 1)
        ]

    def view_text(self, schema: str) -> str:
        """The SQL of each view of *schema*."""
        names = ",\n  ".join(column.name for column in self.columns(is_view=True)[:8])
        return (
            f"SELECT\n  {names}\nFROM {schema}.object_000000\n"
            "WHERE column_0001 = 'emea' AND column_0002 > 100"
        )

    def iterate(self) -> Iterator[tuple[str, int]]:
        """Each schema with the number of its objects, in order."""
        for schema in self.schemas:
            yield schema, self.objects_in(schema)


def object_name(index: int) -> str:
    """The name of the object number *index* of any schema."""
    return f"object_{index:06d}"


SCHEMA_MARK = "@SCHEMANAM@"
NAME_MARK = "@OBJECT_NAME@"
"""What stands in templates for the names; as long as these, so that lengths do not change."""


def presto_view_text(estate: Estate, schema: str) -> str:
    """A view as the Glue catalog stores it: Trino's JSON in base64 inside a comment."""
    columns = [{"name": c.name, "type": c.trino_type} for c in estate.columns(is_view=True)]
    document = {
        "originalSql": estate.view_text(schema),
        "catalog": "awsdatacatalog",
        "schema": schema,
        "columns": columns,
    }
    encoded = base64.b64encode(json.dumps(document).encode()).decode()
    return f"/* Presto View: {encoded} */"


def athena_template(estate: Estate, *, is_view: bool) -> str:
    """An item of ListTableMetadata's answer, names as marks."""
    columns = estate.columns(is_view=is_view)
    parameters = (
        {"presto_view": "true", "comment": "Presto View"}
        if is_view
        else {
            "classification": "parquet",
            "EXTERNAL": "TRUE",
            "location": f"s3://lake/{SCHEMA_MARK}/{NAME_MARK}",
            "inputformat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
            "outputformat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
            "serde.param.serialization.format": "1",
            "serde.serialization.lib": (
                "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
            ),
        }
    )
    return json.dumps(
        {
            "Name": NAME_MARK,
            "CreateTime": CREATED_S,
            "LastAccessTime": 0.0,
            "TableType": "VIRTUAL_VIEW" if is_view else "EXTERNAL_TABLE",
            "Columns": _api_columns(columns, partition_keys=False),
            "PartitionKeys": _api_columns(columns, partition_keys=True),
            "Parameters": parameters,
        }
    )


def glue_template(estate: Estate, *, is_view: bool) -> str:
    """An item of Glue GetTables' answer, names as marks; a view's text is ``@VIEW_TEXT@``."""
    columns = estate.columns(is_view=is_view)
    table: dict[str, object] = {
        "Name": NAME_MARK,
        "DatabaseName": SCHEMA_MARK,
        "Owner": "hadoop",
        "CreateTime": CREATED_S,
        "UpdateTime": CREATED_S,
        "Retention": 0,
        "StorageDescriptor": {
            "Columns": _api_columns(columns, partition_keys=False),
            "Location": "" if is_view else f"s3://lake/{SCHEMA_MARK}/{NAME_MARK}",
            "InputFormat": "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
            "Compressed": False,
            "NumberOfBuckets": 0,
            "SerdeInfo": {
                "SerializationLibrary": (
                    "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
                ),
                "Parameters": {"serialization.format": "1"},
            },
            "SortColumns": [],
            "StoredAsSubDirectories": False,
        },
        "PartitionKeys": _api_columns(columns, partition_keys=True),
        "TableType": "VIRTUAL_VIEW" if is_view else "EXTERNAL_TABLE",
        "Parameters": (
            {"presto_view": "true", "comment": "Presto View"}
            if is_view
            else {"classification": "parquet", "EXTERNAL": "TRUE"}
        ),
        "CreatedBy": "arn:aws:iam::123456789012:user/estate",
        "IsRegisteredWithLakeFormation": False,
        "CatalogId": "123456789012",
        "VersionId": "1",
    }
    if is_view:
        table["ViewOriginalText"] = "@VIEW_TEXT@"
        table["ViewExpandedText"] = "/* Presto View */"

    return json.dumps(table)


def _api_columns(columns: list[Column], *, partition_keys: bool) -> list[dict[str, str]]:
    return [
        {
            "Name": column.name,
            "Type": column.hive_type,
            **({} if column.comment is None else {"Comment": column.comment}),
        }
        for column in columns
        if column.is_partition_key == partition_keys
    ]
