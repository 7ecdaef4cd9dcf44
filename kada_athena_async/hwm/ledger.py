"""The account of one workgroup's executions: each is seen once and ends in exactly one place."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime

import msgspec

from kada_athena_async.codes import is_finished
from kada_athena_async.errors import RequestError, StateError
from kada_athena_async.hwm.disposition import (
    Classified,
    Disposition,
    Execution,
    classify,
    completion,
    submission,
)
from kada_athena_async.hwm.id_set import IdSet
from kada_athena_async.hwm.run_state import (
    OVERLAP,
    UNRESOLVED_LIFE,
    Origin,
    RunState,
    WorkgroupState,
)
from kada_athena_async.hwm.window import (
    ANY_WORKGROUP,
    KEEP_PACKAGE,
    LONGEST_QUERY,
    RETENTION,
    WorkgroupWindow,
)

# What is this old and still not finished is gone from Athena's history (45 days) for good.
PENDING_LIFE = RETENTION + LONGEST_QUERY

# Why an id is deferred: its execution cannot be read now, and a later run asks for it again.
DEFERRED = ("unauthorised", "missing", "unreadable")

_NAMES_SHOWN = 3


class ExecutionLedger(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Result of a ``Ledger``: how many executions ended in each place.

    Attributes:
        counts: ``listed`` and where each of them went: ``emitted`` (``late`` of them), ``pending``,
            ``recent``, ``before``, ``later``, ``elsewhere``, ``unauthorised``, ``missing``,
            ``unreadable``; and beside them ``expired`` and ``unknown_state``.
        next: What the next run has to know.
        early: If a package is replaced: emitted executions that were submitted before the window.
        elsewhere: If a package is replaced: executions of its window that other packages hold.
    """

    workgroup: str
    counts: dict[str, int]
    next: WorkgroupState
    early: tuple[str, ...] = ()
    elsewhere: tuple[str, ...] = ()


