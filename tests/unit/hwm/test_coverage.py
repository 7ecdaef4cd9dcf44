"""Windows without what is published: nothing twice, nothing left out."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from kada_athena_async.hwm import (
    RunState,
    Window,
    WorkgroupState,
    covered_by_state,
    overlapping,
    uncovered,
)

T0 = datetime(2026, 11, 1, tzinfo=timezone.utc)


def window(start: int, end: int) -> Window:
    return Window(T0 + timedelta(seconds=start), T0 + timedelta(seconds=end))


WINDOWS = st.tuples(st.integers(0, 40), st.integers(1, 20)).map(lambda p: window(p[0], sum(p)))


def seconds(found: Window) -> set[int]:
    first, last = ((moment - T0).total_seconds() for moment in (found.start, found.end))
    return set(range(int(first), int(last)))


@given(wanted=WINDOWS, published=st.lists(WINDOWS, max_size=6))
def test_the_parts_are_each_second_that_nobody_published_once(
    wanted: Window, published: list[Window]
) -> None:
    """Whatever the windows are, overlapping ones too: the parts do not touch what is published."""
    parts = uncovered(wanted, published)
    told = [second for part in parts for second in seconds(part)]
    covered = set().union(*(seconds(other) for other in published))

    assert sorted(told) == sorted(seconds(wanted) - covered)
    assert all(before.end < after.start for before, after in pairwise(parts))
    assert all(seconds(wanted) & seconds(other) for other in overlapping(wanted, published))


def test_a_state_covers_what_its_runs_followed_each_other_through() -> None:
    """From the oldest start of a workgroup to the mark; states of old versions say nothing."""
    day = timedelta(days=1)
    marks = {
        "a": WorkgroupState(hwm=T0, since=T0 - 9 * day),
        "new": WorkgroupState(hwm=T0, since=T0 - day),
        "lags": WorkgroupState(hwm=T0 - 2 * day, since=T0 - 20 * day),
    }

    assert covered_by_state(RunState(hwm=T0, workgroups=marks)) == [Window(T0 - 9 * day, T0)]
    old = {**marks, "old": WorkgroupState(hwm=T0)}
    assert covered_by_state(RunState(hwm=T0, workgroups=old)) == []
    assert covered_by_state(RunState(hwm=T0)) == covered_by_state(None) == []
