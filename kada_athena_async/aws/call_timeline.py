"""Calls of a run over time: counts in time buckets, of a size that never grows."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta

MAX_BUCKETS = 240
"""Buckets at most: enough for a picture as wide as a screen, and some kilobytes in the manifest."""


@dataclass(slots=True)
class CallTimeline:
    """Counts of requests by operation and time; pure arithmetic, time is an argument.

    Buckets are one second wide at first. When a call falls behind the last of ``MAX_BUCKETS``,
    each two neighbours become one: a run of a minute is kept by the second, one of ten hours by
    about four minutes, in the same space.

    Attributes:
        bucket_s: Width of a bucket, in seconds: a power of two.
        calls, throttles: Operation -> one count a bucket, from the first call on; what follows the
            last count is zero.
    """

    bucket_s: int = 1
    calls: dict[str, list[int]] = field(default_factory=dict)
    throttles: dict[str, list[int]] = field(default_factory=dict)
    _begun_s: float | None = None

    def note_call(self, operation: str, at_s: float) -> None:
        """Count a request sent at *at_s* of a monotonic clock."""
        self._count(self.calls, operation, at_s)

    def note_throttle(self, operation: str, at_s: float) -> None:
        """Count an answer, received at *at_s*, that said we were too fast."""
        self._count(self.throttles, operation, at_s)

    def _count(self, counts: dict[str, list[int]], operation: str, at_s: float) -> None:
        if self._begun_s is None:
            self._begun_s = at_s

        elapsed_s = at_s - self._begun_s
        while elapsed_s >= self.bucket_s * MAX_BUCKETS:
            self._widen()

        index = int(elapsed_s // self.bucket_s)
        row = counts.setdefault(operation, [])
        row.extend([0] * (index + 1 - len(row)))
        row[index] += 1

    def _widen(self) -> None:
        self.bucket_s *= 2
        for counts in (self.calls, self.throttles):
            for operation, row in counts.items():
                counts[operation] = [sum(row[i : i + 2]) for i in range(0, len(row), 2)]


@dataclass(slots=True)
class CallLog:
    """Calls to AWS in this run.

    Attributes:
        calls: Operation -> requests sent, retries included.
        throttles: Operation -> answers that said we were too fast.
        timeline: When that was.
        started_at: When the first request was sent, UTC; None before.
        server_time: Newest ``Date`` header seen.
        skew: Local clock minus server clock, when that header was seen.
    """

    calls: Counter[str] = field(default_factory=Counter)
    throttles: Counter[str] = field(default_factory=Counter)
    timeline: CallTimeline = field(default_factory=CallTimeline)
    started_at: datetime | None = None
    server_time: datetime | None = None
    skew: timedelta = timedelta()
