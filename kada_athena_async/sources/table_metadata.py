"""Tables by Athena's ListTableMetadata: 50 a page, any kind of catalog, no view texts."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from kada_athena_async.aws.client import AwsClient
from kada_athena_async.aws.decode import DECODED
from kada_athena_async.aws.wire import TableMetadata, TableMetadataPage
from kada_athena_async.sources.glue import PRESTO_VIEW_COMMENT
from kada_athena_async.sources.interface import (
    RawColumns,
    RawView,
    TableDetail,
    moment,
    table_format,
)

PAGE_TABLES = 50
"""Tables of a ListTableMetadata page (AWS's limit)."""


class TableMetadataTables:
    """Lists tables of any catalog that Athena knows.

    Args:
        has_formats: True if the catalog is a metastore of files (Glue, Hive), whose tables have
            a format; a federated source has none.
    """

    found_by = "api"

    def __init__(self, client: AwsClient, *, has_formats: bool) -> None:
        self._client = client
        self._has_formats = has_formats

    async def tables(self, catalog: str, schema: str) -> AsyncGenerator[list[TableDetail], None]:
        """Pages of up to 50 tables."""
        token: str | None = None
        while True:
            more = {"NextToken": token} if token else {}
            answer = await self._client.call(
                "athena",
                "ListTableMetadata",
                scope=f"schema {catalog}.{schema}",
                CatalogName=catalog,
                DatabaseName=schema,
                MaxResults=PAGE_TABLES,
                **more,
            )
            page: TableMetadataPage = answer[DECODED]
            if page.table_metadata_list:
                yield [
                    detail_of(schema, table, has_formats=self._has_formats)
                    for table in page.table_metadata_list
                ]

            token = page.next_token
            if not token:
                return


def detail_of(schema: str, table: TableMetadata, *, has_formats: bool) -> TableDetail:
    """What a TableMetadata says; its parameters hold location and comment."""
    parameters = table.parameters or {}
    is_view = table.table_type == "VIRTUAL_VIEW" or parameters.get("presto_view") == "true"
    comment = parameters.get("comment")
    has_format = has_formats and not is_view
    return TableDetail(
        schema=schema,
        name=table.name,
        is_view=is_view,
        table_format=table_format(parameters, parameters.get("inputformat"))
        if has_format
        else None,
        location=parameters.get("location") or None,
        comment=None if is_view and comment == PRESTO_VIEW_COMMENT else comment,
        created_at=moment(table.create_time),
        last_access_at=moment(table.last_access_time),
        parameters=parameters,
        columns=RawColumns(table.columns, table.partition_keys),
        view=RawView(text=None) if is_view else None,
    )
