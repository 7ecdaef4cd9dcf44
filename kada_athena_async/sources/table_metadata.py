"""Tables by Athena's ListTableMetadata: 50 a page, any kind of catalog, no view texts."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from kada_athena_async.aws.client import AwsClient
from kada_athena_async.aws.pages import LIST_TABLE_METADATA, first_page_ahead, pages
from kada_athena_async.aws.wire import TableMetadata, moment, without_nulls
from kada_athena_async.sources.glue import PRESTO_VIEW_COMMENT
from kada_athena_async.sources.interface import (
    RawColumns,
    RawView,
    TableDetail,
    TablePage,
    table_format,
    table_location,
)


class TableMetadataTables:
    """Lists tables of any catalog that Athena knows.

    Args:
        has_formats: True if the catalog is a metastore of files (Glue, Hive), whose tables have
            a format; a federated source has none.
    """

    name = "athena:ListTableMetadata"
    found_by = "api"
    is_denied_as_a_whole = False

    def __init__(self, client: AwsClient, *, has_formats: bool) -> None:
        self._client = client
        self._has_formats = has_formats

    async def tables(self, catalog: str, schema: str) -> AsyncGenerator[TablePage, None]:
        """Pages of up to 50 tables."""
        async with aclosing(pages(**self._asked(catalog, schema))) as found:
            async for page in found:
                tables = [
                    detail_of(schema, table, has_formats=self._has_formats) for table in page.items
                ]
                yield TablePage(tables, page.unreadable)

    def ask_ahead(self, catalog: str, schema: str) -> None:
        """Begin to ask for the first page, which ``tables`` gives."""
        first_page_ahead(**self._asked(catalog, schema))

    def _asked(self, catalog: str, schema: str) -> dict[str, Any]:
        return {
            "client": self._client,
            "listing": LIST_TABLE_METADATA,
            "scope": f"schema {catalog}.{schema}",
            "CatalogName": catalog,
            "DatabaseName": schema,
        }


def detail_of(schema: str, table: TableMetadata, *, has_formats: bool) -> TableDetail:
    """Details of a TableMetadata; its parameters hold location and comment."""
    parameters = without_nulls(table.parameters)
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
        location=table_location(parameters.get("location"), parameters.get("serde.param.path")),
        comment=None if is_view and comment == PRESTO_VIEW_COMMENT else comment,
        created_at=moment(table.create_time),
        last_access_at=moment(table.last_access_time),
        parameters=parameters,
        columns=RawColumns(table.columns, table.partition_keys),
        view=RawView(text=None) if is_view else None,
    )
