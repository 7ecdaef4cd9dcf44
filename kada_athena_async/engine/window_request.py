"""Windows as callers ask for them and as they are planned, and names of runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import uuid4

from kada_athena_async.codes import WarningCode
from kada_athena_async.errors import ConfigError, Problem
from kada_athena_async.hwm import EPOCH_YEAR, DeliveryIntent, Window, parse_time


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowRequest:
    """The window that the caller asks for; None for the stored mark and for now.

    Attributes:
        again: Extract the packages in it once more.
    """

    start: datetime | None = None
    end: datetime | None = None
    again: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedWindow:
    """A window that is to be extracted.

    Attributes:
        replaces: True if a published package of the same window is extracted once more.
        compress: Whether the files are gzipped; None for what the configuration says.
        early, elsewhere: As in the delivery intent of another runner, if that is completed.
    """

    window: Window
    replaces: bool = False
    compress: bool | None = None
    early: Mapping[str, Sequence[str]] = field(default_factory=dict)
    elsewhere: Sequence[str] = ()

    @classmethod
    def of(cls, intent: DeliveryIntent) -> PlannedWindow:
        """The window of another runner's delivery that is to be completed."""
        return cls(
            window=Window(intent.start, intent.end),
            replaces=intent.replaces,
            compress=intent.compress,
            early=intent.early,
            elsewhere=intent.elsewhere,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestedWindows:
    """Windows of a request, and the parts left out.

    Attributes:
        windows: Oldest first; empty if there is nothing to do.
        notes: What to warn of: a stable code and a sentence.
    """

    windows: tuple[PlannedWindow, ...]
    notes: tuple[tuple[WarningCode, str], ...]


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
