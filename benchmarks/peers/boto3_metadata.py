"""A straightforward boto3 loop over Athena's listings, and one query for the views."""

from __future__ import annotations

import time

import boto3

from benchmarks.peers.outcome import REGION, Found, Stopwatch

POLL_S = 1.0


def main() -> None:
    """Extract tables, columns and view texts."""
    watch = Stopwatch()
    found = Found()
    athena = boto3.client("athena", region_name=REGION)
    listing = athena.get_paginator("list_databases").paginate(CatalogName="AwsDataCatalog")
    for database in [item["Name"] for page in listing for item in page["DatabaseList"]]:
        pages = athena.get_paginator("list_table_metadata").paginate(
            CatalogName="AwsDataCatalog", DatabaseName=database
        )
        for page in pages:
            for table in page["TableMetadataList"]:
                found.tables += 1
                found.columns += len(table["Columns"]) + len(table["PartitionKeys"])

    for page in result_pages(
        athena, "SELECT table_schema, table_name, view_definition FROM information_schema.views"
    ):
        found.view_texts += len(page)

    found.view_texts -= 1
    watch.report(found)


def result_pages(athena, sql):
    """Run *sql* and yield the rows of its pages, the header row first."""
    query_id = athena.start_query_execution(
        QueryString=sql, ResultConfiguration={"OutputLocation": "s3://results/boto3/"}
    )["QueryExecutionId"]
    while True:
        status = athena.get_query_execution(QueryExecutionId=query_id)["QueryExecution"]["Status"]
        if status["State"] in ("SUCCEEDED", "FAILED", "CANCELLED"):
            break

        time.sleep(POLL_S)

    if status["State"] != "SUCCEEDED":
        raise RuntimeError(status)

    for page in athena.get_paginator("get_query_results").paginate(QueryExecutionId=query_id):
        yield page["ResultSet"]["Rows"]


if __name__ == "__main__":
    main()
