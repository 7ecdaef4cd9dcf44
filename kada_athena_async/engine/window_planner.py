"""Plans the windows of a run: what is asked for, without what is published already.

One rule: without ``again`` no finished execution is published a second time. The window that is
asked for, by the HWM or by hand, is cut at the windows of the published packages; each part that
none of them covers is a window of its own, so windows of packages never overlap. With ``again``
each package that lies in the window whole is extracted once more in its own window, under its own
file names; one that reaches beyond it is refused, for half a package cannot be replaced.

A window can still meet executions that another package holds, where Athena listed them late or a
workgroup caught up. Where a later package exists, the ids in the published files are left out too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from kada_athena_async.codes import WarningCode
from kada_athena_async.commit.published import held_executions, held_principals, published_ids
from kada_athena_async.config import Config
from kada_athena_async.engine.ownership import check_output_path, check_owner
from kada_athena_async.errors import StateError
from kada_athena_async.files import Files
from kada_athena_async.files.threads import in_thread
from kada_athena_async.hwm import (
    DeliveryIntent,
    HeldPrincipals,
    Origin,
    RunState,
    StoredState,
    Window,
    WindowPlan,
    covered_by_state,
    overlapping,
    plan_window,
    uncovered,
)
from kada_athena_async.hwm.store import FileHwmStore, Store
from kada_athena_async.hwm.window import HWM_FORMAT, KEEP_PACKAGE
from kada_athena_async.manifest import PublishedPackage, published_packages, read_manifest
from kada_athena_async.sinks.journal import RunIntent


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowPlanner:
    """Plans windows of one instance; reads, and writes nothing.

    Args:
        origin: Whose run this is, as far as that is known yet.
        store: None if the caller keeps the HWMs.
        settle: How far behind now a window ends; None for ``settle_seconds``.
        held_since: Where the history of Athena's system table begins, if that is read.
        start, end: The window that the caller asks for; None for the stored HWM and for now.
        again: Extract the packages in it once more.
    """

    config: Config
    origin: Origin
    output_path: Path
    store: Store | None
    files: Files
    settle: timedelta | None = None
    held_since: datetime | None = None
    start: datetime | None = None
    end: datetime | None = None
    again: bool = False

    async def requested_windows(
        self, now: datetime
    ) -> tuple[list[WindowPlan], list[tuple[WarningCode, str]]]:
        """The windows that the caller asks for, oldest first, and what to warn of.

        They are planned in full by ``plan``, each when its turn comes.

        Args:
            now: The earlier of this machine's clock and AWS's.

        Raises:
            ConfigError: The start lies after the end.
            StateError: The HWM cannot be used, belongs to somebody else, or all that is asked for
                is published already.
        """
        hwm, stored, packages = await self._known()
        notes = self._check_owner(stored, packages)
        begins_at, state = hwm, stored.state if stored else None
        if hwm is None and self.start is None and packages:
            newest = max(packages, key=lambda package: package.window.end)
            begins_at = newest.window.end
            if self.store is not None:
                notes.append((WarningCode.HWM_LOST, self._lost(newest)))

        asked = self._plan(
            now, begins_at, state if begins_at == hwm else None, start=self.start, end=self.end
        )
        window = asked.window
        if window is None:
            return [], [*notes, *asked.notes]

        stated = covered_by_state(state)
        if self.again:
            plans = _once_more(asked, window, packages)
            self._check_here(plans, stated)
            return plans, [*notes, *asked.notes]

        covered = [package.window for package in packages] + stated
        parts = uncovered(window, covered)
        if not parts and self.start is not None:
            raise self._is_published(window, packages)

        if parts == [window]:
            notes += asked.notes
        else:
            notes += [note for note in asked.notes if note[0] is not WarningCode.HWM_EDITED]
            notes.append((WarningCode.WINDOW_START_ADJUSTED, _left_out(window, parts)))

        return [replace(asked, window=part) for part in parts], notes

    async def plan(
        self, asked: WindowPlan | RunIntent | DeliveryIntent, now: datetime
    ) -> WindowPlan:
        """Plan the window *asked* for by what is published and known at this moment.

        Args:
            asked: One of ``requested_windows``, or a run or a delivery that broke off.

        Raises:
            StateError: A manifest or the HWM is damaged.
        """
        hwm, stored, packages = await self._known()
        window = asked.window
        assert window is not None
        others = [p for p in packages if not (asked.replaces and p.window == window)]
        previous = await self._previous(window, stored, others)
        plan = self._plan(
            now, previous.hwm if previous else None, previous, start=window.start, end=window.end
        )
        later = stored.state if stored and stored.state.hwm == hwm else None
        if later is not None and later.hwm < window.end:
            later = None

        # An end that was settled once stays so, also if the clock was set back since.
        plan = replace(
            plan, window=window, replaces=asked.replaces, compress=asked.compress, later=later
        )
        if not isinstance(asked, RunIntent):
            early, elsewhere, held = asked.early, asked.elsewhere, asked.principals
            plan = replace(plan, early=early, elsewhere=elsewhere, principals=held)

        if plan.replaces:
            own = [package for package in packages if package.window == window]
            is_last = later is not None and later.hwm == window.end
            left = later if is_last else await self._left_by(own)
            kept_since = min(plan.kept_since, self.held_since or plan.kept_since)
            plan = await _replacing(replace(plan, left=left), window, own, kept_since)
            if isinstance(asked, DeliveryIntent):  # in the landing it is torn already
                plan = replace(plan, held={})

            if own and later is not None:
                rest = uncovered(Window(window.start, later.hwm), [p.window for p in packages])
                plan = replace(plan, knows_others=not rest)

        is_newest = all(package.window.end <= window.start for package in others)
        published = await published_ids([] if is_newest else others)
        for query_id in plan.elsewhere:
            published.add(query_id)

        return replace(plan, published=published)

    async def _previous(
        self, window: Window, stored: StoredState | None, others: Sequence[PublishedPackage]
    ) -> RunState | None:
        """State that *window* goes on from: at its start, or else the newest before its end."""
        state = stored.state if stored else None
        if state is not None and state.hwm == window.start:
            return state

        before = await self._left_by([p for p in others if p.window.end == window.start])
        if before is not None:
            return before

        newest = max(others, key=lambda package: package.window.end, default=None)
        if newest is not None and (state is None or newest.window.end > state.hwm):
            state = await self._left_by([newest])

        return state if state is not None and state.hwm <= window.end else None

    async def is_published(self, window: Window) -> bool:
        """True if a published package shares time with *window*."""
        *_, packages = await self._known()
        return bool(overlapping(window, [package.window for package in packages]))

    async def check(self) -> None:
        """Refuse an HWM, a state or packages that are damaged or somebody else's.

        Raises:
            StateError: They are.
        """
        _, stored, packages = await self._known()
        self._check_owner(stored, packages)

    def _check_owner(
        self, stored: StoredState | None, packages: Sequence[PublishedPackage]
    ) -> list[tuple[WarningCode, str]]:
        """Refuse a state or packages of somebody else; a note where none is named.

        Raises:
            StateError: Server, account, Region or instance are others.
        """
        place = self._place
        state = stored.state if stored else None
        if state is not None:
            check_owner(self.origin, state.origin, f"the state of the high-water mark {place}")

        for package in packages:
            check_owner(self.origin, package.origin, f"the package {package.name}")

        ends = {package.window.end for package in packages}
        if isinstance(self.store, FileHwmStore) and stored and stored.state.hwm not in ends:
            check_output_path(self.store, stored.output_path)

        is_nameless = (state is not None and state.origin is None) or (
            state is None and bool(packages) and packages[-1].origin is None
        )
        if not is_nameless:
            return []

        return [
            (
                WarningCode.ORIGIN_ADOPTED,
                "what an earlier version left does not say whose it is: it is taken for that of "
                f"{self.origin.server} in {self.origin.region}, this once",
            )
        ]

    async def _known(
        self,
    ) -> tuple[datetime | None, StoredState | None, list[PublishedPackage]]:
        hwm, stored = await self.store.read() if self.store is not None else (None, None)
        packages = await in_thread(
            lambda: published_packages(self.output_path, self.origin.instance, self.files)
        )
        return hwm, stored, packages

    async def _left_by(self, packages: Sequence[PublishedPackage]) -> RunState | None:
        """State that the first of *packages* left for the next run; None if there is none."""
        if not packages:
            return None

        path = packages[0].path
        found = await in_thread(lambda: read_manifest(path, self.files))
        state = found.manifest.state if found else None
        return state if state is not None and state.hwm == packages[0].window.end else None

    def _plan(
        self,
        now: datetime,
        hwm: datetime | None,
        state: RunState | None,
        *,
        start: datetime | None,
        end: datetime | None,
    ) -> WindowPlan:
        return plan_window(
            now,
            hwm,
            state,
            start=start,
            end=end,
            settle=self.settle or timedelta(seconds=self.config.settle_seconds),
            initial_lookback=timedelta(days=self.config.initial_lookback_days),
            held_since=self.held_since,
        )

    @property
    def _place(self) -> str:
        return self.store.place if self.store else ""

    def _lost(self, newest: PublishedPackage) -> str:
        return (
            f"there is no high-water mark {self._place}: the run goes on from "
            f"{newest.name}, at {newest.window.end:{HWM_FORMAT}}"
        )

    def _check_here(self, plans: Sequence[WindowPlan], stated: Sequence[Window]) -> None:
        """Refuse to extract once more what is published and lies elsewhere: it would come twice.

        An HWM that is this machine's alone may be all that is left of it: then it is wanted anew.

        Raises:
            StateError: Another machine holds it, or only the landing does.
        """
        if self.config.landing is None and isinstance(self.store, FileHwmStore):
            return

        for plan in plans:
            if plan.window and not plan.replaces and overlapping(plan.window, stated):
                raise StateError(
                    f"the window {plan.window} is published, says the state of {self._place}, "
                    f"and no package in {self.output_path} holds it",
                    hint="ask for it on the machine that extracted it; or copy its manifest and "
                    "files from the landing to output_path first",
                )

    def _is_published(self, window: Window, packages: Sequence[PublishedPackage]) -> StateError:
        holders = [p.path for p in packages if overlapping(window, [p.window])]
        names = ", ".join(str(path) for path in holders[:3])
        more = f" and {len(holders) - 3} more" if len(holders) > 3 else ""
        return StateError(
            f"the window {window} is covered by {names}{more} already"
            if holders
            else f"the window {window} is published already, says the state of {self._place}",
            hint="extract it once more with `again=True`, or ask for another window",
        )


async def _replacing(
    plan: WindowPlan, window: Window, packages: Sequence[PublishedPackage], kept_since: datetime
) -> WindowPlan:
    """*plan* with what is known of the package that is replaced, here or by its delivery.

    Raises:
        StateError: It holds executions that were submitted before *kept_since*: nobody has them
            any more; or a file of it is damaged.
    """
    held = await held_executions(packages, window.start, kept_since)
    if held.forgotten:
        raise StateError(
            f"{packages[0].path} holds executions that Athena has forgotten ({held.forgotten}, "
            f"submitted before {kept_since:{HWM_FORMAT}} UTC): extracted again it would lose them",
            hint=KEEP_PACKAGE,
        )

    for workgroup, ids in plan.early.items():
        held.early[workgroup] = [*held.early.get(workgroup, ()), *ids]
        for query_id in ids:
            held.ids.add(query_id)

    owed = HeldPrincipals(owed=tuple(plan.left.unresolved) if plan.left else ())
    principals = await held_principals(packages, window.start, held.ids) | owed | plan.principals
    return replace(
        plan, replaced=held.ids, held=held.counts, early=held.early, principals=principals
    )


def _once_more(
    asked: WindowPlan, window: Window, packages: Sequence[PublishedPackage]
) -> list[WindowPlan]:
    """Each package in *window* in its own window, and what none of them covers.

    Raises:
        StateError: A package reaches beyond *window*.
    """
    inside = overlapping(window, [package.window for package in packages])
    for package in packages:
        own = package.window
        if own in inside and (own.start < window.start or window.end < own.end):
            raise StateError(
                f"{package.path} reaches beyond the window {window}: it holds {own}, and a part of "
                "a package cannot be extracted again",
                hint=f'ask for all of it: `again=True` `start_hwm=...` "{own.start:{HWM_FORMAT}}" '
                f'`end_hwm=...` "{own.end:{HWM_FORMAT}}"',
            )

    found = [(part, replace(asked, window=part)) for part in uncovered(window, inside)]
    # Its files keep their names: what lies in a landing cannot be removed there.
    found += [
        (own, replace(asked, window=own, replaces=True, compress=_is_packed(package)))
        for package in packages
        if (own := package.window) in inside
    ]
    return [plan for _, plan in sorted(found, key=lambda each: (each[0].start, each[0].end))]


def _is_packed(package: PublishedPackage) -> bool | None:
    """True if its files are gzipped; None if that is not known."""
    found = package.extracts("databaselog")
    return found[0].suffix == ".gz" if found else None


def _left_out(window: Window, parts: Sequence[Window]) -> str:
    """A note about what of *window* is published already."""
    gaps = "; ".join(str(gap) for gap in uncovered(window, parts))
    return (
        f"what is published already is left out: {gaps}; `again=True` with `start_hwm=...` and "
        "`end_hwm=...` extracts a package once more"
    )
