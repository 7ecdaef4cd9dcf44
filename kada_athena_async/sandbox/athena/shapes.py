"""Athena's JSON shapes of what the estate holds."""

from __future__ import annotations

from datetime import datetime

from kada_athena_async.sandbox.estate.model import Catalog, Column, Execution, Table, Workgroup
from kada_athena_async.sandbox.wire import Json

# Athena's model caps TableMetadata types and comments; Glue allows longer ones (botocore's
# service model of Athena: TypeString, CommentString).
MAX_TYPE = 4096
MAX_COMMENT = 255


def epoch(moment: datetime) -> float:
    """Seconds since 1970 with milliseconds, as the JSON protocol writes times."""
    return round(moment.timestamp(), 3)


def present(members: Json) -> Json:
    """*members* without those that are absent: AWS leaves a member out, it sends no null."""
    return {name: value for name, value in members.items() if value is not None}


def execution_shape(execution: Execution, *, is_managed: bool = False) -> Json:
    """QueryExecution."""
    location = execution.output_location
    return present(
        {
            "QueryExecutionId": execution.query_execution_id,
            "Query": execution.query,
            "StatementType": execution.statement_type,
            "SubstatementType": execution.substatement_type,
            "ManagedQueryResultsConfiguration": {"Enabled": True} if is_managed else None,
            "ResultConfiguration": {"OutputLocation": location} if location else None,
            "QueryExecutionContext": present(
                {"Database": execution.database, "Catalog": execution.catalog}
            ),
            "Status": _status(execution),
            "Statistics": _statistics(execution),
            "WorkGroup": execution.workgroup,
            "EngineVersion": {
                "SelectedEngineVersion": "AUTO",
                "EffectiveEngineVersion": execution.engine_version,
            },
        }
    )


def _status(execution: Execution) -> Json:
    error = None
    if execution.error_category is not None:
        error = present(
            {
                "ErrorCategory": execution.error_category,
                "ErrorType": execution.error_type,
                "Retryable": execution.is_retryable,
                "ErrorMessage": execution.error_message,
            }
        )

    completed_at = execution.completed_at
    return present(
        {
            "State": execution.state,
            "StateChangeReason": execution.state_change_reason,
            "SubmissionDateTime": epoch(execution.submitted_at),
            "CompletionDateTime": epoch(completed_at) if completed_at else None,
            "AthenaError": error,
        }
    )


def _statistics(execution: Execution) -> Json:
    return present(
        {
            "EngineExecutionTimeInMillis": execution.engine_ms,
            "DataScannedInBytes": execution.scanned_bytes,
            "TotalExecutionTimeInMillis": execution.total_ms,
            "QueryQueueTimeInMillis": execution.queue_ms,
            "ServicePreProcessingTimeInMillis": execution.preprocessing_ms,
            "QueryPlanningTimeInMillis": execution.planning_ms,
            "ServiceProcessingTimeInMillis": execution.service_ms,
            "ResultReuseInformation": {"ReusedPreviousResult": execution.reused_result},
            "DpuCount": execution.dpu_count,
            "DataManifestLocation": execution.data_manifest_location,
        }
    )


def workgroup_summary(workgroup: Workgroup) -> Json:
    """WorkGroupSummary."""
    return present(
        {
            "Name": workgroup.name,
            "State": workgroup.state,
            "Description": workgroup.description,
            "CreationTime": epoch(workgroup.created_at) if workgroup.created_at else None,
            "EngineVersion": _engine_version(workgroup),
            "IdentityCenterApplicationArn": workgroup.identity_center_application_arn,
        }
    )


def workgroup_shape(workgroup: Workgroup) -> Json:
    """WorkGroup."""
    location = workgroup.output_location
    managed = workgroup.has_managed_results
    return {
        **{k: v for k, v in workgroup_summary(workgroup).items() if k != "EngineVersion"},
        "Configuration": present(
            {
                "ResultConfiguration": {"OutputLocation": location} if location else {},
                "ManagedQueryResultsConfiguration": {"Enabled": True} if managed else None,
                "EnforceWorkGroupConfiguration": workgroup.is_enforced,
                "BytesScannedCutoffPerQuery": workgroup.cutoff_bytes,
                "PublishCloudWatchMetricsEnabled": False,
                "RequesterPaysEnabled": False,
                "EngineVersion": _engine_version(workgroup),
            }
        ),
    }


def _engine_version(workgroup: Workgroup) -> Json:
    selected = workgroup.engine_version if workgroup.is_spark else "AUTO"
    return {
        "SelectedEngineVersion": selected,
        "EffectiveEngineVersion": workgroup.engine_version,
    }


def catalog_summary(catalog: Catalog) -> Json:
    """DataCatalogSummary: no description and no parameters in it."""
    return present({"CatalogName": catalog.name, "Type": catalog.type, "Status": catalog.status})


def catalog_shape(catalog: Catalog) -> Json:
    """DataCatalog."""
    return present(
        {
            "Name": catalog.name,
            "Description": catalog.description,
            "Type": catalog.type,
            "Parameters": catalog.parameters,
            "Status": catalog.status,
        }
    )


def table_metadata(table: Table) -> Json:
    """TableMetadata: no view text, owner or update time, and no parameters of columns in it."""
    return present(
        {
            "Name": table.name,
            "CreateTime": epoch(table.created_at) if table.created_at else None,
            "LastAccessTime": epoch(table.last_access_at) if table.last_access_at else 0.0,
            "TableType": table.table_type,
            "Columns": [_column(c) for c in table.columns if not c.is_partition_key],
            "PartitionKeys": [_column(c) for c in table.columns if c.is_partition_key],
            "Parameters": flattened_parameters(table),
        }
    )


def flattened_parameters(table: Table) -> dict[str, str]:
    """A table's parameters with its storage among them, as Athena's metadata API gives them."""
    storage = {
        "location": table.location,
        "inputformat": table.input_format,
        "outputformat": table.output_format,
        "serde.serialization.lib": table.serde,
        "comment": table.comment,
    }
    if table.view_dialect == "athena":
        storage |= {"presto_view": "true", "comment": table.comment or "Presto View"}

    return {name: value for name, value in storage.items() if value} | table.parameters


def _column(column: Column) -> Json:
    comment = column.comment
    return present(
        {
            "Name": column.name,
            "Type": column.type[:MAX_TYPE],
            "Comment": comment[:MAX_COMMENT] if comment is not None else None,
        }
    )
