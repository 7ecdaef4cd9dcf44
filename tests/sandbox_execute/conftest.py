"""A tiny estate that holds one of everything that statements treat differently."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal

import pytest

from kada_athena_async.sandbox.estate.model import Catalog, Column, Estate, Schema, Table
from kada_athena_async.sandbox.execute import QueryOutcome, execute

Run = Callable[..., QueryOutcome]


def column(name: str, type: str = "string", trino: str = "varchar", **more: object) -> Column:
    return Column(name=name, type=type, trino_type=trino, **more)  # type: ignore[arg-type]


def table(name: str, *columns: Column, **more: object) -> Table:
    facts: dict[str, object] = {"table_type": "EXTERNAL_TABLE", "table_format": "hive", **more}
    return Table(name=name, columns=columns or (column("c"),), **facts)  # type: ignore[arg-type]


def view(name: str, sql: str, *columns: Column, dialect: str = "athena") -> Table:
    return table(
        name,
        *columns,
        table_type="VIRTUAL_VIEW",
        table_format=None,
        view_sql=sql,
        view_dialect=dialect,
    )


def schema(name: str, *tables: Table) -> Schema:
    return Schema(name=name, tables={table.name: table for table in tables})


def orders() -> Table:
    return table(
        "orders",
        column("id", "bigint", "bigint", comment='the "key",\nunique'),
        column("customer"),
        column("total", "decimal(10,2)", "decimal(10,2)"),
        column("placed_at", "timestamp", "timestamp(3)"),
        column("lines", "array<struct<sku:string,n:int>>", "array(row(sku varchar, n integer))"),
        column("day", "date", "date", is_partition_key=True),
        comment="what was bought",
        location="s3://shop/orders/",
        serde="org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe",
        input_format="org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
        output_format="org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
        parameters={"EXTERNAL": "TRUE", "classification": "parquet"},
        sample_rows=(
            (1, "ann", Decimal("9.50"), datetime(2026, 1, 2, 3, 4, 5), [{"sku": "a", "n": 2}],  # noqa: DTZ001
             date(2026, 1, 2)),
            (2, "", Decimal("20.00"), None, [], date(2026, 1, 2)),
            (3, None, None, datetime(2026, 1, 3), None, date(2026, 1, 3)),  # noqa: DTZ001
        ),
    )  # fmt: skip


@pytest.fixture
def estate() -> Estate:
    measured = table(
        "measured",
        column("sensor"),
        column("dropped_long_ago", is_current=False),
        column("value", "double", "double"),
        table_format="iceberg",
        parameters={"table_type": "ICEBERG"},
        sample_rows=(("s1", 1.5), ("s2", 1e10)),
    )
    shop = schema(
        "shop",
        orders(),
        measured,
        view("totals", "SELECT customer, sum(total) AS total FROM orders GROUP BY customer",
             column("customer"), column("total", "decimal(38,2)", "decimal(38,2)")),
        view("best", "SELECT customer FROM totals WHERE total > 10", column("customer")),
        view("legacy", "SELECT `customer` FROM `orders`", column("customer"), dialect="hive"),
    )  # fmt: skip
    catalogs = [
        Catalog(
            name="AwsDataCatalog", type="GLUE", schemas={"shop": shop, "empty": schema("empty")}
        ),
        Catalog(name="crm", type="LAMBDA", schemas={"public": schema("public", table("people"))}),
    ]
    return Estate(
        account_id="123456789012", region="ap-southeast-2", catalogs={c.name: c for c in catalogs}
    )


@pytest.fixture
def run(estate: Estate) -> Run:
    """Runs a statement in the shop's schema."""

    def run(sql: str, **more: object) -> QueryOutcome:
        context: dict[str, object] = {"catalog": "AwsDataCatalog", "database": "shop", **more}
        return execute(sql, estate=estate, **context)  # type: ignore[arg-type]

    return run
