"""Extracts in a database of the moment: DuckDB reads them once, within bounds of memory."""

from __future__ import annotations

import glob
import gzip
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb

from kada_athena_async.errors import StateError
from kada_athena_async.extracts import Package
from kada_athena_async.extracts.runs import TIME_FORMAT, Runs
from kada_athena_async.page.billing import BILLED_BYTES_SQL, DPU_HOURS_SQL
from kada_athena_async.records import RECORD_TYPES

MEMORY_LIMIT = "512MB"
"""What DuckDB may hold at once; what is more goes to the temporary directory."""

THREADS = 2

MAX_ROW_BYTES = 8 << 20
"""Longest row of an extract: a statement has 262,144 bytes at most, each of which may be doubled,
and a view's parameters are not limited by us."""

_TABLES = """
    CREATE TABLE {prefix}tables AS
    SELECT catalog, schema, "table", table_type, coalesce(table_format, '') AS table_format,
        -- Hive's statistics; most tables have none.
        CASE WHEN json_valid(parameters) THEN
            try_cast(json_extract_string(parameters, '$.totalSize') AS BIGINT)
        END AS size_bytes
    FROM {source}
"""

_COLUMNS = """
    CREATE TABLE {prefix}columns AS
    SELECT catalog, schema, "table", "column", data_type FROM {source}
"""

_QUERIES = f"""
    CREATE TABLE queries AS
    SELECT *, {BILLED_BYTES_SQL} AS billed_bytes, {DPU_HOURS_SQL} AS dpu_hours FROM (
        SELECT query_id, workgroup, statement_type, substatement_type, status,
            -- Messages may be long; their beginning shows the kind.
            left(status_reason, 400) AS reason,
            try_cast(error_category AS INTEGER) AS error_category,
            coalesce(try_cast(completed_at AS TIMESTAMP), try_cast(submitted_at AS TIMESTAMP))
                AS ended_at,
            try_cast(total_ms AS BIGINT) AS total_ms,
            try_cast(engine_ms AS BIGINT) AS engine_ms,
            try_cast(dpu_count AS DOUBLE) AS dpu_count,
            try_cast(scanned_bytes AS BIGINT) AS scanned_bytes,
            coalesce(try_cast(reused_result AS BOOLEAN), false) AS is_reused,
            fingerprint
        FROM {{source}}
    ) WHERE {{since}} IS NULL OR ended_at >= {{since}}
"""

_LINKS = """
    CREATE TABLE links AS
    SELECT DISTINCT source_catalog, source_schema, source_table,
        -- A column that only filters, joins or sorts is not one of which values flow.
        CASE WHEN dependency = 'indirect' THEN NULL ELSE source_column END AS source_column,
        target_catalog, target_schema, target_table,
        CASE WHEN dependency = 'indirect' THEN NULL ELSE target_column END AS target_column,
        linkage_type
    FROM {source}
    WHERE source_table IS NOT NULL AND target_table IS NOT NULL
        AND coalesce(last_at >= {since}, true)
"""


