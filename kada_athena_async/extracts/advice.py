"""Savings: findings over the executions of all runs, each with its remedy.

One pass over the executions, in memory that does not grow with their number.
"""

from __future__ import annotations

import heapq
import json
import re
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple, TypeVar

from kada_athena_async.extracts.executions import Ran, Touched, executions
from kada_athena_async.extracts.runs import Runs
from kada_athena_async.extracts.table_usage import (
    TableName,
    each_unused_table,
    folded,
    unread_tables,
)
from kada_athena_async.prices import Prices

MAX_HELD = 25_000
"""Findings of a kind held at most, twice as many for a moment; then those of least bytes go."""

MAX_EVIDENCE = 5
WIDE_COLUMNS = 20
OFTEN = 5
GROWTH = 1.5
WORTH_BYTES = 2**30
"""What must be scanned for a format, or a growth, to be worth a word: 1 GB."""

REPEATED_WITHIN = timedelta(hours=1)
WEEK = timedelta(days=7)

REMEDIES = {
    "no_partition_filter": "filter on a partition column ({detail}) in WHERE, or make "
    "the workgroup's byte limit refuse such queries",
    "select_star": "name the columns that are needed: a columnar table is charged by the columns "
    "read ({detail})",
    "row_format": "convert the table to Parquet or ORC, compressed: CREATE TABLE AS SELECT, or "
    "write it so ({detail})",
    "repeated": "turn on query result reuse for the client or the workgroup, or cache the result",
    "failed_after_scanning": "look at the reason (show failures) before it is run again; a byte "
    "limit or a smaller time range stops it earlier",
    "growth": "look at what made it grow ({detail}): partition, filter, or read increments",
    "written_never_read": "stop writing it, or show it to those who should read it",
    "unused_table": "archive or drop it, once its owner agrees",
}
"""Kind of finding -> what to do."""

KeyT = TypeVar("KeyT")

_STAR = re.compile(r"\bselect\s+(?:distinct\s+)?(?:[\w\"]+\.)*\*", re.IGNORECASE)
_COLUMNAR = ("iceberg", "hudi", "delta", "parquet", "orc")
_ROW_FORMATS = ("csv", "tsv", "json", "xml", "grok", "text")


@dataclass(slots=True, kw_only=True)
class Finding:
    """A reason to act.

    Attributes:
        kind: A key of ``REMEDIES``.
        subject: A table, or a fingerprint.
        usd: What the executions were charged by bytes, their shares of this table; of an unused
            table its storage for a month.
        evidence: Ids of up to ``MAX_EVIDENCE`` executions.
    """

    kind: str
    subject: str
    detail: str = ""
    executions: int = 0
    scanned_bytes: int = 0
    usd: float = 0.0
    evidence: list[str] = field(default_factory=list)
    _billed: float = 0.0

    @property
    def remedy(self) -> str:
        return REMEDIES[self.kind].format(detail=self.detail)

    def add(self, ran: Ran, share: float = 1.0) -> None:
        """Count an execution, of whose bytes *share* belongs here."""
        self.executions += 1
        self.scanned_bytes += round(ran.scanned_bytes * share)
        self._billed += ran.billed_bytes * share
        if len(self.evidence) < MAX_EVIDENCE:
            self.evidence.append(ran.query_id)

    def price(self, prices: Prices) -> None:
        self.usd = round(prices.scanned_usd(round(self._billed)), 4)

    def to_dict(self) -> dict[str, object]:
        """The finding as plain JSON values, its remedy with it."""
        plain = {k: v for k, v in asdict(self).items() if not k.startswith("_")}
        return {**plain, "remedy": self.remedy}


class _TableFacts(NamedTuple):
    """Reasons to look at reads of a table; most tables give none and are not held."""

    name: str
    partition_keys: tuple[str, ...]
    format: str
    columns: int

    @property
    def is_wide(self) -> bool:
        return self.format in _COLUMNAR and self.columns >= WIDE_COLUMNS


def advice(runs: Runs) -> list[Finding]:
    """Findings on cost, the most expensive first.

    Raises:
        StateError: An extract is missing or torn.
    """
    adviser = _Adviser(runs)
    for ran in executions(runs):
        adviser.look_at(ran)

    found = [*adviser.findings(), *_unused(runs)]
    return sorted(found, key=lambda f: (-f.usd, -f.scanned_bytes, f.kind, f.subject))


