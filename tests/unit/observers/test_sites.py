"""Several sites as lines: one for each, and what goes wrong in it."""

from __future__ import annotations

import pytest

from kada_athena_async.codes import WarningCode
from kada_athena_async.events import (
    Event,
    SiteEvent,
    SiteFinished,
    SitesFinished,
    SitesStarted,
    SiteStarted,
    StageFinished,
    Warned,
)
from kada_athena_async.observers import NORMAL, QUIET, VERBOSE
from kada_athena_async.observers.sites import SiteLines
from kada_athena_async.redact import Redactor

EVENTS: list[Event] = [
    SitesStarted(sites=("au", "eu"), at_once=2),
    SiteStarted(site="au", name="athena-au"),
    SiteStarted(site="eu", name="athena-eu"),
    SiteEvent(site="eu", event=StageFinished(stage="discover", duration_s=1.0)),
    SiteEvent(site="au", event=Warned(code="gap", message="a gap canary-secret\x1b[2J")),
    SiteFinished(site="eu", exit_code=0, committed=True, duration_s=2.0),
    SiteFinished(
        site="au", exit_code=3, committed=False, duration_s=3.0, reason="no role\x1b", hint="fix it"
    ),
    SitesFinished(exit_code=1, good=("eu",), failed=("au",), duration_s=3.5),
]
TROUBLE = [
    "au: warning: a gap ***\\x1b[2J",
    "au: failed after 3.0 s (2 of 2): no role\\x1b\n  try: fix it",
]
VERDICT = ["1 of 2 sites good after 3.5 s (0 calls)", "nothing was committed for au"]


def lines(verbosity: int) -> list[str]:
    said: list[str] = []
    show = SiteLines(said.append, redact=Redactor(["canary-secret"]), verbosity=verbosity)
    for event in EVENTS:
        show(event)

    return said


def test_each_site_has_a_line_and_its_troubles_are_named() -> None:
    """A remark on one run alone is not repeated a thousand times."""
    assert lines(NORMAL) == [
        "2 sites, 2 at a time",
        TROUBLE[0],
        "eu: committed after 2.0 s (1 of 2)",
        TROUBLE[1],
        *VERDICT,
        "failed:",
        "  au: no role\\x1b",
    ]


@pytest.mark.parametrize(
    ("verbosity", "said"),
    [
        (QUIET, [*TROUBLE, *VERDICT]),
        (VERBOSE, ["eu: stage discover: 1.0 s"]),
    ],
)
def test_quiet_says_what_goes_wrong_and_verbose_all(verbosity: int, said: list[str]) -> None:
    """A failed site is said whatever was asked for, and the verdict over all of them."""
    found = lines(verbosity)

    assert [line for line in found if line in said] == said
    assert (found == said) is (verbosity == QUIET)


def test_what_was_committed_and_not_delivered_is_not_called_lost() -> None:
    """A site whose landing is down has its extracts; the verdict tells it from one that failed."""
    said: list[str] = []
    show = SiteLines(said.append, redact=Redactor(), verbosity=QUIET)
    ends = [("au", 4, True), ("eu", 1, False)]
    show(SitesStarted(sites=("au", "eu"), at_once=2))
    for site, code, committed in ends:
        show(SiteStarted(site=site, name=site))
        show(SiteFinished(site=site, exit_code=code, committed=committed, duration_s=1.0))
    show(SitesFinished(exit_code=1, good=(), failed=("au", "eu"), duration_s=1.0))

    assert said[-3:] == [
        "0 of 2 sites good after 1.0 s (0 calls)",
        "nothing was committed for eu",
        "committed and not delivered: au",
    ]


def test_a_command_that_has_a_verdict_of_its_own_hears_none() -> None:
    """`plan` and `doctor` say it after what they show."""
    said: list[str] = []
    show = SiteLines(said.append, redact=Redactor(), sums_up=False)
    for event in EVENTS:
        show(event)

    assert said[-1] == TROUBLE[1]


@pytest.mark.parametrize(("verbosity", "times"), [(NORMAL, 1), (QUIET, 0), (VERBOSE, 1)])
def test_h17_settings_of_this_machine_are_warned_of_once_for_all_sites(
    verbosity: int, times: int
) -> None:
    """Each site finds out that calls go elsewhere; nobody has to read it three times."""
    said: list[str] = []
    show = SiteLines(said.append, redact=Redactor(), verbosity=verbosity)
    show(SitesStarted(sites=("au", "eu"), at_once=2))
    for site in ("au", "eu"):
        show(SiteStarted(site=site, name=site))
        warning = Warned(code=WarningCode.ENDPOINT, message="calls go to 'http://x'")
        show(SiteEvent(site=site, event=warning))

    assert said.count("warning: calls go to 'http://x'") == times
    assert sum("http://x" in line for line in said) == times
