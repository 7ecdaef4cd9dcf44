"""A run: its window, its stages in their order, its commit."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from kada_athena_async.codes import ExitCode, WarningCode
from kada_athena_async.commit.recovery import InterruptedRun
from kada_athena_async.commit.transaction import CommitRequest, commit
from kada_athena_async.config import config_digest
from kada_athena_async.engine import summary, system_table
from kada_athena_async.engine.connection import HISTORY_UNITS_AT_ONCE, Connection
from kada_athena_async.engine.ownership import (
    check_owner,
    origin_of,
    why_not_continued,
)
from kada_athena_async.engine.pending_delivery import PendingDelivery
from kada_athena_async.engine.statements import overwritten_digest
from kada_athena_async.engine.window_planner import WindowPlanner
from kada_athena_async.errors import StateError, UnitError
from kada_athena_async.events import PlanReady, RunStarted, Warned
from kada_athena_async.hwm import DeliveryIntent, RunState, WindowPlan, next_state
from kada_athena_async.hwm.store import Store
from kada_athena_async.hwm.window import KEEP_PACKAGE
from kada_athena_async.inventory import SystemTableFacts
from kada_athena_async.manifest import Manifest, PublishedPackage
from kada_athena_async.plan import (
    PRINCIPAL_EVENTS,
    DerivedUnit,
    ExtraUnit,
    HistoryUnit,
    MetadataUnit,
    Plan,
    PrincipalsUnit,
    Unit,
    build_plan,
)
from kada_athena_async.report import RunReport, UnitOutcome
from kada_athena_async.sinks.journal import RunIntent
from kada_athena_async.sinks.staging import Staging
from kada_athena_async.version import __version__

if TYPE_CHECKING:
    from kada_athena_async.sql.worker_pool import WorkerPool


@dataclass(slots=True, kw_only=True)
class Run:
    """Extracts windows over an open connection; the caller holds the locks.

    Args:
        planner: Plans the windows; knows what the caller asks for.
        warnings: What was warned of so far; grows while the run goes on.
        delivery: Brings a commit to the landing, if there is one.

    Attributes:
        previous: State that the last run left, also where the window asked for does not follow
            it: a workgroup that is left out now keeps the HWM that it had.
        table: Athena's system table, if it is asked for and may be read.
        usable: The same, if it also holds all of the window that is under way.
    """

    connection: Connection
    planner: WindowPlanner
    warnings: list[Warned]
    delivery: PendingDelivery
    previous: RunState | None = None
    table: SystemTableFacts | None = None
    usable: SystemTableFacts | None = None

    async def extract(
        self,
        run_id: str,
        resumable: InterruptedRun | None,
        unfinished: DeliveryIntent | None = None,
    ) -> RunReport:
        """Finish what was interrupted, if there is anything, then extract the window asked for.

        The first calls are made: AWS's clock is known.

        Args:
            resumable: A run that was interrupted here.
            unfinished: A delivery that broke off, whose run is not here; its window goes first.
        """
        self.table = await system_table.find_system_table(self.connection, run_id)
        config, account_id = self.connection.config, await self.connection.learn_account()
        self.planner = replace(
            self.planner,
            origin=origin_of(config, self.name, account_id),
            settle=system_table.settle_of(config, self.table),
            held_since=system_table.held_since(config, self.table),
        )
        earlier = await self._unfinished(f"{run_id}-0", resumable, unfinished)
        if earlier is not None and not earlier.committed:
            return earlier

        asked, notes = await self.planner.requested_windows(self.connection.settled_now())
        for code, message in notes:
            self._warn(code, message)

        if not asked:
            # What cannot be listed now is reported by the next run that has a window.
            with suppress(UnitError):
                await self.connection.check_catalogs()

            return replace(self._nothing_to_do(run_id), continued=earlier)

        *former, last = asked
        for number, each in enumerate(former, start=1):
            report = await self._begin(f"{run_id}-{number}", each)
            earlier = replace(report, continued=earlier)
            if not report.committed:
                return earlier

        return replace(await self._begin(run_id, last), continued=earlier)

    async def _unfinished(
        self, run_id: str, resumable: InterruptedRun | None, unfinished: DeliveryIntent | None
    ) -> RunReport | None:
        """Finish the interrupted run, or extract the window of a delivery that broke off."""
        if unfinished is not None:
            what = f"the unfinished delivery {unfinished.manifest}"
            check_owner(self.planner.origin, unfinished.origin, what)

        # Another window has to go first, and this one would overlap it.
        is_behind = unfinished and resumable and resumable.intent.window != unfinished.window
        if resumable is not None and not is_behind:
            report = await self._continue(resumable, unfinished)
            if report is not None:
                return report

        if unfinished is None:
            return None

        self._warn(
            WarningCode.REDELIVERED, f"{unfinished.manifest} was not delivered whole; once more"
        )
        return await self._begin(run_id, unfinished)

    async def _continue(
        self, resumable: InterruptedRun, unfinished: DeliveryIntent | None
    ) -> RunReport | None:
        """Finish an interrupted run in its own window, with the parts that it finished.

        Args:
            unfinished: The delivery that the run takes over, if it does.

        Returns:
            None if it is not ours to continue: then it is discarded.
        """
        intent = resumable.intent
        staging = await Staging.reopen(resumable.path, self.planner.files)
        reason = why_not_continued(
            intent, self.planner.origin, overwritten_digest(self.connection.texts)
        )
        if not reason and not intent.replaces and await self.planner.is_published(intent.window):
            reason = "its window is published since"

        if reason:
            await staging.remove()
            message = f"the interrupted run {intent.run_id} cannot be continued and was discarded"
            self._warn(WarningCode.STALE_RUN, f"{message}: {reason}")
            return None

        plan = await self._plan(intent.run_id, unfinished or intent, is_resumed=True)
        async with staging:
            return await self._extract(staging, plan)

    async def _begin(self, run_id: str, asked: WindowPlan | DeliveryIntent) -> RunReport:
        begun_at, config, window = self.connection.clock.now(), self.connection.config, asked.window
        assert window is not None
        plan = await self._plan(run_id, asked, is_resumed=False)
        intent = RunIntent(
            run_id=run_id,
            name=self.name,
            start=window.start,
            end=window.end,
            hwm=(await self.store.read())[0] if self.store else None,
            manages_hwm=self.store is not None,
            compress=config.compress if asked.compress is None else asked.compress,
            replaces=asked.replaces,
            config_digest=config_digest(config),
            plan_digest=plan.digest,
            started_at=begun_at,
            mask=config.mask,
            statements_digest=overwritten_digest(self.connection.texts),
            version=__version__,
            origin=self.planner.origin,
        )
        planner = self.planner
        async with await Staging.create(planner.output_path, intent, planner.files) as staging:
            return await self._extract(staging, plan)

    async def _plan(
        self, run_id: str, asked: WindowPlan | RunIntent | DeliveryIntent, *, is_resumed: bool
    ) -> Plan:
        """Announce the run, look at what exists, and decide what to do."""
        config, window = self.connection.config, asked.window
        assert window is not None
        window_plan = await self.planner.plan(asked, self.connection.settled_now())
        kept_since = max(window.start, window_plan.kept_since)
        self.usable = system_table.reaching(self.connection, self.table, kept_since)
        if self.usable is not None and self.usable.earliest is not None:
            window_plan = window_plan.reaching(self.usable.earliest)

        self.connection.notify(
            RunStarted(
                run_id=run_id,
                name=self.name,
                start=window.start,
                end=window.end,
                output_path=str(self.planner.output_path),
                endpoint_url=config.endpoint_url,
                is_resumed=is_resumed,
            )
        )
        self.connection.client.reports_rates = True
        async with self.delivery.destination.stage("discover"):
            inventory = await self.connection.discover(run_id)
            plan = build_plan(config, inventory, window_plan, self.usable)

        self.previous = plan.window_plan.previous
        _check_held(plan)
        system_table.say_unreached(self.connection, self.usable, plan)
        return plan

    async def _extract(self, staging: Staging, plan: Plan) -> RunReport:
        from kada_athena_async.sql.worker_pool import WorkerPool

        clock = self.connection.clock
        begun = clock.monotonic()
        async with (
            self.delivery.destination.stage("extract"),
            self.connection.pool or WorkerPool() as pool,
        ):
            if any(isinstance(unit, MetadataUnit | HistoryUnit) for unit in plan.units):
                await pool.anticipate()  # there will be SQL to parse, most likely

            outcomes = await self._run_units(staging, plan, pool)

        committed = None
        if not any(outcome.outcome == "failed" for outcome in outcomes):
            async with self.delivery.destination.stage("commit"):
                committed = await self._commit(staging, plan, outcomes)

        return summary.run_report(
            staging,
            plan,
            outcomes,
            committed,
            self.connection.client.log,
            hwm_path=self._hwm_path,
            warnings=self.warnings,
            duration_s=clock.monotonic() - begun,
        )

    async def _run_units(self, staging: Staging, plan: Plan, pool: WorkerPool) -> list[UnitOutcome]:
        """Run all units; metadata and history side by side, for their quotas are apart."""
        from kada_athena_async.pipeline import UnitRunner

        history = [unit for unit in plan.units if isinstance(unit, HistoryUnit)]
        extras = [unit for unit in plan.units if isinstance(unit, ExtraUnit)]
        derived = [unit for unit in plan.units if isinstance(unit, DerivedUnit)]
        set_apart = HistoryUnit | ExtraUnit | DerivedUnit
        others = [unit for unit in plan.units if not isinstance(unit, set_apart)]
        self.connection.notify(
            PlanReady(
                units=tuple(unit.unit_id for unit in plan.units),
                catalogs=len(plan.inventory.catalogs),
                schemas=sum(len(catalog.schemas) for catalog in plan.inventory.catalogs),
                workgroups=len(history),
            )
        )
        # What is derived is derived anew, for what it came from may be.
        kept = {unit.unit_id for unit in (*others, *history, *extras)}
        for unit_id in staging.sealed().keys() - kept:
            await staging.discard(unit_id)

        extraction = self.connection.extraction(staging.run_id, staging)
        runner = UnitRunner(
            extraction=extraction,
            units=[unit for unit in plan.units if unit.unit_id in kept],
            staging=staging,
            pool=pool,
        )

        lanes: list[tuple[Sequence[Unit], int]] = [
            (others, self.connection.metadata_units_at_once),
            (history, HISTORY_UNITS_AT_ONCE),
            *(
                ([unit for unit in extras if type(unit) is kind], 1)
                for kind in dict.fromkeys(map(type, extras))
            ),
        ]
        found = await runner.run_lanes(lanes, derived, plan.inventory)
        for kind, count in extraction.transforms.unmaskable.items():
            if count:
                self._warn(
                    WarningCode.UNMASKABLE, f"{count} {kind} texts were left out: not maskable"
                )

        by_id = {outcome.unit_id: outcome for outcome in found}
        return [by_id[unit.unit_id] for unit in plan.units if unit.unit_id in by_id]

    async def _commit(
        self, staging: Staging, plan: Plan, outcomes: Sequence[UnitOutcome]
    ) -> PublishedPackage[Manifest]:
        accounts = [o.facts.account for o in outcomes if o.facts.account is not None]
        summary.check_rows(staging, outcomes)
        # What is owed of a package that is replaced is in the state that it left.
        looked = any(isinstance(u, PrincipalsUnit) for u in plan.units)
        unresolved = {i: at for o in outcomes for i, at in o.facts.unresolved.items()}
        state = next_state(
            staging.intent.end,
            self.previous,
            accounts,
            skipped=summary.skipped_workgroups(plan, staging.intent.start, outcomes),
            origin=staging.intent.origin,
            unresolved=unresolved if looked or staging.intent.replaces else None,
        )
        request = CommitRequest(
            unit_order=[o.unit_id for o in outcomes if o.unit_id != PRINCIPAL_EVENTS],
            facts=summary.run_facts(
                self.connection.config, plan, outcomes, self.connection.client.log, self.warnings
            ),
            state=plan.window_plan.leaves(state),
            accounts=accounts,
            principals=plan.window_plan.principals,
        )
        return await commit(staging, request, self.delivery)

    @property
    def name(self) -> str:
        return self.planner.origin.instance

    @property
    def store(self) -> Store | None:
        """None if the caller keeps the HWM."""
        return self.planner.store

    @property
    def _hwm_path(self) -> Path | None:
        return self.store.hwm_path if self.store else None

    def _nothing_to_do(self, run_id: str) -> RunReport:
        """The report of an empty window: the HWM is younger than ``settle_seconds``."""
        start = self.planner.start or self.connection.clock.now().replace(microsecond=0)
        self._warn(
            WarningCode.NOTHING_TO_DO, "the window is empty: all that is settled is extracted"
        )
        return RunReport(
            run_id=run_id,
            name=self.name,
            start=start,
            end=self.planner.end or start,
            committed=False,
            exit_code=ExitCode.OK,
            output_path=self.planner.output_path,
            hwm_path=self._hwm_path,
            warnings=tuple(warning.message for warning in self.warnings),
            calls=dict(self.connection.client.log.calls),
        )

    def _warn(self, code: WarningCode, message: str) -> None:
        self.connection.notify(Warned(code=code, message=message))


def _check_held(plan: Plan) -> None:
    """Refuse to replace a package whose workgroups are not asked.

    Raises:
        StateError: A workgroup with executions in it is gone, not to be listed, or left out by the
            configuration: no later run would extract them.
    """
    asked = {unit.workgroup.name for unit in plan.units if isinstance(unit, HistoryUnit)}
    if gone := [name for name in plan.window_plan.held if name not in asked]:
        raise StateError(
            f"the package of {plan.window_plan.window} holds executions of workgroups that are "
            f"gone, denied or left out now ({', '.join(gone)}): extracted again it would lose them",
            hint=f"include them in workgroups; or {KEEP_PACKAGE}",
        )
