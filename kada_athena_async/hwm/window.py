"""Windows of a run, planned without I/O."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from typing import NamedTuple

import msgspec

from kada_athena_async.codes import WarningCode
from kada_athena_async.config.contradictions import RETENTION_DAYS
from kada_athena_async.errors import ConfigError, Problem, StateError
from kada_athena_async.hwm.run_state import OVERLAP, RunState, StoredState, WorkgroupState

RETENTION = timedelta(days=RETENTION_DAYS)

# The longest that an execution can be under way: the DDL timeout of 600 minutes, and time in the
# queue (Athena user guide, "Service quotas").
LONGEST_QUERY = timedelta(hours=12)

# Stands for every workgroup that a state does not name, where workgroups could not be listed.
ANY_WORKGROUP = "*"

# As the vendor writes it, in UTC.
HWM_FORMAT = "%Y-%m-%d %H:%M:%S"


@dataclass(frozen=True, slots=True)
class Window:
    """The moments from *start* (included) to *end* (excluded); aware, in UTC, whole seconds."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        for moment in (self.start, self.end):
            if moment.utcoffset() != timedelta(0) or moment.microsecond:
                raise ValueError(f"a window is bounded by whole seconds in UTC, not {moment!r}")

        if self.end <= self.start:
            raise ValueError(f"a window ends after it starts, unlike {self}")

    def __str__(self) -> str:
        return f"{self.start:{HWM_FORMAT}} to {self.end:{HWM_FORMAT}} UTC"


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowSettings:
    """Settings of windows; see the configuration fields of the same names.

    Attributes:
        held_since: Where the history begins that Athena's system table holds, if it is read.
    """

    settle: timedelta = timedelta(seconds=60)
    initial_lookback: timedelta = RETENTION
    held_since: datetime | None = None

    def first_since(self, now: datetime) -> datetime:
        """Begin of a first window: never before what AWS still has."""
        kept_since = now - RETENTION
        if self.held_since is not None:
            # Up to the next whole second, for all of the window has to be held.
            kept_since = min(kept_since, self.held_since + timedelta(seconds=1))

        return whole_second(max(now - self.initial_lookback, kept_since))


