"""Windows of a run, planned without I/O."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Container, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone

import msgspec

from kada_athena_async.codes import WarningCode
from kada_athena_async.config.contradictions import RETENTION_DAYS
from kada_athena_async.errors import ConfigError, Problem, StateError
from kada_athena_async.hwm.run_state import OVERLAP, HeldPrincipals, RunState, WorkgroupState

RETENTION = timedelta(days=RETENTION_DAYS)

# The longest that an execution can be under way: the DDL timeout of 600 minutes, and time in the
# queue (Athena user guide, "Service quotas").
LONGEST_QUERY = timedelta(hours=12)

# Stands for every workgroup that a state does not name, where workgroups could not be listed.
ANY_WORKGROUP = "*"

KEEP_PACKAGE = (
    "leave it as it is; or move it and its files away, and what Athena still has of its window is "
    "extracted as a new package"
)
"""Remedy where a package that is extracted again would lose executions."""

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
class WorkgroupWindow:
    """The part of one workgroup's history to read.

    Attributes:
        previous: State that the last run left; None if the window does not follow it.
        unfinished: Executions that were not finished when they were last seen, as in
            ``WorkgroupState.pending``: asked for by id, however long ago they were submitted.
        listed_since: Executions submitted before this need not be listed.
        gaps: As in ``WindowPlan``.
        published: Ids of executions that other packages hold: never emitted once more.
        replaced: Ids of executions in the package that this one replaces: emitted here again, also
            those that became listable late and finished before the window. None if it replaces
            none.
        held: Number of executions of this workgroup in that package: no fewer may be emitted.
        owed: The state that the next run goes on from, if the window lies before it: what that
            run will find and emit is left to it.
        knows_others: False if other machines hold packages of the time up to then: what the
            replaced package did not hold is left to them.
        overlap: How far behind its submission an execution may become visible.
    """

    workgroup: str
    window: Window
    previous: WorkgroupState | None
    listed_since: datetime
    unfinished: Mapping[str, datetime] = field(default_factory=dict)
    gaps: Mapping[str, Window] = field(default_factory=dict)
    published: Container[str] = field(default=frozenset(), compare=False)
    replaced: Container[str] | None = field(default=None, compare=False)
    held: int = 0
    owed: WorkgroupState | None = None
    knows_others: bool = True
    overlap: timedelta = OVERLAP

    @property
    def news_since(self) -> datetime:
        """Unknown executions submitted from here on are news, whenever they ended."""
        start, previous = self.window.start, self.previous
        return start - OVERLAP if previous is None else min(previous.knows_since, start)


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowPlan:
    """The window to extract, and the facts that the part of each workgroup follows from.

    Attributes:
        window: None if there is nothing to do: the window would be empty.
        replaces: True if a published package of the same window is extracted once more.
        compress: Whether the files are gzipped; None for what the configuration says.
        previous: State that the last run left; None if there is none.
        follows: True if the window begins where *previous* ends. Otherwise the window was chosen:
            what is under way, and workgroups that lag behind, belong to this run all the same.
        kept_since: The oldest moment of which Athena still has the history.
        first_since: Where a workgroup begins that no run has read yet.
        gaps: Times whose executions are not extracted: ``retention`` (Athena no longer has them),
            ``operator`` (the HWM was set forward).
        notes: Sentences for the user, each with a stable code.
        published, replaced: As in ``WorkgroupWindow``.
        held: By workgroup, the number of executions in the replaced package.
        early: By workgroup, the executions of the replaced package that were submitted before the
            window: asked for by their ids, for a list may not reach back to them.
        elsewhere: If a package is replaced: executions that packages of other machines hold.
        later: The state that the next run goes on from, if the window lies before it.
        left: State that the replaced package left to the next run; None if unknown.
        principals: Those of the replaced package.
        knows_others: As in ``WorkgroupWindow``.
    """

    window: Window | None
    replaces: bool = False
    compress: bool | None = None
    previous: RunState | None
    follows: bool
    kept_since: datetime
    first_since: datetime
    gaps: Mapping[str, Window] = field(default_factory=dict)
    notes: tuple[tuple[WarningCode, str], ...] = ()
    published: Container[str] = field(default=frozenset(), compare=False)
    replaced: Container[str] | None = field(default=None, compare=False)
    held: Mapping[str, int] = field(default_factory=dict, compare=False)
    early: Mapping[str, Sequence[str]] = field(default_factory=dict, compare=False)
    elsewhere: Sequence[str] = field(default=(), compare=False)
    later: RunState | None = None
    left: RunState | None = None
    principals: HeldPrincipals = field(default_factory=HeldPrincipals, compare=False)
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
            return self.principals.late

        return self.previous.unresolved if self.previous else {}

    def reaching(self, earliest: datetime) -> WindowPlan:
        """The same where a source holds the history from *earliest* on, longer than Athena."""
        whole = whole_second(earliest) + timedelta(seconds=bool(earliest.microsecond))
        kept_since = min(self.kept_since, whole)
        others = {kind: gap for kind, gap in self.gaps.items() if kind != "retention"}
        begin = self.window.start if self.window else kept_since
        gaps = {**_retention_gap(begin, kept_since), **others}
        return replace(self, kept_since=kept_since, gaps=gaps)

    def naming(self, names: Collection[str]) -> WindowPlan:
        """The same for workgroups that were spelt in another case: they would be new ones.

        Args:
            names: Of all workgroups, as they are now; what is gone keeps its name.
        """
        by_lower = {name.lower(): name for name in names}

        def now(name: str) -> str:
            return name if name in names else by_lower.get(name.lower(), name)

        def renamed(state: RunState | None) -> RunState | None:
            if state is None or all(now(name) == name for name in state.workgroups):
                return state

            oldest_first = sorted(state.workgroups.items(), key=lambda each: each[1].hwm)
            workgroups = {now(name): own for name, own in oldest_first}
            return msgspec.structs.replace(state, workgroups=workgroups)

        held: Counter[str] = Counter()
        early: dict[str, list[str]] = {}
        for name, count in self.held.items():
            held[now(name)] += count

        for name, ids in self.early.items():
            early.setdefault(now(name), []).extend(ids)

        return replace(
            self,
            previous=renamed(self.previous),
            later=renamed(self.later),
            held=held,
            early=early,
        )

    def of_workgroup(self, workgroup: str) -> WorkgroupWindow:
        """The part of *workgroup* to read: from its own HWM, which is the run's unless it lags.

        Raises:
            ValueError: There is nothing to do.
        """
        if self.window is None:
            raise ValueError("an empty window has nothing to read")

        own = _state_of(workgroup, self.previous)
        if own is not None and own.hwm >= self.window.end:
            own = None  # of no use for this window

        start, previous = self.window.start, None
        gaps: dict[str, Window] = {}
        if own is None:
            if self.follows:
                start = min(start, self.first_since)
        elif self.follows or self._catches_up(own, self.window):
            start, previous = own.hwm, own
        elif self.previous is not None and own.hwm <= self.previous.hwm < start:
            gaps = {"operator": Window(whole_second(own.hwm), start)}

        if previous is not None:
            # The package before has passed over what this one held, and holds again.
            replaced = self.replaced or frozenset()
            recent = {key: at for key, at in previous.recent.items() if key not in replaced}
            previous = msgspec.structs.replace(previous, recent=recent)

        return WorkgroupWindow(
            workgroup=workgroup,
            window=Window(start, self.window.end),
            previous=previous,
            listed_since=start - (OVERLAP if _was_listed(previous) else LONGEST_QUERY),
            unfinished={
                **dict.fromkeys(self.early.get(workgroup, ()), self.window.start),
                **(own.pending if own else {}),
            },
            gaps=gaps | _retention_gap(start, self.kept_since),
            published=self.published,
            replaced=self.replaced,
            held=self.held.get(workgroup, 0),
            owed=_state_of(workgroup, self.later),
            knows_others=self.knows_others,
        )

    def _catches_up(self, own: WorkgroupState, window: Window) -> bool:
        """True if a chosen window includes what a workgroup that lags behind has missed.

        Not if the window skips time on purpose, nor if the HWM will not move: then a later run
        catches up, and would extract it again.
        """
        if self.previous is None:
            return False

        return own.hwm < window.start <= self.previous.hwm <= window.end


def _was_listed(previous: WorkgroupState | None) -> bool:
    """True if what was under way at the HWM is known by id: its last run listed executions.

    False also for a workgroup of which only the place is known where its history begins.
    """
    if previous is None:
        return False

    return previous.since != previous.hwm and previous.recent_since is None


def _state_of(workgroup: str, state: RunState | None) -> WorkgroupState | None:
    if state is None:
        return None

    return state.workgroups.get(workgroup) or state.workgroups.get(ANY_WORKGROUP)


def plan_window(
    now: datetime,
    hwm: datetime | None,
    state: RunState | None = None,
    *,
    start: datetime | None = None,
    end: datetime | None = None,
    settle: timedelta = timedelta(seconds=60),
    initial_lookback: timedelta = RETENTION,
    held_since: datetime | None = None,
) -> WindowPlan:
    """Plan the window of a run.

    Args:
        now: The earlier of this machine's clock and AWS's, aware.
        hwm: The stored high-water mark; None before the first run.
        state: State that the last run left; it is another HWM's if somebody set that by hand.
        start, end: What the user asks for; naive values are UTC, fractions of a second are cut.
        settle, initial_lookback: See the configuration fields of the same names.
        held_since: Where the history begins that Athena's system table holds, if it is read.

    Raises:
        ConfigError: *start* lies after *end*.
        StateError: The stored HWM lies in the future.
    """
    settled = whole_second(now - settle)
    wanted = settled if end is None else whole_second(end)
    stop = min(wanted, settled)
    first_since = _first_since(now, initial_lookback, held_since)
    begin = whole_second(start) if start is not None else hwm or first_since
    refuse_future(hwm if start is None else None, now)
    if start is not None or end is not None:
        _refuse_order(begin, stop)

    notes = []
    if stop < wanted:
        late = f"the end {wanted:{HWM_FORMAT}} is not settled yet: {stop:{HWM_FORMAT}}"
        notes.append((WarningCode.WINDOW_END_ADJUSTED, late))

    # The last HWM that the runs themselves reached, whatever was written into the file since.
    reached = state.hwm if state else hwm
    was_edited = reached != hwm
    if was_edited and start is None:
        edited = "the high-water mark was set by hand: the run starts there"
        notes.append((WarningCode.HWM_EDITED, edited))

    kept_since = whole_second(now - RETENTION)
    gaps = _retention_gap(begin, kept_since)
    if (was_edited or start is not None) and reached is not None and reached < begin:
        gaps["operator"] = Window(whole_second(reached), begin)

    return WindowPlan(
        window=Window(begin, stop) if begin < stop else None,
        previous=state,
        follows=state is not None and state.hwm == hwm == begin,
        kept_since=kept_since,
        first_since=first_since,
        gaps=gaps,
        notes=tuple(notes),
    )


def refuse_future(hwm: datetime | None, now: datetime) -> None:
    """Refuse a stored high-water mark that lies in the future.

    Raises:
        StateError: It does.
    """
    if hwm is not None and hwm > now:
        raise StateError(
            f"the high-water mark {hwm:{HWM_FORMAT}} UTC lies in the future",
            hint="check this machine's clock, or set the high-water mark back with `publish_hwm`",
        )


def _refuse_order(begin: datetime, end: datetime) -> None:
    if begin > end:
        remedy = f"must not lie after the end, {end:{HWM_FORMAT}}"
        problem = Problem("start_hwm", f"{begin:{HWM_FORMAT}}", remedy)
        raise ConfigError([problem], source="window")


def _first_since(
    now: datetime, initial_lookback: timedelta, held_since: datetime | None
) -> datetime:
    """Begin of a first window: never before what AWS still has."""
    kept_since = now - RETENTION
    if held_since is not None:
        # Up to the next whole second, for all of the window has to be held.
        kept_since = min(kept_since, held_since + timedelta(seconds=1))

    return whole_second(max(now - initial_lookback, kept_since))


def _retention_gap(begin: datetime, kept_since: datetime) -> dict[str, Window]:
    return {"retention": Window(begin, kept_since)} if begin < kept_since else {}


def whole_second(moment: datetime) -> datetime:
    """*moment* in UTC without its fraction; a naive one is taken for UTC."""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)

    return moment.astimezone(timezone.utc).replace(microsecond=0)
