"""Query history of one workgroup: ListQueryExecutions for ids, BatchGetQueryExecution for facts.

ListQueryExecutions has no time filter and no documented order, though it was always seen newest
first. So a scan ends early only after whole pages of old executions, and not at all once the order
proves to be another.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeAlias

from kada_athena_async.aws.athena import BATCH_MAX
from kada_athena_async.aws.client import AwsClient
from kada_athena_async.aws.decode import DECODED, UNREADABLE
from kada_athena_async.aws.pages import EMPTY_PAGES_MAX, LIST_EXECUTIONS, Page, nothing_new, pages
from kada_athena_async.aws.wire import ExecutionBatch, QueryExecution, Statistics, Status, moment
from kada_athena_async.codes import FINAL_STATES
from kada_athena_async.concurrency import Clock, batches, stream_from
from kada_athena_async.errors import NotFoundError, RequestError, RetriesExhaustedError
from kada_athena_async.hwm.disposition import Disposition, Execution
from kada_athena_async.hwm.ledger import ExecutionLedger, Ledger
from kada_athena_async.hwm.window import Window, WorkgroupWindow
from kada_athena_async.records import QueryRecord

OLD_PAGES = 3
DISORDER = timedelta(minutes=10)
"""A scan ends after three whole pages older than its lower bound by more than the disorder that
we tolerate; a page that is newer than one before it by more than that makes it go to the end."""

ASK_AGAIN = 4
ASK_AGAIN_WAIT_S = 1.0
"""Ids that a batch leaves unprocessed or out are asked for again, each time a second later."""

DENIED_CODES = ("AccessDenied", "UNAUTHORIZED", "Unauthorized")
GONE_CODES = ("INVALID_INPUT", "InvalidRequest", "NotFound", "NOT_FOUND")
THROTTLE_WORDS = ("Throttl", "THROTTL", "TooManyRequests", "TOO_MANY_REQUESTS")

Emit: TypeAlias = Callable[[list[QueryExecution]], Awaitable[None]]
"""Takes executions that belong to the window, in the order they were found."""


@dataclass(slots=True)
class _Order:
    """Order of the listing, as far as the pages show it; pure.

    Attributes:
        is_newest_first: False once a page was much newer than one before it.
    """

    lower: datetime
    is_newest_first: bool = True
    old_pages: int = 0
    _oldest: datetime | None = None

    def is_past(self, submitted: Sequence[datetime], *, is_full: bool) -> bool:
        """Note a page; True if nothing more is to be expected of the pages after it."""
        if not submitted:
            return False

        newest, oldest = max(submitted), min(submitted)
        if self._oldest is not None and newest - self._oldest > DISORDER:
            self.is_newest_first = False

        self._oldest = oldest if self._oldest is None else min(self._oldest, oldest)
        is_old = is_full and newest < self.lower - DISORDER
        self.old_pages = self.old_pages + 1 if is_old else 0
        return self.is_newest_first and self.old_pages >= OLD_PAGES

    def share_of(self, window: Window) -> float:
        """The part of the time from the lower bound to the window's end that was listed."""
        if self._oldest is None or not self.is_newest_first:
            return 0.0

        span = window.end - self.lower
        return min(1.0, max(0.0, (window.end - self._oldest) / span))


