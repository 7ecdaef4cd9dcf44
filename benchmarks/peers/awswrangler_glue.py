"""awswrangler: Glue's databases and tables, one call after the other."""

from __future__ import annotations

import base64
import json

import awswrangler as wr
import boto3

from benchmarks.peers.outcome import REGION, Found, Stopwatch

_PREFIX = "/* Presto View: "


def main() -> None:
    """Extract tables, columns and view texts."""
    watch = Stopwatch()
    found = Found()
    session = boto3.Session(region_name=REGION)
    for database in wr.catalog.get_databases(boto3_session=session):
        for table in wr.catalog.get_tables(database=database["Name"], boto3_session=session):
            found.tables += 1
            found.columns += len(table["StorageDescriptor"]["Columns"])
            found.columns += len(table["PartitionKeys"])
            text = table.get("ViewOriginalText", "")
            if text.startswith(_PREFIX):
                view = json.loads(base64.b64decode(text[len(_PREFIX) : -len(" */")]))
                found.view_texts += bool(view["originalSql"])

    watch.report(found)


if __name__ == "__main__":
    main()
