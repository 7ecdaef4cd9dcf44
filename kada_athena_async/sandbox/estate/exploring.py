"""People finding their way: a look at some table, with the names that it really has."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from random import Random
from typing import NamedTuple

from kada_athena_async.sandbox.estate.identifiers import hive_name, quoted, trino_name
from kada_athena_async.sandbox.estate.kinds import SELECT, kind_of
from kada_athena_async.sandbox.estate.model import Estate, TableRef
from kada_athena_async.sandbox.estate.queries import GLUE_CATALOG, spell
from kada_athena_async.sandbox.estate.statements import LITERALS, Statement


class _Place(NamedTuple):
    ref: TableRef
    columns: tuple[str, ...]
    is_partitioned: bool
    is_view: bool


class Explorer:
    """Makes one-off statements about the tables of an estate."""

    def __init__(self, estate: Estate) -> None:
        self._places: Sequence[_Place] = [
            _Place(
                TableRef(catalog.name, schema.name, table.name),
                tuple(column.name for column in table.current_columns[:12]),
                any(column.is_partition_key for column in table.columns),
                table.is_view,
            )
            for catalog, schema, table in estate.tables()
        ]

    def statement(self, rng: Random, now: datetime) -> Statement:
        """A statement about some table: mostly a SELECT, sometimes DESCRIBE or SHOW."""
        place = self._places[int(rng.random() * len(self._places))]
        choice = rng.random()
        if choice < 0.2 and place.ref.catalog == GLUE_CATALOG:
            return _utility(place, rng)

        name, database = _named(place.ref, rng)
        first = trino_name(place.columns[0])
        some = ", ".join(trino_name(column) for column in place.columns[: 1 + int(choice * 6)])
        if choice < 0.45:
            sql = f"SELECT * FROM {name} LIMIT {LITERALS['limit'](rng, now)}"
        elif choice < 0.6:
            sql = f"select count(*) from {name}"
        elif choice < 0.7 and place.is_partitioned and place.ref.catalog == GLUE_CATALOG:
            name = spell(place.ref._replace(table=f"{place.ref.table}$partitions"), "bare")
            sql, database = f"SELECT * FROM {name}", None
        elif choice < 0.85:
            sql = f"SELECT {some}\n  FROM {name}\n WHERE {first} IS NOT NULL\n LIMIT 50;"
        else:
            sql = f"SELECT {first}, count(*) FROM {name} t GROUP BY 1 ORDER BY 2 DESC"

        return Statement(sql, SELECT, database, (place.ref,), ())


def _named(ref: TableRef, rng: Random) -> tuple[str, str | None]:
    """The table's name as somebody types it, and the database that is then chosen."""
    choice = rng.random()
    if ref.catalog != GLUE_CATALOG:
        return spell(ref, "full"), None if choice < 0.5 else "default"

    if choice < 0.3:
        return trino_name(ref.table), ref.schema

    if choice < 0.45:
        return f"{quoted('AwsDataCatalog')}.{quoted(ref.schema)}.{quoted(ref.table)}", None

    # Unquoted names are lower-cased by Athena: the same table.
    if choice < 0.5 and ref.table.isascii():
        return f"{trino_name(ref.schema)}.{trino_name(ref.table)}".upper(), "default"

    return spell(ref, "bare" if choice < 0.8 else "quoted"), None if choice < 0.6 else ref.schema


def _utility(place: _Place, rng: Random) -> Statement:
    name = hive_name(place.ref.schema, place.ref.table)
    options = [f"DESCRIBE {name}", f"SHOW COLUMNS IN {name}"]
    if place.is_view:
        view = trino_name(place.ref.schema, place.ref.table)
        options.append(f"SHOW CREATE VIEW {view}")
    else:
        options.append(f"SHOW CREATE TABLE {name}")

    if place.is_partitioned:
        options.append(f"SHOW PARTITIONS {name}")

    sql = rng.choice(options)
    return Statement(sql, kind_of(sql), place.ref.schema, (), ())
