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
from kada_athena_async.sandbox.estate.model import Execution
from kada_athena_async.sandbox.execute import (
    QueryError,
    QueryOutcome,
    result_csv,
    result_txt,
)

# Athena's error catalog (Amazon Athena User Guide, Athena error catalog).
SYSTEM_ERROR = 1
USER_ERROR = 2
CANNOT_WRITE_RESULTS = 401
NO_PERMISSION = 1501
CANCELLED_BY_USER = 1011

WORKERS = 4


@dataclass(slots=True, kw_only=True)
class Submission:
    """A statement to run, and the rights that it runs with.

    Attributes:
        execute: Runs the statement.
        bucket, key: Where its result object goes; an empty bucket where Athena keeps it (managed).
        may_write: True if the caller may put that object.
        engine_s: How long it is RUNNING at least.
    """

    execution: Execution
    execute: Callable[[], QueryOutcome]
    bucket: str = ""
    key: str = ""
    may_write: bool = True
    queue_s: float = 0.0
    engine_s: float = 0.0


@dataclass(slots=True, kw_only=True)
class Run:
    """A query that was submitted here.

    Attributes:
        started_s, ready_s: On the monotonic clock; ready when it has an outcome.
        rows: With the header row, where there is one.
    """

    submission: Submission
    started_s: float
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
            (run.submission.execution.statement_type == "DDL") == is_ddl
            for run in self._active.values()
        )

    def start(self, submission: Submission) -> None:
        """Puts a query in the queue."""
        run = Run(submission=submission, started_s=time.monotonic())
        execution = submission.execution
        with self._guard:
            self._history.add(execution)
            self._runs[execution.query_execution_id] = run
            self._active[execution.query_execution_id] = run

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
        submission = run.submission
        execution = submission.execution
        elapsed_s = time.monotonic() - run.started_s
        if elapsed_s < submission.queue_s:
            return False

        if execution.state == "QUEUED":
            execution.state = "RUNNING"

        least_s = submission.queue_s + submission.engine_s
        if run.outcome is None or run.ready_s is None or elapsed_s < least_s:
            return False

        _finish(execution, run.outcome, submission, max(least_s, run.ready_s - run.started_s))
        return True

    def _work(self, run: Run) -> None:
        submission = run.submission
        try:
            outcome = submission.execute()
            if outcome.error is None and not run.is_cancelled:
                outcome = self._store(run, outcome)
        except Exception as error:
            # A defect here is a query that fails, as in Athena; the sandbox must go on.
            message = f"GENERIC_INTERNAL_ERROR: {type(error).__name__}: {error}"
            outcome = failed_outcome(SYSTEM_ERROR, 0, message)

        with self._guard:
            run.outcome = outcome
            run.ready_s = time.monotonic()

    def _store(self, run: Run, outcome: QueryOutcome) -> QueryOutcome:
        submission = run.submission
        names = [name for name, _ in outcome.columns]
        has_header = not outcome.is_plain_text and outcome.update_count is None
        run.rows = [names, *outcome.rows] if has_header else list(outcome.rows)
        if not submission.bucket:
            return outcome

        location = f"s3://{submission.bucket}/{submission.key}"
        if not self._buckets.exists(submission.bucket):
            message = f"Unable to write results: bucket {submission.bucket} does not exist"
            return failed_outcome(USER_ERROR, CANNOT_WRITE_RESULTS, message)

        if not submission.may_write:
            message = f"Access denied when writing output to url: {location}"
            return failed_outcome(USER_ERROR, NO_PERMISSION, message)

        if submission.key.endswith((".csv", ".txt")):
            body = result_csv(outcome) if has_header else result_txt(outcome)
            self._buckets.put(submission.bucket, submission.key, body)
            metadata = to_metadata(outcome.columns)
            self._buckets.put(submission.bucket, f"{submission.key}.metadata", metadata)
        else:
            self._buckets.put(submission.bucket, f"{submission.key}-manifest.csv", b"")

        return outcome


def _finish(
    execution: Execution, outcome: QueryOutcome, submission: Submission, total_s: float
) -> None:
    total_ms = round(total_s * 1000)
    queue_ms = round(submission.queue_s * 1000)
    execution.completed_at = execution.submitted_at + timedelta(milliseconds=total_ms)
    execution.total_ms = total_ms
    execution.queue_ms = queue_ms
    execution.engine_ms = max(total_ms - queue_ms, 0)
    execution.planning_ms = execution.engine_ms // 3
    execution.service_ms = 0
    execution.scanned_bytes = outcome.scanned_bytes
    execution.statement_type = outcome.statement_type or execution.statement_type
    execution.substatement_type = outcome.substatement_type or execution.substatement_type
    execution.state = "SUCCEEDED" if outcome.error is None else "FAILED"
    if outcome.error is not None:
        execution.state_change_reason = outcome.error.message
        execution.error_category = outcome.error.category
        execution.error_type = outcome.error.type
        execution.error_message = outcome.error.message
        execution.is_retryable = outcome.error.is_retryable


def failed_outcome(
    category: int, error_type: int, message: str, *, is_retryable: bool = False
) -> QueryOutcome:
    """The outcome of a statement that did not run to its end."""
    error = QueryError(
        category=category, type=error_type, message=message, is_retryable=is_retryable
    )
    return QueryOutcome(statement_type="", rows=[], error=error)


def to_milliseconds(moment: datetime) -> datetime:
    """*moment* as exact as AWS keeps it."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
