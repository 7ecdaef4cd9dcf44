# ruff: noqa: E501 (one family a line reads best)
"""The long tail of tables: copies by depot, by month, by version, until the estate is full."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import timedelta

from kada_athena_async.sandbox.estate.model import Table
from kada_athena_async.sandbox.estate.tables import TableLine, TableMaker

DEPOTS = ("syd", "mel", "bne", "per", "adl", "hba", "drw", "cbr", "akl", "chc", "sin", "nan")

# schema | stem | format | columns | partition keys
_FAMILIES = (
    "raw_landing | pos_export_{depot}_{month} | csv | order_id bigint, product_id bigint, quantity int, total double, region string |",
    "staging | stg_shipments_{depot}_{month} | parquet | shipment_id bigint, order_id bigint, status string, weight_kg double | load_date date",
    "iot_telemetry | readings_{depot}_{month} | orc | sensor_id bigint, shipment_id bigint, celsius double, read_at timestamp | dt string",
    "archive_2019 | manifest_bak_{depot}_{month} | avro | manifest_id bigint, depot_code string, pallets int |",
    "ml_features | demand_{depot}_{month} | iceberg | product_id bigint, depot_code string, forecast double, made_on date |",
    "web_analytics | ab_test_{depot}_{month} | json | session_id bigint, variant string, converted boolean, context struct<page:string,slot:int> | dt string",
    "fleet | trip_log_{depot}_{month} | hudi | trip_id bigint, vehicle_id bigint, distance_km double, fuel_l double |",
    "finance | gl_extract_{depot}_{month} | text | account_id bigint, amount decimal(18,2), memo string |",
    "warehouse | cycle_count_{depot}_{month} | delta | product_id bigint, counted int, variance double |",
)


def family_tables(maker: TableMaker, count: int) -> Iterator[tuple[str, Table]]:
    """*count* tables as (schema, table): the newest month of every depot first."""
    lines = [[field.strip() for field in family.split("|")] for family in _FAMILIES]
    made = 0
    for months_ago in itertools.count():
        month = f"{maker.now - timedelta(days=30 * months_ago):%Y%m}_{months_ago:03d}"
        for depot, line in itertools.product(DEPOTS, lines):
            if made >= count:
                return

            schema, stem, kind, columns, partitions = line
            name = stem.format(depot=depot, month=month)
            yield schema, maker.table(TableLine(schema, name, kind, columns, partitions, None))
            made += 1
