"""Sends each event to the observers of a run."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Iterable, Sequence

from kada_athena_async.codes import WarningCode
from kada_athena_async.errors import ConfigError, Problem
from kada_athena_async.events import CallFinished, Event, Observer, SiteEvent, Warned

_LOGGER = logging.getLogger(__package__)


class Fanout:
    """Sends each event to every observer, in order; a warning that says the same again once.

    An observer that raises receives no more events; the others are warned
    (``observer_failed``), a log record names it, and the run goes on.

    Args:
        observers: Plain functions. An ``async def`` is refused: events come in order and nothing
            waits for an observer, so an observer that must await puts events into a queue.

    Raises:
        ConfigError: As of ``checked_observers``.
    """

    def __init__(self, observers: Sequence[Observer] = ()) -> None:
        self._observers = [*checked_observers(observers)]
        self._warned: set[Warned] = set()

    def __call__(self, event: Event) -> None:
        if isinstance(event, Warned):
            # Each of several connections finds the same settings of the machine.
            if event in self._warned:
                return

            self._warned.add(event)

        is_call = isinstance(_inner(event), CallFinished)
        for observer in list(self._observers):
            if is_call and not takes_calls(observer):
                continue

            try:
                _call(observer, event)
            except Exception as exc:
                # A broken display must never cost the only copy of last night's history.
                self._drop(observer, exc)

    @property
    def takes_calls(self) -> bool:
        """True if an observer wants each request to AWS: there are many of them."""
        return any(takes_calls(observer) for observer in self._observers)

    def _drop(self, observer: Observer, error: Exception) -> None:
        if observer not in self._observers:
            return

        self._observers.remove(observer)
        # Never the message of the error, which may quote SQL.
        message = (
            f"the observer {name_of(observer)} raised {type(error).__name__} and receives no more "
            "events"
        )
        _LOGGER.warning("%s", message)
        self(Warned(code=WarningCode.OBSERVER_FAILED, message=message))


def takes_calls(observer: Observer) -> bool:
    """True if *observer* wants ``CallFinished``."""
    return getattr(observer, "takes_calls", False) is True


def _inner(event: Event) -> Event:
    return event.event if isinstance(event, SiteEvent) else event


def checked_observers(observers: Iterable[Observer]) -> tuple[Observer, ...]:
    """The *observers*, which may come from a generator.

    Raises:
        ConfigError: They are no list, or one is an ``async def`` or a generator, or cannot be
            called.
    """
    try:
        found = tuple(observers)
    except TypeError:
        remedy = "give a list of functions, also of one: [print]"
        raise ConfigError(
            [Problem("observers", name_of(observers), remedy)], source="call"
        ) from None

    for observer in found:
        _check_observer(observer)

    return found


def _check_observer(observer: object) -> None:
    if not callable(observer):
        remedy = "give a function that takes an event"
    elif _is_suspended(observer) or _is_suspended(
        getattr(observer, "__call__", None)  # noqa: B004  # its bound method, to look at it
    ):
        remedy = (
            "is async or a generator; give a plain function, such as queue.put_nowait of an "
            "asyncio.Queue"
        )
    else:
        return

    raise ConfigError([Problem("observers", name_of(observer), remedy)], source="call")


def _is_suspended(function: object) -> bool:
    """True if a call of *function* does nothing until it is awaited or iterated."""
    kinds = (
        inspect.iscoroutinefunction,
        inspect.isasyncgenfunction,
        inspect.isgeneratorfunction,
    )
    return any(is_kind(function) for is_kind in kinds)


def name_of(observer: object) -> str:
    """Module and name of an observer's function or class."""
    named = observer if hasattr(observer, "__qualname__") else type(observer)
    return f"{named.__module__}.{getattr(named, '__qualname__', '?')}"


def _call(observer: Observer, event: Event) -> None:
    # Typed as returning nothing; what was wrapped in a lambda may return a coroutine all the same.
    answer: object = observer(event)  # type: ignore[func-returns-value]
    if inspect.isawaitable(answer):
        if inspect.iscoroutine(answer):
            answer.close()

        raise TypeError("the observer is async")
