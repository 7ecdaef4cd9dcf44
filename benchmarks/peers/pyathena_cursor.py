"""PyAthena, one call after the other: the cursor lists the tables, one query reads the views."""

from __future__ import annotations

from pyathena import connect

from benchmarks.peers.outcome import REGION, Found, Stopwatch


def main() -> None:
    """Extract tables, columns and view texts."""
    watch = Stopwatch()
    found = Found()
    connection = connect(s3_staging_dir="s3://results/pyathena/", region_name=REGION)
    with connection.cursor() as cursor:
        for database in cursor.list_databases(catalog_name="AwsDataCatalog"):
            for table in cursor.list_table_metadata(schema_name=database.name):
                found.tables += 1
                found.columns += len(table.columns) + len(table.partition_keys)

        cursor.execute(
            "SELECT table_schema, table_name, view_definition FROM information_schema.views"
        )
        found.view_texts = sum(1 for _ in cursor)

    watch.report(found)


if __name__ == "__main__":
    main()
