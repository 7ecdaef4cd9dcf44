"""Joins what SQL and the API say about the same tables into records; pure.

In ``auto`` each checks the other: SQL's columns are what a query would see (Trino's types,
current columns), the API adds the catalog's own types, comments, places and times.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import compress
from typing import NamedTuple, Protocol, TypeAlias

from kada_athena_async.aws.result_csv import Cells
from kada_athena_async.column_block import ColumnBlock
from kada_athena_async.records import ColumnRecord, FieldRecord, TableRecord, ViewRecord
from kada_athena_async.report import ViewContext
from kada_athena_async.sources.catalog_columns import CatalogColumns, columns_of
from kada_athena_async.sources.interface import RawView, TableDetail
from kada_athena_async.sources.nested_fields import fields_of
from kada_athena_async.sources.statistics import statistics_of


class TypeSpelling(Protocol):
    """Turns the catalog's spelling of a type into Trino's."""

    def __call__(self, spelling: str, /, *, timestamp_precision: int) -> str:
        """Trino's spelling, whose timestamps have so many digits of a second."""


class DecodedView(NamedTuple):
    """A view's text, and where the names in it lie; None where unknown.

    Attributes:
        is_unreadable: The source keeps a text that cannot be decoded.
    """

    definition: str | None = None
    dialect: str | None = None
    catalog: str | None = None
    schema: str | None = None
    is_unreadable: bool = False


_COLUMN = ColumnRecord._fields.index("column")
_DATA_TYPE = ColumnRecord._fields.index("data_type")

# Digits of a second that Trino's connectors give a timestamp.
_DIGITS_OF_HIVE = 3
_DIGITS_OF_ICEBERG = 6

ViewDecoder: TypeAlias = Callable[[RawView], DecodedView]


class Note(NamedTuple):
    """Unknown part of a table or view, with the reason.

    Attributes:
        is_partial: True if its schema is partial by that.
    """

    schema: str
    reason: str
    is_partial: bool


