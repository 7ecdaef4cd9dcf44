"""Rows of the extracts as the page counts them: texts become numbers, nothing is held."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import TypeAlias

from kada_athena_async.extracts.package import Package
from kada_athena_async.extracts.runs import Runs
from kada_athena_async.extracts.table_usage import usage_of
from kada_athena_async.hwm.window import HWM_FORMAT
from kada_athena_async.prices import billed_bytes, dpu_hours

MAX_REASON_CHARS = 400
"""Messages may be long; their beginning shows the kind."""

Row = tuple[object, ...]
TableId: TypeAlias = Callable[[str, str, str], int]
"""Catalog, schema and table -> its id in the warehouse."""

_SECOND_CHARS = 19
_EXECUTION = (
    *("query_id", "workgroup", "user", "statement_type", "substatement_type", "status"),
    *("status_reason", "error_category", "completed_at", "submitted_at", "total_ms", "queue_ms"),
    *("engine_ms", "scanned_bytes", "reused_result", "fingerprint", "dpu_count"),
)
_TABLE = (
    *("catalog", "schema", "table", "table_type", "table_format", "location", "owner", "comment"),
    *("created_at", "updated_at", "partition_keys", "row_count", "size_bytes", "file_count"),
    *("stats_at", "stats_source"),
)
_COLUMN = (
    *("catalog", "schema", "table", "ordinal_position", "column", "data_type"),
    *("is_partition_key", "comment"),
)
_LINKAGE = (
    *("source_catalog", "source_schema", "source_table"),
    *("target_catalog", "target_schema", "target_table", "source_column", "target_column"),
    *("linkage_type", "query_id", "dependency", "executions", "last_at"),
)


def billed_executions(runs: Runs) -> Iterator[Row]:
    """Yield the executions of the time of the page, with the bytes that Athena charges."""
    for place, package in enumerate(runs.packages):
        for row in package.rows("databaselog", *_EXECUTION):
            if runs.counts(row[8] or row[9]):
                yield _execution(place, *row)


def _execution(
    place: int,
    query_id: str,
    workgroup: str,
    user: str,
    statement_type: str,
    substatement_type: str,
    status: str,
    reason: str,
    category: str,
    completed_at: str,
    submitted_at: str,
    total_ms: str,
    queue_ms: str,
    engine_ms: str,
    scanned: str,
    reused: str,
    fingerprint: str,
    dpu_count: str,
) -> Row:
    scanned_bytes, dpus, engine = _int(scanned), float(dpu_count or 0), _int(engine_ms)
    is_reused = reused == "true"
    billed = billed_bytes(
        status=status,
        statement_type=statement_type or None,
        substatement_type=substatement_type or None,
        scanned_bytes=scanned_bytes,
        is_reused=is_reused,
        dpu_count=dpus,
        engine_ms=engine,
    )
    return (
        *(query_id, workgroup, user, statement_type, status),
        reason[:MAX_REASON_CHARS] if status != "SUCCEEDED" else "",
        _int(category),
        (completed_at or submitted_at)[:_SECOND_CHARS],
        *(_int(total_ms), _int(queue_ms), scanned_bytes or 0, billed),
        *(dpu_hours(dpus, engine), int(is_reused), fingerprint, place),
    )


def table_rows(package: Package) -> Iterator[tuple[tuple[str, str, str], Row]]:
    """Yield catalog, schema and name of each table and view, and its facts."""
    for row in package.rows("metadata_tables", *_TABLE):
        catalog, schema, table, *texts, keys, row_count, size, files, stats_at, source = row
        numbers = (_int(row_count), _int(size), _int(files))
        joined = ", ".join(json.loads(keys)) if keys else ""
        yield (catalog, schema, table), (*texts, joined, *numbers, stats_at, source)


def column_rows(package: Package, id_of: TableId) -> Iterator[Row]:
    """Yield the id of the table of each column, and the column."""
    for row in package.rows("metadata_columns", *_COLUMN):
        catalog, schema, table, position, name, data_type, is_key, comment = row
        id_ = id_of(catalog, schema, table)
        yield id_, int(position or 0), name, data_type, int(is_key == "true"), comment


def usage_rows(runs: Runs, package: Package, id_of: TableId) -> Iterator[Row]:
    """Yield the usage of the days of the page, each with the id of its table."""
    for row in usage_of(package):
        catalog, schema, table, day, user, what, executions, failed, scanned, last_at = row
        if runs.counts_day(day):
            yield (
                *(id_of(catalog, schema, table), day, user, what, int(executions or 0)),
                *(int(failed or 0), int(scanned or 0), last_at[:_SECOND_CHARS]),
            )


def linkage_rows(
    runs: Runs,
) -> Iterator[tuple[str, str, str, str, str, str, str, str, str, int, int, str]]:
    """Yield the edges of the time of the page.

    What a view's text or a table's location says is metadata: that of the newest run counts. A
    column that only filters, joins or sorts is not one of which values flow: its name is left out.
    """
    since = f"{runs.since:{HWM_FORMAT}}" if runs.since else ""
    for place, package in enumerate(runs.packages):
        for row in package.rows("linkages", *_LINKAGE):
            *places, source, target, kind, query_id, dependency, executions, last_at = row
            if (place and not query_id) or (last_at and last_at < since):
                continue

            if places[2] and places[5]:
                is_direct = dependency != "indirect"
                columns = (source, target) if is_direct else ("", "")
                counts = (int(is_direct), int(executions or 0), last_at[:_SECOND_CHARS])
                a, b, c, d, e, f = places
                yield a, b, c, d, e, f, *columns, kind, *counts


def _int(text: str) -> int | None:
    return int(text) if text else None
