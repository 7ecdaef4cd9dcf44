"""Current rate of a growing number. Pure: time is an argument."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

WINDOW_S = 10.0
"""The past that a rate is about: long enough to be calm, short enough to show what changes."""

_SAMPLE_S = 1.0


@dataclass(slots=True)
class Meter:
    """Totals of the last seconds, a sample a second."""

    _samples: deque[tuple[float, dict[str, int]]] = field(default_factory=deque)

    def note(self, totals: Mapping[str, int], now_s: float) -> None:
        """Keep *totals*, unless some were kept within the last second."""
        if self._samples and now_s - self._samples[-1][0] < _SAMPLE_S:
            return

        self._samples.append((now_s, dict(totals)))
        while len(self._samples) > 2 and now_s - self._samples[1][0] >= WINDOW_S:
            self._samples.popleft()

    def rates(self, totals: Mapping[str, int], now_s: float) -> dict[str, float]:
        """Name -> growth a second, of those of *totals* that grew within the window."""
        past = [sample for sample in list(self._samples) if now_s - sample[0] <= 2 * WINDOW_S]
        if not past or now_s - past[0][0] < _SAMPLE_S:
            return {}

        since_s, before = past[0]
        grown = {name: total - before.get(name, 0) for name, total in totals.items()}
        return {name: n / (now_s - since_s) for name, n in grown.items() if n > 0}
