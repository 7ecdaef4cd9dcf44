"""Facts that every source of metadata gives about tables."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

import msgspec


class RawColumns(NamedTuple):
    """The columns of a table as the catalog's API sent them: JSON, see ``catalog_columns``."""

    columns: msgspec.Raw
    partition_keys: msgspec.Raw


@dataclass(frozen=True, slots=True, kw_only=True)
class RawView:
    """A view's text as the source gives it.

    Attributes:
        text: Original text of the catalog (encoded for a Presto view), or SQL's view_definition.
        expanded_text: The catalog's expanded text; a Hive view's real SQL.
        dialect: Whose SQL it is, in lower case (``athena``, ``spark``, ``redshift``), where the
            catalog says so.
        is_plain_sql: True if *text* is the definition itself, from information_schema.views.
    """

    text: str | None
    expanded_text: str | None = None
    dialect: str | None = None
    is_plain_sql: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TableDetail:
    """A table or view as an API, or ``information_schema.tables``, gives it.

    Attributes:
        columns: None where the source gives none.
        parameters: None where the source gives none.
        is_view: True if it has a text. A materialized view of Glue's has a format, too.
        link_target: ``catalog.database.table`` that a resource link of Lake Formation stands for.
    """

    schema: str
    name: str
    is_view: bool
    table_format: str | None = None
    location: str | None = None
    owner: str | None = None
    comment: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    last_access_at: datetime | None = None
    parameters: dict[str, str] | None = None
    columns: RawColumns | None = None
    view: RawView | None = None
    link_target: str | None = None


class TablePage(NamedTuple):
    """Some tables of a schema, each table of it in one page only.

    Attributes:
        unreadable: What of the source's answer could not be read, by path.
    """

    tables: list[TableDetail]
    unreadable: tuple[str, ...] = ()


class TableSource(Protocol):
    """Lists the tables of a schema with what the source gives about them."""

    name: str
    """The operation or statement that it asks, such as ``glue:GetTables``."""

    found_by: str
    """``api`` or ``sql``."""

    is_denied_as_a_whole: bool
    """True if a refusal holds for every schema of the catalog, not only for the one asked for."""

    def tables(self, catalog: str, schema: str) -> AsyncGenerator[TablePage, None]:
        """Pages of tables, in the source's order; close it (``aclosing``) if you leave early.

        Raises:
            UnitError: Denied, not found, or broken.
        """

    def ask_ahead(self, catalog: str, schema: str) -> None:
        """Begin to ask for the first of these pages, if that can be done."""


def table_location(location: str | None, path: str | None) -> str | None:
    """The place of a table's data; Spark keeps that of its own tables with the SerDe's parameters.

    Source: ``HiveExternalCatalog`` of apache/spark, which writes a placeholder as location.

    Args:
        path: The SerDe's parameter ``path``.
    """
    is_placeholder = (location or "").endswith("-__PLACEHOLDER__")
    return (path if is_placeholder else location) or None


def table_format(parameters: dict[str, str] | None, input_format: str | None) -> str:
    """The table's format, from what the writers of each leave in the catalog.

    ``table_type`` is authoritative for Iceberg and Delta; Spark names its provider; Hudi has its
    own input format. Everything else is a Hive table.
    """
    lowered = {key.lower(): value.lower() for key, value in (parameters or {}).items()}
    for key in ("table_type", "spark.sql.sources.provider"):
        if (named := lowered.get(key, "")) in ("iceberg", "delta", "hudi"):
            return named

    if "hudi" in (input_format or "").lower() or "hoodie.table.name" in lowered:
        return "hudi"

    return "hive"