class Ledger:
    """Keeps the account of one workgroup while its history is read."""

    def __init__(self, history: WorkgroupWindow) -> None:
        self._history = history
        self._settled = IdSet()
        self._open: set[str] = set()
        self._counts: Counter[str] = Counter()
        self._pending: dict[str, datetime] = {}
        self._recent: dict[str, datetime] = {}
        self._early: list[str] = []
        self._elsewhere: list[str] = []
        self._kept = 0
        self._keep_recent(history.previous.recent if history.previous else {})

    def unfinished(self) -> list[str]:
        """The ids that the last run left unfinished and that are to be asked for now.

        Those that Athena must have forgotten are expired instead.
        """
        unfinished = self._history.unfinished
        forgotten = self._history.window.end - PENDING_LIFE
        alive = [query_id for query_id, since in unfinished.items() if since >= forgotten]
        self._counts["expired"] += len(unfinished) - len(alive)
        return self.admit(alive)

    def admit(self, query_ids: Iterable[str]) -> list[str]:
        """Those of *query_ids* that are not accounted for yet, in their order, each once.

        An id that was admitted and never entered, because a scan broke off, is given out again.
        """
        fresh = []
        for query_id in dict.fromkeys(query_ids):
            if query_id in self._settled:
                continue

            self._counts["listed"] += query_id not in self._open
            self._open.add(query_id)
            fresh.append(query_id)

        return fresh

    def classify(self, execution: Execution) -> Classified:
        """Enter an admitted execution and say what becomes of it.

        Raises:
            StateError: It was not admitted, or is entered already, or must not be emitted.
        """
        self._settle(execution.query_id)
        classified = classify(execution, self._history)
        disposition = classified.disposition
        submitted_at = submission(execution, self._history)
        self._counts[disposition.value] += 1
        self._counts["unknown_state"] += classified.is_unknown_state
        if disposition is Disposition.EMIT:
            self._check_emitted(execution)
            self._counts["late"] += classified.is_late
            if self._history.replaced is not None and submitted_at < self._history.window.start:
                self._early.append(execution.query_id)

        is_kept = disposition in (Disposition.EMIT, Disposition.RECENT)
        if is_kept and execution.query_id in (self._history.replaced or ()):
            self._kept += 1

        if (
            disposition in (Disposition.RECENT, Disposition.LATER)
            and submitted_at < self._history.window.end
        ):
            self._elsewhere.append(execution.query_id)

        if disposition is Disposition.PENDING:
            self._pending[execution.query_id] = submitted_at
        elif disposition in (Disposition.EMIT, Disposition.BEFORE, Disposition.RECENT):
            self._keep_recent({execution.query_id: submitted_at})

        return classified

    def defer(self, query_id: str, *, why: str) -> None:
        """Enter an admitted id that Athena does not show; the next run asks for it again.

        Args:
            why: ``unauthorised``, ``missing``, or ``unreadable`` for any other reason.
        """
        self._settle(query_id)
        self._counts[why] += 1
        first_seen = self._history.unfinished.get(query_id)
        self._pending[query_id] = first_seen or self._history.window.end

    def close(self) -> ExecutionLedger:
        """Close the account.

        Raises:
            StateError: An admitted execution ended nowhere: Athena did not answer for it.
            RequestError: The package that is replaced holds more executions.
        """
        ends = {disposition.value for disposition in Disposition} | set(DEFERRED)
        ended = sum(self._counts[end] for end in ends)
        if self._open or ended != self._counts["listed"]:
            missing = ", ".join(sorted(self._open)[:_NAMES_SHOWN]) or "none of its list"
            raise StateError(
                f"Athena listed {self._counts['listed']} executions of workgroup "
                f"{self._history.workgroup} and answered for {ended}; without answer: {missing}",
                hint="nothing was committed; run again",
            )

        if (lost := self._history.held - self._kept) > 0:
            raise RequestError(
                f"Athena no longer gives executions of workgroup {self._history.workgroup} ({lost} "
                f"of {self._history.held}) that the package holds: extracted again it would lose "
                "them",
                code="Lost",
                hint=KEEP_PACKAGE,
            )

        previous = self._history.previous
        return ExecutionLedger(
            workgroup=self._history.workgroup,
            counts=dict(self._counts),
            next=WorkgroupState(
                hwm=self._history.window.end,
                since=previous.since if previous else self._history.window.start,
                pending=self._pending,
                recent=self._recent,
                recent_since=self._recent_since,
            ),
            early=tuple(self._early),
            elsewhere=tuple(self._elsewhere) if self._history.replaced is not None else (),
        )

    @property
    def _recent_since(self) -> datetime | None:
        """Start of the kept ids; None for the usual place, ``OVERLAP`` before the end."""
        history = self._history
        if history.overlap == OVERLAP:
            return None

        kept_since = history.window.end - history.overlap
        known_since = history.previous.knows_since if history.previous else history.window.start
        return max(kept_since, known_since)

    def _settle(self, query_id: str) -> None:
        if query_id not in self._open:
            raise StateError(f"the execution {query_id} was not asked for, or came twice")

        self._open.discard(query_id)
        self._settled.add(query_id)

    def _keep_recent(self, ids: Mapping[str, datetime]) -> None:
        since = self._history.window.end - self._history.overlap
        self._recent.update({key: at for key, at in ids.items() if at >= since})

    def _check_emitted(self, execution: Execution) -> None:
        # Said again on purpose, in other words than classify's: the two must agree.
        previous, window = self._history.previous, self._history.window
        is_recent = previous is not None and execution.query_id in previous.recent
        is_recent = is_recent or execution.query_id in self._history.published
        finished_at = completion(execution, self._history)
        is_over = is_finished(execution.state, execution.completed_at)
        if is_recent or not is_over or not finished_at < window.end:
            raise StateError(f"the execution {execution.query_id} must not be emitted")


def next_state(
    hwm: datetime,
    previous: RunState | None,
    accounts: Iterable[ExecutionLedger],
    *,
    skipped: Mapping[str, datetime] | None = None,
    origin: Origin | None = None,
    unresolved: Mapping[str, datetime] | None = None,
) -> RunState:
    """State for the next run, once all accounts are closed.

    A workgroup without an account (gone, denied, left out) keeps what was known of it, so that
    nothing is lost when it comes back, until Athena has forgotten its history.

    Args:
        skipped: Workgroups that should have been read and were not, with the start of what they
            are owed; ``ANY_WORKGROUP`` if they could not be listed.
        unresolved: As in ``RunState``; None if nobody looked, then those of *previous* are kept.
    """
    accounts, skipped = tuple(accounts), skipped or {}
    if unresolved is None:
        known, oldest = previous.unresolved if previous else {}, hwm - UNRESOLVED_LIFE
        unresolved = {query_id: at for query_id, at in known.items() if at >= oldest}

    kept = {
        name: own
        for name, own in (previous.workgroups if previous else {}).items()
        if own.hwm <= hwm and (name in skipped or own.hwm >= hwm - PENDING_LIFE)
    }
    if accounts:
        kept.pop(ANY_WORKGROUP, None)

    owed = {
        name: WorkgroupState(hwm=start, since=start)
        for name, start in skipped.items()
        if name not in kept
    }
    workgroups = kept | owed | {account.workgroup: account.next for account in accounts}
    return RunState(hwm=hwm, origin=origin, workgroups=workgroups, unresolved=dict(unresolved))
