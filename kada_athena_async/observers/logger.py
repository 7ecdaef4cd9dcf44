"""A run as records of a logger, each at the level of what it says."""

from __future__ import annotations

import logging

from kada_athena_async.events import Event, RunFinished, SiteFinished, UnitFinished, Warned
from kada_athena_async.observers.plain import PlainLines
from kada_athena_async.redact import Redactor


class LoggedLines:
    """Observer that logs the lines of ``PlainLines``.

    What failed is logged at ERROR, warnings and what was left out at WARNING, the rest at INFO.

    Args:
        logger: Where to.
    """

    def __init__(self, logger: logging.Logger, *, redact: Redactor) -> None:
        self._level = logging.INFO
        self._lines = PlainLines(lambda line: logger.log(self._level, "%s", line), redact=redact)

    def __call__(self, event: Event) -> None:
        self._level = level_of(event)
        self._lines(event)


def level_of(event: Event) -> int:
    """The level of logging at which *event* is logged."""
    match event:
        case RunFinished() | SiteFinished() if event.exit_code:
            return logging.ERROR
        case UnitFinished(outcome="failed"):
            return logging.ERROR
        case UnitFinished(outcome="skipped") | Warned():
            return logging.WARNING
        case _:
            return logging.INFO
