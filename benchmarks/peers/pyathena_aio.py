"""PyAthena's asyncio cursors: all schemas at once, as far as its thread pool goes."""

from __future__ import annotations

import asyncio

from pyathena.aio.connection import AioConnection

from benchmarks.peers.outcome import REGION, Found, Stopwatch


async def extract() -> Found:
    """Extract tables, columns and view texts."""
    found = Found()
    connection = await AioConnection.create(
        s3_staging_dir="s3://results/pyathena/", region_name=REGION
    )
    async with connection:
        lister = connection.cursor()
        databases = await lister.list_databases(catalog_name="AwsDataCatalog")

        async def one(schema: str) -> None:
            tables = await connection.cursor().list_table_metadata(schema_name=schema)
            found.tables += len(tables)
            found.columns += sum(len(table.columns) + len(table.partition_keys) for table in tables)

        async def views() -> None:
            cursor = connection.cursor()
            await cursor.execute(
                "SELECT table_schema, table_name, view_definition FROM information_schema.views"
            )
            found.view_texts = len(await cursor.fetchall())

        await asyncio.gather(views(), *(one(database.name) for database in databases))

    return found


def main() -> None:
    """Run the extraction on a loop of its own."""
    watch = Stopwatch()
    watch.report(asyncio.run(extract()))


if __name__ == "__main__":
    main()
