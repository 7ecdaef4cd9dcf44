"""Queries from submission to result: QUEUED, RUNNING, then SUCCEEDED, FAILED or CANCELLED."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from kada_athena_async.sandbox.athena.history import History
from kada_athena_async.sandbox.athena.results import Row, to_metadata
from kada_athena_async.sandbox.behaviour import Behaviour
from kada_athena_async.sandbox.buckets import Buckets
from kada_athena_async.sandbox.estate.model import Execution, Failure
from kada_athena_async.sandbox.execute import QueryOutcome, result_csv, result_txt

# Athena's error catalog (Amazon Athena User Guide, Athena error catalog).
SYSTEM_ERROR = 1
USER_ERROR = 2
CANNOT_WRITE_RESULTS = 401
NO_PERMISSION = 1501
CANCELLED_BY_USER = 1011

WORKERS = 4


@dataclass(slots=True, kw_only=True)
class Run:
    """A statement that was submitted here, and the rights that it runs with.

    Attributes:
        execute: Runs the statement.
        bucket, key: Where its result object goes; an empty bucket where Athena keeps it (managed).
        may_write: True if the caller may put that object.
        queue_s, engine_s: How long it is QUEUED, and RUNNING at least.
        started_s, ready_s: On the monotonic clock; ready when it has an outcome.
        rows: With the header row, where there is one.
    """

    execution: Execution
    execute: Callable[[], QueryOutcome]
    bucket: str = ""
    key: str = ""
    may_write: bool = True
    queue_s: float = 0.0
    engine_s: float = 0.0
    started_s: float = field(default_factory=time.monotonic)
    ready_s: float | None = None
    outcome: QueryOutcome | None = None
    is_cancelled: bool = False
    rows: list[Row] = field(default_factory=list)


class Queries:
    """The queries of a site that were submitted here; a small pool of threads runs them."""

    def __init__(
        self,
        history: History,
        buckets: Buckets,
        behaviour: Behaviour,
        *,
        guard: threading.RLock,
        now: Callable[[], datetime],
    ) -> None:
        self._history = history
        self._buckets = buckets
        self._behaviour = behaviour
        self._guard = guard
        self._now = now
        self._runs: dict[str, Run] = {}
        self._active: dict[str, Run] = {}
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="sandbox-query")

    def close(self) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)

    def active(self, *, is_ddl: bool) -> int:
        """Number of queries that are queued or running: DDL, or all others."""
        self.advance()
        return sum(
            (run.execution.statement_type == "DDL") == is_ddl for run in self._active.values()
        )

    def start(self, run: Run) -> None:
        """Puts a query in the queue."""
        query_id = run.execution.query_execution_id
        with self._guard:
            self._history.add(run.execution)
            self._runs[query_id] = self._active[query_id] = run

        self._pool.submit(self._work, run)

    def find(self, query_execution_id: str) -> Run | None:
        return self._runs.get(query_execution_id)

    def cancel(self, execution: Execution) -> None:
        """Ends *execution* CANCELLED, unless it has ended already."""
        with self._guard:
            self.advance()
            run = self._active.pop(execution.query_execution_id, None)
            if execution.is_final:
                return

            execution.state = "CANCELLED"
            execution.completed_at = to_milliseconds(self._now())
            execution.state_change_reason = "Query cancelled by user"
            execution.error_category = USER_ERROR
            execution.error_type = CANCELLED_BY_USER
            execution.error_message = "Query cancelled by user"
            if run is not None:
                run.is_cancelled = True

    def advance(self) -> None:
        """Moves every active query to the state it has by now."""
        with self._guard:
            for query_id, run in list(self._active.items()):
                if self._moved_to_final(run):
                    del self._active[query_id]

    def _moved_to_final(self, run: Run) -> bool:
        elapsed_s = time.monotonic() - run.started_s
        if elapsed_s < run.queue_s:
            return False

        if run.execution.state == "QUEUED":
            run.execution.state = "RUNNING"

        least_s = run.queue_s + run.engine_s
        if run.outcome is None or run.ready_s is None or elapsed_s < least_s:
            return False

        _finish(run, run.outcome, max(least_s, run.ready_s - run.started_s))
        return True

    def _work(self, run: Run) -> None:
        try:
            outcome = run.execute()
            if outcome.error is None and not run.is_cancelled:
                outcome = self._store(run, outcome)
        except Exception as error:
            # A defect here is a query that fails, as in Athena; the sandbox must go on.
            message = f"GENERIC_INTERNAL_ERROR: {type(error).__name__}: {error}"
            outcome = QueryOutcome(error=Failure(SYSTEM_ERROR, 0, message))

        with self._guard:
            run.outcome = outcome
            run.ready_s = time.monotonic()

    def _store(self, run: Run, outcome: QueryOutcome) -> QueryOutcome:
        names = [name for name, _ in outcome.columns]
        has_header = not outcome.kind.is_plain_text and outcome.update_count is None
        run.rows = [names, *outcome.rows] if has_header else list(outcome.rows)
        if not run.bucket:
            return outcome

        location = f"s3://{run.bucket}/{run.key}"
        if not self._buckets.exists(run.bucket):
            message = f"Unable to write results: bucket {run.bucket} does not exist"
            return QueryOutcome(error=Failure(USER_ERROR, CANNOT_WRITE_RESULTS, message))

        if not run.may_write:
            message = f"Access denied when writing output to url: {location}"
            return QueryOutcome(error=Failure(USER_ERROR, NO_PERMISSION, message))

        if run.key.endswith((".csv", ".txt")):
            body = result_csv(outcome) if has_header else result_txt(outcome)
            self._buckets.put(run.bucket, run.key, body)
            metadata = to_metadata(outcome.columns)
            self._buckets.put(run.bucket, f"{run.key}.metadata", metadata)
        else:
            self._buckets.put(run.bucket, f"{run.key}-manifest.csv", b"")

        return outcome


def _finish(run: Run, outcome: QueryOutcome, total_s: float) -> None:
    execution = run.execution
    execution.total_ms = round(total_s * 1000)
    execution.completed_at = execution.submitted_at + timedelta(milliseconds=execution.total_ms)
    execution.queue_ms = round(run.queue_s * 1000)
    execution.engine_ms = max(execution.total_ms - execution.queue_ms, 0)
    execution.planning_ms = execution.engine_ms // 3
    execution.service_ms = 0
    execution.scanned_bytes = outcome.scanned_bytes
    if outcome.error is None:
        execution.state = "SUCCEEDED"
    else:
        execution.fail(outcome.error)


def to_milliseconds(moment: datetime) -> datetime:
    """*moment* as exact as AWS keeps it."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
