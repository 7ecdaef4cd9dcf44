"""Athena's operations by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from kada_athena_async.sandbox.athena import executions
from kada_athena_async.sandbox.athena.shapes import present, workgroup_shape, workgroup_summary
from kada_athena_async.sandbox.athena.site import Site
from kada_athena_async.sandbox.athena.submission import start_query_execution
from kada_athena_async.sandbox.caller import Call
from kada_athena_async.sandbox.pages import PageRule
from kada_athena_async.sandbox.wire import Json, required

# Page size of botocore's service model of Athena.
WORKGROUPS_PAGE = PageRule(1, 50, 50)


def list_work_groups(site: Site, call: Call) -> Json:
    found, token = call.page(
        list(site.estate.workgroups.values()),
        scope="workgroups",
        rule=WORKGROUPS_PAGE,
    )
    return present({"WorkGroups": [workgroup_summary(w) for w in found], "NextToken": token})


def get_work_group(site: Site, call: Call) -> Json:
    return {"WorkGroup": workgroup_shape(site.workgroup(required(call.parameters, "WorkGroup")))}


def list_system_table_statuses(site: Site, call: Call) -> Json:
    is_on = site.estate.system_table_lag is not None
    return {"Items": [{"TableName": "QUERY_EXECUTIONS", "Enabled": is_on}]}


OPERATIONS: Mapping[str, Callable[[Site, Call], Json]] = {
    "StartQueryExecution": start_query_execution,
    "StopQueryExecution": executions.stop_query_execution,
    "GetQueryExecution": executions.get_query_execution,
    "BatchGetQueryExecution": executions.batch_get_query_execution,
    "ListQueryExecutions": executions.list_query_executions,
    "GetQueryResults": executions.get_query_results,
    "ListWorkGroups": list_work_groups,
    "GetWorkGroup": get_work_group,
    "ListSystemTableStatuses": list_system_table_statuses,
}
