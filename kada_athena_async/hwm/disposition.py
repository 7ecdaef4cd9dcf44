"""Disposition of one execution in a run: a pure decision."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import NamedTuple

from kada_athena_async.codes import FINAL_STATES, OPEN_STATES, is_finished
from kada_athena_async.hwm.window import WorkgroupWindow

KNOWN_STATES = FINAL_STATES | OPEN_STATES


class Disposition(Enum):
    """Disposition of an execution in a run."""

    EMIT = "emitted"
    """It is extracted now."""
    PENDING = "pending"
    """It was submitted before the end and is not finished before it: a later run's, by its id."""
    RECENT = "recent"
    """An earlier run accounted for it."""
    BEFORE = "before"
    """It finished before the start: an earlier run's."""
    LATER = "later"
    """It was submitted after the end, or the next run finds it by the state it goes on from: a
    later run's."""
    ELSEWHERE = "elsewhere"
    """It belongs to another workgroup, whose own unit accounts for it."""


class Execution(NamedTuple):
    """Facts about an execution that decide its disposition."""

    query_id: str
    workgroup: str
    state: str
    submitted_at: datetime | None
    completed_at: datetime | None


class Classified(NamedTuple):
    """A disposition and what is remarkable about it.

    Attributes:
        is_late: It is emitted although it was submitted or finished before the start.
        is_unknown_state: Athena says a state that is not documented; taken for unfinished unless
            it says when the execution ended.
    """

    disposition: Disposition
    is_late: bool = False
    is_unknown_state: bool = False


def classify(execution: Execution, history: WorkgroupWindow) -> Classified:
    """Decide what becomes of an execution.

    An execution belongs to the window that holds its completion, or its submission where Athena
    gives no completion. One that finished before the window is emitted all the same if an earlier
    run saw it unfinished, or cannot have seen it at all: it became listable only now, and it
    finished after the history that is extracted begins. Where the window does not follow the last
    run's, nothing that finished before the start is emitted.
    """
    window, previous = history.window, history.previous
    # Whatever the case in which an answer writes the name: this workgroup listed the execution.
    if execution.workgroup.lower() != history.workgroup.lower():
        return Classified(Disposition.ELSEWHERE)

    if previous is not None and execution.query_id in previous.recent:
        return Classified(Disposition.RECENT)

    submitted_at = submission(execution, history)
    finished_at = completion(execution, history)
    is_unknown = execution.state not in KNOWN_STATES
    if not is_finished(execution.state, execution.completed_at) or finished_at >= window.end:
        disposition = Disposition.PENDING if submitted_at < window.end else Disposition.LATER
        return Classified(disposition, is_unknown_state=is_unknown)

    return _finished(execution, history)._replace(is_unknown_state=is_unknown)


def _finished(execution: Execution, history: WorkgroupWindow) -> Classified:
    """Decide what becomes of an execution that finished before the window's end."""
    window, previous = history.window, history.previous
    submitted_at = submission(execution, history)
    finished_at = completion(execution, history)

    if execution.query_id in history.published:
        return Classified(Disposition.RECENT)

    is_replaced = history.replaced is not None and execution.query_id in history.replaced
    if history.replaced is not None and not is_replaced and _is_owed(execution, history):
        return Classified(Disposition.LATER)

    was_unfinished = execution.query_id in history.unfinished
    if finished_at >= window.start:
        return Classified(Disposition.EMIT, is_late=was_unfinished)

    if is_replaced:
        return Classified(Disposition.EMIT, is_late=True)

    is_news = submitted_at >= history.news_since
    is_ours = previous is not None and (previous.since is None or finished_at >= previous.since)
    if is_ours and (was_unfinished or is_news):
        return Classified(Disposition.EMIT, is_late=True)

    return Classified(Disposition.BEFORE)


def _is_owed(execution: Execution, history: WorkgroupWindow) -> bool:
    """True if an execution that the replaced package did not hold is another's to emit.

    The next run emits it, as news or because the workgroup lags behind; or a package of another
    machine may hold it.
    """
    owed, finished_at = history.owed, completion(execution, history)
    if owed is None:
        return False

    if finished_at >= owed.hwm:
        return True

    if owed.since is not None and finished_at < owed.since:
        return False

    is_news = submission(execution, history) >= owed.knows_since
    return not history.knows_others or (is_news and execution.query_id not in owed.recent)


def submission(execution: Execution, history: WorkgroupWindow) -> datetime:
    """Time of submission; the window's start where Athena gives no time at all."""
    return execution.submitted_at or execution.completed_at or history.window.start


def completion(execution: Execution, history: WorkgroupWindow) -> datetime:
    """Time of completion; its submission where Athena gives no completion, or an earlier one.

    A completion of 1970 stands for none, and would put the execution before every window.
    """
    submitted_at = submission(execution, history)
    return max(execution.completed_at or submitted_at, submitted_at)
