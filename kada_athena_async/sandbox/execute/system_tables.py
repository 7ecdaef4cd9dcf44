"""Athena's system table of query executions, as columns (AWS, Athena's guide: system tables).

Columns are those of GetQueryExecution in snake case; AWS's list could not be read to its end, so
tests may leave some out or name them otherwise.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from datetime import datetime, timezone
from typing import NamedTuple

from sqlglot import exp

from kada_athena_async.sandbox.estate.model import Catalog, Column, Estate, Execution, Schema, Table
from kada_athena_async.sandbox.estate.people import in_account, person_of
from kada_athena_async.sandbox.execute.column_data import ColumnData
from kada_athena_async.sandbox.execute.trino_types import duckdb_type

CATALOG, SCHEMA, TABLE = "s3tablescatalog/aws-athena", "metadata", "query_executions"

_TIME = "timestamp(6) with time zone"
_REFERENCES = "array(row(catalog_name varchar, database_name varchar, table_name varchar))"
COLUMNS = {
    "query_execution_id": "varchar",
    "query_string": "varchar",
    "statement_type": "varchar",
    "substatement_type": "varchar",
    "work_group_name": "varchar",
    "catalog_name": "varchar",
    "database_name": "varchar",
    "state": "varchar",
    "state_change_reason": "varchar",
    "submission_date_time": _TIME,
    "completion_date_time": _TIME,
    "athena_error_category": "integer",
    "athena_error_type": "integer",
    "athena_error_retryable": "boolean",
    "engine_execution_time_in_millis": "bigint",
    "data_scanned_in_bytes": "bigint",
    "total_execution_time_in_millis": "bigint",
    "query_queue_time_in_millis": "bigint",
    "query_planning_time_in_millis": "bigint",
    "service_pre_processing_time_in_millis": "bigint",
    "service_processing_time_in_millis": "bigint",
    "dpu_count": "double",
    "data_manifest_location": "varchar",
    "reused_previous_result": "boolean",
    "effective_engine_version": "varchar",
    "output_location": "varchar",
    "principal_arn": "varchar",
    "execution_parameters": "array(varchar)",
    "tables_accessed": _REFERENCES,
}
PARAMETER_SECRET = "parameter-canary-5b1e"  # noqa: S105  # planted: it must appear nowhere
"""Value of ``execution_parameters``, which no extract may ever hold."""


def system_catalog(estate: Estate) -> Catalog:
    """The catalog of AWS's own tables, which no API lists."""
    columns = tuple(
        Column(name=name, type="string", trino_type=kind)
        for name, kind in COLUMNS.items()
        if name not in estate.system_table_without
    )
    table = Table(name=TABLE, table_type="customer", table_format="iceberg", columns=columns)
    return Catalog(
        name=CATALOG, type="GLUE", schemas={SCHEMA: Schema(name=SCHEMA, tables={TABLE: table})}
    )


class Partitions(NamedTuple):
    """The partitions that a statement reads: the table has one a workgroup and day.

    Attributes:
        workgroup: None for all.
        since, until: Of the submission, the end excluded.
    """

    workgroup: str | None = None
    since: datetime = datetime.min.replace(tzinfo=timezone.utc)
    until: datetime = datetime.max.replace(tzinfo=timezone.utc)

    def holds(self, execution: Execution) -> bool:
        """True if the row of *execution* may lie in one of them."""
        is_of_workgroup = self.workgroup in (None, execution.workgroup)
        return is_of_workgroup and self.since <= execution.submitted_at < self.until


def partitions_on(conditions: Iterable[exp.Expr]) -> Partitions:
    """The partitions that *conditions* leave; all where they do not say."""
    found = Partitions()
    for condition in conditions:
        column, literal = condition.this, condition.find(exp.Literal)
        if not isinstance(column, exp.Column) or literal is None:
            continue

        if isinstance(condition, exp.EQ) and column.name == "work_group_name":
            found = found._replace(workgroup=literal.name)

        if column.name == "submission_date_time":
            moment = datetime.fromisoformat(literal.name.replace(" UTC", "+00:00"))
            if isinstance(condition, exp.GTE):
                found = found._replace(since=moment)

            if isinstance(condition, exp.LT):
                found = found._replace(until=moment)

    return found


def query_executions(
    estate: Estate, now: datetime, partitions: Partitions, columns: Container[str] | None = None
) -> ColumnData:
    """One row for each execution that is final and has been for as long as the table lags.

    Args:
        columns: Those that are read; None for all.
    """
    lag, turned_on = estate.system_table_lag, estate.system_table_since
    assert lag is not None
    rows = [
        _row(execution, estate)
        for execution in list(estate.executions.values())
        if execution.is_final
        and partitions.holds(execution)
        and (ended_at := execution.completed_at or execution.submitted_at) <= now - lag
        and (turned_on is None or turned_on <= ended_at)
    ]
    return ColumnData(
        {
            name: (duckdb_type(kind), [row[name] for row in rows])
            for name, kind in COLUMNS.items()
            if name not in estate.system_table_without and (columns is None or name in columns)
        }
    )


def _row(execution: Execution, estate: Estate) -> dict[str, object]:
    identity = in_account(person_of(execution).identity, estate.account_id)
    accessed = estate.system_table_accessed.get(execution.query_execution_id, execution.reads)
    return {
        "query_execution_id": execution.query_execution_id,
        "query_string": execution.query,
        "statement_type": execution.statement_type,
        "substatement_type": execution.substatement_type,
        "work_group_name": execution.workgroup,
        "catalog_name": execution.catalog,
        "database_name": execution.database,
        "state": execution.state,
        "state_change_reason": execution.state_change_reason,
        "submission_date_time": execution.submitted_at,
        "completion_date_time": execution.completed_at,
        "athena_error_category": execution.error_category,
        "athena_error_type": execution.error_type,
        "athena_error_retryable": execution.is_retryable if execution.error_type else None,
        "engine_execution_time_in_millis": execution.engine_ms,
        "data_scanned_in_bytes": execution.scanned_bytes,
        "total_execution_time_in_millis": execution.total_ms,
        "query_queue_time_in_millis": execution.queue_ms,
        "query_planning_time_in_millis": execution.planning_ms,
        "service_pre_processing_time_in_millis": execution.preprocessing_ms,
        "service_processing_time_in_millis": execution.service_ms,
        "dpu_count": execution.dpu_count,
        "data_manifest_location": execution.data_manifest_location,
        "reused_previous_result": execution.reused_result,
        "effective_engine_version": execution.engine_version,
        "output_location": execution.output_location,
        "principal_arn": identity.get("arn"),
        "execution_parameters": [PARAMETER_SECRET],
        "tables_accessed": [
            {"catalog_name": r.catalog, "database_name": r.schema, "table_name": r.table}
            for r in accessed
        ],
    }
