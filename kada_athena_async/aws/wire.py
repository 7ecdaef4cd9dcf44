"""Athena's and Glue's answers on the hot path, as typed values; timestamps are epoch seconds.

Every field may be absent: the services promise little, and a new field must never break a run.
Names are AWS's (docs.aws.amazon.com/athena/latest/APIReference, .../glue/latest/webapi).
"""

from __future__ import annotations

import msgspec


class Wire(msgspec.Struct, rename="pascal", kw_only=True, gc=False):
    """An object of an answer: AWS's PascalCase names outside, ours inside; new fields ignored."""


class AthenaError(Wire):
    error_category: int | None = None
    error_type: int | None = None
    retryable: bool | None = None
    error_message: str | None = None


class Status(Wire):
    state: str = "UNKNOWN"
    state_change_reason: str | None = None
    submission_date_time: float | None = None
    completion_date_time: float | None = None
    athena_error: AthenaError | None = None


class ResultReuse(Wire):
    reused_previous_result: bool | None = None


class Statistics(Wire):
    engine_execution_time_in_millis: int | None = None
    data_scanned_in_bytes: int | None = None
    total_execution_time_in_millis: int | None = None
    query_queue_time_in_millis: int | None = None
    query_planning_time_in_millis: int | None = None
    service_processing_time_in_millis: int | None = None
    result_reuse_information: ResultReuse | None = None


class ResultConfiguration(Wire):
    output_location: str | None = None


class ManagedResults(Wire):
    enabled: bool | None = None


class QueryContext(Wire):
    catalog: str | None = None
    database: str | None = None


class EngineVersion(Wire):
    effective_engine_version: str | None = None


class QueryExecution(Wire):
    """One execution as GetQueryExecution and BatchGetQueryExecution tell it."""

    query_execution_id: str
    query: str | None = None
    statement_type: str | None = None
    substatement_type: str | None = None
    result_configuration: ResultConfiguration | None = None
    managed_query_results_configuration: ManagedResults | None = None
    query_execution_context: QueryContext | None = None
    status: Status = msgspec.field(default_factory=Status)
    statistics: Statistics | None = None
    work_group: str | None = None
    engine_version: EngineVersion | None = None


class UnprocessedId(Wire):
    query_execution_id: str
    error_code: str | None = None
    error_message: str | None = None


class ExecutionBatch(Wire):
    """Answer of BatchGetQueryExecution: at most 50 executions, in any order."""

    query_executions: list[QueryExecution] = []
    unprocessed_query_execution_ids: list[UnprocessedId] = []


class Cell(Wire):
    """A value of a result row: absent for NULL, which is not the empty string."""

    var_char_value: str | None = None


class Row(Wire):
    data: list[Cell] = []


class ColumnInfo(Wire):
    name: str = ""
    type: str | None = None


class ResultSetMetadata(Wire):
    column_info: list[ColumnInfo] = []


class ResultSet(Wire):
    rows: list[Row] = []
    result_set_metadata: ResultSetMetadata | None = None


class ResultPage(Wire):
    """Answer of GetQueryResults: at most 1,000 rows, the header row counted."""

    result_set: ResultSet = msgspec.field(default_factory=ResultSet)
    next_token: str | None = None


class CatalogColumn(Wire):
    """A column as Athena's ListTableMetadata and Glue's GetTables tell it (Hive's spelling).

    The answers keep their columns as the JSON that they are: it is a third of the size of the
    values in it, and is decoded where they are needed, in a worker thread.
    """

    name: str = ""
    type: str | None = None
    comment: str | None = None
    parameters: dict[str, str] | None = None


NOTHING = msgspec.Raw(b"null")


class TableMetadata(Wire):
    name: str
    create_time: float | None = None
    last_access_time: float | None = None
    table_type: str | None = None
    columns: msgspec.Raw = NOTHING
    partition_keys: msgspec.Raw = NOTHING
    parameters: dict[str, str] | None = None


class TableMetadataPage(Wire):
    """Answer of ListTableMetadata: at most 50 tables."""

    table_metadata_list: list[TableMetadata] = []
    next_token: str | None = None


class StorageDescriptor(Wire):
    columns: msgspec.Raw = NOTHING
    location: str | None = None
    input_format: str | None = None
    parameters: dict[str, str] | None = None


class ViewRepresentation(Wire):
    dialect: str | None = None
    view_original_text: str | None = None
    view_expanded_text: str | None = None


class ViewDefinition(Wire):
    representations: list[ViewRepresentation] | None = None


class TargetTable(Wire):
    """The table that a resource link of Lake Formation stands for."""

    catalog_id: str | None = None
    database_name: str | None = None
    name: str | None = None


class GlueTable(Wire):
    name: str
    description: str | None = None
    owner: str | None = None
    create_time: float | None = None
    update_time: float | None = None
    last_access_time: float | None = None
    storage_descriptor: StorageDescriptor | None = None
    partition_keys: msgspec.Raw = NOTHING
    view_original_text: str | None = None
    view_expanded_text: str | None = None
    view_definition: ViewDefinition | None = None
    is_materialized_view: bool | None = None
    target_table: TargetTable | None = None
    table_type: str | None = None
    parameters: dict[str, str] | None = None


class GluePage(Wire):
    """Answer of Glue's GetTables: at most 100 tables."""

    table_list: list[GlueTable] = []
    next_token: str | None = None
