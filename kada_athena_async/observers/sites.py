"""A run of several sites as plain lines."""

from __future__ import annotations

from collections.abc import Callable

from kada_athena_async.events import (
    Event,
    SiteEvent,
    SiteFinished,
    SitesFinished,
    SitesStarted,
    SiteStarted,
)
from kada_athena_async.observers.plain import NORMAL, QUIET, VERBOSE, PlainLines
from kada_athena_async.observers.redact import Redactor
from kada_athena_async.observers.safe import safe
from kada_athena_async.observers.wording import counted, duration

_SHOWN_NAMES = 20


class SiteLines:
    """Observer that says what becomes of each site, a line each.

    Of a site's own events it says what goes wrong, and all the rest only with VERBOSE: a thousand
    sites would say it a thousand times.

    Args:
        write: Takes a line without its end.
        verbosity: QUIET, NORMAL or VERBOSE.
    """

    def __init__(
        self, write: Callable[[str], None], *, redact: Redactor, verbosity: int = NORMAL
    ) -> None:
        self._write = write
        self._redact = redact
        self._verbosity = verbosity
        self._sites: dict[str, PlainLines] = {}
        self._ended = self._total = 0

    def __call__(self, event: Event) -> None:
        match event:
            case SitesStarted():
                self._total = len(event.sites)
                self._say(f"{counted(self._total, 'site')}, {event.at_once} at a time")
            case SiteStarted():
                self._sites[event.site] = self._lines_of(event.site)
            case SiteEvent():
                self._sites[event.site](event.event)
            case SiteFinished():
                self._end(event)
            case SitesFinished():
                self._say(_closing(event))
            case _:
                pass

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
            hint = f"\n  try: {safe(event.hint, limit=500)}" if event.hint else ""
            reason = f"{safe(event.reason, limit=1000, keep=chr(10))}{hint}"
            self._write(self._redact(f"{where}failed {took}: {reason}"))
        else:
            self._say(f"{where}{'committed' if event.committed else 'done'} {took}")

    def _say(self, line: str) -> None:
        if self._verbosity >= NORMAL:
            self._write(self._redact(line))


def _closing(event: SitesFinished) -> str:
    total = len(event.good) + len(event.failed)
    line = f"{len(event.good):,} of {counted(total, 'site')} good, {duration(event.duration_s)}"
    if not event.failed:
        return line

    more = ", ..." if len(event.failed) > _SHOWN_NAMES else ""
    return f"{line}; failed: {', '.join(event.failed[:_SHOWN_NAMES])}{more}"
