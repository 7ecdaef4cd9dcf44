"""Reads times that users write, for windows and high-water marks."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

from kada_athena_async.errors import ConfigError, Problem
from kada_athena_async.hwm.formats import EPOCH_YEAR, format_hwm
from kada_athena_async.hwm.window import whole_second

REMEDY = (
    "write YYYY-MM-DD HH:MM:SS in UTC and in quotes, an ISO 8601 time such as "
    "2026-11-01T00:00:00+11:00, or how long ago: 7d, 12h, 30m"
)
"""Remedy for a text that is no time."""

# ISO 8601 and the HWM's own form; the time of day, its seconds and the zone may be left out.
_MOMENT = re.compile(
    r"(\d{4}-\d{2}-\d{2})"
    r"(?:[Tt ](\d{2}:\d{2})(:\d{2})?(?:[.,]\d{1,9})?\s?([Zz]|UTC|[+-]\d{2}:?\d{2})?)?",
    re.ASCII,
)

_UNITS = {"w": "weeks", "d": "days", "h": "hours", "m": "minutes", "s": "seconds"}
_AGO = re.compile(r"(?:\d{1,6}[wdhms])+", re.ASCII)
_PIECE = re.compile(r"(\d+)([wdhms])", re.ASCII)


def parse_time(text: str, *, now: datetime) -> datetime:
    """The whole second, in UTC, that *text* names.

    ``2026-11-01 00:00:00``, ``2026-11-01``, ``2026-11-01T00:00Z``, ``2026-11-01T11:00:00+11:00``
    (without a zone it is UTC; parts of a second are cut off), ``now``, or how long before *now*:
    ``7d``, ``12h``, ``30m``, ``1d12h``.

    Raises:
        ValueError: It is none of these; the text is ``REMEDY``.
    """
    text = text.strip()
    if text == "now":
        return whole_second(now)

    try:
        if _AGO.fullmatch(text):
            pieces = ((_UNITS[unit], int(number)) for number, unit in _PIECE.findall(text))
            return whole_second(now - sum((timedelta(**{k: n}) for k, n in pieces), timedelta()))

        if found := _MOMENT.fullmatch(text):
            return _moment(*found.groups(default=""))
    except (OverflowError, ValueError):
        pass

    raise ValueError(REMEDY)


def refusal_of_mark(moment: datetime, *, now: datetime) -> str:
    """The remedy for a time that the high-water mark cannot be set to; empty if it can be."""
    if moment.year < EPOCH_YEAR:
        return f"give a time of {EPOCH_YEAR} or later"

    is_past = moment <= now
    return "" if is_past else f"must not lie in the future; it is {format_hwm(whole_second(now))}"


def moment_of(key: str, value: datetime | str | None, *, now: datetime) -> datetime | None:
    """A time as a caller gives it: a datetime, or a text that ``parse_time`` reads.

    Raises:
        ConfigError: It is none, or lies before 1970.
    """
    if value is None:
        return None

    try:
        moment = parse_time(value, now=now) if isinstance(value, str) else value
    except ValueError as error:
        problem = Problem(key, repr(value), str(error))
        raise ConfigError([problem], source="window") from None

    # Callers without a type checker give numbers and dates.
    if getattr(moment, "year", 0) < EPOCH_YEAR or not hasattr(moment, "tzinfo"):
        remedy = f"give a datetime, or a text, of {EPOCH_YEAR} or later"
        raise ConfigError([Problem(key, repr(value), remedy)], source="window")

    return moment


def _moment(date: str, minutes: str, seconds: str, zone: str) -> datetime:
    offset = zone.replace(":", "") if zone[:1] in ("+", "-") else "+0000"
    text = f"{date} {minutes or '00:00'}{seconds or ':00'} {offset}"
    plain = datetime.strptime(text, "%Y-%m-%d %H:%M:%S %z")
    return plain.astimezone(timezone.utc)
