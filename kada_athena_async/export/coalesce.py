"""``coalesce``: the seven CSV files of Coalesce Catalog's warehouse importer.

https://docs.coalesce.io/docs/catalog/developer/catalog-apis/warehouse-importer
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from datetime import datetime

from kada_athena_async.export.history import History
from kada_athena_async.export.interface import STEP_RECORDS, OutputFolder
from kada_athena_async.records import QueryRecord
from kada_athena_async.sql.names import TableName

COLUMNS: dict[str, tuple[str, ...]] = {
    "database": ("id", "database_name"),
    "schema": ("id", "database_id", "schema_name", "description", "tags"),
    "table": ("id", "schema_id", "table_name", "description", "tags", "type"),
    "column": ("id", "table_id", "column_name", "description", "data_type", "ordinal_position"),
    "user": ("id", "email", "first_name", "last_name"),
    "view_ddl": ("database_name", "schema_name", "view_name", "view_definition"),
    "query": (
        "query_id",
        "database_id",
        "database_name",
        "schema_name",
        "query_text",
        "user_id",
        "user_name",
        "start_time",
        "end_time",
    ),
}
"""File -> its columns."""

# Of a statement that names no catalog.
_DEFAULT_CATALOG = "AwsDataCatalog"


def write_coalesce(history: History, folder: OutputFolder) -> Iterator[None]:
    """See ``Target``: names begin with the end of the newest window, as a Unix time."""
    stamp = int(history.newest.manifest.end.timestamp())
    rows = {
        "database": _databases,
        "schema": _schemas,
        "table": _tables,
        "column": _columns,
        "user": _users,
        "view_ddl": _views,
        "query": _queries,
    }
    for name, make in rows.items():
        with folder.create(f"{stamp}-{name}.csv") as output:
            output.write(_line(COLUMNS[name]))
            for row in make(history):
                output.write(_line(row), count=1)
                if output.count % STEP_RECORDS == 0:
                    yield


def _line(row: Iterable[object]) -> bytes:
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\n").writerow(map(_value, row))
    return text.getvalue().encode()


def _value(value: object) -> object:
    """A text that begins or ends with a double quote gets a space there: the importer's checks
    refuse it otherwise, as they take it for quoted twice."""
    if not isinstance(value, str):
        return value

    return " " * value.startswith('"') + value + " " * value.endswith('"')


def _id(*names: str) -> str:
    return ".".join(names)


def _databases(history: History) -> Iterator[tuple[object, ...]]:
    """The catalogs: those that were read, and those that an execution names."""
    spelled = _spelled(history)
    for execution in history.executions():
        _catalog(spelled, execution)

    for catalog in spelled.values():
        yield catalog, catalog


def _spelled(history: History) -> dict[str, str]:
    """Name in lower case -> the catalog as the metadata spell it: Athena ignores the case."""
    read = [*history.catalogs(), *(catalog for catalog, _ in history.schemas())]
    return {each.lower(): each for each in (_DEFAULT_CATALOG, *read)}


def _catalog(spelled: dict[str, str], execution: QueryRecord) -> str:
    """The catalog of an execution, which *spelled* knows from then on."""
    wanted = execution.catalog or _DEFAULT_CATALOG
    return spelled.setdefault(wanted.lower(), wanted)


def _schemas(history: History) -> Iterator[tuple[object, ...]]:
    for catalog, schema, text in history.newest.rows(
        "metadata_schemas", "catalog", "schema", "description"
    ):
        yield _id(catalog, schema), catalog, schema, text, "[]"


def _tables(history: History) -> Iterator[tuple[object, ...]]:
    for table in history.tables():
        key = _id(table.catalog, table.schema, table.table)
        schema = _id(table.catalog, table.schema)
        yield key, schema, table.table, table.comment, "[]", table.table_type


def _columns(history: History) -> Iterator[tuple[object, ...]]:
    for table in history.tables():
        name = TableName(table.catalog, table.schema, table.table)
        for column in history.columns(name):
            yield (
                _id(*name, column.column),
                _id(*name),
                column.column,
                column.comment,
                column.data_type or "unknown",  # the importer demands one
                column.ordinal_position,
            )


def _users(history: History) -> Iterator[tuple[object, ...]]:
    """All users of the executions."""
    found: dict[str, None] = dict.fromkeys(user for (user,) in history.newest.rows("users", "user"))
    for execution in history.executions():
        found[history.user(execution)] = None

    for user in found:
        yield user, user if "@" in user else "", "", ""


def _views(history: History) -> Iterator[tuple[object, ...]]:
    for catalog, schema, view, text in history.newest.rows(
        "metadata_views", "catalog", "schema", "view", "definition"
    ):
        if text:
            yield catalog, schema, view, text


def _queries(history: History) -> Iterator[tuple[object, ...]]:
    spelled = _spelled(history)
    for execution in history.executions():
        start = execution.submitted_at or execution.completed_at
        if not execution.query or not start:
            continue

        catalog = _catalog(spelled, execution)
        user = history.user(execution)
        yield (
            execution.query_id,
            catalog,
            catalog,
            execution.schema,
            execution.query,
            user,
            user,
            _time(start),
            _time(execution.completed_at),
        )


def _time(at: datetime | None) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S.%f")[:-3] if at else ""
