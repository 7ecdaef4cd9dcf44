"""Athena's operations."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TypeAlias

from benchmarks.quota_server.errors import ServiceError
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
from benchmarks.quota_server.paging import page, tail
from benchmarks.quota_server.queries import Queries, Query

Request: TypeAlias = Mapping[str, object]
Handler: TypeAlias = Callable[[Request, float], str]

_DEFAULT_LOCATION = "s3://results/primary"
_NUMBER_OF_ROWS = 1000


class Athena:
    """Answers by operation name; each takes the request and the time, and returns JSON."""

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

    def _list_work_groups(self, request: Request, now_s: float) -> str:
        names = self._history.workgroups
        window = page(request, total=len(names), limit=50)
        groups = [
            {
                "Name": name,
                "State": "ENABLED",
                "Description": "",
                "CreationTime": CREATED_S,
                "EngineVersion": _ENGINE,
            }
            for name in names[window.start : window.stop]
        ]
        return '{"WorkGroups":' + json.dumps(groups) + tail(window.token)

    def _get_work_group(self, request: Request, now_s: float) -> str:
        name = self._workgroup(request)
        configuration = {
            "ResultConfiguration": {"OutputLocation": _DEFAULT_LOCATION},
            "EnforceWorkGroupConfiguration": False,
            "EngineVersion": _ENGINE,
        }
        return json.dumps(
            {"WorkGroup": {"Name": name, "State": "ENABLED", "Configuration": configuration}}
        )

    def _list_data_catalogs(self, request: Request, now_s: float) -> str:
        summary = {"CatalogName": CATALOG, "Type": "GLUE", "Status": "CREATE_COMPLETE"}
        return json.dumps({"DataCatalogsSummary": [summary]})

    def _get_data_catalog(self, request: Request, now_s: float) -> str:
        return json.dumps({"DataCatalog": {"Name": CATALOG, "Type": "GLUE", "Parameters": {}}})

    def _list_databases(self, request: Request, now_s: float) -> str:
        names = self._estate.schemas
        window = page(request, total=len(names), limit=50)
        databases = [
            {"Name": name, "Description": "invented", "Parameters": {}}
            for name in names[window.start : window.stop]
        ]
        return '{"DatabaseList":' + json.dumps(databases) + tail(window.token)

    def _get_database(self, request: Request, now_s: float) -> str:
        schema = self._schema(request)
        return json.dumps({"Database": {"Name": schema, "Parameters": {}}})

    def _list_table_metadata(self, request: Request, now_s: float) -> str:
        schema = self._schema(request)
        if request.get("Expression"):
            raise ServiceError("InvalidRequestException", "the stand-in knows no Expression")

        window = page(request, total=self._estate.objects_in(schema), limit=50)
        items = (self._item(schema, index) for index in range(window.start, window.stop))
        return '{"TableMetadataList":[' + ",".join(items) + "]" + tail(window.token)

    def _get_table_metadata(self, request: Request, now_s: float) -> str:
        schema = self._schema(request)
        index = self._estate.index_of(schema, str(request.get("TableName")))
        if index is None:
            raise _metadata_error(f"Table {request.get('TableName')} not found")

        return '{"TableMetadata":' + self._item(schema, index) + "}"

    def _item(self, schema: str, index: int) -> str:
        template = self._templates[self._estate.is_view(index)]
        return template.replace(SCHEMA_MARK, schema).replace(NAME_MARK, object_name(index))

    def _list_query_executions(self, request: Request, now_s: float) -> str:
        name = self._workgroup(request)
        count = self._history.count(name, now_s)
        window = page(request, total=count, limit=50)
        ids = self._history.ids(name, window.start, window.stop)
        return '{"QueryExecutionIds":' + json.dumps(ids) + tail(window.token)

    def _batch_get_query_execution(self, request: Request, now_s: float) -> str:
        ids = request.get("QueryExecutionIds")
        if not isinstance(ids, list) or not 1 <= len(ids) <= 50:
            raise ServiceError("InvalidRequestException", "QueryExecutionIds is not in [1, 50]")

        documents, others = self._history.page(ids)
        missing = []
        for query_id in others:
            query = self._queries.get(query_id)
            if query is None:
                missing.append(
                    {
                        "QueryExecutionId": query_id,
                        "ErrorCode": "INVALID_INPUT",
                        "ErrorMessage": f"QueryExecution {query_id} was not found",
                    }
                )
            else:
                documents.append(json.dumps(_execution(query, now_s)))

        executions = ",".join(documents)
        unprocessed = json.dumps(missing)
        return (
            '{"QueryExecutions":['
            + executions
            + '],"UnprocessedQueryExecutionIds":'
            + unprocessed
            + "}"
        )

    def _get_query_execution(self, request: Request, now_s: float) -> str:
        query_id = str(request.get("QueryExecutionId"))
        query = self._queries.get(query_id)
        if query is not None:
            return json.dumps({"QueryExecution": _execution(query, now_s)})

        documents, _ = self._history.page([query_id])
        if not documents:
            raise _no_query(query_id)

        return '{"QueryExecution":' + documents[0] + "}"

    def _start_query_execution(self, request: Request, now_s: float) -> str:
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
        return json.dumps({"QueryExecutionId": query.id})

    def _stop_query_execution(self, request: Request, now_s: float) -> str:
        query = self._queries.get(str(request.get("QueryExecutionId")))
        if query is None:
            raise _no_query(str(request.get("QueryExecutionId")))

        if now_s < query.completed_s:
            query.is_cancelled = True

        return "{}"

    def _get_query_results(self, request: Request, now_s: float) -> str:
        query = self._queries.get(str(request.get("QueryExecutionId")))
        if query is None:
            raise _no_query(str(request.get("QueryExecutionId")))

        state = query.state(now_s)
        if state != "SUCCEEDED" or query.result is None:
            message = f"Query did not finish successfully. Final query state: {state}"
            raise ServiceError("InvalidRequestException", message)

        result = query.result
        header = 1 if result.is_table else 0
        window = page(request, total=result.row_count + header, limit=_NUMBER_OF_ROWS)
        rows = result.rows_json(max(0, window.start - header), window.stop - header)
        if header and window.start == 0:
            names = ",".join('{"VarCharValue":' + json.dumps(name) + "}" for name in result.names)
            rows = '{"Data":[' + names + "]}" + ("," + rows if rows else "")

        columns = json.dumps([_column_info(name) for name in result.names])
        return (
            '{"UpdateCount":0,"ResultSet":{"Rows":['
            + rows
            + '],"ResultSetMetadata":{"ColumnInfo":'
            + columns
            + "}}"
            + tail(window.token)
        )

    def _schema(self, request: Request) -> str:
        if str(request.get("CatalogName", CATALOG)).lower() != CATALOG.lower():
            raise _metadata_error(f"Catalog {request.get('CatalogName')} not found")

        schema = str(request.get("DatabaseName"))
        if schema not in self._estate.schemas:
            raise _metadata_error(f"Database {schema} not found")

        return schema

    def _workgroup(self, request: Request) -> str:
        name = str(request.get("WorkGroup") or "primary")
        if name not in self._history.workgroups:
            raise ServiceError("InvalidRequestException", f"WorkGroup {name} is not found.")

        return name


_ENGINE = {
    "SelectedEngineVersion": "AUTO",
    "EffectiveEngineVersion": "Athena engine version 3",
}


def _no_query(query_id: str) -> ServiceError:
    return ServiceError("InvalidRequestException", f"QueryExecution {query_id} was not found")


def _metadata_error(message: str) -> ServiceError:
    inner = (
        f"{message}. (Service: AmazonDataCatalog; Status Code: 400; "
        "Error Code: EntityNotFoundException; Request ID: 0; Proxy: null)"
    )
    return ServiceError("MetadataException", inner)


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
