"""The extracts hold what the official synchronous client gets from the sandbox."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import boto3

from kada_athena_async.sandbox import Sandbox


def client(sandbox: Sandbox, service: str) -> Any:
    return boto3.client(
        service,
        region_name=sandbox.region,
        endpoint_url=sandbox.endpoint_url,
        aws_access_key_id=sandbox.access_key_id,
        aws_secret_access_key=sandbox.secret_access_key,
    )


def columns_by_boto3(sandbox: Sandbox) -> set[tuple[str, ...]]:
    """(schema, table, column, type) of every current column that Glue shows."""
    glue = client(sandbox, "glue")
    found = set()
    databases = glue.get_paginator("get_databases").paginate()
    for database in (d["Name"] for page in databases for d in page["DatabaseList"]):
        pages = glue.get_paginator("get_tables").paginate(DatabaseName=database)
        for table in (t for page in pages for t in page["TableList"]):
            columns = table.get("StorageDescriptor", {}).get("Columns", [])
            for column in [*columns, *table.get("PartitionKeys", [])]:
                if column.get("Parameters", {}).get("iceberg.field.current") != "false":
                    found.add((database, table["Name"], column["Name"], column["Type"]))

    return found


def history_by_boto3(sandbox: Sandbox) -> dict[str, tuple[str, str]]:
    """Id -> (state, query) of every execution that any workgroup lists."""
    athena = client(sandbox, "athena")
    found = {}
    for workgroup in athena.list_work_groups()["WorkGroups"]:
        pages = athena.get_paginator("list_query_executions").paginate(WorkGroup=workgroup["Name"])
        for page in pages:
            if not page["QueryExecutionIds"]:
                continue

            answer = athena.batch_get_query_execution(QueryExecutionIds=page["QueryExecutionIds"])
            for execution in answer["QueryExecutions"]:
                found[execution["QueryExecutionId"]] = (
                    execution["Status"]["State"],
                    execution["Query"],
                )

    return found


async def test_boto3_is_told_the_same(
    sandbox: Sandbox, extractor: Any, read_extracts: Any, tmp_path: Path
) -> None:
    """Columns by Glue and executions by Athena, as boto3 sees them, are the extracts' rows."""
    async with extractor(metadata_source="api", mask=False, settle_seconds=0) as made:
        report = await made.run(manage_hwm=True)

    assert report.committed
    extracts = read_extracts(tmp_path / "out")
    columns = {
        (r["schema"], r["table"], r["column"], r["source_type"])
        for r in extracts.rows("metadata_columns")
        if r["catalog"] == "AwsDataCatalog"
    }
    assert columns == columns_by_boto3(sandbox)

    told = {r["query_id"]: (r["status"], r["query"]) for r in extracts.rows("databaselog")}
    listed = history_by_boto3(sandbox)
    final = {i for i, (state, _) in listed.items() if state not in ("QUEUED", "RUNNING")}
    # The oldest may have left Athena's 45 days between the two looks.
    assert len(final - told.keys()) <= 2
    for query_id, (state, query) in told.items():
        assert listed[query_id] == (state, query.replace("�", "\x00")) or "�" in query