@dataclass(slots=True, kw_only=True)
class WorkgroupHistory:
    """Reads what one workgroup's window holds.

    Args:
        workgroup_window: The window, and what the last run knew.
        emit: Receives what is to be extracted, in batches of at most 50.
        advanced: Receives after each page the share of the time that is listed; a guess.

    Attributes:
        unreadable: What of the answers could not be read, by path.
    """

    client: AwsClient
    clock: Clock
    workgroup_window: WorkgroupWindow
    emit: Emit
    advanced: Callable[[float], None]
    _ledger: Ledger = field(init=False)
    _submitted: dict[str, datetime] = field(init=False, default_factory=dict)
    unreadable: list[str] = field(init=False, default_factory=list)

    async def read(self) -> ExecutionLedger:
        """Read it all and close the account.

        Raises:
            UnitError: The workgroup is denied, gone, or the service does not recover.
            StateError: Athena did not answer for an execution that it listed.
        """
        self._ledger = Ledger(self.workgroup_window)
        unfinished = self._ledger.unfinished()
        for batch in batches(unfinished, BATCH_MAX):
            await self._take(batch)

        await self._scan()
        return self._ledger.close()

    async def _scan(self) -> None:
        """Take whatever else belongs to the window, until the pages that follow hold nothing."""
        history = self.workgroup_window
        order = _Order(history.listed_since)
        scan = barren = taken = 0
        barren_max = EMPTY_PAGES_MAX + len(history.unfinished) // BATCH_MAX
        # The next page is listed while this one's executions are fetched: one ahead, for a page
        # listed in vain costs a fifth of a second of the account's quota.
        async with aclosing(stream_from(self._list, buffer=0)) as listed:
            async for page in listed:
                self.unreadable += page.unreadable
                if page.scan != scan:  # from the newest on again: all that was taken comes again
                    scan, order = page.scan, _Order(history.listed_since)
                    barren_max += taken

                taken += 1
                admitted = self._ledger.admit(page.items)
                barren = 0 if admitted else barren + 1
                if barren > barren_max:
                    name = f"{LIST_EXECUTIONS.name} for workgroup {history.workgroup}"
                    raise nothing_new(name, barren)

                self._submitted.clear()
                await self._take(admitted)
                is_full = len(page.items) == BATCH_MAX == len(self._submitted)
                if order.is_past(list(self._submitted.values()), is_full=is_full):
                    return

                self.advanced(order.share_of(history.window))

    async def _list(self, send: Callable[[Page[str]], Awaitable[None]]) -> None:
        workgroup = self.workgroup_window.workgroup
        listing = pages(
            self.client, LIST_EXECUTIONS, scope=f"workgroup {workgroup}", WorkGroup=workgroup
        )
        async with aclosing(listing) as found:
            async for page in found:
                await send(page)

    async def _take(
        self, query_ids: list[str], known_facts: Mapping[str, QueryExecution] | None = None
    ) -> None:
        """Fetch, classify and emit executions that were admitted.

        Args:
            known_facts: Those that need not be fetched.
        """
        previous = self.workgroup_window.previous
        recent = previous.recent if previous else {}
        for query_id in query_ids:
            if query_id in recent:  # accounted for and final: no need to fetch it again
                self._submitted[query_id] = recent[query_id]
                self._ledger.classify(
                    Execution(query_id, self.workgroup_window.workgroup, "", recent[query_id], None)
                )

        wanted = [query_id for query_id in query_ids if query_id not in recent]
        found = await self._fetch(wanted) if known_facts is None else known_facts
        emitted = []
        for query_id in wanted:
            execution = found.get(query_id)
            if execution is not None and self._is_emitted(execution):
                emitted.append(execution)

        if emitted:
            await self.emit(emitted)

    def _is_emitted(self, execution: QueryExecution) -> bool:
        submitted_at = moment(execution.status.submission_date_time)
        if submitted_at is not None:
            self._submitted[execution.query_execution_id] = submitted_at

        facts = Execution(
            execution.query_execution_id,
            execution.work_group or self.workgroup_window.workgroup,
            state_of(execution.status),
            submitted_at,
            moment(execution.status.completion_date_time),
        )
        return self._ledger.classify(facts).disposition is Disposition.EMIT

    async def _fetch(self, query_ids: list[str]) -> Mapping[str, QueryExecution]:
        """Executions by id; ids that cannot be read are deferred, counted and asked for again.

        Raises:
            RetriesExhaustedError: Athena goes on throttling: that is no fact about an id.
        """
        found: dict[str, QueryExecution] = {}
        codes: dict[str, str] = {}
        wanted = query_ids
        for attempt in range(ASK_AGAIN + 1):
            if not wanted:
                break

            if attempt:
                await self.clock.sleep(ASK_AGAIN_WAIT_S)

            codes = await self._ask(wanted, found)
            settled = {i for i, code in codes.items() if code.startswith(DENIED_CODES + GONE_CODES)}
            for query_id in [i for i in wanted if i in settled]:
                denied = codes[query_id].startswith(DENIED_CODES)
                self._ledger.defer(query_id, why="unauthorised" if denied else "missing")

            wanted = [i for i in wanted if i not in found and i not in settled]

        throttled = [i for i in wanted if any(word in codes.get(i, "") for word in THROTTLE_WORDS)]
        if throttled:
            raise RetriesExhaustedError(
                f"Athena goes on leaving {len(throttled)} executions of workgroup "
                f"{self.workgroup_window.workgroup} unprocessed: {codes[throttled[0]]}",
                operation="athena:BatchGetQueryExecution",
                attempts=ASK_AGAIN + 1,
            )

        for query_id in wanted:
            self._ledger.defer(query_id, why="unreadable")

        return found

    async def _ask(self, wanted: list[str], found: dict[str, QueryExecution]) -> dict[str, str]:
        """Ask for *wanted* once; what Athena knows goes to *found*, why it did not is returned.

        A batch that is refused because of one of its ids is halved until that id is alone.
        """
        try:
            answer = await self.client.call(
                "athena",
                "BatchGetQueryExecution",
                scope=f"workgroup {self.workgroup_window.workgroup}",
                QueryExecutionIds=wanted,
            )
        except (RequestError, NotFoundError):
            if len(wanted) == 1:
                return {wanted[0]: GONE_CODES[0]}

            half = len(wanted) // 2
            first = await self._ask(wanted[:half], found)
            return first | await self._ask(wanted[half:], found)

        batch: ExecutionBatch = answer[DECODED]
        unreadable = answer.get(UNREADABLE, ())
        self.unreadable += [what for what in unreadable if what not in self.unreadable]
        asked = set(wanted)
        for execution in batch.query_executions:
            query_id = execution.query_execution_id
            # One that comes twice is the one that has ended.
            is_newer = query_id not in found or state_of(execution.status) in FINAL_STATES
            if query_id in asked and is_newer:
                found[query_id] = execution
        return {
            u.query_execution_id: u.error_code or "unknown"
            for u in batch.unprocessed_query_execution_ids
            if u.query_execution_id not in found
        }


