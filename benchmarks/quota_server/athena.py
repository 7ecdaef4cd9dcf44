"""Athena's operations."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from msgspec import Raw

from benchmarks.quota_server.estate import (
    CATALOG,
    CREATED_S,
    NAME_MARK,
    SCHEMA_MARK,
    Estate,
    athena_template,
    object_name,
)
from benchmarks.quota_server.history import History
from benchmarks.quota_server.queries import Queries, Query
from benchmarks.quota_server.results import json_row
from kada_athena_async.sandbox.athena.catalogs import DATABASES_PAGE, TABLES_PAGE
from kada_athena_async.sandbox.athena.executions import HISTORY_PAGE, RESULTS_PAGE
from kada_athena_async.sandbox.athena.service import WORKGROUPS_PAGE
from kada_athena_async.sandbox.athena.shapes import present
from kada_athena_async.sandbox.pages import page
from kada_athena_async.sandbox.wire import AwsError, Json, invalid_request

Handler: TypeAlias = Callable[[Json, float], Json]

_DEFAULT_LOCATION = "s3://results/primary"


class Athena:
    """Answers by operation name; each takes the parameters and the time."""

    def __init__(self, estate: Estate, history: History, queries: Queries) -> None:
        self._estate = estate
        self._history = history
        self._queries = queries
        self._templates = [athena_template(estate, is_view=flag) for flag in (False, True)]
        self.handlers: dict[str, Handler] = {
            "ListWorkGroups": self._list_work_groups,
            "GetWorkGroup": self._get_work_group,
            "ListDataCatalogs": self._list_data_catalogs,
            "GetDataCatalog": self._get_data_catalog,
            "ListDatabases": self._list_databases,
            "GetDatabase": self._get_database,
            "ListTableMetadata": self._list_table_metadata,
            "GetTableMetadata": self._get_table_metadata,
            "ListQueryExecutions": self._list_query_executions,
            "BatchGetQueryExecution": self._batch_get_query_execution,
            "GetQueryExecution": self._get_query_execution,
            "StartQueryExecution": self._start_query_execution,
            "StopQueryExecution": self._stop_query_execution,
            "GetQueryResults": self._get_query_results,
        }

    def _list_work_groups(self, request: Json, now_s: float) -> Json:
        names, token = page(
            self._history.workgroups, request, scope="workgroups", rule=WORKGROUPS_PAGE
        )
        groups = [
            {
                "Name": name,
                "State": "ENABLED",
                "Description": "",
                "CreationTime": CREATED_S,
                "EngineVersion": _ENGINE,
            }
            for name in names
        ]
        return present({"WorkGroups": groups, "NextToken": token})

    def _get_work_group(self, request: Json, now_s: float) -> Json:
        configuration = {
            "ResultConfiguration": {"OutputLocation": _DEFAULT_LOCATION},
            "EnforceWorkGroupConfiguration": False,
            "EngineVersion": _ENGINE,
        }
        name = self._workgroup(request)
        return {"WorkGroup": {"Name": name, "State": "ENABLED", "Configuration": configuration}}

    def _list_data_catalogs(self, request: Json, now_s: float) -> Json:
        summary = {"CatalogName": CATALOG, "Type": "GLUE", "Status": "CREATE_COMPLETE"}
        return {"DataCatalogsSummary": [summary]}

    def _get_data_catalog(self, request: Json, now_s: float) -> Json:
        return {"DataCatalog": {"Name": CATALOG, "Type": "GLUE", "Parameters": {}}}

    def _list_databases(self, request: Json, now_s: float) -> Json:
        names, token = page(self._estate.schemas, request, scope="databases", rule=DATABASES_PAGE)
        databases = [{"Name": name, "Description": "invented", "Parameters": {}} for name in names]
        return present({"DatabaseList": databases, "NextToken": token})

    def _get_database(self, request: Json, now_s: float) -> Json:
        return {"Database": {"Name": self._schema(request), "Parameters": {}}}

    def _list_table_metadata(self, request: Json, now_s: float) -> Json:
        schema = self._schema(request)
        if request.get("Expression"):
            raise invalid_request("the stand-in knows no Expression")

        indexes, token = page(
            range(self._estate.objects_in(schema)), request, scope=schema, rule=TABLES_PAGE
        )
        tables = [self._item(schema, index) for index in indexes]
        return present({"TableMetadataList": tables, "NextToken": token})

    def _get_table_metadata(self, request: Json, now_s: float) -> Json:
        schema = self._schema(request)
        index = self._estate.index_of(schema, str(request.get("TableName")))
        if index is None:
            raise _metadata_error(f"Table {request.get('TableName')} not found")

        return {"TableMetadata": self._item(schema, index)}

    def _item(self, schema: str, index: int) -> Raw:
        template = self._templates[self._estate.is_view(index)]
        return Raw(template.replace(SCHEMA_MARK, schema).replace(NAME_MARK, object_name(index)))

    def _list_query_executions(self, request: Json, now_s: float) -> Json:
        name = self._workgroup(request)
        numbers, token = page(
            range(self._history.count(name, now_s)), request, scope=name, rule=HISTORY_PAGE
        )
        ids = self._history.ids(name, numbers.start, numbers.stop)
        return present({"QueryExecutionIds": ids, "NextToken": token})

    def _batch_get_query_execution(self, request: Json, now_s: float) -> Json:
        ids = request.get("QueryExecutionIds")
        if not isinstance(ids, list) or not 1 <= len(ids) <= 50:
            raise invalid_request("QueryExecutionIds is not in [1, 50]")

        documents, others = self._history.page(ids)
        found: list[object] = [Raw(document) for document in documents]
        missing = []
        for query_id in others:
            query = self._queries.get(query_id)
            if query is not None:
                found.append(_execution(query, now_s))
                continue

            missing.append(
                {
                    "QueryExecutionId": query_id,
                    "ErrorCode": "INVALID_INPUT",
                    "ErrorMessage": f"QueryExecution {query_id} was not found",
                }
            )

        return {"QueryExecutions": found, "UnprocessedQueryExecutionIds": missing}

    def _get_query_execution(self, request: Json, now_s: float) -> Json:
        query_id = str(request.get("QueryExecutionId"))
        documents, _ = self._history.page([query_id])
        if documents:
            return {"QueryExecution": Raw(documents[0])}

        return {"QueryExecution": _execution(self._query(request), now_s)}

    def _start_query_execution(self, request: Json, now_s: float) -> Json:
        context = request.get("QueryExecutionContext")
        result = request.get("ResultConfiguration")
        location = result.get("OutputLocation") if isinstance(result, Mapping) else None
        query = self._queries.submit(
            str(request.get("QueryString", "")),
            token=str(request.get("ClientRequestToken", "")),
            workgroup=self._workgroup(request),
            database=str(context.get("Database", "")) if isinstance(context, Mapping) else "",
            location=str(location or _DEFAULT_LOCATION),
            now_s=now_s,
        )
        return {"QueryExecutionId": query.id}

    def _stop_query_execution(self, request: Json, now_s: float) -> Json:
        query = self._query(request)
        if now_s < query.completed_s:
            query.is_cancelled = True

        return {}

    def _get_query_results(self, request: Json, now_s: float) -> Json:
        query = self._query(request)
        state = query.state(now_s)
        if state != "SUCCEEDED" or query.result is None:
            raise invalid_request(f"Query did not finish successfully. Final query state: {state}")

        result = query.result
        header = 1 if result.is_table else 0
        numbers, token = page(
            range(result.row_count + header), request, scope=query.id, rule=RESULTS_PAGE
        )
        rows = result.rows_json(max(0, numbers.start - header), numbers.stop - header)
        if header and numbers.start == 0:
            rows = json_row(result.names) + ("," + rows if rows else "")

        result_set = {
            "Rows": Raw(f"[{rows}]"),
            "ResultSetMetadata": {"ColumnInfo": [_column_info(name) for name in result.names]},
        }
        return present({"UpdateCount": 0, "ResultSet": result_set, "NextToken": token})

    def _schema(self, request: Json) -> str:
        if str(request.get("CatalogName", CATALOG)).lower() != CATALOG.lower():
            raise _metadata_error(f"Catalog {request.get('CatalogName')} not found")

        schema = str(request.get("DatabaseName"))
        if schema not in self._estate.schemas:
            raise _metadata_error(f"Database {schema} not found")

        return schema

    def _workgroup(self, request: Json) -> str:
        name = str(request.get("WorkGroup") or "primary")
        if name not in self._history.workgroups:
            raise invalid_request(f"WorkGroup {name} is not found.")

        return name

    def _query(self, request: Json) -> Query:
        query_id = str(request.get("QueryExecutionId"))
        query = self._queries.get(query_id)
        if query is None:
            raise invalid_request(f"QueryExecution {query_id} was not found")

        return query


_ENGINE = {
    "SelectedEngineVersion": "AUTO",
    "EffectiveEngineVersion": "Athena engine version 3",
}


def _metadata_error(message: str) -> AwsError:
    inner = (
        f"{message}. (Service: AmazonDataCatalog; Status Code: 400; "
        "Error Code: EntityNotFoundException; Request ID: 0; Proxy: null)"
    )
    return AwsError("MetadataException", inner)


def _column_info(name: str) -> dict[str, object]:
    return {
        "CatalogName": "hive",
        "SchemaName": "",
        "TableName": "",
        "Name": name,
        "Label": name,
        "Type": "varchar",
        "Precision": 2147483647,
        "Scale": 0,
        "Nullable": "UNKNOWN",
        "CaseSensitive": True,
    }


def _execution(query: Query, now_s: float) -> dict[str, object]:
    state = query.state(now_s)
    status: dict[str, object] = {"State": state, "SubmissionDateTime": round(query.submitted_s, 3)}
    statistics: dict[str, object] = {
        "QueryQueueTimeInMillis": int((query.started_s - query.submitted_s) * 1000),
        "DataScannedInBytes": 0,
    }
    if state in ("SUCCEEDED", "FAILED", "CANCELLED"):
        status["CompletionDateTime"] = round(min(now_s, query.completed_s), 3)
        statistics |= {
            "EngineExecutionTimeInMillis": int((query.ended_s - query.started_s) * 1000),
            "QueryPlanningTimeInMillis": int(query.planning_s * 1000),
            "ServiceProcessingTimeInMillis": int((query.completed_s - query.ended_s) * 1000),
            "TotalExecutionTimeInMillis": int((query.completed_s - query.submitted_s) * 1000),
        }

    if state == "FAILED":
        status["StateChangeReason"] = query.failure
        status["AthenaError"] = {"ErrorCategory": 2, "ErrorType": 1006, "Retryable": False}

    return {
        "QueryExecutionId": query.id,
        "Query": query.sql,
        "StatementType": query.statement_type,
        "SubstatementType": "SHOW_CREATE_VIEW" if query.is_ddl else "SELECT",
        "ResultConfiguration": {"OutputLocation": query.location},
        "QueryExecutionContext": {"Database": query.database, "Catalog": "awsdatacatalog"},
        "Status": status,
        "Statistics": statistics,
        "WorkGroup": query.workgroup,
        "EngineVersion": _ENGINE,
    }
