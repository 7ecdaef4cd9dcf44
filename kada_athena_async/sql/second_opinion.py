"""READ events beside ``tables_accessed`` of Athena's system table: differences by kind."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import TypeAlias

from kada_athena_async.records import EventRecord, LinkageRecord, QueryRecord
from kada_athena_async.sql.names import Context, complete

_Name: TypeAlias = "tuple[str, str, str]"

_INFORMATION_SCHEMA = "information_schema"


class SecondOpinion:
    """Compares what we read in statements with what Athena says that they accessed.

    Names count as the same whatever their case; ``information_schema`` is no table, and a metadata
    table such as ``orders$files`` is the table, for these are the rules of events. AWS does not
    say if Athena names a view or the tables below it, so that either is an agreement of its own
    kind.

    Attributes:
        counts: ``reads_compared`` and ``reads_agreed`` count executions, the others pairs of
            execution and table: ``reads_only_in_events``, ``reads_only_in_system_table``,
            ``reads_below_views`` (Athena names the tables of a view that an event names) and
            ``reads_of_views`` (an event names a view of which Athena names the tables only).
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._below: dict[_Name, set[_Name]] = defaultdict(set)

    def learn(self, linked: Iterable[LinkageRecord]) -> None:
        """Note the tables below views, from the linkages of the views' own texts."""
        for row in linked:
            if row.linkage_type == "VIEW" and row.query_id is None:
                view = _name(row.target_catalog, row.target_schema, row.target_table)
                self._below[view].add(
                    _name(row.source_catalog, row.source_schema, row.source_table)
                )

    def compare(
        self,
        record: QueryRecord,
        happened: Iterable[EventRecord],
        accessed: Iterable[Iterable[str | None]],
    ) -> None:
        """Count what differs between the events of an execution and Athena's own list.

        Args:
            happened: The execution's events.
            accessed: Catalog, schema and name of each table, as Athena has it.
        """
        if not _is_compared(record):
            return

        ours = {_name(e.catalog, e.schema, e.table) for e in happened if e.event_type == "READ"}
        theirs = set()
        for parts in accessed:
            catalog, schema, table = parts
            named = tuple(part for part in (schema, table) if part)
            whole = complete(named, Context(catalog or record.catalog, record.schema))
            if whole is not None and whole.schema.lower() != _INFORMATION_SCHEMA:
                theirs.add(_name(*whole))

        self._count(ours, theirs)

    def _count(self, ours: set[_Name], theirs: set[_Name]) -> None:
        only_ours, only_theirs = ours - theirs, theirs - ours
        below = {name: self._tables_below(name) for name in ours}
        explained = only_theirs & set[_Name]().union(*below.values())
        views = {name for name in only_ours if below[name] & theirs}
        only_theirs -= explained
        only_ours -= views
        self.counts["reads_compared"] += 1
        self.counts["reads_agreed"] += not (only_ours or only_theirs)
        self.counts["reads_below_views"] += len(explained)
        self.counts["reads_of_views"] += len(views)
        self.counts["reads_only_in_events"] += len(only_ours)
        self.counts["reads_only_in_system_table"] += len(only_theirs)

    def _tables_below(self, view: _Name) -> set[_Name]:
        """All that a view reads, through views below it too; empty for a table."""
        found: set[_Name] = set()
        waiting = [view]
        while waiting:
            new = self._below.get(waiting.pop(), set()) - found
            found |= new
            waiting += new

        return found


def _is_compared(record: QueryRecord) -> bool:
    """True for what ran to its end and may read; EXPLAIN has no events."""
    is_read = record.statement_type == "DML" and record.substatement_type != "EXPLAIN"
    return is_read and record.status == "SUCCEEDED"


def _name(catalog: str | None, schema: str | None, table: str | None) -> _Name:
    return (catalog or "").lower(), (schema or "").lower(), (table or "").lower()
