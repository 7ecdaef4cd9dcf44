"""Savings: findings over the executions of all runs, each with its remedy.

One pass over the executions, in memory that does not grow with their number.
"""

from __future__ import annotations

import heapq
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from functools import lru_cache
from typing import NamedTuple, TypeVar

from kada_athena_async.extracts.executions import Ran, Touched, executions
from kada_athena_async.extracts.repeats import SCHEMA, Repeats
from kada_athena_async.extracts.runs import Runs
from kada_athena_async.extracts.scan_limits import ScanLimits
from kada_athena_async.extracts.scratch import scratch_database
from kada_athena_async.extracts.table_facts import TableFacts, table_facts
from kada_athena_async.extracts.table_usage import (
    TableName,
    TableUse,
    each_unused_table,
    folded,
    unread_tables,
    used_tables,
)
from kada_athena_async.hwm.window import HWM_FORMAT
from kada_athena_async.prices import Prices
from kada_athena_async.sql.conditions import condition_names

MAX_HELD = 25_000
"""Findings of a kind held at most, twice as many for a moment; then those of least bytes go."""

MAX_EVIDENCE = 5
OFTEN = 5
GROWTH = 1.5
WORTH_BYTES = 2**30
"""Advice on a format or on growth needs at least so many bytes scanned: 1 GB."""

_ACCESSES_HELD = 4_096

MAX_CONDITIONS = 5_000
"""Statements whose conditions are held at most."""

WEEK = timedelta(days=7)

REMEDIES = {
    "no_partition_filter": "filter on a partition column ({detail}) in WHERE, or limit the bytes "
    "that a query of the workgroup may scan",
    "select_star": "name the columns that are needed: a columnar table is charged by the columns "
    "read ({detail})",
    "row_format": "convert the table to Parquet or ORC, compressed: CREATE TABLE AS SELECT, or "
    "write it so ({detail})",
    "repeated": "turn on query result reuse for the client or the workgroup, or cache the result",
    "failed_after_scanning": "look at the reason (show failures) before it is run again; a byte "
    "limit or a smaller time range stops it earlier",
    "growth": "look at what made it grow ({detail}): partition, filter, or read increments",
    "written_never_read": "stop writing it, or show it to those who should read it",
    "unused_table": "archive or drop it ({detail}), once its owner agrees",
    "no_scan_limit": "limit the bytes that a query may scan: aws athena update-work-group "
    "--work-group {subject} --configuration-updates BytesScannedCutoffPerQuery=BYTES (10485760 at "
    "least); its largest query scanned {detail}",
}
"""Kind of finding -> what to do."""

KeyT = TypeVar("KeyT")

_STAR = re.compile(r"(?:\bselect\s+(?:distinct\s+)?|,\s*)(?:[\w\"]+\.)*\*", re.IGNORECASE)


@dataclass(slots=True, kw_only=True)
class Finding:
    """A reason to act.

    Attributes:
        kind: A key of ``REMEDIES``.
        subject: A table, a workgroup, or a fingerprint.
        usd: What the executions were charged by bytes, their shares of this table; of an unused
            table its storage for a month.
        evidence: Ids of up to ``MAX_EVIDENCE`` executions.
        caveat: What is not known and may make it untrue; empty if there is nothing.
    """

    kind: str
    subject: str
    detail: str = ""
    executions: int = 0
    scanned_bytes: int = 0
    usd: float = 0.0
    evidence: list[str] = field(default_factory=list)
    caveat: str = ""
    _billed: float = 0.0

    @property
    def remedy(self) -> str:
        remedy = REMEDIES[self.kind].format(subject=self.subject, detail=self.detail)
        return f"{remedy}; it may be used after all: {self.caveat}" if self.caveat else remedy

    def add(self, ran: Ran, share: float = 1.0) -> None:
        """Count an execution, of whose bytes *share* belongs here."""
        self.count(ran.query_id, ran.scanned_bytes * share, ran.billed_bytes * share)

    def count(self, query_id: str, scanned_bytes: float, billed_bytes: float) -> None:
        """Count an execution and the bytes of it that belong here."""
        self.executions += 1
        self.scanned_bytes += round(scanned_bytes)
        self._billed += billed_bytes
        if len(self.evidence) < MAX_EVIDENCE:
            self.evidence.append(query_id)

    def price(self, prices: Prices) -> None:
        self.usd = round(prices.scanned_usd(round(self._billed)), 4)

    def to_dict(self) -> dict[str, object]:
        """The finding as plain JSON values, its remedy with it."""
        plain = {k: v for k, v in asdict(self).items() if not k.startswith("_")}
        return {**plain, "remedy": self.remedy}


