"""A run of several sites as plain lines."""

from __future__ import annotations

import time
from collections.abc import Callable

from kada_athena_async.codes import WarningCode
from kada_athena_async.events import (
    Event,
    RunFinished,
    SiteEvent,
    SiteFinished,
    SitesFinished,
    SitesStarted,
    SiteStarted,
    SitesWaiting,
    Warned,
)
from kada_athena_async.observers import NORMAL, QUIET, VERBOSE
from kada_athena_async.observers.escaping import escape
from kada_athena_async.observers.plain import PlainLines, always, is_due
from kada_athena_async.observers.sites_progress import SitesProgress
from kada_athena_async.observers.summary import UNCUT, closing_sites
from kada_athena_async.observers.wording import brief, counted, duration
from kada_athena_async.redact import Redactor

_NAMED = 4


class SiteLines:
    """Observer that writes a line for the end of each site.

    Of a site's own events it says what goes wrong, and all the rest only with VERBOSE: a thousand
    sites would say it a thousand times.

    Args:
        write: Takes a line without its end.
        verbosity: QUIET, NORMAL or VERBOSE.
        clock_s: Seconds that only grow.
        has_progress: True if something else shows that the run is alive.
        width: Columns at which the last lines are cut.
        sums_up: False if somebody else says at the end how the sites did.

    Attributes:
        sites: The sites so far.
    """

    def __init__(
        self,
        write: Callable[[str], None],
        *,
        redact: Redactor,
        verbosity: int = NORMAL,
        clock_s: Callable[[], float] = time.monotonic,
        has_progress: bool = False,
        width: int = UNCUT,
        sums_up: bool = True,
    ) -> None:
        self._sums_up = sums_up
        self.sites = SitesProgress()
        self._has_progress = has_progress
        self._width = width
        self._notified_s = clock_s()
        self._clock_s = clock_s
        self._write = write
        self._redact = redact
        self._verbosity = verbosity
        self._sites: dict[str, PlainLines] = {}
        self._ended = self._total = 0
        self._named, self._named_s = False, clock_s()
        self._knows_endpoint = False

    def __call__(self, event: Event) -> None:
        self.note(event)
        self.notify(event)

    def note(self, event: Event) -> None:
        """Add *event* to the sites."""
        self.sites.add(event, self._clock_s())

    def notify(self, event: Event) -> None:
        """Write the lines of *event*, which was noted."""
        match event:
            case SitesStarted():
                self._total = len(event.sites)
                self._say(f"{counted(self._total, 'site')}, {event.at_once} at a time")
            case SiteStarted():
                self._sites[event.site] = self._lines_of(event.site)
            case SiteEvent():
                self._hear(event)
            case SiteFinished():
                self._end(event)
            case SitesWaiting():
                self._name_the_silent(event)
            case Warned():
                self._outside_of_sites(event)
            case SitesFinished() if self._sums_up:
                self._close(event)
            case _:
                pass

    def _hear(self, event: SiteEvent) -> None:
        if isinstance(event.event, Warned) and event.event.code == WarningCode.ENDPOINT:
            self._warn_of_endpoint(event.event)
            return

        # The end of a site is a line of its own.
        if self._verbosity >= VERBOSE or not isinstance(event.event, RunFinished):
            self._sites[event.site](event.event)

        self._show_life()

    def _close(self, event: SitesFinished) -> None:
        is_brief = self._verbosity < NORMAL
        if is_brief and not event.exit_code:
            return

        for line in closing_sites(self.sites, width=self._width, is_brief=is_brief):
            self._write(self._redact(line))

    def _lines_of(self, site: str) -> PlainLines:
        verbosity = VERBOSE if self._verbosity >= VERBOSE else QUIET
        return PlainLines(
            lambda line: self._write(f"{site}: {line}"), redact=self._redact, verbosity=verbosity
        )

    def _end(self, event: SiteFinished) -> None:
        self._sites.pop(event.site, None)
        self._ended += 1
        where = f"{event.site}: " if event.site else ""
        took = f"after {duration(event.duration_s)} ({self._ended:,} of {self._total:,})"
        if event.exit_code:
            # Shown whatever the verbosity: a site that failed is the news of the night.
            hint = f"\n  try: {escape(event.hint, limit=500)}" if event.hint else ""
            reason = f"{escape(event.reason, limit=1000, keep=chr(10))}{hint}"
            self._write(self._redact(f"{where}failed {took}: {reason}"))
        else:
            self._say(f"{where}{'committed' if event.committed else 'done'} {took}")

    def _show_life(self) -> None:
        now_s = self._clock_s()
        due = is_due(now_s, notified_s=self._notified_s, begun_s=self.sites.begun_s)
        if due and not self._has_progress:
            self._notified_s = now_s
            self._say(progress_of_sites(self.sites, now_s))

    def _name_the_silent(self, event: SitesWaiting) -> None:
        now_s = self._clock_s()
        if self._named and not is_due(now_s, notified_s=self._named_s, begun_s=self.sites.begun_s):
            return

        self._named, self._named_s = True, now_s
        sites = list(event.silent_s.items())
        shown = [f"{escape(site, limit=60)} ({brief(silent_s)})" for site, silent_s in sites]
        more = f" and {len(sites) - _NAMED:,} more" if len(sites) > _NAMED else ""
        self._say(f"still waiting for {', '.join(shown[:_NAMED])}{more}")

    def _warn_of_endpoint(self, warning: Warned) -> None:
        """Warn once: it is about this machine, and each site finds it anew."""
        if not self._knows_endpoint and self._verbosity >= NORMAL:
            self._outside_of_sites(warning)

        self._knows_endpoint = True

    def _outside_of_sites(self, event: Warned) -> None:
        for line in always(event):
            self._write(self._redact(line))

    def _say(self, line: str) -> None:
        if self._verbosity >= NORMAL:
            self._write(self._redact(line))


def progress_of_sites(sites: SitesProgress, now_s: float) -> str:
    """A line about the progress of a run of several sites."""
    at_work = list(sites.runs.values())
    rows = sum(sites.rows.values()) + sum(sum(p.rows.values()) for p in at_work)
    percent = f"{100 * sites.track.share:.0f} %"
    words = [
        f"{sites.track.ended:,} of {counted(sites.track.total, 'site')} ({percent})",
        f"{len(at_work):,} at work" + _names(list(sites.runs)),
        f"{rows:,} rows",
    ]
    if sites.failed:
        words.insert(1, f"{len(sites.failed):,} failed")

    return f"after {brief(now_s - sites.begun_s)}: {', '.join(words)}"


def _names(sites: list[str]) -> str:
    """Names of the last sites at work, for which the run waits."""
    names = ", ".join(escape(site, limit=60) for site in sites)
    return f" ({names})" if names and len(sites) <= _NAMED else ""
