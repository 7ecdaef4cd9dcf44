"""Many sites in one run: each on its own, all within AWS's quotas, none lost for another's sake."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import anyio
import pytest

from kada_athena_async.codes import common_exit_code
from kada_athena_async.config import Config, Site
from kada_athena_async.engine import Extractor, Shared, SitesExtractor
from kada_athena_async.engine.shared import Budget
from kada_athena_async.errors import ConfigError, UnitError
from kada_athena_async.events import (
    CallRates,
    Event,
    RetryScheduled,
    RunFinished,
    RunStarted,
    SiteEvent,
    SiteFinished,
    SitesFinished,
    SitesStarted,
    SiteStarted,
    SitesWaiting,
)
from kada_athena_async.report import RunReport
from tests.conftest import FastClock
from tests.sites.world import DENY_ALL, SitesWorld

SITES = [pytest.param(6, id="6"), pytest.param(40, id="40", marks=pytest.mark.slow)]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("count", SITES)
async def test_a_site_that_fails_leaves_the_others_committed(
    world: SitesWorld, fast_clock: FastClock, count: int
) -> None:
    """One denied, one whose role cannot be assumed, one throttled, all others sound."""
    sound = world.fill(count - 3)
    world.add("denied", 300_000_000_001, "eu-west-1", policy=DENY_ALL)
    nobody = "arn:aws:iam::300000000002:role/Nobody"
    world.add("broken", 300_000_000_002, "eu-west-1", role=nobody)
    throttled = world.add("throttled", 300_000_000_003, "us-east-1")
    world.sandbox.faults.add(
        "throttle", "*", probability=0.3, where={"account_id": throttled.account_id}
    )

    report = await SitesExtractor(world.sites(), clock=fast_clock).run(manage_hwm=True)

    codes = {site.site: site.exit_code for site in report.sites}
    assert codes == {**dict.fromkeys([*sound, "throttled"], 0), "denied": 1, "broken": 3}
    assert report.exit_code == 1
    for site in (*sound, "throttled"):
        world.check(site)

    for site in ("denied", "broken"):
        world.check_absent(site)

    reasons = {site.site: site.reason for site in report.failed}
    assert "athena:ListDataCatalogs is not allowed" in reasons["denied"]
    assert nobody in reasons["broken"]
    by_site = {site.site: site.report for site in report.sites}
    assert by_site["throttled"] is not None
    assert sum(by_site["throttled"].throttles.values()) > 0
    assert all(not by_site[site].throttles for site in sound)  # type: ignore[union-attr]


async def test_each_site_assumes_its_role_once(world: SitesWorld, fast_clock: FastClock) -> None:
    """However many clients and calls a site needs; and no site asks who it is."""
    names = world.fill(4)

    await SitesExtractor(world.sites(), clock=fast_clock).run()

    assert set(world.assumed().values()) == {1}
    assert len(world.assumed()) == len(names)
    assert world.sandbox.calls["sts:GetCallerIdentity"] == 0


async def test_a_second_run_continues_each_site_at_its_own_mark(
    world: SitesWorld, fast_clock: FastClock
) -> None:
    """A site that failed in between catches up; nothing is told twice."""
    names = world.fill(2)
    late = world.handles[names[1]]
    fault = world.sandbox.faults.add(
        "access_denied", "athena:*", where={"account_id": late.account_id, "region": late.region}
    )
    extractor = SitesExtractor(world.sites(), clock=fast_clock)

    first = await extractor.run(manage_hwm=True)
    world.sandbox.faults.clear(fault)
    second = await extractor.run(manage_hwm=True)

    assert [site.exit_code for site in first.sites] == [0, 1]
    assert second.exit_code == 0
    for name in names:
        told = [row["query_id"] for row in world.extracts(name).rows("databaselog")]
        finished = [e for e in world.handles[name].estate.executions.values() if e.is_final]
        assert len(told) == len(set(told)) == len(finished)


async def test_a_site_that_hangs_is_named_while_it_is_waited_for(
    world: SitesWorld, fast_clock: FastClock
) -> None:
    """It alone, with how long nothing was heard of it, again and again."""
    hanging, *_ = world.fill(3)
    named = anyio.Event()
    told: list[SitesWaiting] = []

    def watch(event: Event) -> None:
        if isinstance(event, SitesWaiting):
            told.append(event)
            named.set()

    async def work(extractor: Extractor) -> None:
        if extractor.name == f"athena-{hanging}":
            await named.wait()

    await SitesExtractor(world.sites(), observers=[watch], clock=fast_clock).each(work)

    assert list(told[0].silent_s) == [hanging]
    assert told[0].silent_s[hanging] >= 30


async def test_a_site_that_takes_too_long_does_not_hold_the_others(world: SitesWorld) -> None:
    """It has failed, with how long it had, what it waited for and what to do; the others ended."""
    hanging, *sound = world.fill(3)

    left_s: list[float] = []

    async def work(extractor: Extractor) -> str:
        left_s.append(anyio.current_effective_deadline() - anyio.current_time())
        if extractor.name == f"athena-{hanging}":
            for notify in extractor._observers:
                notify(RetryScheduled(operation="a:B", attempt=1, wait_s=1.0, reason="a:B: down"))

            await anyio.sleep_forever()

        return extractor.name

    results = await SitesExtractor(world.sites(), deadline_s=5).each(work)

    assert 0 < max(left_s) <= 5

    assert [found.result for found in results] == [None, *(f"athena-{site}" for site in sound)]
    assert [found.exit_code for found in results] == [1, 0, 0]
    assert results[0].reason == (
        "not finished within 5 s, the time limit of a site; last retry: a:B: down"
    )
    assert "run this site again" in results[0].hint


class Watched(Shared):
    """Remembers the budgets that it gave out."""

    def __init__(self) -> None:
        super().__init__()
        self.given: list[Budget] = []

    async def budget(self, config: Config, ask: Callable[[], Awaitable[str]]) -> Budget:
        self.given.append(await super().budget(config, ask))
        return self.given[-1]


@pytest.mark.parametrize("way", ["role", "key"])
async def test_sites_of_one_account_and_region_share_its_quotas(
    world: SitesWorld, fast_clock: FastClock, way: str
) -> None:
    """AWS counts calls and queries by account: side by side they keep to one budget."""
    for name in ("one", "two"):
        world.add(name, 200_000_000_000, world.sandbox.region)
        if way == "key":
            world.fields[name] |= {"role": "", "bucket": f"s3://{world.sandbox.results_bucket}/x"}

    world.fields["two"] |= {"quota_share": 0.5, "max_concurrent_queries": 7}
    world.add("elsewhere", 200_000_000_000, "eu-west-1")
    shared = Watched()

    report = await SitesExtractor(
        world.sites(metadata_source="auto"), clock=fast_clock, shared=shared, at_once=1
    ).run()

    one, two, elsewhere = shared.given
    assert report.exit_code == 0
    assert one is two
    assert one is not elsewhere
    # Where they differ, the least that one of them allows; 5 calls a second are AWS's.
    assert one.pacer.rates()["athena:ListQueryExecutions"] == 0.5 * 5
    assert elsewhere.pacer.rates()["athena:ListQueryExecutions"] == 0.8 * 5
    assert (one.slots.ceiling, elsewhere.slots.ceiling) == (7, 20)


async def test_an_account_that_stays_unknown_costs_no_run(
    world: SitesWorld, fast_clock: FastClock
) -> None:
    """Without a way to STS those with the same key share, for they are one account."""
    for name in ("one", "two"):
        world.add(name, 200_000_000_000, world.sandbox.region)
        world.fields[name] |= {"role": "", "bucket": f"s3://{world.sandbox.results_bucket}/x"}

    world.sandbox.faults.add("access_denied", "sts:GetCallerIdentity")
    shared = Watched()

    report = await SitesExtractor(world.sites(), clock=fast_clock, shared=shared).run()

    assert report.exit_code == 0
    assert shared.given[0] is shared.given[1]


async def test_at_most_so_many_sites_run_at_once(world: SitesWorld, fast_clock: FastClock) -> None:
    """The others wait their turn, and none is left out."""
    names = world.fill(5)
    events: list[Event] = []
    extractor = SitesExtractor(
        world.sites(), clock=fast_clock, observers=[events.append], at_once=2
    )

    await extractor.test_connection()

    running = most = 0
    for event in events:
        running += isinstance(event, SiteStarted) - isinstance(event, SiteFinished)
        most = max(most, running)

    assert events[0] == SitesStarted(sites=tuple(names), at_once=2)
    assert most == 2
    assert [e.site for e in events if isinstance(e, SiteStarted)] == names


async def test_events_say_which_site_they_are_about(
    world: SitesWorld, fast_clock: FastClock
) -> None:
    """Start and end of all, start and end of each, and between them each run's own events."""
    world.fill(2)
    world.add("denied", 300_000_000_001, "eu-west-1", policy=DENY_ALL)
    events: list[Event] = []

    await SitesExtractor(world.sites(), clock=fast_clock, observers=[events.append]).run()

    assert isinstance(events[0], SitesStarted)
    assert isinstance(events[-1], SitesFinished)
    assert (events[-1].exit_code, events[-1].failed) == (1, ("denied",))
    for site in ("site_000", "site_001"):
        own = [e for e in events if getattr(e, "site", None) == site]
        inner = [e.event for e in own if isinstance(e, SiteEvent)]
        inner = [e for e in inner if not isinstance(e, CallRates)]  # told by the clock
        assert own[0] == SiteStarted(site=site, name=f"athena-{site}")
        assert isinstance(own[-1], SiteFinished)
        assert own[-1].committed
        assert isinstance(inner[0], RunStarted)
        assert inner[0].name == f"athena-{site}"
        assert isinstance(inner[-1], RunFinished)

    (denied,) = [e for e in events if isinstance(e, SiteFinished) and e.site == "denied"]
    assert (denied.exit_code, denied.committed) == (1, False)
    assert "athena:ListDataCatalogs is not allowed" in denied.reason
    assert denied.hint == "allow athena:ListDataCatalogs to the role or user of the run"


