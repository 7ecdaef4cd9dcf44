"""Progress of a run: events added up, for whatever draws them."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field

from kada_athena_async.events import (
    CallRates,
    DeliveryStarted,
    Event,
    FileCommitted,
    FileDelivered,
    PlanReady,
    QueryFinished,
    QueryStarted,
    RetryScheduled,
    RunFinished,
    RunStarted,
    StageStarted,
    Throttled,
    UnitAdvanced,
    UnitFinished,
    UnitProgress,
    UnitStarted,
    Warned,
)

METADATA, HISTORY, USERS, LINEAGE = "metadata", "history", "users", "lineage"

_LANES = {
    "history": HISTORY,
    "principal_events": USERS,
    "principals": LINEAGE,
    "derive": LINEAGE,
}
"""Beginning of a unit's id -> the lane it goes in; all others are metadata."""


def lane_of(unit_id: str) -> str:
    """Track of a unit: metadata, history and users, read side by side, or lineage after them."""
    return _LANES.get(unit_id.partition("/")[0], METADATA)


WINDOW_S = 10.0
"""The past that a rate is about: long enough to be calm, short enough to show what changes."""

_SAMPLE_S = 1.0


@dataclass(slots=True)
class Meter:
    """Totals of the last seconds, a sample a second."""

    _samples: deque[tuple[float, dict[str, int]]] = field(default_factory=deque)

    def note(self, totals: Mapping[str, int], now_s: float) -> None:
        """Keep *totals*, unless some were kept within the last second."""
        if self._samples and now_s - self._samples[-1][0] < _SAMPLE_S:
            return

        self._samples.append((now_s, dict(totals)))
        while len(self._samples) > 2 and now_s - self._samples[1][0] >= WINDOW_S:
            self._samples.popleft()

    def rates(self, totals: Mapping[str, int], now_s: float) -> dict[str, float]:
        """Name -> growth a second, of those of *totals* that grew within the window."""
        past = [sample for sample in list(self._samples) if now_s - sample[0] <= 2 * WINDOW_S]
        if not past or now_s - past[0][0] < _SAMPLE_S:
            return {}

        since_s, before = past[0]
        grown = {name: total - before.get(name, 0) for name, total in totals.items()}
        return {name: n / (now_s - since_s) for name, n in grown.items() if n > 0}


@dataclass(slots=True)
class Track:
    """Units that share a quota, and how far they have come.

    Attributes:
        resumed: Units that an interrupted run had done; they say nothing about speed.
        shares: Running unit -> the greatest share that it reported.
        pages: Unit -> how often it reported a share: for history, pages of the list.
        begun_s: When its first unit began.
    """

    total: int = 0
    ended: int = 0
    resumed: int = 0
    rows: int = 0
    shares: dict[str, float] = field(default_factory=dict)
    pages: Counter[str] = field(default_factory=Counter)
    begun_s: float | None = None

    @property
    def share(self) -> float:
        """The part of the lane that is done, from 0 to 1; never falls."""
        shares = list(self.shares.values())
        return min(1.0, (self.ended + sum(shares)) / self.total) if self.total else 0.0