class _Adviser:
    def __init__(self, runs: Runs) -> None:
        self._runs = runs
        self._facts = _facts(runs)
        self._written: dict[TableName, Finding] = {}
        self._found: dict[tuple[str, str], Finding] = {}
        self._last: dict[tuple[str, str, int], tuple[datetime, str]] = {}
        self._weeks: dict[str, tuple[Finding, Finding]] = {}
        self._ends = (runs.end, runs.end - WEEK, runs.end - 2 * WEEK)

    def look_at(self, ran: Ran) -> None:
        self._look_at_writes(ran)
        reads = dict.fromkeys(each for each in ran.touched if each.event_type == "READ")
        for read in reads:
            self._look_at_read(ran, read, 1 / len(reads))

        if not ran.fingerprint or not ran.scanned_bytes:
            return

        if ran.status != "SUCCEEDED":
            self._finding("failed_after_scanning", ran.fingerprint, ran.status.lower()).add(ran)
            return

        at = _moment(ran.ended_at)
        if at is not None:
            self._look_for_repetition(ran, at)
            self._look_for_growth(ran, at)

    def findings(self) -> Iterator[Finding]:
        self._facts.clear()
        self._last.clear()
        unread = unread_tables(self._runs)
        found = [f for f in self._found.values() if _is_worth_it(f)]
        found += [f for name, f in self._written.items() if name in unread]
        for finding in (*found, *self._growing()):
            finding.price(self._runs.prices)
            yield finding

    def _look_at_read(self, ran: Ran, read: Touched, share: float) -> None:
        facts = self._facts.get(hash(folded(read.catalog, read.schema, read.table)))
        if facts is None or ran.is_reused or not ran.scanned_bytes:
            return

        if read.columns is not None and facts.partition_keys:
            self._look_at_partitions(ran, facts, read.columns, share)

        if facts.format in _ROW_FORMATS:
            self._finding("row_format", facts.name, f"it is {facts.format}").add(ran, share)
        elif facts.is_wide and _STAR.search(ran.query):
            detail = f"it has {facts.columns:,}"
            self._finding("select_star", facts.name, detail).add(ran, share)

    def _look_at_writes(self, ran: Ran) -> None:
        writes = {folded(*each[1:4]): each for each in ran.touched if each.event_type == "WRITE"}
        for name, each in writes.items():
            finding = self._written.get(name)
            if finding is None:
                self._written = _room_in(self._written)
                subject = ".".join(each[1:4])
                finding = self._written[name] = Finding(kind="written_never_read", subject=subject)

            finding.add(ran, 1 / len(writes))

    def _look_at_partitions(
        self, ran: Ran, facts: _TableFacts, columns: tuple[str, ...], share: float
    ) -> None:
        if not {column.lower() for column in columns} & set(facts.partition_keys):
            keys = ", ".join(facts.partition_keys)
            self._finding("no_partition_filter", facts.name, keys).add(ran, share)

    def _look_for_repetition(self, ran: Ran, at: datetime) -> None:
        key = (ran.fingerprint, ran.workgroup, ran.scanned_bytes)
        last = self._last.get(key)
        is_read = not any(each.event_type != "READ" for each in ran.touched)
        if last is not None and is_read and abs(at - last[0]) <= REPEATED_WITHIN:
            finding = self._finding("repeated", ran.fingerprint, "")
            finding.add(ran)

        if len(self._last) >= 2 * MAX_HELD:
            self._last.pop(next(iter(self._last)))
        self._last[key] = (at, ran.query_id)

    def _look_for_growth(self, ran: Ran, at: datetime) -> None:
        end, one, two = self._ends
        if not two <= at < end:
            return

        if ran.fingerprint not in self._weeks:
            if len(self._weeks) >= 2 * MAX_HELD:
                self._forget_small()
            now, before = (Finding(kind="growth", subject=ran.fingerprint) for _ in range(2))
            self._weeks[ran.fingerprint] = now, before

        now, before = self._weeks[ran.fingerprint]
        if at < one:
            before.scanned_bytes += ran.scanned_bytes
        else:
            now.add(ran)

    def _forget_small(self) -> None:
        largest = heapq.nlargest(
            MAX_HELD, self._weeks.items(), key=lambda item: sum(f.scanned_bytes for f in item[1])
        )
        self._weeks = dict(largest)

    def _growing(self) -> Iterator[Finding]:
        if self._runs.start > self._ends[2]:
            return  # there are no two whole weeks

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


def _unused(runs: Runs) -> Iterator[Finding]:
    """Tables that are kept for nobody."""
    for table in each_unused_table(runs):
        if table.size_bytes:
            name = ".".join((table.catalog, table.schema, table.table))
            finding = Finding(kind="unused_table", subject=name, usd=table.usd_per_month or 0.0)
            finding.detail = f"{table.size_bytes:,} bytes"
            yield finding


def _facts(runs: Runs) -> dict[int, _TableFacts]:
    """Hash of the folded name -> facts about the table in the newest run, where they matter."""
    counts: dict[int, int] = {}
    for place in runs.newest.rows("metadata_columns", "catalog", "schema", "table"):
        number = hash(folded(*place))
        counts[number] = counts.get(number, 0) + 1

    found = {}
    names = ("catalog", "schema", "table", "table_format", "partition_keys", "parameters")
    for catalog, schema, table, kind, keys, parameters in runs.newest.rows(
        "metadata_tables", *names
    ):
        number = hash(folded(catalog, schema, table))
        facts = _TableFacts(
            ".".join((catalog, schema, table)),
            tuple(sys.intern(name.lower()) for name in json.loads(keys)) if keys else (),
            _format(kind, json.loads(parameters) if parameters else {}),
            counts.pop(number, 0),
        )
        if facts.partition_keys or facts.format in _ROW_FORMATS or facts.is_wide:
            found[number] = facts

    return found


def _format(table_format: str, parameters: dict[str, str]) -> str:
    """Format of the files, from the catalog; empty if unknown."""
    said = {name.lower(): str(value).lower() for name, value in parameters.items()}
    hints = (
        table_format,
        said.get("classification", ""),
        said.get("inputformat", ""),
        said.get("serde.serialization.lib", ""),
    )
    for hint in hints:
        for name in (*_COLUMNAR, *_ROW_FORMATS):
            if name in hint:
                return name

    return ""


def _moment(text: str) -> datetime | None:
    return datetime.fromisoformat(f"{text}+00:00") if text else None
