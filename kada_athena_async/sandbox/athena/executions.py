"""Athena's operations on executions that exist: list, describe, stop, read."""

from __future__ import annotations

from datetime import timedelta
from typing import cast

from kada_athena_async.sandbox.athena.history import Position
from kada_athena_async.sandbox.athena.results import result_page
from kada_athena_async.sandbox.athena.shapes import execution_shape, present
from kada_athena_async.sandbox.athena.site import DEFAULT_WORKGROUP, Site
from kada_athena_async.sandbox.caller import Call
from kada_athena_async.sandbox.estate.model import Execution
from kada_athena_async.sandbox.faults import BATCHED_ID
from kada_athena_async.sandbox.pages import PageRule, page_size, read_token, write_token
from kada_athena_async.sandbox.wire import AwsError, Json, invalid_request, required, text, texts

# Page sizes of botocore's service model of Athena.
HISTORY_PAGE = PageRule(0, 50, 50)
RESULTS_PAGE = PageRule(1, 1000, 1000)
MAX_BATCH = 50

# Sorts before every execution, in any order; JSON has no infinity.
BEFORE_ALL: Position = (-1e18, "")


def list_query_executions(site: Site, call: Call) -> Json:
    workgroup = site.workgroup(text(call.parameters, "WorkGroup") or DEFAULT_WORKGROUP)
    size = page_size(call.parameters, HISTORY_PAGE)
    if call.most_items is not None:
        size = min(size, call.most_items)

    scope = f"history {workgroup.name}"
    position = read_token(call.parameters, scope, HISTORY_PAGE)
    last = BEFORE_ALL if position is None else _position(position)
    if workgroup.is_spark:
        return {"QueryExecutionIds": []}

    now = site.now()
    hidden = site.behaviour.visible_after
    found: list[str] = []
    with site.guard:
        walk = site.history.walk(
            workgroup.name,
            after=last,
            order=site.behaviour.history_order,
            oldest=now - timedelta(days=site.behaviour.retention_days),
        )
        for position, execution in walk:
            query_id = execution.query_execution_id
            if query_id in hidden and hidden[query_id] > now:
                continue

            if len(found) == size:
                token = write_token(scope, last)
                return {"QueryExecutionIds": found, "NextToken": token}

            found.append(query_id)
            last = position

    return {"QueryExecutionIds": found}


def batch_get_query_execution(site: Site, call: Call) -> Json:
    ids = texts(call.parameters, "QueryExecutionIds")
    if not 1 <= len(ids) <= MAX_BATCH:
        raise invalid_request(f"QueryExecutionIds must have 1 to {MAX_BATCH} members")

    site.queries.advance()
    found: list[Json] = []
    unprocessed: list[Json] = []
    for query_id in ids:
        try:
            execution = visible_execution(site, call, query_id)
        except AwsError as error:
            unprocessed.append(_unprocessed(query_id, error.code, error.message))
            continue

        facts = {"query_execution_id": query_id, "workgroup": execution.workgroup}
        fault = next(iter(site.faults.strike(BATCHED_ID, facts)), None)
        if fault is not None:
            code = fault.code or "INTERNAL_FAILURE"
            unprocessed.append(_unprocessed(query_id, code, fault.message or "try again"))
            continue

        found.append(_shape(site, execution))

    return {"QueryExecutions": found, "UnprocessedQueryExecutionIds": unprocessed}


def get_query_execution(site: Site, call: Call) -> Json:
    site.queries.advance()
    execution = visible_execution(site, call, required(call.parameters, "QueryExecutionId"))
    return {"QueryExecution": _shape(site, execution)}


def stop_query_execution(site: Site, call: Call) -> Json:
    execution = visible_execution(site, call, required(call.parameters, "QueryExecutionId"))
    site.queries.cancel(execution)
    return {}


def get_query_results(site: Site, call: Call) -> Json:
    site.queries.advance()
    query_id = required(call.parameters, "QueryExecutionId")
    execution = visible_execution(site, call, query_id)
    if execution.state in ("QUEUED", "RUNNING"):
        raise invalid_request(f"Query has not yet finished. Current state: {execution.state}")

    if execution.state != "SUCCEEDED":
        raise invalid_request(
            f"Query did not finish successfully. Final query state: {execution.state}"
        )

    run = site.queries.find(query_id)
    _require_object(site, call, execution)
    if run is None or run.outcome is None:
        raise invalid_request("Could not find results")

    rows, token = call.page(
        run.rows,
        scope=f"results {query_id}",
        rule=RESULTS_PAGE,
    )
    answer = result_page(run.outcome.columns, rows, run.outcome.update_count)
    return present({**answer, "NextToken": token})


def visible_execution(site: Site, call: Call, query_id: str) -> Execution:
    """The execution of that id, if it exists and the caller may see its workgroup.

    Raises:
        AwsError: It does not, or may not.
    """
    execution = site.estate.executions.get(query_id)
    if execution is None:
        raise invalid_request(f"QueryExecution {query_id} was not found")

    call.require(call.operation, call.arn("athena", f"workgroup/{execution.workgroup}"))
    return execution


def _position(raw: object) -> Position:
    seconds, query_id = cast("tuple[float, str]", raw)
    return (float(seconds), query_id)


def _shape(site: Site, execution: Execution) -> Json:
    workgroup = site.estate.workgroups.get(execution.workgroup)
    is_managed = workgroup is not None and workgroup.has_managed_results
    return execution_shape(execution, is_managed=is_managed and not execution.output_location)


def _require_object(site: Site, call: Call, execution: Execution) -> None:
    """Athena reads the result object for the caller, with the caller's rights."""
    location = execution.output_location
    if not location or not location.endswith((".csv", ".txt")):
        return

    bucket, _, key = location.removeprefix("s3://").partition("/")
    call.require("s3:GetObject", f"arn:aws:s3:::{bucket}/{key}")
    if not site.buckets.has(bucket, key):
        raise invalid_request("Could not find results")


def _unprocessed(query_id: str, code: str, message: str) -> Json:
    return {"QueryExecutionId": query_id, "ErrorCode": code, "ErrorMessage": message}
