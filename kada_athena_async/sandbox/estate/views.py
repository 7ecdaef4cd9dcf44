"""Adds the views to an estate: the catalogue's, then more of the same until it is full."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import timedelta

from kada_athena_async.sandbox.estate.hive_types import trino_type
from kada_athena_async.sandbox.estate.model import Column, Estate, Table, TableRef
from kada_athena_async.sandbox.estate.queries import GLUE_CATALOG, Query, build_query
from kada_athena_async.sandbox.estate.tables import TableMaker
from kada_athena_async.sandbox.estate.view_catalogue import VIEWS, ViewSpec

VIEWS_AT_FULL_SCALE = 60

# The families of tables that get views, with the columns these show.
_FAMILY_VIEWS = {
    "pos_export_": ("t.order_id", "t.region", "t.total"),
    "readings_": ("t.sensor_id", "t.celsius", "t.read_at"),
    "demand_": ("t.product_id", "t.depot_code", "t.forecast"),
    "trip_log_": ("t.trip_id", "t.vehicle_id", "t.distance_km"),
}


def add_views(estate: Estate, maker: TableMaker, *, scale: float) -> None:
    """Adds about 60 views times *scale* to the Glue catalog, the catalogue's at any scale."""
    missing = round(VIEWS_AT_FULL_SCALE * scale) - len(VIEWS)
    more = itertools.islice(_family_views(estate), max(0, missing))
    # The family's views are named for tables that are there before the first view is added.
    for spec in (*VIEWS, *more):
        add_view(estate, maker, spec)


def add_view(estate: Estate, maker: TableMaker, spec: ViewSpec) -> Table:
    """Builds *spec* against *estate* and adds it there."""
    schemas = estate.catalogs[GLUE_CATALOG].schemas

    def lookup(ref: TableRef) -> Table:
        return estate.catalogs[ref.catalog].schemas[ref.schema].tables[ref.table]

    schema, _, name = spec.name.partition(".")
    built = build_query(spec.query, lookup, style=spec.style)
    columns = tuple(
        Column(name=column, type=origin.type, trino_type=trino_type(origin.type))
        for column, origin in built.columns.items()
    )
    is_presto = spec.dialect == "athena"
    created = maker.now.replace(microsecond=0) - timedelta(hours=1 + maker.rng.randrange(9000))
    view = Table(
        name=name,
        table_type="VIRTUAL_VIEW",
        table_format=None,
        columns=columns,
        owner="analyst" if is_presto else "hadoop",
        parameters={"presto_view": "true"} if is_presto else {},
        created_at=created,
        updated_at=created,
        view_sql=built.sql,
        view_dialect=spec.dialect,
        reads=built.reads,
        column_sources={name: origin.sources for name, origin in built.columns.items()},
        column_bearings={name: origin.bearings for name, origin in built.columns.items()},
    )
    schemas[schema].tables[name] = view
    return view


def _family_views(estate: Estate) -> Iterator[ViewSpec]:
    """For each table of some families: a view of it, and a view with totals on that one."""
    for schema in estate.catalogs[GLUE_CATALOG].schemas.values():
        for table in schema.tables.values():
            for stem, outputs in _FAMILY_VIEWS.items():
                if table.name.startswith(stem):
                    yield from _pair(schema.name, table.name, outputs)


def _pair(schema: str, table: str, outputs: tuple[str, ...]) -> Iterator[ViewSpec]:
    lower, upper = f"{schema}.v_{table}", f"reporting.{table}_totals"
    keys = [output.partition(".")[2] for output in outputs]
    highest = "timestamp" if keys[2] == "read_at" else "double"
    yield ViewSpec(lower, Query(outputs=outputs, source=f"{{{schema}.{table} t}}"))
    yield ViewSpec(
        upper,
        Query(
            outputs=(
                f"v.{keys[0]}",
                "count(*) AS rows_in :: bigint",
                f"max(v.{keys[2]}) AS highest :: {highest}",
            ),
            source=f"{{{lower} v}}",
            tail=f"GROUP BY v.{keys[0]}",
        ),
        "quoted",
    )
