"""StartQueryExecution: what is refused at once, and what is put in the queue."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from uuid import uuid4

from kada_athena_async.sandbox.athena.catalogs import find_catalog
from kada_athena_async.sandbox.athena.queries import (
    NO_PERMISSION,
    USER_ERROR,
    Run,
    to_milliseconds,
)
from kada_athena_async.sandbox.athena.site import DEFAULT_CATALOG, DEFAULT_WORKGROUP, Site
from kada_athena_async.sandbox.athena.statements import is_single, mentions_catalog, reads_catalog
from kada_athena_async.sandbox.caller import Call
from kada_athena_async.sandbox.estate.kinds import Kind, bare_statement, kind_of
from kada_athena_async.sandbox.estate.model import Execution, Failure, TableRef, Workgroup
from kada_athena_async.sandbox.execute import QueryOutcome, execute
from kada_athena_async.sandbox.faults import QUERY, Fault
from kada_athena_async.sandbox.wire import (
    AwsError,
    Json,
    invalid_request,
    required,
    structure,
    text,
    texts,
)

# Amazon Athena User Guide, Service Quotas: query string length, and botocore's service model.
MAX_QUERY_BYTES = 262_144
TOKEN_LENGTHS = range(32, 129)


def start_query_execution(site: Site, call: Call) -> Json:
    """The id of a new query, or of the one that the same token began.

    Raises:
        AwsError: The request is refused; nothing runs.
    """
    query = required(call.parameters, "QueryString")
    token = required(call.parameters, "ClientRequestToken")
    if len(token) not in TOKEN_LENGTHS:
        raise invalid_request("ClientRequestToken must have 32 to 128 characters")

    if len(query.encode()) > MAX_QUERY_BYTES:
        raise invalid_request(f"Query string exceeds {MAX_QUERY_BYTES} bytes")

    with site.guard:
        sent = {k: v for k, v in call.parameters.items() if k != "ClientRequestToken"}
        if token in site.tokens:
            sent_before, query_id = site.tokens[token]
            if sent_before != sent:
                raise invalid_request("Idempotent parameters do not match")

            return {"QueryExecutionId": query_id}

        if not is_single(query):
            raise invalid_request(f"Only one sql statement is allowed. Got: {query[:100]}")

        query_id = _submit(site, call, query)
        site.tokens[token] = (sent, query_id)
        return {"QueryExecutionId": query_id}


def _submit(site: Site, call: Call, query: str) -> str:
    workgroup = _usable_workgroup(site, text(call.parameters, "WorkGroup") or DEFAULT_WORKGROUP)
    location = _output_location(workgroup, call)
    _require_bucket(call, location)
    context = structure(call.parameters, "QueryExecutionContext")
    catalog = text(context, "Catalog") or DEFAULT_CATALOG
    database = text(context, "Database")
    _require_catalogs(site, call, query, catalog)
    kind = kind_of(bare_statement(query))
    _require_free_slot(site, call, kind)

    query_id = str(uuid4())
    bucket, key = _result_object(location, query_id, kind)
    execution = Execution(
        query_execution_id=query_id,
        query=query,
        workgroup=workgroup.name,
        submitted_at=to_milliseconds(site.now()),
        state="QUEUED",
        statement_type=kind.type,
        substatement_type=kind.subtype or None,
        # Athena gives the catalog back in lower case, whatever was sent.
        catalog=catalog.lower(),
        database=database,
        engine_version=workgroup.engine_version,
        output_location=f"s3://{bucket}/{key}" if bucket else None,
        caller_arn=call.key.principal.arn,
        user_agent=call.user_agent,
    )
    facts = {**call.facts, "query": query, "catalog": execution.catalog or ""}
    struck = site.faults.strike(QUERY, facts)
    site.queries.start(
        Run(
            execution=execution,
            execute=_work(site, call, execution, struck),
            bucket=bucket,
            key=key,
            may_write=call.may("s3:PutObject", f"arn:aws:s3:::{bucket}/{key}"),
            queue_s=site.behaviour.queue_s,
            engine_s=site.behaviour.engine_s
            + sum(fault.seconds for fault in struck if fault.kind == "slow_query"),
        )
    )
    return query_id


def _work(
    site: Site, call: Call, execution: Execution, struck: Sequence[Fault]
) -> Callable[[], QueryOutcome]:
    """Runs the statement, unless a fault or a missing right fails it."""
    failed = next((fault for fault in struck if fault.kind == "failed_query"), None)
    if failed is not None:
        message = failed.message or "GENERIC_INTERNAL_ERROR: the query failed"
        failure = Failure(failed.category, failed.type, message, failed.retryable)
        return lambda: QueryOutcome(error=failure)

    catalog_arn = f"arn:aws:glue:{call.region}:{call.account_id}:catalog"
    if reads_catalog(execution.query) and not call.may("glue:GetTables", catalog_arn):
        message = (
            f"Insufficient permissions to execute the query. User: {call.key.principal.arn} is "
            f"not authorized to perform: glue:GetTables on resource: {catalog_arn}"
        )
        return lambda: QueryOutcome(error=Failure(USER_ERROR, NO_PERMISSION, message))

    parameters = texts(call.parameters, "ExecutionParameters")
    return lambda: execute(
        execution.query,
        estate=site.estate,
        catalog=execution.catalog or DEFAULT_CATALOG,
        database=execution.database,
        parameters=parameters,
        poison=_poison(site),
        now=site.now(),
    )


def _poison(site: Site) -> dict[TableRef, str]:
    return {
        TableRef(
            fault.where.get("catalog", DEFAULT_CATALOG),
            fault.where.get("schema", ""),
            fault.where.get("table", ""),
        ): fault.message
        for fault in site.faults.in_force().values()
        if fault.kind == "poison_table"
    }


def _usable_workgroup(site: Site, name: str) -> Workgroup:
    workgroup = site.workgroup(name)
    if workgroup.state == "DISABLED":
        raise invalid_request(f"WorkGroup {name} is disabled.")

    if workgroup.is_spark:
        raise invalid_request(
            f"WorkGroup {name} uses {workgroup.engine_version}: it does not run SQL queries."
        )

    return workgroup


def _output_location(workgroup: Workgroup, call: Call) -> str | None:
    """Location of the result; None if Athena keeps it itself."""
    asked = text(structure(call.parameters, "ResultConfiguration"), "OutputLocation")
    if workgroup.has_managed_results:
        if asked:
            raise invalid_request(
                "ManagedQueryResultsConfiguration and ResultConfiguration cannot be set together."
            )

        return None

    own = workgroup.output_location
    location = own if own and (workgroup.is_enforced or not asked) else asked
    if not location:
        raise invalid_request(
            "No output location provided. An output location is required either through the "
            "Workgroup result configuration setting or as an API input."
        )

    if not location.startswith("s3://") or not location[5:].split("/")[0]:
        raise invalid_request(f"outputLocation is not a valid S3 path. Provided: {location}")

    return location


def _require_bucket(call: Call, location: str | None) -> None:
    """Athena looks where the bucket is, with the caller's right, before it takes the query."""
    bucket = (location or "").removeprefix("s3://").partition("/")[0]
    if bucket and not call.may("s3:GetBucketLocation", f"arn:aws:s3:::{bucket}"):
        raise invalid_request(f"Unable to verify/create output bucket {bucket}")


