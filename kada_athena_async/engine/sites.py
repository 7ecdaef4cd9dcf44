"""Several sites in one process: each a run of its own, all under one budget."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Generic, TypeVar

from kada_athena_async.codes import ExitCode
from kada_athena_async.concurrency import Clock, SystemClock, map_bounded
from kada_athena_async.config import Site, check_name
from kada_athena_async.engine.connection import ConnectionReport
from kada_athena_async.engine.extractor import Extractor
from kada_athena_async.engine.shared import Shared
from kada_athena_async.errors import KadaAthenaError
from kada_athena_async.events import (
    Event,
    Fanout,
    Observer,
    SiteEvent,
    SiteFinished,
    SitesFinished,
    SitesStarted,
    SiteStarted,
)
from kada_athena_async.files import Files
from kada_athena_async.landing import DeliveryReport
from kada_athena_async.report import RunReport, SiteReport, SitesReport, common_exit_code

ResultT = TypeVar("ResultT")

SITES_AT_ONCE = 8
"""Sites side by side where nobody says how many; see the README, "How far one machine goes"."""


@dataclass(frozen=True, slots=True)
class SiteResult(Generic[ResultT]):
    """What was done for one site, or why it was not.

    Attributes:
        error: What ended it; anything but a KadaAthenaError is a bug of ours.
    """

    site: Site
    result: ResultT | None
    error: Exception | None
    duration_s: float

    @property
    def exit_code(self) -> int:
        """What the command line would return for this site alone."""
        if self.error is not None:
            return (
                self.error.exit_code if isinstance(self.error, KadaAthenaError) else ExitCode.FAILED
            )

        if isinstance(self.result, ConnectionReport):
            return ExitCode.FAILED if self.result.missing else ExitCode.OK

        return self.result.exit_code if isinstance(self.result, RunReport) else ExitCode.OK

    @property
    def is_committed(self) -> bool:
        return isinstance(self.result, RunReport) and self.result.committed

    @property
    def reason(self) -> str:
        """Why the exit code is not 0; empty if it is."""
        if isinstance(self.error, KadaAthenaError):
            return self.error.message

        if self.error is not None:
            # Its message may quote SQL.
            return f"unexpected {type(self.error).__name__}: this is a bug of kada_athena_async"

        if isinstance(self.result, ConnectionReport):
            return "; ".join(self.result.missing)

        if isinstance(self.result, RunReport) and self.result.failed:
            first, *more = self.result.failed
            rest = f" (and {len(more)} more)" if more else ""
            return f"{first.unit_id}: {first.reason}{rest}"

        return ""

    @property
    def hint(self) -> str:
        """What to try next; may be empty."""
        if isinstance(self.error, KadaAthenaError):
            return self.error.hint

        failed = self.result.failed if isinstance(self.result, RunReport) else ()
        return failed[0].hint if failed else ""


class SitesExtractor:
    """Extracts several sites side by side; one that fails leaves the others alone.

    Each site has its own lock, files, mark and landing journal, named after its instance,
    ``<name>-<site>``. They share the SDK's models, the processes that parse SQL, and, where they
    share an account and region, AWS's quotas. Like ``Extractor`` it keeps no global state and
    nothing outlives a call.

    Args:
        observers: Are told what happens, in the event loop; see ``events``.
        name: Name of the collector.
        at_once: Sites side by side; the others wait their turn.
        shared: What they share with yet other extractors of this process.
        files, clock, rng: Seams for tests.

    Raises:
        ConfigError: A site's instance cannot be named.
    """

    def __init__(
        self,
        sites: Sequence[Site],
        *,
        observers: Sequence[Observer] = (),
        name: str = "athena",
        at_once: int = SITES_AT_ONCE,
        shared: Shared | None = None,
        files: Files | None = None,
        clock: Clock | None = None,
        rng: Random | None = None,
    ) -> None:
        for site in sites:
            check_name(site.instance(name))

        self.sites = tuple(sites)
        self.name = name
        self._at_once = at_once
        self._tell = Fanout(observers)
        self._clock = clock or SystemClock()
        self._shared = shared or Shared(clock=self._clock)
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
        """Run every site as ``Extractor.run`` does; never raises for what is wrong with a site."""

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

    async def push(self) -> list[SiteResult[DeliveryReport]]:
        """Deliver what every site has extracted and not delivered."""
        return await self.each(Extractor.push)

    async def each(
        self, work: Callable[[Extractor], Awaitable[ResultT]]
    ) -> list[SiteResult[ResultT]]:
        """Do *work* with the extractor of each site, some at a time; results in the sites' order.

        What *work* raises is the site's result and ends no other site; a cancellation ends all.
        """
        begun = self._clock.monotonic()
        names = tuple(site.name for site in self.sites)
        at_once = min(self._at_once, len(names))
        self._tell(SitesStarted(sites=names, at_once=at_once))

        async def one(site: Site) -> SiteResult[ResultT]:
            return await self._one(site, work)

        results = await map_bounded(one, self.sites, limit=at_once)
        self._tell(
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
        def tell(event: Event) -> None:
            self._tell(SiteEvent(site=site.name, event=event))

        begun = self._clock.monotonic()
        result, error = None, None
        self._tell(SiteStarted(site=site.name, name=site.instance(self.name)))
        try:
            extractor = Extractor(
                site.config,
                observers=[tell],
                name=site.instance(self.name),
                shared=self._shared,
                files=self._files,
                clock=self._clock,
                rng=self._rng,
            )
            async with extractor:
                result = await work(extractor)
        except Exception as exc:
            error = exc

        duration_s = round(self._clock.monotonic() - begun, 3)
        found = SiteResult(site, result, error, duration_s)
        self._tell(
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
