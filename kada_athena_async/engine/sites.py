"""Several sites in one process: each a run of its own, all under one budget."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar, runtime_checkable

import anyio

from kada_athena_async.codes import ExitCode, common_exit_code
from kada_athena_async.concurrency import Clock, SystemClock, map_bounded
from kada_athena_async.config import Site, check_name
from kada_athena_async.engine.extractor import Extractor
from kada_athena_async.engine.shared import Shared
from kada_athena_async.errors import ConfigError, KadaAthenaError, Problem, UnitError
from kada_athena_async.events import (
    Event,
    Observer,
    RetryScheduled,
    SiteEvent,
    SiteFinished,
    SitesFinished,
    SitesStarted,
    SiteStarted,
    SitesWaiting,
)
from kada_athena_async.fanout import Fanout
from kada_athena_async.files import Files
from kada_athena_async.landing import DeliveryReport

if TYPE_CHECKING:
    from kada_athena_async.report import ConnectionReport, RunReport, SitesReport

ResultT = TypeVar("ResultT")

SITES_AT_ONCE = 8
"""Sites side by side by default; see the README, "How far one machine goes"."""

SILENCE_S = 30.0
"""A site of which nothing is heard for so long is named, again and again while that lasts."""


@runtime_checkable
class Verdict(Protocol):
    """A result that says itself whether it is good."""

    @property
    def exit_code(self) -> int:
        """0 if it is."""

    @property
    def reason(self) -> str:
        """Reason why it is not."""


@dataclass(frozen=True, slots=True)
class SiteResult(Generic[ResultT]):
    """Result of one site, or the reason why there is none.

    Code and reason are those of the result, if it is a ``Verdict``.

    Attributes:
        error: What ended it; anything but a KadaAthenaError is a bug of ours.
    """

    site: Site
    result: ResultT | None
    error: Exception | None
    duration_s: float

    @property
    def exit_code(self) -> int:
        """Exit code of the command line for this site alone."""
        if isinstance(self.error, KadaAthenaError):
            return self.error.exit_code

        if self.error is not None:
            return ExitCode.FAILED

        return self.result.exit_code if isinstance(self.result, Verdict) else ExitCode.OK

    @property
    def is_committed(self) -> bool:
        return self._run is not None and self._run.committed

    @property
    def reason(self) -> str:
        """Reason why the exit code is not 0; empty if it is."""
        if isinstance(self.error, KadaAthenaError):
            return self.error.message

        if self.error is not None:
            # Its message may quote SQL.
            return f"unexpected {type(self.error).__name__}: this is a bug of kada_athena_async"

        return self.result.reason if self.exit_code and isinstance(self.result, Verdict) else ""

    @property
    def hint(self) -> str:
        """Remedy to try next; may be empty."""
        if isinstance(self.error, KadaAthenaError):
            return self.error.hint

        return self._run.hint if self.exit_code and self._run is not None else ""

    @property
    def _run(self) -> RunReport | None:
        from kada_athena_async.report import RunReport

        return self.result if isinstance(self.result, RunReport) else None


class SitesExtractor:
    """Extracts several sites side by side; one that fails leaves the others alone.

    A configuration without ``sites`` is one site without a name: its events come as those of its
    run, and what ends it is raised.

    Each site has its own lock, files, HWM and landing journal, named after its instance,
    ``<name>-<site>``. They share the SDK's models, the processes that parse SQL, and, where they
    share an account and region, AWS's quotas. Like ``Extractor`` it keeps no global state and
    nothing outlives a call.

    Args:
        observers: Receive what happens, in the event loop; see ``events``.
        name: Name of the collector.
        hwm_path: File of the high-water mark of a site without a name; others have one each.
        at_once: Sites side by side; the others wait their turn.
        deadline_s: Seconds that a site may take at most; one that takes longer is ended, has
            failed, and keeps what is finished for its next run. None: as long as it takes.
        shared: What they share with yet other extractors of this process.
        files, clock, rng: Seams for tests.

    Raises:
        ConfigError: A site's instance cannot be named, there is no site, two have one name, or
            *at_once* or *deadline_s* lets none of them work.
    """

    def __init__(
        self,
        sites: Sequence[Site],
        *,
        observers: Sequence[Observer] = (),
        name: str = "athena",
        hwm_path: Path | str | None = None,
        at_once: int = SITES_AT_ONCE,
        deadline_s: float | None = None,
        shared: Shared | None = None,
        files: Files | None = None,
        clock: Clock | None = None,
        rng: Random | None = None,
    ) -> None:
        _check(sites, at_once, deadline_s, hwm_path)
        for site in sites:
            check_name(site.instance(name))

        self.sites = tuple(sites)
        self.name = name
        self._hwm_path = hwm_path
        self._observers = tuple(observers)
        self._at_once = at_once
        self._deadline_s = deadline_s
        self._heard_s: dict[str, float] = {}
        self._retried: dict[str, str] = {}
        self._notify = Fanout(observers)
        self._clock = clock or SystemClock()
        self._shared = shared
        if shared is None and sites[0].name:
            self._shared = Shared(clock=self._clock)

        self._files = files or Files()
        self._rng = rng or Random()

    def __repr__(self) -> str:
        return f"SitesExtractor(name={self.name!r}, sites={len(self.sites)})"

    async def run(
        self,
        *,
        start_hwm: datetime | str | None = None,
        end_hwm: datetime | str | None = None,
        fresh: bool = False,
        again: bool = False,
        manage_hwm: bool | None = None,
    ) -> SitesReport:
        """Run every site as ``Extractor.run`` does; an error of a named site is in its report."""

        async def work(extractor: Extractor) -> RunReport:
            return await extractor.run(
                start_hwm=start_hwm,
                end_hwm=end_hwm,
                fresh=fresh,
                again=again,
                manage_hwm=manage_hwm,
            )

        begun = self._clock.monotonic()
        results = await self.each(work)
        from kada_athena_async.report import SiteReport, SitesReport

        return SitesReport(
            sites=tuple(
                SiteReport(
                    site=found.site.name,
                    name=found.site.instance(self.name),
                    exit_code=found.exit_code,
                    report=found.result,
                    error=found.error,
                    reason=found.reason,
                    hint=found.hint,
                    duration_s=found.duration_s,
                )
                for found in results
            ),
            duration_s=round(self._clock.monotonic() - begun, 3),
        )

    async def test_connection(self) -> list[SiteResult[ConnectionReport]]:
        """Log in to every site and look around."""
        return await self.each(Extractor.test_connection)

    async def push(self, *, sends_all: bool = False) -> list[SiteResult[DeliveryReport]]:
        """Deliver what every site has extracted and not delivered; see ``Extractor.push``."""
        return await self.each(lambda extractor: extractor.push(sends_all=sends_all))

    async def each(
        self, work: Callable[[Extractor], Awaitable[ResultT]]
    ) -> list[SiteResult[ResultT]]:
        """Do *work* with the extractor of each site, some at a time; results in the sites' order.

        What *work* raises is the site's result and ends no other site; a cancellation ends all.

        Raises:
            KadaAthenaError: What *work* raises, where the only site has no name.
        """
        begun = self._clock.monotonic()
        if not self.sites[0].name:
            alone = self._extractor(self.sites[0], self._observers)
            result = await self._in_time(alone, work)
            duration_s = round(self._clock.monotonic() - begun, 3)
            return [SiteResult(self.sites[0], result, None, duration_s)]

        names = tuple(site.name for site in self.sites)
        at_once = min(self._at_once, len(names))
        self._notify(SitesStarted(sites=names, at_once=at_once))

        async def one(site: Site) -> SiteResult[ResultT]:
            return await self._one(site, work)

        async with self._reporting_silent_sites():
            results = await map_bounded(one, self.sites, limit=at_once)

        self._notify(
            SitesFinished(
                exit_code=common_exit_code([found.exit_code for found in results]),
                good=tuple(found.site.name for found in results if not found.exit_code),
                failed=tuple(found.site.name for found in results if found.exit_code),
                duration_s=round(self._clock.monotonic() - begun, 3),
            )
        )
        return results

    async def _one(
        self, site: Site, work: Callable[[Extractor], Awaitable[ResultT]]
    ) -> SiteResult[ResultT]:
        def hear(event: Event) -> None:
            self._heard_s[site.name] = self._clock.monotonic()
            if isinstance(event, RetryScheduled):
                self._retried[site.name] = event.reason

            self._notify(SiteEvent(site=site.name, event=event))

        notify = _SiteObserver(hear, takes_calls=self._notify.takes_calls)
        begun = self._clock.monotonic()
        result, error = None, None
        self._heard_s[site.name] = begun
        self._notify(SiteStarted(site=site.name, name=site.instance(self.name)))
        try:
            result = await self._in_time(self._extractor(site, [notify]), work, site.name)
        except Exception as exc:
            error = exc

        self._heard_s.pop(site.name, None)
        duration_s = round(self._clock.monotonic() - begun, 3)
        found = SiteResult(site, result, error, duration_s)
        self._notify(
            SiteFinished(
                site=site.name,
                exit_code=found.exit_code,
                committed=found.is_committed,
                duration_s=duration_s,
                reason=found.reason,
                hint=found.hint,
            )
        )
        return found

    def _extractor(self, site: Site, observers: Sequence[Observer]) -> Extractor:
        return Extractor(
            site.config,
            observers=observers,
            name=site.instance(self.name),
            hwm_path=self._hwm_path,
            shared=self._shared,
            files=self._files,
            clock=self._clock,
            rng=self._rng,
        )

    async def _in_time(
        self, extractor: Extractor, work: Callable[[Extractor], Awaitable[ResultT]], site: str = ""
    ) -> ResultT:
        """The result of *work*.

        Raises:
            UnitError: It had not finished by the deadline, and has been ended.
        """
        with anyio.move_on_after(self._deadline_s) as scope:
            async with extractor:
                return await work(extractor)

        assert scope.cancelled_caught
        retried = f"; last retry: {self._retried[site]}" if site in self._retried else ""
        raise UnitError(
            f"not finished within {self._deadline_s:g} s, the time limit of a site{retried}",
            hint="run this site again: finished parts are kept; or raise the limit",
        )

    @asynccontextmanager
    async def _reporting_silent_sites(self) -> AsyncIterator[None]:
        """Within the block, report the sites at work that have sent no event for a while."""

        async def watch() -> None:
            while True:
                await self._clock.sleep(SILENCE_S)
                now_s = self._clock.monotonic()
                silent = {
                    site: now_s - heard_s
                    for site, heard_s in sorted(self._heard_s.items(), key=lambda item: item[1])
                    if now_s - heard_s >= SILENCE_S
                }
                if silent:
                    self._notify(SitesWaiting(silent_s=silent))

        async with anyio.create_task_group() as group:
            group.start_soon(watch)
            yield
            group.cancel_scope.cancel()


def _check(
    sites: Sequence[Site], at_once: int, deadline_s: float | None, hwm_path: Path | str | None
) -> None:
    """Raise ConfigError for arguments under which nothing would be extracted."""
    problems = []
    if not sites:
        problems.append(Problem("sites", "(empty)", "give at least one site"))
    elif hwm_path is not None and sites[0].name:
        remedy = (
            "each site keeps its own high-water mark; leave it out, or set hwm_store in the sites"
        )
        problems.append(Problem("hwm_path", ascii(str(hwm_path)), remedy))

    for name, count in Counter(site.name for site in sites).items():
        if count > 1:
            problems.append(Problem("sites", ascii(name), f"comes {count} times; name each once"))

    if type(at_once) is not int or at_once < 1:
        problems.append(Problem("at_once", str(at_once), "give 1 or more: sites side by side"))

    if deadline_s is not None and not deadline_s > 0:
        problems.append(
            Problem("deadline_s", str(deadline_s), "give seconds above 0, or None for no limit")
        )

    if problems:
        raise ConfigError(problems, source="call")


@dataclass(frozen=True, slots=True)
class _SiteObserver:
    """The observer of one site's events."""

    hear: Observer
    takes_calls: bool

    def __call__(self, event: Event) -> None:
        self.hear(event)