@dataclass(slots=True)
class BatchRecords:
    """The records of a batch, and what the comparison showed.

    Attributes:
        column_counts: Schema -> how many of the columns are its.
        figures: ``both``, ``only_api``, ``only_sql``: tables; ``columns_differ``: tables whose
            column names differ between the two.
        notes: What is not known of a table or view.
    """

    tables: list[TableRecord] = field(default_factory=list)
    columns: ColumnBlock = field(default_factory=ColumnBlock)
    fields: list[FieldRecord] = field(default_factory=list)
    views: list[ViewRecord] = field(default_factory=list)
    column_counts: Counter[str] = field(default_factory=Counter)
    view_contexts: list[ViewContext] = field(default_factory=list)
    figures: Counter[str] = field(default_factory=Counter)
    notes: list[Note] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Merger:
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
        self, pairs: Iterable[tuple[TableDetail, Cells | None]], *, listed_by: str
    ) -> BatchRecords:
        """Records of tables, in the order given.

        Args:
            pairs: A table, and what SQL said of its columns (``SqlTable.cells``); None if SQL
                said nothing of it.
            listed_by: The source that listed the tables: ``api`` or ``sql``.
        """
        records = BatchRecords()
        for detail, cells in pairs:
            self._add(records, detail, cells, listed_by)

        return records

    def _add(
        self,
        records: BatchRecords,
        detail: TableDetail,
        cells: Cells | None,
        listed_by: str,
    ) -> None:
        found_by = "both" if cells is not None and listed_by == "api" else listed_by
        records.figures["both" if found_by == "both" else f"only_{found_by}"] += 1
        known = columns_of(detail)
        records.notes += [
            Note(detail.schema, f"unreadable: {path}", is_partial=True) for path in known.unreadable
        ]
        before = len(records.columns)
        if cells is None:
            keys = self._add_columns_by_api(records.columns, detail, known)
            if untyped := known.source_types.count(None):
                reason = f"{detail.name}: {untyped} columns come without a type"
                records.notes.append(Note(detail.schema, reason, is_partial=True))
        else:
            keys = self._add_columns_by_sql(records, detail, cells, known)

        added = len(records.columns) - before
        records.column_counts[detail.schema] += added
        if added:
            partition_keys = _partition_keys(detail, known, keys)
            self._add_fields(records, detail, before)
        else:
            partition_keys = None
            records.notes.append(_without_columns(detail))

        records.tables.append(self._table(detail, partition_keys, found_by))

        if detail.is_view:
            self._add_view(records, detail)

    def _add_fields(self, records: BatchRecords, detail: TableDetail, first: int) -> None:
        """Append the fields inside the columns that were added from *first* on."""
        names, types = records.columns.fields[_COLUMN], records.columns.fields[_DATA_TYPE]
        for at in range(first, len(types)):
            for path, name, position, depth, data_type in fields_of(types[at] or ""):
                column = names[at]
                place = (self.server, self.catalog, detail.schema, detail.name, column)
                field_path = f"{column}{path}"
                records.fields.append(
                    FieldRecord(*place, field_path, name, position, depth, data_type)
                )

    def _add_view(self, records: BatchRecords, detail: TableDetail) -> None:
        view = self.decode_view(detail.view or RawView(text=None))
        definition, dialect, catalog, schema, is_unreadable = view
        if definition is None:
            why = "its text cannot be decoded" if is_unreadable else "no source gives its text"
            reason = f"view {detail.name}: {why}"
            records.notes.append(Note(detail.schema, reason, is_partial=is_unreadable))

        name = (self.catalog, detail.schema, detail.name)
        records.views.append(ViewRecord(self.server, *name, definition, dialect))
        if catalog and schema:
            own = (self.catalog.lower(), detail.schema.lower())
            if (catalog.lower(), schema.lower()) != own:
                context = ViewContext(view=name, catalog=catalog, schema=schema)
                records.view_contexts.append(context)

    def _table(
        self, detail: TableDetail, partition_keys: tuple[str, ...] | None, found_by: str
    ) -> TableRecord:
        statistics = statistics_of(detail.parameters, detail.updated_at)
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
            partition_keys=partition_keys,
            parameters=detail.parameters,
            found_by=found_by,
            row_count=statistics.row_count,
            size_bytes=statistics.size_bytes,
            file_count=statistics.file_count,
            stats_at=statistics.at,
            stats_source=statistics.source,
        )

    def _add_columns_by_api(
        self, block: ColumnBlock, detail: TableDetail, known: CatalogColumns
    ) -> tuple[str, ...]:
        """Append the columns of a table that only the API spoke of; returns its partition keys."""
        count = len(known.names)
        are_keys = [name in known.partition_keys for name in known.names]
        block.extend(
            **self._names(detail, count),
            column=known.names,
            ordinal_position=range(1, count + 1),
            data_type=self._types(detail, known),
            source_type=known.source_types,
            is_nullable=[name not in known.required for name in known.names],
            is_partition_key=are_keys,
            comment=known.comments,
        )
        return tuple(compress(known.names, are_keys))

    def _types(self, detail: TableDetail, known: CatalogColumns) -> list[str]:
        """The types in Trino's words, from what only the API says."""
        precision = _DIGITS_OF_ICEBERG if detail.table_format == "iceberg" else _DIGITS_OF_HIVE

        def spelt(spelling: str | None) -> str:
            return self.trino_type(spelling or "", timestamp_precision=precision)

        if not known.exact_types:
            return [spelt(spelling) for spelling in known.source_types]

        types = []
        for exact, spelling in zip(known.exact_types, known.source_types, strict=True):
            best = spelt(exact) if exact else ""
            # Where a bracket is left it was not understood.
            types.append(best if best and "<" not in best else spelt(spelling))

        return types

    def _add_columns_by_sql(
        self,
        records: BatchRecords,
        detail: TableDetail,
        cells: Cells,
        known: CatalogColumns,
    ) -> tuple[str, ...]:
        """Append the columns of a table that SQL spoke of; returns its partition keys."""
        names, positions, types, nullables, sql_comments, extras = cells
        count = len(names)
        match = _matched([name or "" for name in names], known)
        records.figures["columns_differ"] += match.is_different
        are_keys = [
            extra == "partition key" or name in known.partition_keys
            for extra, name in zip(extras, match.names, strict=True)
        ]
        records.columns.extend(
            **self._names(detail, count),
            column=match.names,
            ordinal_position=[int(position or 0) for position in positions],
            data_type=types,
            source_type=match.source_types,
            is_nullable=[nullable != "NO" for nullable in nullables],
            is_partition_key=are_keys,
            comment=[
                said if api is None else api
                for api, said in zip(match.comments, sql_comments, strict=True)
            ],
        )
        return tuple(compress(match.names, are_keys))

    def _names(self, detail: TableDetail, count: int) -> dict[str, list[str]]:
        """The fields that are alike in all *count* columns of a table."""
        return {
            "server": [self.server] * count,
            "catalog": [self.catalog] * count,
            "schema": [detail.schema] * count,
            "table": [detail.name] * count,
        }


def _partition_keys(
    detail: TableDetail, known: CatalogColumns, keys: tuple[str, ...]
) -> tuple[str, ...] | None:
    """The partition keys of a table with columns; None where unknown.

    SQL gives no formats: it cannot distinguish a table without keys from an Iceberg table, whose
    partition fields are not among its columns.
    """
    if known.partitioning or keys:
        return known.partitioning or keys

    if detail.is_view and detail.table_format is None:
        return ()

    is_known = detail.columns is not None and known.partitioning is not None
    return () if is_known else None


def _without_columns(detail: TableDetail) -> Note:
    if detail.link_target:
        reason = f"{detail.name} is a link to {detail.link_target}, which cannot be resolved"
    else:
        reason = f"{detail.name}: no source gives its columns"

    return Note(detail.schema, reason, is_partial=True)


class _Match(NamedTuple):
    """Facts of the API about the columns that SQL named; None if it has none.

    Attributes:
        is_different: The API gives columns of the table, but not these.
    """

    names: list[str]
    source_types: list[str | None]
    comments: list[str | None]
    is_different: bool


def _matched(names: list[str], known: CatalogColumns) -> _Match:
    """Facts in *known* about the columns *names*; SQL's names are in lower case."""
    lowered = [name.lower() for name in known.names]
    if lowered == names:  # as nearly always
        return _Match(known.names, known.source_types, known.comments, is_different=False)

    place = {name: index for index, name in enumerate(lowered)}
    places = [place.get(name.lower()) for name in names]
    return _Match(
        [n if at is None else known.names[at] for n, at in zip(names, places, strict=True)],
        [None if at is None else known.source_types[at] for at in places],
        [None if at is None else known.comments[at] for at in places],
        is_different=bool(place) and place.keys() != {name.lower() for name in names},
    )