class Gap(NamedTuple):
    """A time whose executions are not extracted.

    Attributes:
        kind: ``retention`` (Athena no longer has them) or ``operator`` (the HWM was set forward).
    """

    kind: str
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkgroupWindow:
    """The part of one workgroup's history to read.

    Attributes:
        known: What the last run left; None if the window does not follow it.
        unfinished: Executions that were not finished when they were last seen, as in
            ``WorkgroupState.pending``: asked for by id, however long ago they were submitted.
        listed_since: Executions submitted before this need not be listed.
        gaps: What cannot be extracted any more.
        published: Ids of executions that other packages hold: never emitted once more.
        replaced: Ids of executions in the package that this one replaces: emitted here again, also
            those that became listable late and finished before the window. None if it replaces
            none.
        owed: The state that the next run goes on from, if the window lies before it: what that
            run will find and emit is left to it.
        knows_others: False if other machines hold packages of the time up to then: what the
            replaced package did not hold is left to them.
        overlap: How far behind its submission an execution may become visible.
    """

    workgroup: str
    window: Window
    known: WorkgroupState | None
    listed_since: datetime
    unfinished: Mapping[str, datetime] = field(default_factory=dict)
    gaps: tuple[Gap, ...] = ()
    published: Container[str] = field(default=frozenset(), compare=False)
    replaced: Container[str] | None = field(default=None, compare=False)
    owed: WorkgroupState | None = None
    knows_others: bool = True
    overlap: timedelta = OVERLAP

    @property
    def news_since(self) -> datetime:
        """Executions submitted from here on that nobody knows are news, whenever they ended."""
        start = self.window.start
        return start - OVERLAP if self.known is None else min(self.known.knows_since, start)


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowPlan:
    """The window to extract, and the facts that the part of each workgroup follows from.

    Attributes:
        window: None if there is nothing to do: the window would be empty.
        previous: State that the last run left; None if there is none.
        follows: True if the window begins where *previous* ends. Otherwise the window was chosen:
            what is under way, and workgroups that lag behind, belong to this run all the same.
        kept_since: The oldest moment of which Athena still has the history.
        first_since: Where a workgroup begins that no run has read yet.
        gaps: What cannot be extracted any more, or was skipped on purpose.
        notes: Sentences for the user, each with a stable code.
        published, replaced: As in ``WorkgroupWindow``.
        early: By workgroup, the executions of the replaced package that were submitted before the
            window: asked for by their ids, for a list may not reach back to them.
        later: The state that the next run goes on from, if the window lies before it.
        left: State that the replaced package left to the next run; None if nobody knows.
        late: Executions of earlier windows whose principal the replaced package holds: id -> when
            they were submitted, or later.
        principals_since: Time of the oldest event that the replaced package holds; None if none is
            replaced.
        knows_others: As in ``WorkgroupWindow``.
    """

    window: Window | None
    previous: RunState | None
    follows: bool
    kept_since: datetime
    first_since: datetime
    gaps: tuple[Gap, ...] = ()
    notes: tuple[tuple[WarningCode, str], ...] = ()
    published: Container[str] = field(default=frozenset(), compare=False)
    replaced: Container[str] | None = field(default=None, compare=False)
    early: Mapping[str, Sequence[str]] = field(default_factory=dict, compare=False)
    later: RunState | None = None
    left: RunState | None = None
    late: Mapping[str, datetime] = field(default_factory=dict, compare=False)
    principals_since: datetime | None = None
    knows_others: bool = True

    def leaves(self, found: RunState) -> RunState:
        """State for the next run: *found*, or if a package is replaced what that one left.

        Only the last package leaves something: what is not known of its principals now.
        """
        left, later = self.left, self.later
        if left is None or self.replaced is None:
            return found

        if later is None or later.hwm != left.hwm:
            return left

        return msgspec.structs.replace(left, unresolved=left.unresolved | found.unresolved)

    @property
    def unresolved(self) -> Mapping[str, datetime]:
        """Executions of earlier runs whose principal is still asked for."""
        if self.replaced is not None:
            return self.late

        return self.previous.unresolved if self.previous else {}

    @property
    def owed_principals(self) -> Container[str]:
        """Executions of the replaced package whose principal later packages hold, or will hold."""
        return self.left.unresolved if self.left and self.replaced is not None else frozenset()

    def reaching(self, earliest: datetime) -> WindowPlan:
        """The same where a source holds the history from *earliest* on, longer than Athena."""
        kept_since = min(self.kept_since, earliest)
        others = tuple(gap for gap in self.gaps if gap.kind != "retention")
        begin = self.window.start if self.window else kept_since
        gaps = _retention_gap(begin, kept_since) + others
        return replace(self, kept_since=kept_since, gaps=gaps)

    def of_workgroup(self, workgroup: str) -> WorkgroupWindow:
        """The part of *workgroup* to read: from its own HWM, which is the run's unless it lags.

        Raises:
            ValueError: There is nothing to do.
        """
        if self.window is None:
            raise ValueError("an empty window has nothing to read")

        previous = self.previous
        mark = _mark_of(workgroup, previous, self.window)
        start, known = self.window.start, None
        gaps: tuple[Gap, ...] = ()
        if mark is None:
            if self.follows:
                start = min(start, self.first_since)
        elif self.follows or self._catches_up(mark, self.window):
            start, known = mark.mark, mark
        elif previous is not None and mark.mark <= previous.hwm < start:
            gaps = (Gap("operator", mark.mark, start),)

        if known is not None:
            # The package before has passed over what this one held, and holds again.
            replaced = self.replaced or frozenset()
            recent = {key: at for key, at in known.recent.items() if key not in replaced}
            known = msgspec.structs.replace(known, recent=recent)

        return WorkgroupWindow(
            workgroup=workgroup,
            window=Window(start, self.window.end),
            known=known,
            listed_since=start - (OVERLAP if _was_listed(known) else LONGEST_QUERY),
            unfinished={
                **dict.fromkeys(self.early.get(workgroup, ()), self.window.start),
                **(mark.pending if mark else {}),
            },
            gaps=gaps + _retention_gap(start, self.kept_since),
            published=self.published,
            replaced=self.replaced,
            owed=_own_mark(workgroup, self.later),
            knows_others=self.knows_others,
        )

    def _catches_up(self, mark: WorkgroupState, window: Window) -> bool:
        """True if a chosen window includes what a workgroup that lags behind has missed.

        Not if the window skips time on purpose, nor if the HWM will not move: then a later run
        catches up, and would extract it again.
        """
        if self.previous is None:
            return False

        return mark.mark < window.start <= self.previous.hwm <= window.end


