"""A straightforward boto3 loop over the history: list a page, fetch its executions, next page."""

from __future__ import annotations

import boto3

from benchmarks.peers.outcome import REGION, Found, Stopwatch


def main() -> None:
    """Extract all executions of all workgroups."""
    watch = Stopwatch()
    found = Found()
    athena = boto3.client("athena", region_name=REGION)
    groups = [group["Name"] for group in athena.list_work_groups(MaxResults=50)["WorkGroups"]]
    for group in groups:
        for page in athena.get_paginator("list_query_executions").paginate(WorkGroup=group):
            ids = page["QueryExecutionIds"]
            if ids:
                batch = athena.batch_get_query_execution(QueryExecutionIds=ids)
                found.executions += len(batch["QueryExecutions"])

    watch.report(found)


if __name__ == "__main__":
    main()
