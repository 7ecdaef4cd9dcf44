"""When calls were made is kept in little space, and no call is lost from it."""

from __future__ import annotations

import pytest

from kada_athena_async.aws.call_timeline import MAX_BUCKETS, CallTimeline


def test_a_short_run_is_kept_by_the_second() -> None:
    """Each operation has its own counts, from the first call of all on."""
    timeline = CallTimeline()
    for at_s in (1000.0, 1000.9, 1002.0):
        timeline.note_call("athena:A", at_s)

    timeline.note_call("glue:B", 1003.5)
    timeline.note_throttle("glue:B", 1003.6)

    assert timeline.bucket_s == 1
    assert timeline.calls == {"athena:A": [2, 0, 1], "glue:B": [0, 0, 0, 1]}
    assert timeline.throttles == {"glue:B": [0, 0, 0, 1]}


@pytest.mark.parametrize("every_s", [0.25, 7.0, 100_000.0])
def test_a_long_run_takes_no_more_space(every_s: float) -> None:
    """Whatever the pace, no list exceeds the limit, no call is lost, and each stays in its time."""
    timeline = CallTimeline()
    times = [i * every_s for i in range(3_000)]
    for at_s in times:
        timeline.note_call("athena:A", at_s)

    row = timeline.calls["athena:A"]
    assert len(row) <= MAX_BUCKETS
    width = timeline.bucket_s
    assert row == [sum(i * width <= t < (i + 1) * width for t in times) for i in range(len(row))]
