"""Joins what SQL and the API say about the same tables into records; pure.

In ``auto`` each is the other's witness: SQL's columns are what a query would see (Trino's types,
current columns), the API adds the catalog's own types, comments, places and times.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from kada_athena_async.records import ColumnRecord, TableRecord, ViewRecord
from kada_athena_async.sources.information_schema import TableKey
from kada_athena_async.sources.interface import ColumnDetail, RawView, SqlColumn, TableDetail

TypeSpelling: TypeAlias = Callable[[str], str]
"""The catalog's spelling of a type -> Trino's."""

ViewDecoder: TypeAlias = Callable[[RawView], "tuple[str | None, str | None]"]
"""A view's raw text -> its definition and dialect."""


@dataclass(slots=True)
class SliceRecords:
    """The records of a slice, and what the comparison showed.

    Attributes:
        figures: ``both``, ``only_api``, ``only_sql``: tables; ``columns_differ``: tables whose
            column names differ between the two.
    """

    tables: list[TableRecord] = field(default_factory=list)
    columns: list[ColumnRecord] = field(default_factory=list)
    views: list[ViewRecord] = field(default_factory=list)
    figures: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True, kw_only=True)
class Joiner:
    """Makes records of one catalog's tables.

    Args:
        server: First column of every record.
        catalog: Name of the catalog as the source gives it.
    """

    server: str
    catalog: str
    trino_type: TypeSpelling
    decode_view: ViewDecoder

    def join(
        self, pairs: Iterable[tuple[TableDetail, list[SqlColumn] | None]], *, lister: str
    ) -> SliceRecords:
        """Records of tables, in the order given.

        Args:
            pairs: A table, and what SQL said of its columns; None if SQL said nothing of it.
            lister: Who listed the tables: ``api`` or ``sql``.
        """
        records = SliceRecords()
        for detail, sql_columns in pairs:
            self._add(records, detail, sql_columns, lister)

        return records

    def _add(
        self,
        records: SliceRecords,
        detail: TableDetail,
        sql_columns: list[SqlColumn] | None,
        lister: str,
    ) -> None:
        found_by = "both" if sql_columns is not None and lister == "api" else lister
        records.figures["both" if found_by == "both" else f"only_{found_by}"] += 1
        if sql_columns is None:
            columns = self._columns_by_api(detail)
        else:
            columns = self._columns_by_sql(detail, sql_columns, records.figures)

        records.columns += columns
        records.tables.append(self._table(detail, columns, found_by))
        if detail.is_view:
            definition, dialect = self.decode_view(detail.view or RawView(text=None))
            records.views.append(
                ViewRecord(
                    self.server, self.catalog, detail.schema, detail.name, definition, dialect
                )
            )

    def _table(
        self, detail: TableDetail, columns: Sequence[ColumnRecord], found_by: str
    ) -> TableRecord:
        has_columns = bool(columns) or detail.columns is not None
        keys = tuple(column.column for column in columns if column.is_partition_key)
        return TableRecord(
            server=self.server,
            catalog=self.catalog,
            schema=detail.schema,
            table=detail.name,
            table_type="VIEW" if detail.is_view else "TABLE",
            table_format=detail.table_format,
            location=detail.location,
            owner=detail.owner,
            comment=detail.comment,
            created_at=detail.created_at,
            updated_at=detail.updated_at,
            last_access_at=detail.last_access_at,
            partition_keys=keys if has_columns else None,
            parameters=detail.parameters,
            found_by=found_by,
        )

    def _columns_by_api(self, detail: TableDetail) -> list[ColumnRecord]:
        return [
            ColumnRecord(
                self.server,
                self.catalog,
                detail.schema,
                detail.name,
                column.name,
                position,
                self.trino_type(column.source_type),
                column.source_type or None,
                True,
                column.is_partition_key,
                column.comment,
            )
            for position, column in enumerate(detail.columns or (), start=1)
        ]

    def _columns_by_sql(
        self, detail: TableDetail, sql_columns: list[SqlColumn], figures: Counter[str]
    ) -> list[ColumnRecord]:
        known: dict[str, ColumnDetail] = {c.name.lower(): c for c in detail.columns or ()}
        if known and known.keys() != {column.name.lower() for column in sql_columns}:
            figures["columns_differ"] += 1

        records = []
        for column in sql_columns:
            other = known.get(column.name.lower())
            records.append(
                ColumnRecord(
                    self.server,
                    self.catalog,
                    detail.schema,
                    detail.name,
                    other.name if other else column.name,
                    column.ordinal_position,
                    column.data_type,
                    (other.source_type or None) if other else None,
                    column.is_nullable,
                    column.is_partition_key,
                    other.comment if other and other.comment is not None else column.comment,
                )
            )

        return records


def key_of(detail: TableDetail) -> TableKey:
    """How SQL, which knows lower case only, names the table."""
    return detail.schema.lower(), detail.name.lower()
