"""DuckDB, shut off from everything but what a statement registers."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import NamedTuple

import duckdb

from kada_athena_async.sandbox.estate.identifiers import quoted
from kada_athena_async.sandbox.execute.column_data import ColumnData

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

    def add(self, data: ColumnData) -> str:
        """Make a table of *data* under a name of its own, which is returned.

        A column whose values are not of its type is a column of text.
        """
        self._registered += 1
        name = f"source_{self._registered}"
        values = [values for _, values in data.columns.values()]
        kinds = [kind for kind, _ in data.columns.values()]
        try:
            self._create(name, list(data.columns), kinds, values)
        except duckdb.Error:
            fits = list(map(self._fits, kinds, values))
            kinds = [kind if fit else "VARCHAR" for kind, fit in zip(kinds, fits, strict=True)]
            texts = [v if fit else _as_texts(v) for v, fit in zip(values, fits, strict=True)]
            self._create(name, list(data.columns), kinds, texts)

        return name

    def _create(
        self,
        name: str,
        columns: Sequence[str],
        kinds: Sequence[str],
        values: Sequence[Sequence[object]],
    ) -> None:
        columns_given = [_parameter(column) for column in values]
        outputs = [
            f"unnest({given.sql.format(number)}::{kind}[]) AS {quoted(column)}"
            for number, (column, kind, given) in enumerate(
                zip(columns, kinds, columns_given, strict=True), start=1
            )
        ]
        shown = ", ".join(outputs) or "NULL WHERE FALSE"
        self._connection.execute(
            f"CREATE TEMP TABLE {name} AS SELECT {shown}", [given.value for given in columns_given]
        )

    def _fits(self, kind: str, values: Sequence[object]) -> bool:
        try:
            self._connection.execute(f"SELECT $1::{kind}[]", [list(values)])
        except duckdb.Error:
            return False

        return True

    def relation(self, sql: str) -> duckdb.DuckDBPyRelation:
        """The result of a DuckDB query.

        Raises:
            duckdb.Error: It cannot be bound.
        """
        return self._connection.sql(sql)

    def run(self, sql: str) -> list[tuple[object, ...]]:
        """The rows of a DuckDB query.

        Raises:
            duckdb.Error: It cannot be bound or run.
        """
        return self.relation(sql).fetchall()


class _Parameter(NamedTuple):
    """Values of a column as a parameter, and the expression that makes a list of it."""

    sql: str
    value: object


def _parameter(values: Sequence[object]) -> _Parameter:
    # DuckDB before 2.0 takes 0.1 ms for each value of a list, and next to nothing for JSON.
    if all(value is None or isinstance(value, str | int) for value in values):
        return _Parameter("from_json(${}, '[\"VARCHAR\"]')", json.dumps(list(values)))

    return _Parameter("${}", list(values))


def _as_texts(values: Sequence[object]) -> list[str | None]:
    return [None if value is None else str(value) for value in values]


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