@dataclass(slots=True)
class RunProgress:
    """A run as the events report it.

    Attributes:
        begun_s: When it began, in seconds of the observer's clock.
        outcomes: How many units ended ``done``, ``skipped``, ``failed`` or ``resumed``.
        rows: Rows written so far, by kind.
        query_limit: How many of our statements may run at once now.
        calls, allowed: Per operation, as ``CallRates`` last reported.
        throttles: Refusals because of the rate, by operation; ``rates`` holds the rate since.
        troubles: The units that were skipped or failed.
        delivered_bytes: What the landing has confirmed of ``delivery``.
    """

    begun_s: float = 0.0
    run: RunStarted | None = None
    stage: str = ""
    plan: PlanReady | None = None
    tracks: dict[str, Track] = field(default_factory=dict)
    running: dict[str, None] = field(default_factory=dict)
    outcomes: Counter[str] = field(default_factory=Counter)
    rows: Counter[str] = field(default_factory=Counter)
    row_meter: Meter = field(default_factory=Meter)
    active_queries: set[str] = field(default_factory=set)
    query_limit: int = 0
    scanned_bytes: int = 0
    calls: dict[str, int] = field(default_factory=dict)
    allowed: dict[str, float] = field(default_factory=dict)
    call_meter: Meter = field(default_factory=Meter)
    throttles: Counter[str] = field(default_factory=Counter)
    rates: dict[str, float] = field(default_factory=dict)
    retries: int = 0
    troubles: list[UnitFinished] = field(default_factory=list)
    warnings: list[Warned] = field(default_factory=list)
    files: list[FileCommitted] = field(default_factory=list)
    delivery: DeliveryStarted | None = None
    delivered: int = 0
    delivered_bytes: int = 0
    finished: RunFinished | None = None

    @property
    def units_total(self) -> int:
        return len(self.plan.units) if self.plan else 0

    @property
    def units_ended(self) -> int:
        return sum(self.outcomes.values())

    @property
    def share(self) -> float:
        """The part of the run that is done, from 0 to 1: of its slowest lane, and all lanes of it
        have to end. Never falls."""
        reading = [track.share for name, track in self.tracks.items() if name != LINEAGE]
        return min(reading, default=0.0)

    def after(self, event: Event, now_s: float) -> RunProgress:
        """This progress with *event* in it; a new one if *event* starts another run.

        An interrupted run is finished first and emits no end of its own.
        """
        if isinstance(event, RunStarted) and self.run:
            return RunProgress(begun_s=self.begun_s).after(event, now_s)

        self._add(event, now_s)
        return self

    def rows_by_lane(self) -> dict[str, int]:
        return {name: track.rows for name, track in list(self.tracks.items())}

    def _add(self, event: Event, now_s: float) -> None:
        match event:
            case RunStarted():
                self.run = event
            case StageStarted():
                self.stage = event.stage
            case PlanReady():
                self.plan = event
                for unit_id in event.units:
                    self.tracks.setdefault(lane_of(unit_id), Track()).total += 1
            case UnitStarted() | UnitProgress() | UnitAdvanced() | UnitFinished():
                self._add_unit(event, now_s)
            case QueryStarted() | QueryFinished() | Throttled() | CallRates() | RetryScheduled():
                self._add_call(event, now_s)
            case _:
                self._add_end(event)

    def _add_end(self, event: Event) -> None:
        match event:
            case Warned():
                self.warnings.append(event)
            case FileCommitted():
                self.files.append(event)
            case DeliveryStarted():
                self.delivery = event
            case FileDelivered():
                self.delivered += 1
                self.delivered_bytes += event.size_bytes
            case RunFinished():
                self.finished = event
            case _:
                pass

    def _add_unit(
        self, event: UnitStarted | UnitProgress | UnitAdvanced | UnitFinished, now_s: float
    ) -> None:
        track = self.tracks.setdefault(lane_of(event.unit_id), Track())
        match event:
            case UnitStarted():
                self.running[event.unit_id] = None
                track.begun_s = now_s if track.begun_s is None else track.begun_s
            case UnitProgress():
                self.rows[event.kind] += event.rows
                track.rows += event.rows
                self.row_meter.note(self.rows_by_lane(), now_s)
            case UnitAdvanced():
                track.pages[event.unit_id] += 1
                track.shares[event.unit_id] = max(track.shares.get(event.unit_id, 0.0), event.share)
            case UnitFinished():
                self.running.pop(event.unit_id, None)
                track.shares.pop(event.unit_id, None)
                track.ended += 1
                if event.outcome == "resumed":
                    track.resumed += 1
                    track.rows += event.rows

                self.outcomes[event.outcome] += 1
                if event.outcome in ("skipped", "failed"):
                    self.troubles.append(event)

    def _add_call(
        self,
        event: QueryStarted | QueryFinished | Throttled | CallRates | RetryScheduled,
        now_s: float,
    ) -> None:
        match event:
            case QueryStarted():
                self.active_queries.add(event.query_execution_id)
                self.query_limit = event.limit
            case QueryFinished():
                self.active_queries.discard(event.query_execution_id)
                self.scanned_bytes += event.scanned_bytes
            case Throttled():
                self.throttles[event.operation] += 1
                self.rates[event.operation] = event.rate
            case CallRates():
                self.calls, self.allowed = event.calls, event.allowed
                self.call_meter.note(event.calls, now_s)
            case RetryScheduled():
                self.retries += 1
