"""The principals of a run's executions: events are read beside the history, joined after it.

Both sides lie in finished parts before they are joined, so that a resumed run joins the same, and
so that memory holds ids only: 16 bytes for each event and each execution.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import cast

from kada_athena_async.codes import WarningCode
from kada_athena_async.concurrency import offload
from kada_athena_async.config import Config
from kada_athena_async.errors import AccessDeniedError, RequestError, UnitError
from kada_athena_async.events import Observer, UnitAdvanced, UnitProgress, Warned
from kada_athena_async.hwm.id_set import IdSet
from kada_athena_async.hwm.run_state import UNRESOLVED_LIFE
from kada_athena_async.pipeline.context import ExtractionContext
from kada_athena_async.plan import PRINCIPAL_EVENTS, PrincipalEventsUnit, PrincipalsUnit
from kada_athena_async.records import PrincipalRecord, QueryRecord, UserRecord
from kada_athena_async.report import UnitFacts
from kada_athena_async.sinks.part_reader import read_batches
from kada_athena_async.sinks.staging import Staging
from kada_athena_async.sources.cloudtrail import look_up, read_events
from kada_athena_async.sources.principals import without_person
from kada_athena_async.sources.strategy import user_source
from kada_athena_async.staged_records import StagedRecord

KIND = "query_principals"

UNRESOLVED_MAX = 100_000
"""Executions that are remembered for later runs, the newest; more would swell the state."""

PRINCIPALS_MAX = 100_000
"""Principals that become rows of ``users`` in one run."""


@dataclass(frozen=True, slots=True)
class PrincipalEvents:
    """Reads the events of a run's time into a part that is not published."""

    unit: PrincipalEventsUnit
    context: ExtractionContext

    async def run(self) -> UnitFacts:
        """Read all events; what was read before an error counts.

        Raises:
            UnitError: Not one event could be read.
        """
        rows = unreadable = 0
        reason = ""
        async with self.context.sink.part(self.unit.unit_id, KIND) as part:
            try:
                async with aclosing(self._events()) as batches:
                    async for records, bad in batches:
                        await part.write(records)
                        rows += len(records)
                        unreadable += bad
                        self._report(records)
            except UnitError as exc:
                if not rows:
                    raise

                reason = exc.message

        warning = Warned(
            code=WarningCode.PRINCIPALS_MISSING,
            message=f"who ran the queries is known in part only: {reason}",
            hint="executions without a principal are asked for again by later runs",
        )
        return UnitFacts(
            rows={KIND: rows},
            reconciliation={"unreadable_events": unreadable} if unreadable else {},
            warnings=(warning,) if reason else (),
        )

    def _report(self, records: Sequence[PrincipalRecord]) -> None:
        unit, notify = self.unit, self.context.notify
        notify(UnitProgress(unit_id=unit.unit_id, kind=KIND, rows=len(records)))
        # CloudTrail answers newest first, so that the last event says how far back it has come.
        last = records[-1] if records else None
        if last is not None and last.source == "cloudtrail" and last.event_time is not None:
            share = (unit.end - last.event_time) / (unit.end - unit.start)
            notify(UnitAdvanced(unit_id=unit.unit_id, share=round(min(max(share, 0), 1), 3)))

    async def _events(self) -> AsyncGenerator[tuple[list[PrincipalRecord], int], None]:
        """Batches of records, and how many events of each could not be read."""
        source, table = user_source(self.context.config), self.unit.table
        ways = [self._from_trail] if source.asks_trail else []
        if not ways or (source.asks_table and table is not None and table.names_principals):
            ways.append(self._from_table)

        for way in ways:
            try:
                async with aclosing(way()) as batches:
                    async for batch in batches:
                        yield batch
            except AccessDeniedError:
                if way == ways[-1]:
                    raise
            else:
                return

    async def _from_trail(self) -> AsyncGenerator[tuple[list[PrincipalRecord], int], None]:
        def read(texts: list[str]) -> tuple[list[PrincipalRecord], int]:
            records, bad = read_events(texts, server=self.context.config.server)
            return self._anonymous(records), bad

        async with aclosing(
            look_up(self.context.client, start=self.unit.start, end=self.unit.end)
        ) as pages:
            async for texts, unreadable in pages:
                records, bad = await offload(partial(read, texts))
                yield records, bad + unreadable

    async def _from_table(self) -> AsyncGenerator[tuple[list[PrincipalRecord], int], None]:
        unit, facts = self.unit, self.unit.table
        if facts is None or not facts.names_principals:
            raise RequestError(
                "Athena's system table cannot be asked who ran the queries",
                code="NoPrincipals",
                hint='set attribute_users to "cloudtrail"',
            )

        rows = self.context.system_table(unit.unit_id).principals(
            facts, server=self.context.config.server, start=unit.start, end=unit.end
        )
        async with aclosing(rows) as batches:
            async for records in batches:
                yield self._anonymous(records), 0

    def _anonymous(self, records: list[PrincipalRecord]) -> list[PrincipalRecord]:
        config = self.context.config
        if not config.hash_users:
            return records

        key = config.hash_key.get_secret_value().encode()
        return [without_person(record, key) for record in records]


