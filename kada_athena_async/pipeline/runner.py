"""Runs one unit, whatever its kind, and turns how it ended into a value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from kada_athena_async.concurrency import map_bounded
from kada_athena_async.errors import (
    AccessDeniedError,
    DerivationError,
    KadaAthenaError,
    UnitError,
)
from kada_athena_async.events import UnitFinished, UnitStarted, Warned
from kada_athena_async.inventory import Inventory
from kada_athena_async.pipeline.derive import DeriveExtraction
from kada_athena_async.pipeline.extraction import UnitExtraction, may_leave_out
from kada_athena_async.pipeline.principals import PrincipalJoin
from kada_athena_async.plan import DeriveUnit, ExtraUnit, PrincipalsUnit, Unit
from kada_athena_async.report import UnitFacts, UnitOutcome
from kada_athena_async.scopes import Completeness, ScopeFacts
from kada_athena_async.sinks.staging import Staging
from kada_athena_async.sql.worker_pool import WorkerPool

_LEAVE_OUT = 'mend it, exclude it, or set on_error to "skip" to go on without it'
"""Remedy of what AWS refuses without one of its own."""


@dataclass(slots=True, kw_only=True)
class UnitRunner:
    """Runs the units of one run.

    Args:
        extraction: Writes into *staging*.
        units: The units that read from AWS, in plan order.
        pool: The processes that parse SQL, shared with other runs perhaps.

    Attributes:
        derivation: Follows the units, if anything is derived from them.
    """

    extraction: UnitExtraction
    units: Sequence[Unit]
    staging: Staging
    pool: WorkerPool
    derivation: DeriveExtraction = field(init=False)

    def __post_init__(self) -> None:
        self.derivation = DeriveExtraction(
            unit_id=DeriveUnit().unit_id,
            units=self.units,
            config=self.extraction.config,
            staging=self.staging,
            notify=self.extraction.notify,
            pool=self.pool,
        )
        self.extraction.written = self.derivation.take
        self.extraction.pool = self.pool

    async def run_lanes(
        self,
        lanes: Sequence[tuple[Sequence[Unit], int]],
        derived: Sequence[Unit],
        inventory: Inventory,
    ) -> list[UnitOutcome]:
        """Run the units of all lanes side by side, then, if none has failed, the derived ones.

        Lineage is derived while AWS is waited for.

        Args:
            lanes: Units, and how many of them at a time.
        """
        found: list[UnitOutcome] = []

        async def run_lane(lane: tuple[Sequence[Unit], int]) -> None:
            units, limit = lane
            found.extend(
                await map_bounded(lambda unit: self.run(unit, inventory), units, limit=limit)
            )

        async def run_all() -> None:
            await map_bounded(run_lane, lanes, limit=len(lanes))
            if not any(outcome.outcome == "failed" for outcome in found):
                await run_lane((derived, max(1, len(derived))))

        try:
            await map_bounded(lambda go: go(), [run_all, self.derivation.follow], limit=2)
        finally:
            await self.derivation.close()

        return found

    async def run(self, unit: Unit, inventory: Inventory) -> UnitOutcome:
        """Run *unit* to its end; its parts and facts are durable if it is done.

        Raises:
            AbortError: The run cannot go on at all.
            CommitError: The disk refuses.
        """
        if sealed := self.staging.sealed().get(unit.unit_id):
            facts = msgspec.convert(sealed.facts, UnitFacts)
            resumed = UnitOutcome(unit_id=unit.unit_id, outcome="resumed", facts=facts)
            return self._finished(resumed, 0.0)

        clock, notify = self.extraction.clock, self.extraction.notify
        begun = clock.monotonic()
        notify(UnitStarted(unit_id=unit.unit_id))
        try:
            facts = await self._extract(unit, inventory)
            await self.staging.seal(unit.unit_id, msgspec.to_builtins(facts))
            outcome = UnitOutcome(unit_id=unit.unit_id, outcome="done", facts=facts)
        except UnitError as exc:
            await self.staging.discard(unit.unit_id)
            outcome = await self._without(unit, exc)

        return self._finished(outcome, clock.monotonic() - begun)

    async def _extract(self, unit: Unit, inventory: Inventory) -> UnitFacts:
        if isinstance(unit, DeriveUnit):
            return await self._derive()

        if isinstance(unit, PrincipalsUnit):
            return await PrincipalJoin(
                unit=unit,
                unit_ids=[one.unit_id for one in self.units],
                config=self.extraction.config,
                staging=self.staging,
                notify=self.extraction.notify,
            ).run()

        return await self.extraction.extract(unit, inventory)

    async def _without(self, unit: Unit, error: UnitError) -> UnitOutcome:
        """The outcome of a unit that cannot be done: skipped if that is allowed, else failed."""
        is_derived = isinstance(error, DerivationError)
        if not is_derived and not may_leave_out(self.extraction.config, unit, error):
            return UnitOutcome(
                unit_id=unit.unit_id,
                outcome="failed",
                reason=error.message,
                hint=error.hint or _LEAVE_OUT,
                is_denied=isinstance(error, AccessDeniedError),
            )

        warnings: tuple[Warned, ...] = ()
        if isinstance(unit, ExtraUnit):
            message = f"{unit.lost}: {error.message}"
            warnings = (Warned(code=unit.warning, message=message, hint=error.hint),)

        facts = UnitFacts(scopes=_left_out(unit, error), warnings=warnings)
        await self.staging.seal(unit.unit_id, msgspec.to_builtins(facts))
        return UnitOutcome(
            unit_id=unit.unit_id,
            outcome="skipped",
            facts=facts,
            reason=error.message,
            hint=error.hint,
        )

    def _finished(self, outcome: UnitOutcome, duration_s: float) -> UnitOutcome:
        for warning in outcome.facts.warnings:
            self.extraction.notify(warning)

        self.extraction.notify(
            UnitFinished(
                unit_id=outcome.unit_id,
                outcome=outcome.outcome,
                rows=outcome.rows,
                duration_s=round(duration_s, 3),
                reason=outcome.reason,
            )
        )
        self.derivation.ended(outcome)
        return outcome

    async def _derive(self) -> UnitFacts:
        try:
            return await self.derivation.run()
        except (KadaAthenaError, OSError):
            raise
        except Exception as exc:
            # A bug here must not cost the extracts themselves, night after night. No message: it
            # may hold SQL.
            raise DerivationError(
                f"linkages and events could not be derived: {type(exc).__name__}",
                hint="report it; the other extracts are complete",
            ) from None


def _left_out(unit: Unit, error: UnitError) -> tuple[ScopeFacts, ...]:
    """Scopes of the manifest for a unit that is left out: never as empty."""
    outcome: Completeness = "denied" if isinstance(error, AccessDeniedError) else "skipped"
    reason = error.message
    if isinstance(unit, ExtraUnit):
        # The scope itself is complete: nothing else of it may look as if it were in doubt.
        outcome, reason = "complete", f"{unit.lost}: {reason}"

    return tuple(
        ScopeFacts(scope=scope, name=name, outcome=outcome, reason=reason)
        for scope, name in unit.scopes
    )