def advice(runs: Runs) -> list[Finding]:
    """Findings on cost, the most expensive first."""
    with scratch_database(SCHEMA) as connection:
        adviser = _Adviser(runs, Repeats(connection, runs))
        for ran in executions(runs):
            adviser.look_at(ran)

        uses = used_tables(runs)
        found = [*adviser.findings(uses), *_unused(runs, uses)]

    return sorted(found, key=lambda f: (-f.usd, -f.scanned_bytes, f.kind, f.subject))


class _Accesses(NamedTuple):
    """Tables of an execution; executions of one statement have the same.

    Attributes:
        reads: The number of tables that it read.
        known: What is known of those that give a reason to look, with the words in which a
            statement names a table of their metadata.
        writes: Name of each table that it wrote, folded and as it is shown; True if it read it too.
    """

    reads: int
    known: tuple[tuple[Touched, tuple[TableFacts, ...], str], ...]
    writes: tuple[tuple[TableName, str, bool], ...]


class _Adviser:
    def __init__(self, runs: Runs, repeats: Repeats) -> None:
        self._runs = runs
        self._repeats = repeats
        self._limits = ScanLimits(runs)
        self._facts = table_facts(runs.newest)
        self._accesses = lru_cache(_ACCESSES_HELD)(self._accesses_of)
        self._conditions: dict[str, frozenset[str] | None] = {}
        self._written: dict[TableName, Finding] = {}
        self._own_reads: Counter[TableName] = Counter()
        self._found: dict[tuple[str, str], Finding] = {}
        self._weeks: dict[str, tuple[Finding, Finding]] = {}
        self._ends = [f"{runs.end - back * WEEK:{HWM_FORMAT}}" for back in range(3)]
        self._has_weeks = runs.covers(runs.end - 2 * WEEK, runs.end)
        self._half_read = frozenset(runs.incomplete_workgroups())

    def look_at(self, ran: Ran) -> None:
        self._limits.look_at(ran)
        accesses = self._accesses(ran.touched)
        self._look_at_writes(ran, accesses.writes)
        if not ran.is_reused and ran.scanned_bytes:
            for read, known, marker in accesses.known:
                if marker not in ran.query.lower():
                    self._look_at_read(ran, read, known, 1 / accesses.reads)

        if not ran.fingerprint or not ran.scanned_bytes:
            return

        if ran.status != "SUCCEEDED":
            self._finding("failed_after_scanning", ran.fingerprint, ran.status.lower()).add(ran)
        elif not ran.is_reused:
            self._repeats.add(ran)
            self._look_for_growth(ran)

    def findings(self, uses: Sequence[TableUse]) -> Iterator[Finding]:
        self._facts.clear()
        self._accesses.cache_clear()
        for repeat in self._repeats.found():
            self._finding("repeated", repeat.fingerprint, "").count(
                repeat.query_id, repeat.scanned_bytes, repeat.billed_bytes
            )

        found = [f for f in self._found.values() if _is_worth_it(f)]
        for name, scanned in self._limits.largest():
            finding = Finding(kind="no_scan_limit", subject=name)
            finding.detail = f"{scanned[0][0] / 2**30:,.1f} GB"
            for scanned_bytes, query_id, billed_bytes in scanned:
                finding.count(query_id, scanned_bytes, billed_bytes)
            found.append(finding)

        for finding in (*found, *self._unread(uses), *self._growing()):
            finding.price(self._runs.prices)
            yield finding

    def _unread(self, uses: Sequence[TableUse]) -> Iterator[Finding]:
        unread = unread_tables(self._runs, uses, self._own_reads)
        caveat = "; ".join(self._runs.doubts())
        for name, finding in self._written.items():
            if name in unread:
                finding.caveat = caveat
                yield finding

    def _accesses_of(self, touched: tuple[Touched, ...]) -> _Accesses:
        reads = dict.fromkeys(each for each in touched if each.event_type == "READ")
        read = {folded(*each[1:4]) for each in reads}
        writes = {folded(*each[1:4]): each for each in touched if each.event_type == "WRITE"}
        return _Accesses(
            len(reads),
            tuple(
                # "orders$partitions" is a table of metadata, not the table itself
                (read, known, f"{read.table}$".lower())
                for read in reads
                if (known := self._facts.get(hash(folded(*read[1:4]))))
            ),
            tuple((name, ".".join(each[1:4]), name in read) for name, each in writes.items()),
        )

    def _look_at_read(
        self, ran: Ran, read: Touched, known: tuple[TableFacts, ...], share: float
    ) -> None:
        for facts in known:
            if facts.keys and read.columns is not None and not self._prunes(ran, read, facts):
                keys = ", ".join(facts.keys)
                self._finding("no_partition_filter", facts.name, keys).add(ran, share)

            if facts.is_row_format:
                self._finding("row_format", facts.name, f"it is {facts.format}").add(ran, share)
            elif facts.is_wide and _is_star(ran, read, facts):
                detail = f"it has {facts.columns:,}"
                self._finding("select_star", facts.name, detail).add(ran, share)

    def _prunes(self, ran: Ran, read: Touched, facts: TableFacts) -> bool:
        """True if the statement may have read fewer than all partitions.

        A partition column in a condition, also one of a join, can leave partitions out; among the
        columns that are shown or grouped it cannot. Where the text says nothing, such as EXECUTE,
        any use of the column counts.
        """
        if ran.fingerprint not in self._conditions or not ran.fingerprint:
            if len(self._conditions) >= MAX_CONDITIONS:
                self._conditions.clear()
            self._conditions[ran.fingerprint] = condition_names(ran.query)

        names = self._conditions[ran.fingerprint]
        if names is None:
            names = frozenset(column.lower() for column in read.columns or ())

        return not facts.pruning.isdisjoint(names)

    def _look_at_writes(self, ran: Ran, writes: Sequence[tuple[TableName, str, bool]]) -> None:
        for name, subject, is_read in writes:
            if is_read:
                self._own_reads[name] += 1
            finding = self._written.get(name)
            if finding is None:
                self._written = _room_in(self._written)
                finding = self._written[name] = Finding(kind="written_never_read", subject=subject)

            finding.add(ran, 1 / len(writes))

    def _look_for_growth(self, ran: Ran) -> None:
        end, one, two = self._ends
        if not self._has_weeks or not two <= ran.ended_at < end or ran.workgroup in self._half_read:
            return

        if ran.fingerprint not in self._weeks:
            if len(self._weeks) >= 2 * MAX_HELD:
                self._forget_small()
            now, before = (Finding(kind="growth", subject=ran.fingerprint) for _ in range(2))
            self._weeks[ran.fingerprint] = now, before

        now, before = self._weeks[ran.fingerprint]
        if ran.ended_at < one:
            before.scanned_bytes += ran.scanned_bytes
        else:
            now.add(ran)

    def _forget_small(self) -> None:
        largest = heapq.nlargest(
            MAX_HELD, self._weeks.items(), key=lambda item: sum(f.scanned_bytes for f in item[1])
        )
        self._weeks = dict(largest)

    def _growing(self) -> Iterator[Finding]:
        for now, before in self._weeks.values():
            grown = now.scanned_bytes - before.scanned_bytes
            if before.scanned_bytes and grown >= WORTH_BYTES:
                factor = now.scanned_bytes / before.scanned_bytes
                if factor >= GROWTH:
                    now.detail = f"{factor:.1f} times the bytes of the week before"
                    yield now

    def _finding(self, kind: str, subject: str, detail: str) -> Finding:
        key = (kind, subject)
        if key not in self._found:
            self._found = _room_in(self._found)
            self._found[key] = Finding(kind=kind, subject=subject, detail=detail)
        return self._found[key]


