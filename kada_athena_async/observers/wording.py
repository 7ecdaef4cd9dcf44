"""Numbers and runs in words: the same on a terminal, in plain lines and in a log."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from kada_athena_async.observers.escaping import escape
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