def record_of(server: str, execution: QueryExecution, *, workgroup: str) -> QueryRecord:
    """The record of an execution with its texts as Athena gives them; no fingerprint yet."""
    status = execution.status
    error = status.athena_error
    context = execution.query_execution_context
    statistics = execution.statistics or Statistics()
    reuse = statistics.result_reuse_information
    configuration = execution.result_configuration
    version = execution.engine_version
    return QueryRecord(
        server=server,
        query_id=execution.query_execution_id,
        user=user_of(workgroup),
        workgroup=workgroup,
        catalog=context.catalog if context else None,
        schema=context.database if context else None,
        statement_type=execution.statement_type,
        substatement_type=execution.substatement_type,
        query=execution.query,
        status=state_of(status),
        status_reason=status.state_change_reason or (error.error_message if error else None),
        error_category=error.error_category if error else None,
        error_type=error.error_type if error else None,
        submitted_at=moment(status.submission_date_time),
        completed_at=moment(status.completion_date_time),
        total_ms=statistics.total_execution_time_in_millis,
        queue_ms=statistics.query_queue_time_in_millis,
        planning_ms=statistics.query_planning_time_in_millis,
        engine_ms=statistics.engine_execution_time_in_millis,
        service_ms=statistics.service_processing_time_in_millis,
        scanned_bytes=statistics.data_scanned_in_bytes,
        reused_result=reuse.reused_previous_result if reuse else None,
        engine_version=version.effective_engine_version if version else None,
        output_location=configuration.output_location if configuration else None,
        fingerprint=None,
        service_preprocessing_ms=statistics.service_pre_processing_time_in_millis,
        retryable=error.retryable if error else None,
        dpu_count=statistics.dpu_count,
        data_manifest_location=statistics.data_manifest_location,
    )


def state_of(status: Status) -> str:
    """The state in upper case, as Athena writes it."""
    return status.state.upper()


def user_of(workgroup: str) -> str:
    """The name under which K publishes a workgroup as a user."""
    return f"athena_workgroup_{workgroup}"