@dataclass(slots=True, kw_only=True)
class PrincipalJoin:
    """Gives each execution its principal, and remembers those whose event is still to come.

    Args:
        unit_ids: The units whose executions are joined, in plan order; all sealed.
    """

    unit: PrincipalsUnit
    unit_ids: Sequence[str]
    config: Config
    staging: Staging
    notify: Observer
    _wanted: IdSet = field(init=False, default_factory=IdSet)
    _found: IdSet = field(init=False, default_factory=IdSet)

    async def run(self) -> UnitFacts:
        """Write one row for each execution whose event is known, and one for each principal."""
        for query_id in self.unit.unresolved:
            self._wanted.add(query_id)

        async for batch in self._batches(self.unit_ids, "databaselog"):
            for record in cast("list[QueryRecord]", batch):
                if record.query_id not in self.unit.owed:
                    self._wanted.add(record.query_id)

        people: dict[str, None] = {}
        late = 0
        async with self.staging.part(self.unit.unit_id, KIND) as part:
            async for batch in self._batches([PRINCIPAL_EVENTS], KIND):
                events = cast("list[PrincipalRecord]", batch)
                chosen = [event for event in events if self._take(event.query_id)]
                late += sum(event.query_id in self.unit.unresolved for event in chosen)
                for event in chosen:
                    if event.principal and len(people) < PRINCIPALS_MAX:
                        people[event.principal] = None

                if chosen:
                    await part.write(chosen)
                    self.notify(
                        UnitProgress(unit_id=self.unit.unit_id, kind=KIND, rows=len(chosen))
                    )

        async with self.staging.part(self.unit.unit_id, "users") as users:
            await users.write([_user(self.config.server, name) for name in sorted(people)])

        unresolved, lost = await self._still_unresolved()
        return UnitFacts(
            rows={KIND: len(self._found), "users": len(people)},
            reconciliation={
                "resolved": len(self._found),
                "late": late,
                "unresolved": len(unresolved),
                "lost": lost,
            },
            unresolved=unresolved,
        )

    def _take(self, query_id: str) -> bool:
        """True once for each execution that is wanted: a page that shifts repeats its events."""
        if query_id not in self._wanted or query_id in self._found:
            return False

        self._found.add(query_id)
        return True

    async def _still_unresolved(self) -> tuple[dict[str, datetime], int]:
        """Executions to ask for again, the newest; and how many are given up."""
        oldest = self.unit.end - UNRESOLVED_LIFE
        waiting: list[tuple[datetime, str]] = []
        lost = 0

        def note(query_id: str, submitted_at: datetime | None) -> int:
            if query_id in self._found:
                return 0

            if submitted_at is None or submitted_at < oldest:
                return 1

            waiting.append((submitted_at, query_id))
            return 0

        for query_id, submitted_at in self.unit.unresolved.items():
            lost += note(query_id, submitted_at)

        async for batch in self._batches(self.unit_ids, "databaselog"):
            for record in cast("list[QueryRecord]", batch):
                lost += note(record.query_id, record.submitted_at)

        waiting.sort(reverse=True)
        kept = {query_id: at for at, query_id in waiting[:UNRESOLVED_MAX]}
        return kept, lost + len(waiting) - len(kept)

    def _batches(
        self, unit_ids: Sequence[str], kind: str
    ) -> AsyncGenerator[list[StagedRecord], None]:
        parts = self.staging.parts(unit_ids, kind)
        return read_batches(parts, is_packed=self.staging.intent.compress)


def _user(server: str, principal: str) -> UserRecord:
    return UserRecord(
        server=server,
        user=principal,
        workgroup=None,
        state=None,
        engine_version=None,
        description=None,
        created_at=None,
        user_type="principal",
    )
