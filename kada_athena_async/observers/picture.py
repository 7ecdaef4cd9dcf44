"""What a run looks like so far: events added up, for whoever draws them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from kada_athena_async.events import (
    Event,
    FileCommitted,
    PlanReady,
    QueryFinished,
    QueryStarted,
    RetryScheduled,
    RunFinished,
    RunStarted,
    StageStarted,
    Throttled,
    UnitFinished,
    UnitProgress,
    UnitStarted,
    Warned,
)


@dataclass(slots=True)
class Picture:
    """A run as the events tell it.

    Attributes:
        outcomes: How many units ended ``done``, ``skipped``, ``failed`` or ``resumed``.
        rows: Rows written so far, by kind.
        throttles: Refusals because of the rate, by operation; ``rates`` holds the rate since.
        troubles: The units that were skipped or failed.
    """

    run: RunStarted | None = None
    stage: str = ""
    plan: PlanReady | None = None
    running: dict[str, None] = field(default_factory=dict)
    outcomes: Counter[str] = field(default_factory=Counter)
    rows: Counter[str] = field(default_factory=Counter)
    active_queries: set[str] = field(default_factory=set)
    scanned_bytes: int = 0
    throttles: Counter[str] = field(default_factory=Counter)
    rates: dict[str, float] = field(default_factory=dict)
    retries: int = 0
    troubles: list[UnitFinished] = field(default_factory=list)
    warnings: list[Warned] = field(default_factory=list)
    files: list[FileCommitted] = field(default_factory=list)
    finished: RunFinished | None = None

    @property
    def units_total(self) -> int:
        return len(self.plan.units) if self.plan else 0

    @property
    def units_ended(self) -> int:
        return sum(self.outcomes.values())

    def after(self, event: Event) -> Picture:
        """This picture with *event* in it; a new one if *event* starts another run.

        An interrupted run is finished first and tells no end of its own.
        """
        if isinstance(event, RunStarted) and self.run:
            return Picture().after(event)

        self._add(event)
        return self

    def _add(self, event: Event) -> None:
        match event:
            case RunStarted():
                self.run = event
            case StageStarted():
                self.stage = event.stage
            case PlanReady():
                self.plan = event
            case UnitStarted() | UnitProgress() | UnitFinished():
                self._add_unit(event)
            case QueryStarted() | QueryFinished() | Throttled() | RetryScheduled():
                self._add_call(event)
            case Warned():
                self.warnings.append(event)
            case FileCommitted():
                self.files.append(event)
            case RunFinished():
                self.finished = event
            case _:
                pass

    def _add_unit(self, event: UnitStarted | UnitProgress | UnitFinished) -> None:
        match event:
            case UnitStarted():
                self.running[event.unit_id] = None
            case UnitProgress():
                self.rows[event.kind] += event.rows
            case UnitFinished():
                self.running.pop(event.unit_id, None)
                self.outcomes[event.outcome] += 1
                if event.outcome in ("skipped", "failed"):
                    self.troubles.append(event)

    def _add_call(self, event: QueryStarted | QueryFinished | Throttled | RetryScheduled) -> None:
        match event:
            case QueryStarted():
                self.active_queries.add(event.query_execution_id)
            case QueryFinished():
                self.active_queries.discard(event.query_execution_id)
                self.scanned_bytes += event.scanned_bytes
            case Throttled():
                self.throttles[event.operation] += 1
                self.rates[event.operation] = event.rate
            case RetryScheduled():
                self.retries += 1
