"""Runs SQL on Athena: a slot, a start that cannot run twice, polling for all at once, the end.

Athena counts queued and running queries alike, refuses one too many, and may move a running query
back to the queue; only SUCCEEDED, FAILED and CANCELLED are final.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from random import Random
from uuid import UUID, uuid5

import anyio

from kada_athena_async.aws.client import AwsClient
from kada_athena_async.aws.decode import DECODED
from kada_athena_async.aws.error_map import denial_hint
from kada_athena_async.aws.wire import ExecutionBatch, QueryExecution, moment
from kada_athena_async.codes import WarningCode, is_finished
from kada_athena_async.concurrency import Clock, Slots, batches, offload
from kada_athena_async.errors import (
    AccessDeniedError,
    KadaAthenaError,
    QueryFailedError,
    RequestError,
    RetriesExhaustedError,
    TooManyQueriesError,
    UnitError,
)
from kada_athena_async.events import Observer, QueryFinished, QueryStarted, Warned

BATCH_MAX = 50
"""Ids of a BatchGetQueryExecution (AWS's limit)."""

POLL_FIRST_S, POLL_MAX_S, POLL_GROWTH = 0.1, 3.0, 0.01
"""A query of age t is looked at again after a hundredth of t, at most 3 s: so we learn of its
end late by 1% at most, and all queries that run share one look: 4 calls/s of 20 at an answer of
0.15 s. While we do not look, a slot of Athena's is idle."""

MISSED_MAX = 60
"""Looks in a row, half a minute or more, in which Athena leaves out a query of ours: it is lost."""

STOP_GRACE_S = 5.0
SLOT_WAIT_S, SLOT_WAIT_MAX_S = 1.0, 20.0
SLOT_DEADLINE_S = 1800.0
"""Time that we wait for others' queries to make room: Athena's own limit for a DML query."""

ATTEMPTS = 2
"""Runs of a statement whose failure Athena calls retryable."""

INTERRUPTIONS_MAX = 8
"""Interrupted runs that may have stopped a statement before it counts as cancelled for good."""

# "ManagedQueryResultsConfiguration and ResultConfiguration cannot be set together": Athena keeps
# the results of the workgroup itself and takes no place for them
# (github.com/opencost/opencost/issues/3257).
_MANAGED_RESULTS = re.compile(r"(?i)managed ?query ?results")

# What Athena says where the caller's rights do not suffice for the bucket of the results.
_BUCKET_UNSEEN = re.compile(r"(?i)unable to verify/create output bucket")
_WRITE_DENIED = re.compile(r"(?i)access denied when writing output")

_SYNTAX = re.compile(r"\bline [0-9]+:[0-9]+: ")

# Namespace of our idempotency tokens: any constant would do.
_TOKENS = UUID("6d0f3a52-5a3c-4a55-9a51-0f1d7c2f3b9e")


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One of our own statements.

    Attributes:
        key: Names it within the run, such as ``metadata/x/0001/columns``. A run that is resumed
            uses the same key and so finds the query that its predecessor started.
        catalog: The catalog it runs in.
        is_short: True if it may wait for a slot until no other statement does.
    """

    key: str
    sql: str
    catalog: str
    is_short: bool = False


@dataclass(slots=True)
class _Watched:
    started_s: float
    looks: int = 0
    missed: int = 0
    execution: QueryExecution | None = None

    @property
    def is_over(self) -> bool:
        status = self.execution.status if self.execution else None
        ended_at = moment(status.completion_date_time) if status else None
        return status is not None and is_finished(status.state.upper(), ended_at)


@dataclass(slots=True)
class AthenaQueries:
    """Runs statements of one workgroup, never more at once than there are slots.

    Args:
        run_id: Part of the idempotency tokens; so a retry never runs a statement twice.
        output_location: ``s3://bucket/prefix/``; None where the workgroup decides.
        mask: Makes Athena's reason of a failure fit to be published; takes the statement too.
    """

    client: AwsClient
    run_id: str
    workgroup: str
    output_location: str | None
    slots: Slots
    clock: Clock
    rng: Random
    notify: Observer
    mask: Callable[[str, str], str]
    _watched: dict[str, _Watched] = field(default_factory=dict)
    _tick: anyio.Event = field(default_factory=anyio.Event)
    _is_polling: bool = False
    _may_stop: bool = True

    async def run(self, statement: Statement, *, unit_id: str) -> QueryExecution:
        """Run *statement* to its end.

        A cancelled caller stops the query if it may.

        Raises:
            QueryFailedError: It ended FAILED or CANCELLED.
            UnitError: It was refused, or its result may not be written.
        """
        async with self.slots.acquire(goes_last=statement.is_short):
            failures = 0
            for number in count(1):
                execution, looks = await self._run_once(statement, number, unit_id)
                state = execution.status.state.upper()
                if state == "SUCCEEDED":
                    self.slots.grow()
                    return execution

                # Over before we looked: the query of the interrupted run that this one continues,
                # which stopped it when it left. Its token gives it back for ever.
                if state == "CANCELLED" and looks == 1 and number <= INTERRUPTIONS_MAX:
                    continue

                failures += 1
                # A message and a statement of any length: not on the event loop.
                error = await offload(partial(_failure, execution, self.mask))
                is_retryable = isinstance(error, QueryFailedError) and error.is_retryable
                if not is_retryable or failures == ATTEMPTS:
                    raise error

        raise AssertionError("unreachable: the last attempt returns or raises")

    async def _run_once(
        self, statement: Statement, number: int, unit_id: str
    ) -> tuple[QueryExecution, int]:
        """The ended execution, and how often we had to look at it."""
        # The token is settled before the call: whatever happens to the answer, asking again with
        # it gives the same query. A statement that FAILED needs a new one, or Athena would give
        # the failed query back.
        token = uuid5(_TOKENS, f"{self.run_id}\n{statement.key}\n{number}\n{statement.sql}")
        query_id = await self._start(statement, str(token))
        self.notify(
            QueryStarted(
                unit_id=unit_id,
                query_execution_id=query_id,
                workgroup=self.workgroup,
                limit=self.slots.limit,
            )
        )
        if query_id in self._watched:
            raise RequestError(f"Athena gave query {query_id} for two statements", code="Malformed")

        begun = self.clock.monotonic()
        watched = self._watched[query_id] = _Watched(begun)
        try:
            execution = await self._wait(query_id)
        except BaseException:
            await self._stop(query_id)
            raise
        finally:
            del self._watched[query_id]

        statistics = execution.statistics
        self.notify(
            QueryFinished(
                query_execution_id=query_id,
                state=execution.status.state,
                duration_s=round(self.clock.monotonic() - begun, 3),
                scanned_bytes=(statistics and statistics.data_scanned_in_bytes) or 0,
            )
        )
        return execution, watched.looks

    async def _start(self, statement: Statement, token: str) -> str:
        parameters: dict[str, object] = {
            "QueryString": statement.sql,
            "ClientRequestToken": token,
            "QueryExecutionContext": {"Catalog": statement.catalog},
            "WorkGroup": self.workgroup,
        }
        deadline_s = self.clock.monotonic() + SLOT_DEADLINE_S
        wait_s = SLOT_WAIT_S
        while True:
            place = self.output_location
            given = {"ResultConfiguration": {"OutputLocation": place}} if place else {}
            try:
                return await self._ask_to_start(statement.catalog, {**parameters, **given})
            except RequestError as exc:
                if place and _MANAGED_RESULTS.search(exc.message):
                    self.output_location = None
                    continue

                raise RequestError(exc.message, code=exc.code, hint=_hint(exc)) from exc
            except TooManyQueriesError as exc:
                if self.clock.monotonic() > deadline_s:
                    raise RetriesExhaustedError(
                        f"no query slot became free within {SLOT_DEADLINE_S:.0f} s",
                        operation="athena:StartQueryExecution",
                        attempts=1,
                    ) from exc

                self.slots.shrink()
                await self.clock.sleep(wait_s * self.rng.uniform(0.5, 1.0))
                wait_s = min(SLOT_WAIT_MAX_S, wait_s * 2)

    async def _ask_to_start(self, catalog: str, parameters: Mapping[str, object]) -> str:
        """Ask Athena to start a query, once; its id."""

        # What is missing may be a right on the one or on the other: Athena does not say.
        scope = f"catalog {catalog} in workgroup {self.workgroup}"

        async def ask() -> str:
            answer = await self.client.call(
                "athena", "StartQueryExecution", scope=scope, **parameters
            )
            return str(answer[DECODED].query_execution_id)

        try:
            return await ask()
        except anyio.get_cancelled_exc_class():
            # Athena may have accepted it. Asked again with the same token it says which query it
            # is, or starts the one that we stop at once.
            if self._may_stop:
                with anyio.move_on_after(STOP_GRACE_S, shield=True), suppress(KadaAthenaError):
                    await self._stop(await ask())

            raise

    async def _wait(self, query_id: str) -> QueryExecution:
        """Wait for the end of a query; one waiter polls for all."""
        watched = self._watched[query_id]
        while True:
            if watched.is_over and watched.execution is not None:
                return watched.execution

            if watched.missed > MISSED_MAX:
                raise RetriesExhaustedError(
                    f"Athena does not know query {query_id}, which it started",
                    operation="athena:BatchGetQueryExecution",
                    attempts=watched.missed,
                )

            if self._is_polling:
                await self._tick.wait()
                continue

            self._is_polling = True
            try:
                await self.clock.sleep(self._interval_s())
                await self._poll()
            finally:
                self._is_polling = False
                tick, self._tick = self._tick, anyio.Event()
                tick.set()

    def _interval_s(self) -> float:
        now = self.clock.monotonic()
        youngest_s = min(now - watched.started_s for watched in self._watched.values())
        return max(POLL_FIRST_S, min(POLL_MAX_S, POLL_GROWTH * youngest_s))

    async def _poll(self) -> None:
        """Look at all queries that are not final: one call for up to 50 of them."""
        waiting = [query_id for query_id, watched in self._watched.items() if not watched.is_over]
        for ids in batches(waiting, BATCH_MAX):
            answer = await self.client.call(
                "athena", "BatchGetQueryExecution", QueryExecutionIds=ids
            )
            batch: ExecutionBatch = answer[DECODED]
            for query_id in ids:
                if query_id in self._watched:
                    self._watched[query_id].missed += 1

            for execution in batch.query_executions:
                watched = self._watched.get(execution.query_execution_id)
                if watched is not None:
                    watched.execution = execution
                    watched.looks += 1
                    watched.missed = 0

            # What the batch leaves out is asked for again at the next tick, unless it is refused.
            for missing in batch.unprocessed_query_execution_ids:
                if "AccessDenied" in (missing.error_code or ""):
                    raise AccessDeniedError(
                        f"athena:GetQueryExecution is not allowed for workgroup {self.workgroup}",
                        action="athena:GetQueryExecution",
                        scope=f"workgroup {self.workgroup}",
                    )

    async def _stop(self, query_id: str) -> None:
        """Stop a query that nobody waits for any more; never in the way of leaving."""
        if not self._may_stop:
            return

        with anyio.move_on_after(STOP_GRACE_S, shield=True):
            try:
                await self.client.call("athena", "StopQueryExecution", QueryExecutionId=query_id)
            except AccessDeniedError:
                self._may_stop = False
                self.notify(
                    Warned(
                        code=WarningCode.STALE_RUN,
                        message=f"query {query_id} goes on: athena:StopQueryExecution is missing",
                        hint="allow it, or wait: Athena ends a query after 30 minutes",
                    )
                )
            except KadaAthenaError as exc:
                self.notify(
                    Warned(code=WarningCode.STALE_RUN, message=f"query {query_id} goes on: {exc}")
                )


def _hint(refusal: RequestError) -> str:
    """Remedy for a statement that Athena did not take."""
    if _SYNTAX.search(refusal.message):
        return "correct the statement; overwrite_sql takes Athena's SQL"

    if _BUCKET_UNSEEN.search(refusal.message):
        return (
            "name a bucket that exists, and allow s3:GetBucketLocation and s3:ListBucket on it to "
            "the role or user of the run"
        )

    return (
        "mend the workgroup, name another as workgroup or another bucket, or set metadata_source "
        'to "api", which runs no statement'
    )


def _failure(execution: QueryExecution, mask: Callable[[str, str], str]) -> UnitError:
    status = execution.status
    error = status.athena_error
    reason = status.state_change_reason or (error and error.error_message) or status.state
    if _WRITE_DENIED.search(reason):
        # Not the statement's fault: the next one would fail alike.
        return AccessDeniedError(
            f"s3:PutObject is not allowed for results in {output_location_of(execution)}",
            action="s3:PutObject",
            hint="allow s3:PutObject there to the role or user of the run; where a key of AWS KMS "
            "encrypts results, kms:GenerateDataKey and kms:Decrypt on it too",
        )

    return QueryFailedError(
        execution.query_execution_id,
        reason,
        redacted_reason=mask(reason, execution.query or ""),
        is_retryable=bool(error and error.retryable),
        hint=denial_hint(reason),
    )


def output_location_of(execution: QueryExecution) -> str | None:
    """Full path of the result object; None where Athena manages the results itself."""
    managed = execution.managed_query_results_configuration
    if managed is not None and managed.enabled:
        return None

    configuration = execution.result_configuration
    return configuration.output_location if configuration else None


def split_location(location: str) -> Mapping[str, str]:
    """``s3://bucket/key`` as the parameters of an S3 call."""
    bucket, _, key = location.removeprefix("s3://").partition("/")
    return {"Bucket": bucket, "Key": key}
