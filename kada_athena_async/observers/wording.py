"""Numbers and runs in words: the same on a terminal, in plain lines and in a log."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from kada_athena_async.events import DeliveryFinished, DeliveryStarted, Event, RunStarted
from kada_athena_async.observers.escaping import escape
from kada_athena_async.observers.run_progress import LINEAGE, RunProgress, Track
from kada_athena_async.observers.time_left import in_words, remaining
from kada_athena_async.prices import KB_BYTES

_DAY_MIN = 24 * 60

_NAMES_SHOWN = 8


def moment(at: datetime) -> str:
    """A time as the high-water mark writes it."""
    return f"{at:%Y-%m-%d %H:%M:%S}"


def duration(seconds: float) -> str:
    """``4.2 s``, ``3 min 20 s`` or ``2 h 5 min``."""
    if seconds < 60:
        return f"{seconds:.1f} s"

    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"

    return f"{minutes // 60} h {minutes % 60} min"


def brief(seconds: float) -> str:
    """``4 s``, ``3 min 20 s`` or ``2 h 5 min``: for what is shown while it grows."""
    return f"{seconds:.0f} s" if seconds < 59.5 else duration(seconds)


def span(start: datetime, end: datetime) -> str:
    """``45 days``, ``2 days 4 h``, ``3 h 20 min``: how long a window is."""
    minutes = round((end - start).total_seconds() / 60)
    if minutes > 2 * _DAY_MIN:
        minutes = 60 * round(minutes / 60)

    days, minutes = divmod(minutes, _DAY_MIN)
    hours, minutes = divmod(minutes, 60)
    figures = [(days, "days" if days > 1 else "day"), (hours, "h"), (minutes, "min")]
    words = [f"{figure} {unit}" for figure, unit in figures if figure]
    return " ".join(words[:2]) or "less than a minute"


def size(number_bytes: int) -> str:
    """``512 B``, ``1.5 KB``, ``20 MB``: powers of 1,024, two digits where they matter."""
    amount = float(number_bytes)
    for unit in ("B", "KB", "MB", "GB"):
        if amount < 999.5:
            return f"{amount:.0f} {unit}" if unit == "B" or amount >= 10 else f"{amount:.1f} {unit}"

        amount /= KB_BYTES

    return f"{amount:.1f} TB"


def counted(number: int, noun: str) -> str:
    """``1 unit``, ``1,200 units``, ``2 retries``."""
    if number == 1:
        return f"1 {noun}"

    return f"{number:,} {noun[:-1]}ies" if noun.endswith("y") else f"{number:,} {noun}s"


def some(names: Sequence[str], *, most: int = _NAMES_SHOWN) -> str:
    """``au, eu`` or ``au, eu and 12 more``."""
    rest = len(names) - most
    shown = ", ".join(escape(name) for name in names[:most])
    return f"{shown} and {rest:,} more" if rest > 0 else shown


def opening(run: RunStarted) -> str:
    """The first line of a run."""
    verb = "continues" if run.is_resumed else "started"
    where = f", talking to {escape(run.endpoint_url)}" if run.endpoint_url else ""
    return (
        f"run {run.run_id} of {escape(run.name)} {verb}: "
        f"{moment(run.start)} to {moment(run.end)} UTC{where}"
    )


def progress(progress: RunProgress, now_s: float) -> str:
    """A line about the progress of a run; empty before there is a plan."""
    if progress.plan is None:
        return ""

    words = [
        f"{name} {track.ended:,} of {track.total:,}" + _percent(track)
        for name, track in progress.tracks.items()
        if name != LINEAGE or track.begun_s is not None
    ]
    words.append(f"{sum(progress.rows.values()):,} rows")
    if progress.active_queries:
        words.append(f"{counted(len(progress.active_queries), 'query')} running")

    if progress.throttles:
        words.append(f"{sum(progress.throttles.values()):,} throttled")

    span = remaining(progress, now_s)
    if span is not None and (left := in_words(span)):
        words.append(left)

    return f"after {brief(now_s - progress.begun_s)}: {', '.join(words)}"


def _percent(track: Track) -> str:
    return f" ({100 * track.share:.0f} %)" if track.shares else ""


def delivery(event: Event) -> list[str]:
    """Lines about the begin and the end of a delivery."""
    match event:
        case DeliveryStarted():
            files = counted(event.files, "file")
            return [f"delivering {files}, {size(event.size_bytes)}, to {escape(event.place)}"]
        case DeliveryFinished():
            there = f"; {event.skipped:,} were there" if event.skipped else ""
            took = duration(event.duration_s)
            files = counted(event.sent, "file")
            return [f"delivered {files}, {size(event.sent_bytes)}, in {took}{there}"]
        case _:
            return []
