"""Progress of a run of several sites: a ``RunProgress`` for each that is at work."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace

from kada_athena_async.events import (
    Event,
    Incomplete,
    SiteEvent,
    SiteFinished,
    SitesFinished,
    SitesStarted,
    SiteStarted,
)
from kada_athena_async.observers.run_progress import RunProgress, Track


@dataclass(slots=True)
class SitesProgress:
    """Sites as the events report them; those that have ended are added up and forgotten.

    Attributes:
        runs: Site at work -> its progress, in the order in which they began.
        lane: The sites as units of work, with the share of each.
        failed: The sites that ended with an exit code, with why.
        rows, sizes: Committed, by kind; sizes in bytes.
        incomplete: What the extracts lack, over all sites.
    """

    begun_s: float = 0.0
    track: Track = field(default_factory=Track)
    runs: dict[str, RunProgress] = field(default_factory=dict)
    committed: int = 0
    failed: list[SiteFinished] = field(default_factory=list)
    rows: Counter[str] = field(default_factory=Counter)
    sizes: Counter[str] = field(default_factory=Counter)
    calls: int = 0
    throttled: int = 0
    retries: int = 0
    scanned_bytes: int = 0
    incomplete: dict[tuple[str, str, str, str], Incomplete] = field(default_factory=dict)
    finished: SitesFinished | None = None

    def add(self, event: Event, now_s: float) -> None:
        """Note *event*, which is one of several sites."""
        match event:
            case SitesStarted():
                self.begun_s = now_s
                self.track = Track(total=len(event.sites), begun_s=now_s)
            case SiteStarted():
                self.runs[event.site] = RunProgress(begun_s=now_s)
            case SiteEvent() if event.site in self.runs:
                progress = self.runs[event.site].after(event.event, now_s)
                self.runs[event.site] = progress
                shares = self.track.shares
                shares[event.site] = max(shares.get(event.site, 0.0), progress.share)
            case SiteFinished():
                self._end(event)
            case SitesFinished():
                self.finished = event
            case _:
                pass

    def _end(self, event: SiteFinished) -> None:
        self.track.ended += 1
        self.track.shares.pop(event.site, None)
        self.committed += event.committed
        if event.exit_code:
            self.failed.append(event)

        progress = self.runs.pop(event.site, None)
        if progress is None:
            return

        for file in progress.files:
            self.rows[file.kind] += file.rows
            self.sizes[file.kind] += file.size_bytes

        self.throttled += sum(progress.throttles.values())
        self.retries += progress.retries
        self.scanned_bytes += progress.scanned_bytes
        finished = progress.finished
        self.calls += sum((finished.calls if finished else progress.calls).values())
        for group in finished.incomplete if finished else ():
            key = (group.scope, group.within, group.outcome, group.reason)
            before = self.incomplete.get(key)
            count = group.count + (before.count if before else 0)
            self.incomplete[key] = replace(before or group, count=count)
