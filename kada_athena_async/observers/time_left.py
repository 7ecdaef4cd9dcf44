"""Time left of a run: a range, or nothing where it cannot be known. Pure arithmetic."""

from __future__ import annotations

from math import ceil
from typing import NamedTuple

from kada_athena_async.observers.run_progress import (
    HISTORY,
    LINEAGE,
    METADATA,
    USERS,
    RunProgress,
    Track,
)

EVIDENCE_S = 10.0
EVIDENCE_SHARE = 0.05
"""Nothing is said before a lane has worked this long and done this much."""

WIDE = 4.0
"""A range whose ends differ more than this, and by more than a minute, is no help: only its lower
end is said."""

# Units differ in size, and a listed share of the time is not a share of the executions.
_UNITS_SPREAD = (0.7, 1.5)
_PAGES_SPREAD = (0.8, 1.4)

_LIST = "athena:ListQueryExecutions"


class Span(NamedTuple):
    """Between *low_s* and *high_s* seconds."""

    low_s: float
    high_s: float


def remaining(progress: RunProgress, now_s: float) -> Span | None:
    """Time left of the lanes under way, in seconds; the slowest decides. None if unknown.

    Metadata, history and users are read side by side. Lineage comes after them; its time is
    known only once it has begun.
    """
    if progress.stage != "extract":
        return None

    tracks = progress.tracks
    reading = [tracks[name] for name in (METADATA, HISTORY, USERS) if name in tracks]
    if all(track.ended >= track.total for track in reading):
        return by_share(tracks[LINEAGE], now_s) if LINEAGE in tracks else None

    spans: list[Span] = []
    for name in (METADATA, HISTORY, USERS):
        track = tracks.get(name)
        if track is None or track.ended >= track.total:
            continue

        span = _by_pages(track, progress) if name == HISTORY else by_share(track, now_s)
        if span is None:
            return None

        spans.append(span)

    return Span(max(span.low_s for span in spans), max(span.high_s for span in spans))


def by_share(track: Track, now_s: float) -> Span | None:
    """Time left of *lane*, in seconds, by what was done in the time so far; None if unknown."""
    open_units = track.total - track.resumed
    if track.begun_s is None or open_units <= 0:
        return None

    elapsed_s = now_s - track.begun_s
    share = (track.share * track.total - track.resumed) / open_units
    if elapsed_s < EVIDENCE_S or share < EVIDENCE_SHARE:
        return None

    left_s = elapsed_s * (1 - share) / share
    return Span(left_s * _UNITS_SPREAD[0], left_s * _UNITS_SPREAD[1])


def _by_pages(track: Track, progress: RunProgress) -> Span | None:
    """By the pages of the list that are left, at the rate that pacing allows."""
    rate = progress.allowed.get(_LIST, 0.0)
    sure = {unit: share for unit, share in track.shares.items() if share >= EVIDENCE_SHARE}
    guesses = {unit: track.pages[unit] / share for unit, share in sure.items()}
    ended = [n for unit, n in track.pages.items() if unit not in track.shares]
    if not rate or not (guesses or ended):
        return None

    left = sum(guess - track.pages[unit] for unit, guess in guesses.items())
    # One that has not come far yet has a page at least, and perhaps as many as the largest.
    unsure = track.total - track.ended - len(sure)
    largest = max([*guesses.values(), *ended])
    low = (left * _PAGES_SPREAD[0] + unsure) / rate
    high = (left * _PAGES_SPREAD[1] + unsure * largest) / rate
    return Span(low, high)


def in_words(span: Span) -> str:
    """``20 to 40 s left``, ``2 to 4 min left``, ``at least 3 h left``; coarse, to be calm."""
    low_s, high_s = span
    if high_s < 10:
        return "some seconds left"

    if high_s > WIDE * low_s and high_s - low_s > 60:
        low, unit = _figure(low_s, low_s)
        return f"at least {low} {unit} left" if low_s >= 60 else ""

    low, unit = _figure(low_s, high_s)
    high = ceil(high_s / _UNITS[unit]) * (10 if unit == "s" else 1)
    return f"{low} to {high} {unit} left" if low else f"less than {high} {unit} left"


_UNITS = {"s": 10, "min": 60, "h": 3600}
"""Unit -> seconds of the step in which it is said."""


def _figure(value_s: float, judged_by_s: float) -> tuple[int, str]:
    """*value_s*, rounded down, in the unit that fits *judged_by_s*."""
    unit = "s" if judged_by_s < 60 else "min" if judged_by_s < 5400 else "h"
    return int(value_s // _UNITS[unit]) * (10 if unit == "s" else 1), unit