def _was_listed(known: WorkgroupState | None) -> bool:
    """True if what was under way at the HWM is known by id: its last run listed executions.

    False also for a workgroup of which only the place is known where its history begins.
    """
    return known is not None and known.since != known.mark and known.recent_since is None


def _own_mark(workgroup: str, state: RunState | None) -> WorkgroupState | None:
    if state is None:
        return None

    return state.workgroups.get(workgroup) or state.workgroups.get(ANY_WORKGROUP)


def _mark_of(workgroup: str, state: RunState | None, window: Window) -> WorkgroupState | None:
    """Mark of *workgroup* in *state*, if it is of use for *window*."""
    mark = _own_mark(workgroup, state)
    return mark if mark is not None and mark.mark < window.end else None


def plan_window(
    now: datetime,
    settings: WindowSettings,
    stored: StoredState,
    *,
    start: datetime | None = None,
    end: datetime | None = None,
) -> WindowPlan:
    """Plan the window of a run.

    Args:
        now: The earlier of this machine's clock and AWS's, aware.
        stored: What the last run left.
        start, end: What the user asks for; naive values are UTC, fractions of a second are cut.

    Raises:
        ConfigError: *start* lies after *end*.
        StateError: The stored HWM lies in the future.
    """
    settled = whole_second(now - settings.settle)
    wanted = settled if end is None else whole_second(end)
    stop = min(wanted, settled)
    begin = _begin(now, settings, stored, start)
    if start is None and stored.hwm is not None and stored.hwm > now:
        raise StateError(
            f"the high-water mark {stored.hwm:{HWM_FORMAT}} UTC lies in the future",
            hint="check this machine's clock, or set the high-water mark back with `publish_hwm`",
        )

    if begin > stop and (start is not None or end is not None):
        remedy = f"must not lie after the end, {stop:{HWM_FORMAT}}"
        problem = Problem("start_hwm", f"{begin:{HWM_FORMAT}}", remedy)
        raise ConfigError([problem], source="window")

    notes = []
    if stop < wanted:
        message = f"the end {wanted:{HWM_FORMAT}} is not settled yet: {stop:{HWM_FORMAT}}"
        notes.append((WarningCode.WINDOW_END_ADJUSTED, message))

    if stored.was_edited and start is None:
        message = "the high-water mark was set by hand: the run starts there"
        notes.append((WarningCode.HWM_EDITED, message))

    newest = stored.newest
    follows = stored.carried is not None and stored.carried.hwm == begin

    kept_since = whole_second(now - RETENTION)
    return WindowPlan(
        window=Window(begin, stop) if begin < stop else None,
        previous=newest,
        follows=follows,
        kept_since=kept_since,
        first_since=settings.first_since(now),
        gaps=_retention_gap(begin, kept_since) + _operator_gap(begin, stored, start),
        notes=tuple(notes),
    )


def _begin(
    now: datetime, settings: WindowSettings, stored: StoredState, start: datetime | None
) -> datetime:
    if start is not None:
        return whole_second(start)

    return stored.hwm or settings.first_since(now)


def _retention_gap(begin: datetime, kept_since: datetime) -> tuple[Gap, ...]:
    return (Gap("retention", begin, kept_since),) if begin < kept_since else ()


def _operator_gap(begin: datetime, stored: StoredState, start: datetime | None) -> tuple[Gap, ...]:
    # The last HWM that the runs themselves reached, whatever was written into the file since.
    reached = stored.before_edit.hwm if stored.before_edit else stored.hwm
    is_chosen = start is not None or stored.was_edited
    if is_chosen and reached is not None and reached < begin:
        return (Gap("operator", reached, begin),)

    return ()


def whole_second(moment: datetime) -> datetime:
    """*moment* in UTC without its fraction; a naive one is taken for UTC."""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)

    return moment.astimezone(timezone.utc).replace(microsecond=0)
