"""DuckDB, shut off from everything but what a statement registers."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

import duckdb
import pyarrow as pa

_CONFIG: dict[str, str | bool | int | float | list[str]] = {
    "threads": 1,
    # A statement must not read this machine's files or the caller's Python variables.
    "enable_external_access": False,
    "python_enable_replacements": False,
    # In Trino the quotient of two integers is an integer.
    "integer_division": True,
}

# Trino's functions that DuckDB lacks and sqlglot does not translate.
_MACROS = (
    "url_extract_host(url) AS regexp_extract(url, '^[a-z]+://([^/:?#]+)', 1)",
    "url_extract_path(url) AS regexp_extract(url, '^[a-z]+://[^/?#]+([^?#]*)', 1)",
    "map_agg(k, v) AS map(list(k), list(v))",
    "codepoint(text) AS unicode(text)",
    "infinity() AS 'infinity'::DOUBLE",
    "nan() AS 'nan'::DOUBLE",
    "format_datetime(ts, pattern) AS strftime(ts, replace(replace(replace(replace(replace(replace("
    "pattern, 'yyyy', '%Y'), 'MM', '%m'), 'dd', '%d'), 'HH', '%H'), 'mm', '%M'), 'ss', '%S'))",
)

_opening = threading.Lock()


class Cursor:
    """A connection of one statement; what it registers nobody else sees."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self._registered = 0

    def register(self, name: str, table: pa.Table) -> None:
        self._connection.register(name, table)

    def add(self, table: pa.Table) -> str:
        """Register *table* under a name of its own, which is returned."""
        self._registered += 1
        name = f"source_{self._registered}"
        self.register(name, table)
        return name

    def relation(self, sql: str) -> duckdb.DuckDBPyRelation:
        """The result of a DuckDB query.

        Raises:
            duckdb.Error: It cannot be bound.
        """
        return self._connection.sql(sql)

    def run(self, sql: str) -> pa.Table:
        """The result of a DuckDB query.

        Raises:
            duckdb.Error: It cannot be bound or run.
        """
        return self.relation(sql).to_arrow_table()


@contextmanager
def open_cursor() -> Iterator[Cursor]:
    """A cursor of this process's DuckDB, closed afterwards; each thread needs its own."""
    with _opening:
        connection = _database().cursor()

    try:
        yield Cursor(connection)
    finally:
        connection.close()


@lru_cache(maxsize=1)
def _database() -> duckdb.DuckDBPyConnection:
    # Opened once: it holds no data, and opening costs more than most statements take.
    connection = duckdb.connect(":memory:", config=_CONFIG)
    for macro in _MACROS:
        connection.execute(f"CREATE MACRO {macro}")

    return connection