class Warehouse:
    """The metadata of the newest run and of the one before it, and the history and lineage of all
    runs, as tables.

    Tables: ``catalogs``, ``schemas``, ``tables``, ``columns``, ``queries``, ``links``; the earlier
    ones are ``before_tables`` and ``before_columns``, empty if there was no earlier run.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, runs: Runs) -> None:
        self._connection = connection
        self.runs = runs

    def rows(self, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
        """The rows of *sql*; values only as parameters, for they come from outside."""
        found: list[tuple[Any, ...]] = self._connection.execute(sql, parameters).fetchall()
        return found

    def row(self, sql: str, *parameters: object) -> tuple[Any, ...]:
        """The only row of *sql*."""
        (row,) = self.rows(sql, *parameters)
        return row

    def run(self, sql: str) -> None:
        """Run a statement that gives nothing back."""
        self._connection.execute(sql)

    def statements(self, query_ids: Sequence[str]) -> dict[str, tuple[str, str, str]]:
        """Query id -> its SQL, type and subtype, read from the extracts once more."""
        source = _source(self.runs.packages, "databaselog")
        found = self.rows(
            f"""SELECT query_id, coalesce(query, ''), coalesce(statement_type, ''),
            coalesce(substatement_type, '') FROM {source} WHERE list_contains(?, query_id)""",
            list(query_ids),
        )
        return {row[0]: (row[1], row[2], row[3]) for row in found}


@contextmanager
def open_warehouse(runs: Runs, before: Package | None) -> Iterator[Warehouse]:
    """Read the extracts of *runs*, and the metadata of the run *before* the newest, into tables.

    Raises:
        StateError: An extract is not what its kind is made of, or there is no room to count.
    """
    with TemporaryDirectory(prefix="kada-athena-report-") as directory:
        settings: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": MEMORY_LIMIT,
            "threads": THREADS,
            "temp_directory": directory,
            "preserve_insertion_order": "false",
            # Nothing is fetched: neither extensions nor anything that a path might name.
            "autoinstall_known_extensions": "false",
        }
        try:
            with duckdb.connect(str(Path(directory) / "report.duckdb"), config=settings) as opened:
                warehouse = Warehouse(opened, runs)
                _load_all(warehouse, before)
                yield warehouse
        except (duckdb.IOException, duckdb.OutOfMemoryException) as exc:
            # Its message may quote a row, and with it a literal.
            raise StateError(
                f"the extracts cannot be counted in {directory} ({type(exc).__name__})",
                hint="make room there for twice the extracts uncompressed, or point TMPDIR to a "
                "larger disk",
            ) from None


def _load_all(warehouse: Warehouse, before: Package | None) -> None:
    runs = warehouse.runs
    newest, earlier = runs.packages[:1], (before,) if before else ()
    since = f"'{runs.since:{TIME_FORMAT}}'" if runs.since else "NULL"
    _load(warehouse, newest, "metadata_catalogs", _plain("catalogs", "metadata_catalogs"))
    _load(warehouse, newest, "metadata_schemas", _plain("schemas", "metadata_schemas"))
    _load(warehouse, newest, "metadata_tables", _TABLES, prefix="")
    _load(warehouse, newest, "metadata_columns", _COLUMNS, prefix="")
    _load(warehouse, runs.packages, "databaselog", _QUERIES, since=since)
    _load(warehouse, runs.packages, "linkages", _LINKS, since=since)
    _load(warehouse, earlier, "metadata_tables", _TABLES, prefix="before_")
    _load(warehouse, earlier, "metadata_columns", _COLUMNS, prefix="before_")


def _plain(table: str, kind: str) -> str:
    columns = ", ".join(f'"{name}"' for name in RECORD_TYPES[kind]._fields)
    return f"CREATE TABLE {table} AS SELECT {columns} FROM {{source}}"


def _load(
    warehouse: Warehouse, packages: Sequence[Package], kind: str, statement: str, **names: str
) -> None:
    try:
        warehouse.run(statement.format(source=_source(packages, kind), **names))
    except (duckdb.InvalidInputException, duckdb.DataError):
        # Without the cause: DuckDB's message quotes the row, and with it a literal.
        where = ", ".join(str(path) for each in packages for path in each.extracts(kind)) or kind
        raise StateError(
            f"{where} cannot be read as {kind}",
            hint="it was written by something else; extract that window again",
        ) from None


def _source(packages: Sequence[Package], kind: str) -> str:
    """DuckDB's name for the rows of *kind* in *packages*, every field a text."""
    parts = []
    for place, package in enumerate(packages):
        # What a view's text or a table's location says is metadata: that of the newest run counts.
        where = "WHERE query_id IS NOT NULL" if kind == "linkages" and place else ""
        parts += [f"SELECT * FROM {part} {where}" for part in _parts(package, kind)]

    return f"({' UNION ALL '.join(parts or [_nothing(kind)])})"


def _parts(package: Package, kind: str) -> Iterator[str]:
    known = RECORD_TYPES[kind]._fields
    for path in package.extracts(kind):
        written = _header_of(path, known)
        columns = ", ".join(f"{_text(name)}: 'VARCHAR'" for name in written)
        later = "".join(f', NULL::VARCHAR AS "{name}"' for name in known[len(written) :])
        # Said, because DuckDB takes what follows a ? in a path for no part of the file's name.
        compression = "gzip" if path.suffix == ".gz" else "none"
        yield (
            f"(SELECT *{later} FROM read_csv({_text(glob.escape(str(path)))}, "
            f"columns = {{{columns}}}, header = true, "
            "auto_detect = false, delim = ',', quote = '\"', escape = '\"', nullstr = '', "
            f"new_line = '\\n', compression = '{compression}', parallel = false, "
            f"max_line_size = {MAX_ROW_BYTES}))"
        )


def _header_of(path: Path, known: tuple[str, ...]) -> tuple[str, ...]:
    """The columns of an extract: fewer than are *known* where an earlier version wrote it."""
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rt", encoding="utf-8") as file:
            written = tuple(file.readline().rstrip("\n").split(","))
    except (OSError, EOFError, zlib.error, UnicodeError):
        return known  # who reads it whole says what is wrong with it

    return written if written == known[: len(written)] else known


def _nothing(kind: str) -> str:
    columns = ", ".join(f'NULL::VARCHAR AS "{name}"' for name in RECORD_TYPES[kind]._fields)
    return f"SELECT {columns} WHERE false"


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
