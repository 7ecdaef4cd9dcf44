"""Times as callers write them, and names of runs."""

from __future__ import annotations

from datetime import datetime
from uuid import uuid4

from kada_athena_async.errors import ConfigError, Problem
from kada_athena_async.hwm import parse_time


def new_run_id(now: datetime) -> str:
    """A run's name: when it began, and something that no other run has."""
    return f"{now:%Y%m%dT%H%M%SZ}-{uuid4().hex[:8]}"


def moment_of(key: str, value: datetime | str | None, *, now: datetime) -> datetime | None:
    """A time as a caller gives it: a datetime, or a text that ``parse_time`` reads.

    Raises:
        ConfigError: The text is none.
    """
    if not isinstance(value, str):
        return value

    try:
        return parse_time(value, now=now)
    except ValueError as error:
        problem = Problem(key, repr(value), str(error))
        raise ConfigError([problem], source="window") from None