async def test_a_cancelled_run_leaves_every_site_to_be_continued(
    world: SitesWorld, fast_clock: FastClock
) -> None:
    """Nothing half-written is in sight of any site, and the next run commits them all."""
    names = world.fill(3)
    sites = world.sites()
    with anyio.CancelScope() as scope:

        def cancel(event: Event) -> None:
            if isinstance(event, SiteEvent) and type(event.event).__name__ == "UnitFinished":
                scope.cancel()

        await SitesExtractor(sites, clock=fast_clock, observers=[cancel]).run(manage_hwm=True)

    seen = [path.name for path in world.out.iterdir() if path.name[0] != "."]
    report = await SitesExtractor(sites, clock=fast_clock).run(manage_hwm=True)

    assert scope.cancelled_caught
    assert seen == []
    assert report.exit_code == 0
    for name in names:
        world.check(name)


async def test_a_bug_in_one_site_is_its_own(world: SitesWorld, fast_clock: FastClock) -> None:
    """The others end well; its message, which may quote SQL, is not said."""
    world.fill(2)

    async def work(extractor: Extractor) -> RunReport:
        if extractor.name == "athena-site_000":
            raise ZeroDivisionError("canary")

        return await extractor.run()

    bad, good = await SitesExtractor(world.sites(), clock=fast_clock).each(work)

    assert (bad.exit_code, good.exit_code) == (1, 0)
    assert bad.reason == "unexpected ZeroDivisionError: this is a bug of kada_athena_async"