def _room_in(held: dict[KeyT, Finding]) -> dict[KeyT, Finding]:
    """*held*, or the half of it with most bytes where it is full."""
    if len(held) < 2 * MAX_HELD:
        return held

    return dict(heapq.nlargest(MAX_HELD, held.items(), key=lambda item: item[1].scanned_bytes))


def _is_worth_it(finding: Finding) -> bool:
    if finding.kind == "row_format":
        return finding.executions >= OFTEN and finding.scanned_bytes >= WORTH_BYTES

    return True


def _is_star(ran: Ran, read: Touched, facts: TableFacts) -> bool:
    """True if a star of the statement reads the table's columns.

    A star in a subquery of which few columns are used reads those alone.
    """
    uses_all = read.columns is None or 10 * len(read.columns) >= 9 * facts.columns
    return uses_all and _STAR.search(ran.query) is not None


def _unused(runs: Runs, uses: Sequence[TableUse]) -> Iterator[Finding]:
    """Tables that no execution used."""
    caveat = "; ".join(runs.doubts())
    for table in each_unused_table(runs, uses):
        if table.size_bytes:
            name = ".".join((table.catalog, table.schema, table.table))
            finding = Finding(kind="unused_table", subject=name, usd=table.usd_per_month or 0.0)
            finding.detail, finding.caveat = f"{table.size_bytes / 2**30:,.1f} GB", caveat
            yield finding
