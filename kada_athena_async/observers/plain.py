"""A run as plain lines: for pipes, logs and schedulers."""

from __future__ import annotations

import time
from collections.abc import Callable

from kada_athena_async.codes import WarningCode
from kada_athena_async.events import (
    DeliveryFinished,
    DeliveryStarted,
    Event,
    FileDelivered,
    PlanReady,
    QueryFinished,
    RetryScheduled,
    RunFinished,
    RunStarted,
    StageFinished,
    Throttled,
    UnitFinished,
    Warned,
)
from kada_athena_async.observers import NORMAL, VERBOSE
from kada_athena_async.observers.escaping import escape, one_line
from kada_athena_async.observers.run_progress import LINEAGE, RunProgress
from kada_athena_async.observers.summary import between, closing
from kada_athena_async.observers.time_left import in_words, remaining
from kada_athena_async.observers.wording import (
    brief,
    counted,
    duration,
    moment,
    size,
)
from kada_athena_async.redact import Redactor

_TRIES_BEFORE_WORD = 5

_OFTENEST_S, _RAREST_S = 15.0, 300.0
"""Seconds between two signs of life: some fifty lines in a run of three hours."""


class PlainLines:
    """Observer that writes a line for each thing that happens.

    Args:
        write: Takes a line without its end.
        verbosity: QUIET, NORMAL or VERBOSE.
        clock_s: Seconds that only grow.
    """

    def __init__(
        self,
        write: Callable[[str], None],
        *,
        redact: Redactor,
        verbosity: int = NORMAL,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._write = write
        self._redact = redact
        self._verbosity = verbosity
        self._clock_s = clock_s
        self._progress = RunProgress(begun_s=clock_s())
        self._notified_s = clock_s()

    def __call__(self, event: Event) -> None:
        before, self._progress = self._progress, self._progress.after(event, self._clock_s())
        for line in self._lines(event, before):
            self._write(self._redact(line))

    def _lines(self, event: Event, before: RunProgress) -> list[str]:
        # What the settings of this machine say, whoever asks for quiet has made.
        is_known = isinstance(event, Warned) and event.code == WarningCode.ENDPOINT
        lines = [] if self._verbosity < NORMAL and is_known else always(event)
        if self._verbosity >= NORMAL:
            lines += self._milestones(event, before)
        elif isinstance(event, RunFinished) and event.exit_code:
            lines += closing(self._progress)[:1]

        if self._verbosity >= VERBOSE:
            lines += details(event)

        return lines

    def _milestones(self, event: Event, before: RunProgress) -> list[str]:
        match event:
            case RunStarted():
                return [*between(before, event), opening(event)]
            case PlanReady():
                return [plan_line(event)]
            case RunFinished():
                return closing(self._progress)
            case _:
                return [*patience(event), *delivery(event), *self._sign_of_life()]

    def _sign_of_life(self) -> list[str]:
        """A line of progress now and then, the longer the run the rarer."""
        now_s = self._clock_s()
        if not is_due(now_s, notified_s=self._notified_s, begun_s=self._progress.begun_s):
            return []

        self._notified_s = now_s
        line = progress(self._progress, now_s)
        return [line] if line else []


def is_due(now_s: float, *, notified_s: float, begun_s: float) -> bool:
    """True if a log was silent long enough, by the time that the run has lasted; in seconds."""
    return now_s - notified_s >= min(_RAREST_S, max(_OFTENEST_S, (now_s - begun_s) / 5))


def plan_line(plan: PlanReady) -> str:
    """A line about the amount of work."""
    return ", ".join(
        [
            counted(plan.catalogs, "catalog"),
            counted(plan.schemas, "schema"),
            counted(plan.workgroups, "workgroup"),
            f"{counted(len(plan.units), 'unit')} of work",
        ]
    )


def patience(event: Event) -> list[str]:
    """Lines about a call that fails again and again."""
    match event:
        case RetryScheduled() if event.attempt % _TRIES_BEFORE_WORD == 0:
            operation, reason = escape(event.operation), escape(event.reason)
            return [f"still trying {operation}, {event.attempt} times so far: {reason}"]
        case _:
            return []


def always(event: Event) -> list[str]:
    """Lines that are shown with ``-q`` too."""
    match event:
        case Warned():
            hint = [f"  try: {one_line(event.hint, limit=500)}"] if event.hint else []
            return [f"warning: {one_line(event.message, limit=1000)}", *hint]
        case UnitFinished(outcome="skipped" | "failed"):
            return [
                f"{event.outcome}: {escape(event.unit_id)}: {one_line(event.reason, limit=1000)}"
            ]
        case _:
            return []


def details(event: Event) -> list[str]:
    """Lines that are shown with ``-v`` only."""
    match event:
        case StageFinished():
            return [f"stage {event.stage}: {duration(event.duration_s)}"]
        case UnitFinished(outcome="done" | "resumed"):
            took = duration(event.duration_s)
            return [f"{event.outcome}: {escape(event.unit_id)}: {event.rows:,} rows in {took}"]
        case FileDelivered():
            how = "was there" if event.was_there else f"in {duration(event.duration_s)}"
            return [f"delivered: {escape(event.name, limit=120)}: {size(event.size_bytes)}, {how}"]
        case QueryFinished():
            scanned = size(event.scanned_bytes)
            took = duration(event.duration_s)
            return [f"query {event.query_execution_id}: {event.state} in {took}, {scanned} scanned"]
        case Throttled():
            return [f"throttled: {escape(event.operation)}, from now on {event.rate:.2g} a second"]
        case RetryScheduled():
            reason = escape(event.reason)
            wait = duration(event.wait_s)
            return [f"again in {wait}: {escape(event.operation)}, try {event.attempt}: {reason}"]
        case _:
            return []


def opening(run: RunStarted) -> str:
    """The first line of a run."""
    verb = "continues" if run.is_resumed else "started"
    where = f", talking to {escape(run.endpoint_url)}" if run.endpoint_url else ""
    return (
        f"run {run.run_id} of {escape(run.name)} {verb}: "
        f"{moment(run.start)} to {moment(run.end)} UTC{where}"
    )


def progress(progress: RunProgress, now_s: float) -> str:
    """A line about the progress of a run; empty before there is a plan."""
    if progress.plan is None:
        return ""

    words = [
        f"{name} {track.ended:,} of {track.total:,}"
        + (f" ({100 * track.share:.0f} %)" if track.shares else "")
        for name, track in progress.tracks.items()
        if name != LINEAGE or track.begun_s is not None
    ]
    words.append(f"{sum(progress.rows.values()):,} rows")
    if progress.active_queries:
        words.append(f"{counted(len(progress.active_queries), 'query')} running")

    if progress.throttles:
        words.append(f"{sum(progress.throttles.values()):,} throttled")

    span = remaining(progress, now_s)
    if span is not None and (left := in_words(span)):
        words.append(left)

    return f"after {brief(now_s - progress.begun_s)}: {', '.join(words)}"


def delivery(event: Event) -> list[str]:
    """Lines about the begin and the end of a delivery."""
    match event:
        case DeliveryStarted():
            files = counted(event.files, "file")
            return [f"delivering {files}, {size(event.size_bytes)}, to {escape(event.place)}"]
        case DeliveryFinished():
            there = f"; {event.skipped:,} were there" if event.skipped else ""
            took = duration(event.duration_s)
            files = counted(event.sent, "file")
            return [f"delivered {files}, {size(event.sent_bytes)}, in {took}{there}"]
        case _:
            return []
