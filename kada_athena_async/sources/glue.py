"""Tables by Glue's GetTables: 100 a page, with view texts, owners and Iceberg's column flags."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from kada_athena_async.aws.client import AwsClient
from kada_athena_async.aws.decode import DECODED
from kada_athena_async.aws.wire import NOTHING, GluePage, GlueTable
from kada_athena_async.sources.interface import (
    RawColumns,
    RawView,
    TableDetail,
    moment,
    table_format,
)

PAGE_TABLES = 100
"""Tables of a GetTables page (AWS's limit); always sent, for default pages were seen to be tiny."""

PRESTO_VIEW_COMMENT = "Presto View"
"""What Athena writes as comment and Description of every view that it makes; nobody's words."""


class GlueTables:
    """Lists tables of the own account's Glue catalog."""

    found_by = "api"

    def __init__(self, client: AwsClient) -> None:
        self._client = client

    async def tables(self, catalog: str, schema: str) -> AsyncGenerator[list[TableDetail], None]:
        """Pages of up to 100 tables."""
        token: str | None = None
        while True:
            more = {"NextToken": token} if token else {}
            answer = await self._client.call(
                "glue",
                "GetTables",
                scope=f"schema {catalog}.{schema}",
                DatabaseName=schema,
                MaxResults=PAGE_TABLES,
                **more,
            )
            page: GluePage = answer[DECODED]
            if page.table_list:
                yield [detail_of(schema, table) for table in page.table_list]

            token = page.next_token
            if not token:
                return


def detail_of(schema: str, table: GlueTable) -> TableDetail:
    """What a Glue table says."""
    storage = table.storage_descriptor
    is_view = table.table_type == "VIRTUAL_VIEW" or table.view_definition is not None
    parameters = table.parameters or {}
    comment = table.description or parameters.get("comment")
    return TableDetail(
        schema=schema,
        name=table.name,
        is_view=is_view,
        table_format=None
        if is_view
        else table_format(parameters, storage.input_format if storage else None),
        location=(storage.location if storage else None) or None,
        owner=table.owner,
        comment=None if is_view and comment == PRESTO_VIEW_COMMENT else comment,
        created_at=moment(table.create_time),
        updated_at=moment(table.update_time),
        last_access_at=moment(table.last_access_time),
        parameters=parameters,
        columns=RawColumns(storage.columns if storage else NOTHING, table.partition_keys),
        view=_view_of(table) if is_view else None,
    )


def _view_of(table: GlueTable) -> RawView:
    """The Athena dialect of a multi-dialect view, else the view's own text."""
    definition = table.view_definition
    for representation in (definition.representations if definition else None) or ():
        if (representation.dialect or "").upper() == "ATHENA":
            return RawView(
                text=representation.view_original_text,
                expanded_text=representation.view_expanded_text,
            )

    return RawView(text=table.view_original_text, expanded_text=table.view_expanded_text)