def _require_catalogs(site: Site, call: Call, query: str, catalog: str) -> None:
    """A query against a registered catalog needs the right to GetDataCatalog (Athena API)."""
    for known in list(site.estate.catalogs.values()):
        is_meant = known.name.lower() == catalog.lower() or mentions_catalog(query, known.name)
        if known.name != DEFAULT_CATALOG and is_meant:
            call.require("athena:GetDataCatalog", call.arn("athena", f"datacatalog/{known.name}"))

    find_catalog(site.estate, catalog)


def _require_free_slot(site: Site, call: Call, kind: Kind) -> None:
    is_ddl = kind.type == "DDL"
    most = site.behaviour.active_ddl if is_ddl else site.behaviour.active_dml
    if call.fault("too_many_requests") is None and site.queries.active(is_ddl=is_ddl) < most:
        return

    raise AwsError(
        "TooManyRequestsException",
        "You have exceeded the limit for the number of queries you can run concurrently. "
        "Reduce the number of concurrent queries submitted by this account.",
        extra={"Reason": "CONCURRENT_QUERY_LIMIT_EXCEEDED"},
    )


def _result_object(location: str | None, query_id: str, kind: Kind) -> tuple[str, str]:
    if location is None:
        return "", ""

    bucket, _, prefix = location[5:].partition("/")
    prefix = prefix if prefix.endswith("/") or not prefix else f"{prefix}/"
    return bucket, prefix + kind.result_key(query_id)
