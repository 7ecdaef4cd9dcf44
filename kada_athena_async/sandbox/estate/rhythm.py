"""Times at which people and machines submit statements: hours of the day, days of the week."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta, timezone
from random import Random

HISTORY_DAYS = 45  # Athena keeps query history for 45 days
_SYDNEY = timezone(timedelta(hours=10))


def _office(local: datetime) -> float:
    hours = 9.0 if 9 <= local.hour < 12 else 7.0 if 13 <= local.hour < 18 else 1.0
    quiet = 0.3 if local.hour < 7 or local.hour > 20 else 1.0
    return hours * quiet * (0.1 if local.weekday() >= 5 else 1.0)


PROFILES: dict[str, Callable[[datetime], float]] = {
    "office": _office,
    "dashboards": lambda local: (
        (6.0 if 7 <= local.hour < 19 else 1.5) * (0.4 if local.weekday() >= 5 else 1.0)
    ),
    "night": lambda local: 10.0 if 1 <= local.hour < 5 else 0.4,
    "always": lambda local: 1.0,
}


class Rhythm:
    """Draws moments of the last 45 days by a profile.

    ``until_days`` leaves out the days since: what stopped then submits nothing any more.
    """

    def __init__(self, now: datetime, profile: str, *, until_days: int = 0) -> None:
        hour = timedelta(hours=1)
        count = (HISTORY_DAYS - until_days) * 24
        # The first hour is left out, so that nothing falls off the edge while a test runs.
        begin = now - timedelta(days=HISTORY_DAYS) + hour
        self._slots: Sequence[datetime] = [begin + i * hour for i in range(count - 1)]
        weigh = PROFILES[profile]
        self._cumulated = list(
            itertools.accumulate(weigh(slot.astimezone(_SYDNEY)) for slot in self._slots)
        )

    def moment(self, rng: Random) -> datetime:
        """A moment, in whole milliseconds as Athena counts."""
        (slot,) = rng.choices(self._slots, cum_weights=self._cumulated)
        return slot + timedelta(milliseconds=int(rng.random() * 3_600_000))
