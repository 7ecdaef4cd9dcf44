"""Cuts the window of a run by the stored mark and by the earlier of our clock and AWS's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from kada_athena_async.codes import WarningCode
from kada_athena_async.commit import known_mark
from kada_athena_async.concurrency import map_bounded
from kada_athena_async.engine.connection import Connection
from kada_athena_async.engine.delivery import Store
from kada_athena_async.files import Files
from kada_athena_async.hwm import Carried, Decision, StoredMark, WindowSettings, decide_window

SKEW = timedelta(seconds=60)
"""A clock further from AWS's than this is reported."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowRequest:
    """The window that the caller asks for; None for the stored mark and for now.

    Attributes:
        again: Extract it although a manifest in sight covers it.
    """

    start: datetime | None = None
    end: datetime | None = None
    again: bool = False


@dataclass(frozen=True, slots=True)
class Cut:
    """A window, and what led to it.

    Attributes:
        before: What the last run left.
        notes: What to warn of: a stable code and a sentence.
    """

    decision: Decision
    before: Carried | None
    notes: tuple[tuple[WarningCode, str], ...]


async def cut_window(
    connection: Connection,
    request: WindowRequest,
    *,
    output_path: Path,
    name: str,
    store: Store | None,
    files: Files,
) -> Cut:
    """The window of the next run; reads, and writes nothing.

    Args:
        store: None if the caller keeps his own marks.

    Raises:
        ConfigError: The start lies after the end; or our workgroup cannot run statements.
        StateError: The mark cannot be used.
    """
    config, log = connection.config, connection.client.log
    # First of all, so that AWS's clock is known before the window is cut.
    await map_bounded(lambda ask: ask(), [connection.meet, connection.learn_account], limit=2)
    now = connection.settled_now()
    notes = []
    if abs(log.skew) > SKEW:
        notes.append((WarningCode.CLOCK_SKEW, f"this machine's clock is {log.skew} ahead of AWS's"))

    mark = StoredMark(hwm=request.start)
    if store is not None:
        mark = await store.read()

    mark = await known_mark(output_path, name, mark, files)
    settings = WindowSettings(
        settle=timedelta(seconds=config.settle_seconds),
        initial_lookback=timedelta(days=config.initial_lookback_days),
    )
    decision = decide_window(now, settings, mark, start=request.start, end=request.end)
    return Cut(decision, mark.newest, (*notes, *decision.notes))
