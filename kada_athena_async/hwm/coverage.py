"""Parts of a window that are published already: pure arithmetic of windows."""

from __future__ import annotations

from collections.abc import Iterable

from kada_athena_async.hwm.run_state import RunState
from kada_athena_async.hwm.window import Window


def uncovered(window: Window, published: Iterable[Window]) -> list[Window]:
    """The parts of *window* that no published window covers, oldest first."""
    parts = []
    start = window.start
    for other in sorted(published, key=lambda found: found.start):
        if other.end <= start:
            continue

        if other.start >= window.end:
            break

        if other.start > start:
            parts.append(Window(start, other.start))

        start = other.end

    if start < window.end:
        parts.append(Window(start, window.end))

    return parts


def overlapping(window: Window, published: Iterable[Window]) -> list[Window]:
    """The published windows that share time with *window*, oldest first."""
    return sorted(
        (other for other in published if other.start < window.end and window.start < other.end),
        key=lambda found: (found.start, found.end),
    )


def covered_by_state(state: RunState | None) -> list[Window]:
    """Windows that a state alone shows as published: from the start of its chain of runs to its
    end.

    It stands in for manifests that were removed after their delivery. States of earlier versions
    say nothing.
    """
    if state is None:
        return []

    starts = [own.since for own in state.workgroups.values() if own.hwm == state.hwm]
    known = [start for start in starts if start is not None]
    if not known or len(known) < len(starts) or min(known) >= state.hwm:
        return []

    return [Window(min(known), state.hwm)]
