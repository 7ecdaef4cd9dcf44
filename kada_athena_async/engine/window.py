"""Times as callers write them, and names of runs."""

from __future__ import annotations

from datetime import datetime
from uuid import uuid4

from kada_athena_async.errors import ConfigError, Problem
from kada_athena_async.hwm import EPOCH_YEAR, parse_time


def new_run_id(now: datetime) -> str:
    """A run's name: when it began, and something that no other run has."""
    return f"{now:%Y%m%dT%H%M%SZ}-{uuid4().hex[:8]}"


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

    if getattr(moment, "year", 0) < EPOCH_YEAR:  # no datetime has none
        remedy = f"give a datetime, or a text, of {EPOCH_YEAR} or later"
        raise ConfigError([Problem(key, repr(value), remedy)], source="window")

    return moment
