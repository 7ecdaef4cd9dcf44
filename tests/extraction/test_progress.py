"""Progress that a run reports while it works."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from kada_athena_async.events import CallRates, Event, QueryStarted, UnitAdvanced
from tests.extraction.conftest import run


def told(events: list[Event], kind: type[Any]) -> list[Any]:
    return [event for event in events if isinstance(event, kind)]


async def test_progress_is_told_in_shares_and_rates(extractor: Any) -> None:
    """Listed time and read texts as shares, calls as totals beside what pacing allows."""
    events: list[Event] = []
    report = await run(extractor(observers=[events.append]))

    assert report.committed, report.failed
    shares: dict[str, list[float]] = {}
    for advanced in told(events, UnitAdvanced):
        shares.setdefault(advanced.unit_id, []).append(advanced.share)

    # An id of a workgroup that needs more than one page, and the unit that reads all texts twice.
    assert any(unit_id.startswith("history/") for unit_id in shares)
    assert shares["derive"][-1] == 1.0
    assert len(set(shares["derive"])) > 1
    for told_shares in shares.values():
        assert told_shares == sorted(told_shares)
        assert all(0 <= share <= 1 for share in told_shares)

    rates = told(events, CallRates)
    for before, after in pairwise(rates):
        assert all(after.calls[name] >= n for name, n in before.calls.items())

    # Five calls a second are the account's quota, and `quota_share` is 1 here.
    assert rates[-1].allowed["athena:ListQueryExecutions"] == 5.0
    assert rates[-1].calls["athena:ListQueryExecutions"] > 0
    assert {query.limit for query in told(events, QueryStarted)} == {20}
