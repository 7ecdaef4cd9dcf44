"""Tables by Glue's GetTables: 100 a page, with view texts, owners and Iceberg's column flags."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from kada_athena_async.aws.client import AwsClient
from kada_athena_async.aws.pages import GET_TABLES, first_page_ahead, pages
from kada_athena_async.aws.wire import (
    NOTHING,
    GlueTable,
    StorageDescriptor,
    moment,
    without_nulls,
)
from kada_athena_async.sources.interface import (
    RawColumns,
    RawView,
    TableDetail,
    TablePage,
    table_format,
    table_location,
)

PRESTO_VIEW_COMMENT = "Presto View"
"""Athena writes it as comment and Description of every view: no comment of a person."""


class GlueTables:
    """Lists tables of a catalog of Glue's.

    Args:
        catalog_id: None for the account's own.
    """

    name = "glue:GetTables"
    found_by = "api"
    is_denied_as_a_whole = False

    def __init__(self, client: AwsClient, catalog_id: str | None = None) -> None:
        self._client = client
        self._named: dict[str, Any] = {"CatalogId": catalog_id} if catalog_id else {}

    async def tables(self, catalog: str, schema: str) -> AsyncGenerator[TablePage, None]:
        """Pages of up to 100 tables."""
        async with aclosing(pages(**self._asked(catalog, schema))) as found:
            async for page in found:
                tables = [detail_of(schema, table) for table in page.items]
                yield TablePage(tables, page.unreadable)

    def ask_ahead(self, catalog: str, schema: str) -> None:
        """Begin to ask for the first page, which ``tables`` gives."""
        first_page_ahead(**self._asked(catalog, schema))

    def _asked(self, catalog: str, schema: str) -> dict[str, Any]:
        return {
            "client": self._client,
            "listing": GET_TABLES,
            "scope": f"schema {catalog}.{schema}",
            "DatabaseName": schema,
            **self._named,
        }


_ENCODED_MARKS = ("/* Presto View: ", "/* Presto Materialized View: ")

LINK_TARGET = "resource_link.target"
"""Parameter that names what a resource link stands for; ours, for Glue keeps it elsewhere."""


def detail_of(schema: str, table: GlueTable) -> TableDetail:
    """Details of a Glue table.

    A resource link comes with what its target says, where the caller may see that; else without
    storage, so that its format is unknown.
    """
    storage = table.storage_descriptor
    is_materialized = bool(table.is_materialized_view)
    is_view = (
        is_materialized or table.table_type == "VIRTUAL_VIEW" or table.view_definition is not None
    )
    parameters = {**_storage_parameters(storage), **without_nulls(table.parameters)}
    comment = table.description or parameters.get("comment")
    link_target = str(table.target_table or "") or None
    has_storage = storage is not None and bool(storage.location or storage.input_format)
    has_format = is_materialized or not (is_view or (link_target and not has_storage))
    if link_target:
        parameters = {**parameters, LINK_TARGET: link_target}

    return TableDetail(
        schema=schema,
        name=table.name,
        is_view=is_view,
        table_format=table_format(parameters, storage.input_format if storage else None)
        if has_format
        else None,
        location=table_location(
            storage.location if storage else None, parameters.get("serde.param.path")
        ),
        owner=table.owner,
        comment=None if is_view and comment == PRESTO_VIEW_COMMENT else comment,
        created_at=moment(table.create_time),
        updated_at=moment(table.update_time),
        last_access_at=moment(table.last_access_time),
        parameters=parameters,
        columns=RawColumns(storage.columns if storage else NOTHING, table.partition_keys),
        view=_view_of(table) if is_view else None,
        link_target=link_target,
    )


def _storage_parameters(storage: StorageDescriptor | None) -> dict[str, str]:
    """Input format and SerDe, by the names under which ListTableMetadata has them."""
    serde = storage.serde_info if storage else None
    found = {
        "inputformat": storage.input_format if storage else None,
        "serde.serialization.lib": serde.serialization_library if serde else None,
        "serde.param.path": without_nulls(serde.parameters).get("path") if serde else None,
    }
    return {name: value for name, value in found.items() if value}


def _view_of(table: GlueTable) -> RawView:
    """The Athena dialect of a multi-dialect view, else its own text, else another dialect."""
    definition = table.view_definition
    by_dialect = [
        representation
        for representation in (definition.representations if definition else None) or ()
        if representation.view_original_text or representation.view_expanded_text
    ]
    by_dialect.sort(key=lambda representation: (representation.dialect or "").upper() != "ATHENA")
    own = RawView(text=table.view_original_text, expanded_text=table.view_expanded_text)
    if not by_dialect:
        # Spark alone makes materialized views that Glue shows.
        text = own.text or own.expanded_text
        return RawView(text=text, dialect="spark") if table.is_materialized_view else own

    best = by_dialect[0]
    dialect = (best.dialect or "").lower() or None
    if dialect != "athena" and (own.text or "").lstrip().startswith(_ENCODED_MARKS):
        return own

    return RawView(
        text=best.view_original_text or best.view_expanded_text,
        expanded_text=best.view_expanded_text,
        dialect=dialect,
    )