def test_a_name_that_becomes_too_long_is_refused(world: SitesWorld) -> None:
    """Before anything is called."""
    world.fill(1)

    with pytest.raises(ConfigError, match="write 1 to 64 letters"):
        SitesExtractor(world.sites(), name="a" * 60)


@pytest.mark.parametrize(
    ("codes", "code"),
    [
        ([0, 0], 0),
        ([0, 4], 4),
        ([4, 4], 4),
        ([3, 3], 3),
        ([2, 2], 2),
        ([2, 3], 3),
        ([0, 3], 1),
        ([0, 1, 4], 1),
        ([1, 1], 1),
        ([3, 4], 1),
    ],
)
def test_one_exit_code_says_what_is_to_be_done(codes: list[int], code: int) -> None:
    """All good, delivery alone, nothing could start, or look at the sites."""
    assert common_exit_code(codes) == code


async def test_a_site_without_a_name_is_a_run_alone(
    world: SitesWorld, fast_clock: FastClock, tmp_path: Path
) -> None:
    """Its events come as they are, its mark may be named, and what ends it is raised."""
    world.fill(1)
    alone = Site("", world.sites()[0].config)
    events: list[Event] = []
    sites = SitesExtractor(
        [alone], observers=[events.append], hwm_path=tmp_path / "own.txt", clock=fast_clock
    )

    async def fail(_: Extractor) -> RunReport:
        raise UnitError("this cannot be read", hint="")

    report = await sites.run(manage_hwm=True)
    with pytest.raises(UnitError, match="this cannot be read"):
        await sites.each(fail)

    assert report.exit_code == 0
    assert (tmp_path / "own.txt").exists()
    assert isinstance(events[-1], RunFinished)
    assert not [event for event in events if isinstance(event, SiteEvent | SitesStarted)]


def test_sites_with_names_take_no_common_file_of_the_mark(
    world: SitesWorld, tmp_path: Path
) -> None:
    """Each keeps its own: one file for all would be moved by whoever is last."""
    world.fill(2)

    with pytest.raises(ConfigError, match="each site keeps its own high-water mark"):
        SitesExtractor(world.sites(), hwm_path=tmp_path / "one.txt")
