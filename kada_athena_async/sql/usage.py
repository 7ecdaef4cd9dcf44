"""Turns what statements do into rows of the linkages and events extracts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TypeAlias

from kada_athena_async.records import EventRecord, LinkageRecord
from kada_athena_async.sql.analysis import HIDDEN_LOCATION, Analysis
from kada_athena_async.sql.names import TableName

_Place: TypeAlias = "tuple[str | None, str | None, str]"

_LINKAGE_TYPES = {
    "VIEW": "VIEW",
    "CTAS": "CTAS",
    "INSERT": "INSERT",
    "MERGE": "MERGE",
    "UPDATE": "UPDATE",
    "UNLOAD": "UNLOAD",
}
_EVENT_TYPES = {
    "INSERT": "WRITE",
    "UPDATE": "WRITE",
    "DELETE": "WRITE",
    "MERGE": "WRITE",
    "MAINTAIN": "WRITE",
    "UNLOAD": "WRITE",
    "CTAS": "CREATE",
    "VIEW": "CREATE",
    "CREATE": "CREATE",
    "ALTER": "ALTER",
    "DROP": "DROP",
}
# A DELETE, UPDATE or MERGE reads its target to find the rows; nothing flows from it by that.
_READS_TARGET = ("UPDATE", "MERGE")
# These say that some table's columns are not known, not that a known one was not understood.
_HARMLESS_PROBLEMS = frozenset(("no_schema", "unknown_target_columns"))


def linkages(
    analysis: Analysis, *, server: str, query_id: str | None, hide_locations: bool = False
) -> Iterator[LinkageRecord]:
    """Yield a row for each column that flows into another, and for each table that just takes part.

    Nothing flows from what is only explained or prepared. An S3 location stands in the place of a
    table's name.

    Args:
        hide_locations: With masking on: say that there is a location, not which.
    """
    if analysis.is_explained:
        return

    locations = [HIDDEN_LOCATION if hide_locations else name for name in analysis.locations]
    target = analysis.target
    linkage_type = _LINKAGE_TYPES.get(analysis.kind)
    if linkage_type is None:
        if target and analysis.kind in ("CREATE", "ALTER"):
            for location in locations:
                yield _row(server, None, location, None, target, "LOCATION", query_id, "table")
        return

    rows = _Rows(analysis, server, linkage_type, query_id)
    if target:
        yield from rows.into(target)
    for location in locations:
        yield from rows.into(location)


class _Rows:
    """The rows of one statement, for each of its targets."""

    def __init__(
        self, analysis: Analysis, server: str, linkage_type: str, query_id: str | None
    ) -> None:
        self._analysis = analysis
        self._server = server
        self._type = linkage_type
        self._query_id = query_id

    def into(self, target: TableName | str) -> Iterator[LinkageRecord]:
        analysis = self._analysis
        is_sure = set(analysis.problems) <= _HARMLESS_PROBLEMS
        by_column: set[TableName] = set()
        for name, sources in analysis.outputs or ():
            for table, column in sorted(sources):
                by_column.add(table)
                confidence = "exact" if is_sure else "partial"
                yield self._row(table, column, target, name, confidence)

        by_table = "table" if analysis.is_parsed and is_sure else "partial"
        for read in analysis.reads:
            is_target = read.table == target and analysis.kind in _READS_TARGET
            if read.table not in by_column and not is_target:
                yield self._row(read.table, None, target, None, by_table)

    def _row(
        self,
        source: TableName,
        column: str | None,
        target: TableName | str,
        target_column: str | None,
        confidence: str,
    ) -> LinkageRecord:
        row = _row(
            self._server, source, None, column, target, self._type, self._query_id, confidence
        )
        return row._replace(target_column=target_column)


def _row(
    server: str,
    source: TableName | None,
    source_location: str | None,
    source_column: str | None,
    target: TableName | str,
    linkage_type: str,
    query_id: str | None,
    confidence: str,
) -> LinkageRecord:
    place = target if isinstance(target, TableName) else None
    return LinkageRecord(
        server=server,
        source_catalog=source.catalog if source else None,
        source_schema=source.schema if source else None,
        source_table=source.table if source else source_location,
        source_column=source_column,
        target_catalog=place.catalog if place else None,
        target_schema=place.schema if place else None,
        target_table=place.table if place else str(target),
        target_column=None,
        linkage_type=linkage_type,
        query_id=query_id,
        confidence=confidence,
    )


def events(
    analysis: Analysis,
    *,
    server: str,
    query_id: str,
    user: str,
    occurred_at: datetime | None,
    hide_locations: bool = False,
) -> Iterator[EventRecord]:
    """Yield a row for each object that an execution touched, and each way in which it did.

    The target of DELETE, UPDATE and MERGE is read and written: two rows. Nothing happens by what is
    only explained or prepared. The same execution always gives the same rows and ids.
    """
    if analysis.is_explained:
        return

    touched: list[tuple[str, _Place, tuple[str, ...] | None]] = []
    for table, columns in analysis.reads:
        touched.append(("READ", (table.catalog, table.schema, table.table), columns))

    event_type = _EVENT_TYPES.get(analysis.kind)
    if event_type and analysis.target:
        catalog, schema, name = analysis.target
        touched.append((event_type, (catalog, schema, name), _written(analysis)))
    if event_type == "WRITE" and not analysis.target:
        for location in analysis.locations:
            shown = HIDDEN_LOCATION if hide_locations else location
            touched.append((event_type, (None, None, shown), None))

    for number, (what, place, columns) in enumerate(touched, 1):
        event_id = f"{query_id}-{number}"
        yield EventRecord(server, event_id, query_id, what, user, *place, columns, occurred_at)


def _written(analysis: Analysis) -> tuple[str, ...] | None:
    if analysis.outputs is None or analysis.kind == "DELETE":
        return None

    return tuple(output.name for output in analysis.outputs)
