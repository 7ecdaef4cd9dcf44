"""Growth of processor time: linear and quadratic told apart by a gap that noise does not cross.

Work on eight times the text takes 8 times as long where it is linear, 64 times where it is
quadratic. A busy machine, coverage and caches change a measurement by a factor of two at most; for
some tens of milliseconds a virtual one changes it by more, and the larger work above all.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from time import sleep, thread_time
from typing import TypeVar

T = TypeVar("T")

TIMES_LARGER = 8
MAX_GROWTH = 24
"""Three times too slow for linear, almost three times too fast for quadratic."""
TRIES = 12
PAUSE_S = 0.01
"""Before the second try, twice as long before the third, and so on."""


def cpu_growth(
    work: Callable[[T], object], make: Callable[[int], T], size: int, *, least_ms: float = 2
) -> float:
    """Processor time of *work* on *size*, divided by that on an eighth of it.

    Args:
        make: Makes what is worked on, of about the given size.
        least_ms: The eighth counts for no less, so that quick work is never measured by the
            resolution of the clock.
    """
    floor_s = least_ms / 1000
    small, large = make(size // TIMES_LARGER), make(size)
    large_s = small_s = float("inf")
    for number in range(TRIES):
        sleep(number * PAUSE_S)
        large_s = min(large_s, _cpu_s(work, large))
        if large_s < MAX_GROWTH * floor_s:
            break

        small_s = min(small_s, *(_cpu_s(work, small) for _ in range(3)))
        if large_s < MAX_GROWTH * small_s:
            break

    return large_s / max(min(small_s, large_s), floor_s)


def _cpu_s(work: Callable[[T], object], subject: T) -> float:
    """Processor seconds without the garbage collector, whose work other tests have made."""
    is_collecting = gc.isenabled()
    gc.disable()
    try:
        begun = thread_time()
        work(subject)
        return thread_time() - begun
    finally:
        if is_collecting:
            gc.enable()
