"""Turns what statements do into rows of the linkages and events extracts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TypeAlias

from kada_athena_async.records import EventRecord, LinkageRecord
from kada_athena_async.sql.analysis import HIDDEN_LOCATION, Analysis
from kada_athena_async.sql.names import TableName
from kada_athena_async.sql.relations import DIRECT, Source

MAX_LINKAGES = 20_000
"""Of one statement; a hostile one may have any number, and is linked by tables instead."""

_Place: TypeAlias = "tuple[str | None, str | None, str]"

_LINKING = ("VIEW", "CTAS", "INSERT", "MERGE", "UPDATE", "UNLOAD", "RENAME")
_EVENT_TYPES = {
    **dict.fromkeys(("INSERT", "UPDATE", "DELETE", "MERGE", "MAINTAIN", "UNLOAD"), ("WRITE",)),
    "CTAS": ("CREATE", "WRITE"),
    **dict.fromkeys(("VIEW", "CREATE"), ("CREATE",)),
    **dict.fromkeys(("ALTER", "RENAME"), ("ALTER",)),
    "DROP": ("DROP",),
}
# A DELETE, UPDATE or MERGE reads its target to find the rows; nothing flows from it by that.
_READS_TARGET = ("UPDATE", "MERGE")


def linkages(
    analysis: Analysis,
    *,
    server: str,
    query_id: str | None,
    at: datetime | None = None,
    hide_locations: bool = False,
) -> Iterator[LinkageRecord]:
    """Yield a row for each column that flows into another or bears upon it, and for each table
    that takes part in a way that cannot be given by columns.

    Nothing flows from what is only explained or prepared. An S3 location stands in the place of a
    table's name.

    Args:
        query_id, at: The execution and its time; None for a view as its catalog has it.
        hide_locations: With masking on: say that there is a location, not which.
    """
    if analysis.is_explained:
        return

    locations = [HIDDEN_LOCATION if hide_locations else name for name in analysis.locations]
    target = analysis.target
    linkage_type = analysis.kind if analysis.kind in _LINKING else "LOCATION"
    rows = _Rows(analysis, server, linkage_type, query_id, at)
    if linkage_type == "LOCATION":
        if target and analysis.kind in ("CREATE", "ALTER"):
            for location in locations:
                yield rows.row((None, None, location), None, target, None, "direct", None, "table")
        return

    if target:
        yield from rows.into(target)
    for location in dict.fromkeys(locations):
        yield from rows.into(location)


class _Rows:
    """The rows of one statement, for each of its targets."""

    def __init__(
        self,
        analysis: Analysis,
        server: str,
        linkage_type: str,
        query_id: str | None,
        at: datetime | None,
    ) -> None:
        self._analysis = analysis
        self._server = server
        self._type = linkage_type
        self._query_id = query_id
        self._at = at

    def into(self, target: TableName | str) -> Iterator[LinkageRecord]:
        analysis = self._analysis
        found = self._by_column(target)
        covered: set[TableName] = set()
        if found is not None:
            yield from found.values()
            if analysis.outputs is not None:
                covered = {source.table for source, _ in found}

        by_table = "table" if analysis.is_parsed and found is not None else "partial"
        for read in analysis.reads:
            if read.table not in covered and not self._is_read_target(read.table, target):
                # Values flow, though nobody knows of which columns; or it is only looked at.
                is_looked_at = analysis.outputs is not None and read.columns is not None
                dependency = "indirect" if is_looked_at else "direct"
                yield self.row(read.table, None, target, None, dependency, None, by_table)

    def _by_column(
        self, target: TableName | str
    ) -> dict[tuple[Source, str | None], LinkageRecord] | None:
        """A row for each source of each output, and for each column that bears upon all rows."""
        analysis = self._analysis
        count = sum(len(output.sources) for output in analysis.outputs or ())
        if count + len(analysis.influences) > MAX_LINKAGES:
            return None

        rows: dict[tuple[Source, str | None], LinkageRecord] = {}
        for name, sources in analysis.outputs or ():
            for source in _strongest(sources):
                if source.how in DIRECT or not self._is_read_target(source.table, target):
                    rows[source, name] = self._of_column(source, target, name)
        for source in analysis.influences:
            if not self._is_read_target(source.table, target):
                rows[source, None] = self._of_column(source, target, None)

        return rows

    def _is_read_target(self, table: TableName, target: TableName | str) -> bool:
        return table == target and self._analysis.kind in _READS_TARGET

    def _of_column(
        self, source: Source, target: TableName | str, target_column: str | None
    ) -> LinkageRecord:
        is_direct = source.how in DIRECT
        confidence = "exact" if is_direct else "table"
        return self.row(
            source.table,
            source.column,
            target,
            target_column,
            "direct" if is_direct else "indirect",
            source.how,
            confidence if source.is_sure else "partial",
        )

    def row(
        self,
        source: TableName | _Place,
        column: str | None,
        target: TableName | str,
        target_column: str | None,
        dependency: str,
        transformation: str | None,
        confidence: str,
    ) -> LinkageRecord:
        place: _Place = target if isinstance(target, TableName) else (None, None, target)
        source_catalog, source_schema, source_table = source
        target_catalog, target_schema, target_table = place
        return LinkageRecord(
            server=self._server,
            source_catalog=source_catalog,
            source_schema=source_schema,
            source_table=source_table,
            source_column=column,
            target_catalog=target_catalog,
            target_schema=target_schema,
            target_table=target_table,
            target_column=target_column,
            linkage_type=self._type,
            query_id=self._query_id,
            confidence=confidence,
            dependency=dependency,
            transformation=transformation,
            executions=None if self._query_id is None else 1,
            first_at=self._at,
            last_at=self._at,
        )


def _strongest(sources: frozenset[Source]) -> list[Source]:
    """Of the ways in which one column flows into an output the one that changes it most.

    The ways in which it only bears upon the output are rows of their own.
    """
    flowing: dict[tuple[TableName, str], Source] = {}
    bearing: list[Source] = []
    for source in sorted(sources):
        if source.how not in DIRECT:
            bearing.append(source)
            continue

        key = (source.table, source.column)
        before = flowing.get(key)
        if before is None or DIRECT.index(source.how) > DIRECT.index(before.how):
            flowing[key] = source

    return [*flowing.values(), *bearing]


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

    The target of DELETE, UPDATE and MERGE is read and written, that of a CTAS created and written:
    two rows. Nothing happens by what is only explained or prepared. The same execution always gives
    the same rows and ids.
    """
    if analysis.is_explained:
        return

    touched: list[tuple[str, _Place, tuple[str, ...] | None]] = []
    event_types = _EVENT_TYPES.get(analysis.kind, ())
    of_source = "ALTER" if analysis.kind == "RENAME" else "READ"
    for table, columns in analysis.reads:
        touched.append((of_source, (table.catalog, table.schema, table.table), columns))

    if analysis.target:
        catalog, schema, name = analysis.target
        written = _written(analysis)
        touched += ((what, (catalog, schema, name), written) for what in event_types)
    elif "WRITE" in event_types:
        for location in analysis.locations:
            shown = HIDDEN_LOCATION if hide_locations else location
            touched.append(("WRITE", (None, None, shown), None))

    for number, (what, place, columns) in enumerate(touched, 1):
        event_id = f"{query_id}-{number}"
        yield EventRecord(server, event_id, query_id, what, user, *place, columns, occurred_at)


def _written(analysis: Analysis) -> tuple[str, ...] | None:
    if analysis.outputs is None or analysis.kind in ("DELETE", "RENAME"):
        return None

    return tuple(output.name for output in analysis.outputs)
