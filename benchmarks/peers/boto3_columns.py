"""A straightforward boto3 loop from a result's pages to a gzipped CSV file."""

from __future__ import annotations

import csv
import gzip
import sys
from pathlib import Path

import boto3

from benchmarks.peers.boto3_metadata import result_pages
from benchmarks.peers.outcome import REGION, Found, Stopwatch


def main() -> None:
    """Read all of information_schema.columns into the file named by the first argument."""
    watch = Stopwatch()
    found = Found()
    athena = boto3.client("athena", region_name=REGION)
    sql = (
        "SELECT table_catalog, table_schema, table_name, column_name, ordinal_position, "
        "data_type, is_nullable, extra_info, comment FROM information_schema.columns"
    )
    path = Path(sys.argv[1])
    with gzip.open(path, "wt", compresslevel=1, newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        for page in result_pages(athena, sql):
            for row in page:
                writer.writerow([datum.get("VarCharValue") for datum in row["Data"]])
                found.rows += 1

    found.rows -= 1
    watch.report(found, file_bytes=path.stat().st_size)


if __name__ == "__main__":
    main()
