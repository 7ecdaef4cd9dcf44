"""A straightforward aioboto3 loop from a result's pages to a gzipped CSV file."""

from __future__ import annotations

import asyncio
import csv
import gzip
import tempfile
from pathlib import Path
from typing import Any

import aioboto3

START: dict[str, Any] = {
    "QueryString": "SELECT table_catalog, table_schema, table_name, column_name, "
    "ordinal_position, data_type, is_nullable, extra_info, comment "
    "FROM information_schema.columns",
    "ResultConfiguration": {"OutputLocation": "s3://results/aioboto3"},
}
"""Arguments of StartQueryExecution."""


async def columns_to_gzip() -> int:
    """Read all of information_schema.columns as it comes; the number of rows."""
    rows = 0
    with tempfile.TemporaryDirectory() as output:
        async with aioboto3.Session().client("athena") as athena:
            query_id = (await athena.start_query_execution(**START))["QueryExecutionId"]
            state = ""
            while state != "SUCCEEDED":
                await asyncio.sleep(1)
                answer = await athena.get_query_execution(QueryExecutionId=query_id)
                state = answer["QueryExecution"]["Status"]["State"]

            pages = athena.get_paginator("get_query_results").paginate(QueryExecutionId=query_id)
            path = Path(output) / "columns.csv.gz"
            with gzip.open(path, "wt", compresslevel=1, newline="") as file:
                writer = csv.writer(file)
                async for page in pages:
                    for row in page["ResultSet"]["Rows"]:
                        writer.writerow(cells(row))
                        rows += 1

    return rows


def cells(row: dict[str, Any]) -> list[str | None]:
    """The texts of a row."""
    return [datum.get("VarCharValue") for datum in row["Data"]]
