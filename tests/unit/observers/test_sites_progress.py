"""Many sites on one screen, while they run and when they are through."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from kada_athena_async.codes import WarningCode
from kada_athena_async.events import (
    CallRates,
    Event,
    FileCommitted,
    Incomplete,
    PlanReady,
    RunFinished,
    SiteEvent,
    SiteFinished,
    SitesFinished,
    SitesStarted,
    SiteStarted,
    SitesWaiting,
    StageStarted,
    Throttled,
    UnitAdvanced,
    UnitFinished,
    UnitProgress,
    UnitStarted,
    Warned,
)
from kada_athena_async.observers import NORMAL
from kada_athena_async.observers.layout import Screen, sites_part
from kada_athena_async.observers.sites import SiteLines
from kada_athena_async.observers.sites_progress import SitesProgress
from kada_athena_async.observers.summary import closing_sites
from kada_athena_async.records import KINDS
from kada_athena_async.redact import Redactor
from tests.unit.observers.conftest import HOSTILE

SITES = tuple(f"site_{number:02}" for number in range(40))
UNITS = tuple(f"metadata/c/{number}" for number in range(7))


def at_work(site: str) -> list[Event]:
    """A site half way through its metadata."""
    told: list[Event] = [
        StageStarted(stage="extract"),
        PlanReady(units=(*UNITS, "history/p"), catalogs=1, schemas=7, workgroups=1),
        UnitStarted(unit_id=UNITS[0]),
        UnitProgress(unit_id=UNITS[0], kind="metadata_columns", rows=1_000),
        UnitAdvanced(unit_id="history/p", share=0.5),
        *(UnitFinished(unit_id=u, outcome="done", rows=1, duration_s=1) for u in UNITS[:4]),
    ]
    return [SiteStarted(site=site, name=site), *(SiteEvent(site=site, event=e) for e in told)]


def through(site: str, *, fails: bool = False, reason: str = "") -> list[Event]:
    """A site that has ended; its hive catalog is denied."""
    lacks = Incomplete(
        scope="schema",
        within="hive",
        outcome="denied",
        reason=reason or "glue:GetTables is not allowed",
        count=14,
        names=("sales", "hr", "web"),
    )
    end = RunFinished(
        run_id="r",
        committed=not fails,
        exit_code=int(fails),
        duration_s=9,
        rows=dict.fromkeys(KINDS, 1_000_000),
        calls={"athena:ListQueryExecutions": 100},
        incomplete=(lacks,),
    )
    files = [FileCommitted(name=k, kind=k, rows=10**6, size_bytes=10**9) for k in KINDS]
    told = [Throttled(operation="glue:GetTables", rate=1), *([] if fails else files), end]
    return [
        *at_work(site),
        *(SiteEvent(site=site, event=event) for event in told),
        SiteFinished(
            site=site,
            exit_code=3 if fails else 0,
            committed=not fails,
            duration_s=9,
            reason="the role cannot be assumed: " + "x" * 100 if fails else "",
        ),
    ]


def board_of(events: list[Event], *, now_s: float = 0.0) -> SitesProgress:
    sites = SitesProgress()
    for event in [SitesStarted(sites=SITES, at_once=8), *events]:
        sites.add(event, now_s)

    return sites


def drawn(sites: SitesProgress, screen: Screen, *, now_s: float) -> list[str]:
    lines = sites_part(sites, screen, now_s)
    return ["".join(piece.text for piece in line).rstrip() for line in lines]


def test_sites_at_work_have_a_line_each() -> None:
    """The count of finished sites, the bar of all, and what each that is at work does."""
    events = [*through(SITES[0]), *through(SITES[1], fails=True), *at_work(SITES[2])]
    events += [SiteStarted(site=SITES[3], name="x")]

    assert drawn(board_of(events), Screen(80, 24), now_s=5) == [
        "2 of 40 sites  1 failed  5 s",
        "  all                 ━─────────────────────────",
        "  site_02             ━━━━━━━━━━━━━─────────────  4/8 units, 1,000 rows",
        "  site_03             ──────────────────────────  starting",
    ]


@pytest.mark.parametrize(("width", "height"), [(40, 5), (80, 24), (200, 50)])
def test_forty_sites_fit_the_screen(width: int, height: int) -> None:
    """The lines that do not fit are counted; nothing wraps, whatever the names."""
    events = [event for site in SITES for event in at_work(site)]
    events += at_work(HOSTILE) + at_work("表" * 30)

    lines = drawn(board_of(events), Screen(width, height), now_s=5)

    assert len(lines) <= height - 1
    assert all(cell_len(line) <= width and line.isprintable() for line in lines)
    assert height > 40 or "more at work" in lines[-1]


def test_the_end_of_forty_sites_fits_a_screen() -> None:
    """24 lines of 80: totals, the first that failed, the names of the others, what lacks."""
    events = [
        event
        for number, site in enumerate(SITES)
        for event in through(site, fails=number % 4 == 0, reason=f"reason {number % 9}")
    ]
    failed = tuple(SITES[::4])
    good = tuple(site for site in SITES if site not in failed)
    end = SitesFinished(exit_code=1, good=good, failed=failed, duration_s=720)

    lines = closing_sites(board_of([*events, end]), width=80)

    assert len(lines) <= 23
    assert all(len(line) <= 80 for line in lines)
    assert lines[0] == "30 of 40 sites good after 12 min 0 s (4,000 calls, 40 throttled)"
    assert lines[1].startswith("nothing was committed for site_00, site_04, site_08, ")
    assert lines[2] == "30,000,000  metadata_catalogs    28 GB"
    assert "  and 6 more: site_16, site_20, site_24, site_28, site_32, site_36" in lines
    assert "  70 schemas of hive (sales, hr, web, ...): denied: reason 0" in lines
    assert lines[-1] == "  and for 5 more reasons; the whole list: --json"


def test_a_log_of_sites_shows_signs_of_life() -> None:
    """Between the lines of sites that end."""
    lines: list[str] = []
    now_s = [0.0]
    show = SiteLines(lines.append, redact=Redactor(), verbosity=NORMAL, clock_s=lambda: now_s[0])
    for event in [SitesStarted(sites=SITES, at_once=8), *through(SITES[0]), *at_work(SITES[1])]:
        show(event)

    for second in range(31):
        now_s[0] = float(second)
        show(SiteEvent(site=SITES[1], event=CallRates(calls={}, allowed={})))

    rows = len(KINDS) * 10**6 + 1_000
    assert lines[2:] == [
        f"after 15 s: 1 of 40 sites (4 %), 1 at work ({SITES[1]}), {rows:,} rows",
        f"after 30 s: 1 of 40 sites (4 %), 1 at work ({SITES[1]}), {rows:,} rows",
    ]


def test_a_site_that_says_nothing_is_named() -> None:
    """At once, then ever more rarely; a warning that belongs to no site is shown as well."""
    lines: list[str] = []
    now_s = [0.0]
    show = SiteLines(lines.append, redact=Redactor(), verbosity=NORMAL, clock_s=lambda: now_s[0])
    for event in [SitesStarted(sites=SITES, at_once=8), *at_work(SITES[0])]:
        show(event)

    for second in range(30, 150, 30):
        now_s[0] = float(second)
        show(SitesWaiting(silent_s={SITES[0]: second}))

    show(Warned(code=WarningCode.OBSERVER_FAILED, message="an observer\nfailed"))

    assert lines[1] == f"still waiting for {SITES[0]} (30 s)"
    assert lines[-2] == f"still waiting for {SITES[0]} (2 min 0 s)"
    assert lines[-1] == "warning: an observer failed"


def test_a_log_tells_a_reason_in_full() -> None:
    """A file has no 80 columns, and a reason of several lines is one line."""
    reason = "2 problems in the configuration:\n  region = 'x': " + "write another " * 20
    end = SitesFinished(exit_code=1, good=(), failed=(SITES[0],), duration_s=1)

    failed = SiteFinished(site=SITES[0], exit_code=2, committed=False, duration_s=1, reason=reason)

    lines = closing_sites(board_of([failed, end]))

    (line,) = [line for line in lines if line.startswith(f"  {SITES[0]}: ")]
    assert line == f"  {SITES[0]}: {' '.join(reason.split())}"
