"""Adds 45 days of executions to an estate: states, times, statistics and where results lie."""

from __future__ import annotations

import itertools
import math
from datetime import datetime, timedelta
from random import Random
from uuid import UUID

from kada_athena_async.sandbox.estate.exploring import Explorer
from kada_athena_async.sandbox.estate.extremes import special_failures, special_statements
from kada_athena_async.sandbox.estate.failing import every_typo, trouble, typo
from kada_athena_async.sandbox.estate.habits import Habit, build_habits, one_of_each
from kada_athena_async.sandbox.estate.model import Estate, Execution, Failure
from kada_athena_async.sandbox.estate.rhythm import Rhythm
from kada_athena_async.sandbox.estate.statements import Statement, compile_template

EXECUTIONS_AT_FULL_SCALE = 5_000

_MS = timedelta(milliseconds=1)

# Athena's quotas: DML may run 30 minutes, raised on request to 240; DDL 600 (user guide).
_LONGEST_MS = {"DML": 240 * 60_000, "DDL": 600 * 60_000}
_SCANNED_AT_LIMIT = 10_000_000_000
_BYTES_LIMIT = (
    "Query cancelled! : Bytes scanned limit was exceeded. Bytes scanned: 10000000000, limit: "
    "5000000000"
)


# Out of resources, timeout: what was read until then was read.
_FAILS_AFTER_SCANNING = (0, 206)
_BYTES_A_MS = 50_000

# Capacity management requirements (user guide): DDL uses 4 DPUs, DML 4 to 124.
_LEAST_DPUS = 4


_WRITE_FILES = ("CREATE_TABLE_AS_SELECT", "INSERT", "UNLOAD")


def add_executions(
    estate: Estate,
    *,
    rng: Random,
    now: datetime,
    scale: float,
    results_bucket: str,
    extremes: bool,
) -> None:
    """Adds about 5,000 executions times *scale*, oldest first, every oddity at any scale."""
    # Athena counts in milliseconds.
    now = now.replace(microsecond=now.microsecond // 1000 * 1000)
    maker = ExecutionMaker(estate, rng, now, results_bucket)
    made = [*maker.specials(extremes=extremes), *maker.unfinished(), *maker.stopped()]
    habits = build_habits(Explorer(estate), now)
    weights = list(itertools.accumulate(habit.weight for habit in habits))
    count = max(0, round(EXECUTIONS_AT_FULL_SCALE * scale) - len(made))
    for habit in rng.choices(habits, cum_weights=weights, k=count):
        made.append(maker.by_habit(habit))

    made.sort(key=lambda execution: (execution.submitted_at, execution.query_execution_id))
    estate.executions.update((execution.query_execution_id, execution) for execution in made)


class ExecutionMaker:
    """Makes executions for an estate; all that is left to chance comes from one rng."""

    def __init__(self, estate: Estate, rng: Random, now: datetime, results_bucket: str) -> None:
        self._estate = estate
        self._rng = rng
        self._now = now
        self._results_bucket = results_bucket

    def by_habit(self, habit: Habit) -> Execution:
        """One more of what *habit* submits: mostly SUCCEEDED, some FAILED, few CANCELLED."""
        rng = self._rng
        submitted = habit.rhythm.moment(rng)
        fate = rng.random()
        if fate < habit.failing:
            return self._failing(habit, submitted)

        statement = habit.source(rng, self._now)
        if fate > 0.985:
            return self._cancelled_by_chance(statement, habit.workgroup, submitted)

        # Loads sometimes take hours: those finish in a later window than they began in.
        slow = 400 if habit.engine_ms > 40_000 and rng.random() < 0.01 else 1
        engine_ms = int(habit.engine_ms * slow * math.exp(rng.gauss(0, 0.9))) + 300
        longest_ms = _LONGEST_MS.get(statement.kind.type)
        engine_ms = min(engine_ms, longest_ms) if longest_ms else 200 + engine_ms % 900
        execution = self.succeeded(statement, habit.workgroup, submitted, engine_ms=engine_ms)
        self._scan(execution, statement, habit)
        return execution

    def succeeded(
        self, statement: Statement, workgroup: str, submitted: datetime, *, engine_ms: int
    ) -> Execution:
        """*statement*, finished; earlier than *submitted* if it would not be finished yet."""
        execution = self._begun(statement, workgroup, submitted)
        execution.state = "SUCCEEDED"
        self._measure(execution, engine_ms)
        return execution

    def failed(
        self, statement: Statement, failure: Failure, workgroup: str, submitted: datetime
    ) -> Execution:
        """*statement*, failed with *failure*."""
        execution = self._begun(statement, workgroup, submitted)
        execution.fail(failure)
        # A query that timed out ran for the 30 minutes that DML may take.
        timed_out = failure.type == 206
        engine_ms = 1_800_000 if timed_out else 150 + int(self._rng.random() * 4_000)
        self._measure(execution, engine_ms)
        if failure.type in _FAILS_AFTER_SCANNING and _reads_data(statement):
            execution.scanned_bytes = engine_ms * _BYTES_A_MS

        if failure.type == 1006:
            execution.planning_ms = None

        return execution

    def cancelled(
        self, statement: Statement, reason: str, workgroup: str, submitted: datetime
    ) -> Execution:
        """*statement*, cancelled while it ran."""
        execution = self._begun(statement, workgroup, submitted)
        execution.state = "CANCELLED"
        execution.state_change_reason = reason
        execution.error_category, execution.error_type = 2, 1011
        execution.error_message = reason
        engine_ms = 500 + int(self._rng.random() * 120_000)
        self._measure(execution, engine_ms)
        if _reads_data(statement):
            execution.scanned_bytes = (
                _SCANNED_AT_LIMIT if reason == _BYTES_LIMIT else engine_ms * _BYTES_A_MS
            )

        return execution

    def cancelled_in_queue(
        self, statement: Statement, workgroup: str, submitted: datetime
    ) -> Execution:
        """*statement*, cancelled before it ran: most statistics are missing."""
        execution = self._begun(statement, workgroup, submitted)
        execution.state = "CANCELLED"
        execution.state_change_reason = "Query cancelled by user"
        execution.queue_ms = execution.total_ms = 1_000 + int(self._rng.random() * 60_000)
        execution.completed_at = submitted + execution.total_ms * _MS
        self._not_after_now(execution)
        return execution

    def unfinished_one(
        self, statement: Statement, state: str, workgroup: str, submitted: datetime
    ) -> Execution:
        """*statement*, QUEUED or RUNNING."""
        execution = self._begun(statement, workgroup, submitted)
        execution.state = state
        execution.queue_ms = 180 if state == "RUNNING" else None
        return execution

    def specials(self, *, extremes: bool) -> list[Execution]:
        """The statements that every estate has (module ``extremes``) and one of each template."""
        rhythm = Rhythm(self._now, "always")
        rng, now = self._rng, self._now
        workgroups = itertools.cycle(("adhoc", "primary", "data-science", "finance_managed"))
        statements = [
            *special_statements(rng, now, extremes=extremes),
            *(template.fill(rng, now) for template in one_of_each()),
        ]
        made = [
            self.succeeded(statement, workgroup, rhythm.moment(rng), engine_ms=700)
            for statement, workgroup in zip(statements, workgroups, strict=False)
        ]
        for statement, failure in (*special_failures(now), *every_typo(rng, now)):
            made.append(self.failed(statement, failure, "adhoc", rhythm.moment(rng)))

        # Eight hours: submitted in one day's window, finished in the next one's.
        repair = compile_template("MSCK REPAIR TABLE {+`logistics.shipment_events}")
        for days in (0.5, 3, 17):
            moment = self._now - timedelta(days=days)
            statement = repair.fill(self._rng, self._now)
            made.append(self.succeeded(statement, "etl_nightly", moment, engine_ms=8 * 3_600_000))

        return made

    def unfinished(self) -> list[Execution]:
        """The executions that are queued or running now, one of them for three days."""
        load = compile_template(
            "INSERT INTO {+curated.fact_sales} SELECT * FROM {curated.fact_sales} "
            "WHERE order_date > DATE <<date>>",
        )
        ask = compile_template("SELECT count(*) FROM {logistics.shipment_events}")
        ages_s = (("RUNNING", 3 * 86_400), ("RUNNING", 410), ("RUNNING", 35), ("RUNNING", 8))
        made = []
        for state, age_s in (*ages_s, ("QUEUED", 95), ("QUEUED", 20), ("QUEUED", 2)):
            template, workgroup = (load, "etl_nightly") if age_s > 400 else (ask, "adhoc")
            statement = template.fill(self._rng, self._now)
            submitted = self._now - timedelta(seconds=age_s)
            made.append(self.unfinished_one(statement, state, workgroup, submitted))

        return made

    def stopped(self) -> list[Execution]:
        """A CANCELLED one of each kind; in the last, Athena gives no completion time."""
        ask = compile_template("SELECT * FROM {web_analytics.page_views} WHERE dt > <<date>>")
        rhythm = Rhythm(self._now, "office")
        rng, now = self._rng, self._now
        made = [
            self.cancelled(ask.fill(rng, now), reason, "data-science", rhythm.moment(rng))
            for reason in ("Query cancelled by user", _BYTES_LIMIT, "")
        ]
        made += [
            self.cancelled_in_queue(ask.fill(rng, now), "adhoc", rhythm.moment(rng))
            for _ in range(2)
        ]
        made[-1].completed_at = made[-1].queue_ms = made[-1].total_ms = None
        return made

    def _failing(self, habit: Habit, submitted: datetime) -> Execution:
        rng, now = self._rng, self._now
        if rng.random() < habit.typos:
            statement, failure = typo(rng, now)
        else:
            statement = habit.source(rng, now)
            failure = trouble(rng, now, statement.kind)

        return self.failed(statement, failure, habit.workgroup, submitted)

    def _cancelled_by_chance(
        self, statement: Statement, workgroup: str, submitted: datetime
    ) -> Execution:
        choice = self._rng.random()
        if choice < 0.3:
            return self.cancelled_in_queue(statement, workgroup, submitted)

        reason = _BYTES_LIMIT if choice < 0.5 else "Query cancelled by user"
        return self.cancelled(statement, reason, workgroup, submitted)

    def _begun(self, statement: Statement, workgroup: str, submitted: datetime) -> Execution:
        rng = self._rng
        identifier = str(UUID(int=rng.getrandbits(128), version=4))
        spelling = rng.random()
        # Athena keeps the catalog as it was sent; callers do not agree on its case.
        catalog = (
            None if spelling < 0.1 else "awsdatacatalog" if spelling < 0.3 else "AwsDataCatalog"
        )
        return Execution(
            query_execution_id=identifier,
            query=statement.sql,
            workgroup=workgroup,
            submitted_at=submitted,
            state="QUEUED",
            statement_type=statement.kind.type,
            substatement_type=statement.kind.subtype or None,
            catalog=catalog,
            database=statement.database,
            engine_version=self._estate.workgroups[workgroup].engine_version,
            output_location=self._output(statement, workgroup, identifier),
            data_manifest_location=self._manifest(statement, workgroup, identifier),
            reads=statement.reads,
            writes=statement.writes,
            write_locations=statement.write_locations,
        )

    def _output(self, statement: Statement, workgroup: str, identifier: str) -> str | None:
        group = self._estate.workgroups[workgroup]
        if group.has_managed_results:
            return None

        root = group.output_location or f"s3://{self._results_bucket}/{workgroup}/"
        return root + statement.kind.result_key(identifier)

    def _manifest(self, statement: Statement, workgroup: str, identifier: str) -> str | None:
        group = self._estate.workgroups[workgroup]
        if group.has_managed_results or statement.kind.subtype not in _WRITE_FILES:
            return None

        root = group.output_location or f"s3://{self._results_bucket}/{workgroup}/"
        return f"{root}{identifier}-manifest.csv"

    def _measure(self, execution: Execution, engine_ms: int) -> None:
        rng = self._rng
        execution.queue_ms = int(150 * math.exp(rng.gauss(0, 1.2)))
        execution.planning_ms = min(engine_ms, 200 + int(rng.random() * 900))
        execution.engine_ms = engine_ms
        execution.service_ms = 20 + int(rng.random() * 120)
        execution.preprocessing_ms = 30 + engine_ms % 70
        execution.scanned_bytes = 0
        execution.dpu_count = self._dpus(execution, engine_ms)
        execution.total_ms = _total_ms(execution)
        execution.completed_at = execution.submitted_at + execution.total_ms * _MS
        self._not_after_now(execution)

    def _dpus(self, execution: Execution, engine_ms: int) -> float | None:
        reserved = self._estate.workgroups[execution.workgroup].reserved_dpus
        if reserved is None:
            return None

        if execution.statement_type != "DML":
            return _LEAST_DPUS

        return min(reserved, _LEAST_DPUS + engine_ms % 9 * 2.5)

    def _not_after_now(self, execution: Execution) -> None:
        """Move *execution*, which is final, back so that it has been so for some seconds."""
        assert execution.completed_at is not None
        latest = self._now - timedelta(milliseconds=2_000 + int(self._rng.random() * 600_000))
        if execution.completed_at > latest:
            execution.submitted_at -= execution.completed_at - latest
            execution.completed_at = latest

    def _scan(self, execution: Execution, statement: Statement, habit: Habit) -> None:
        rng = self._rng
        if habit.reusing and rng.random() < habit.reusing:
            execution.reused_result = True
            execution.planning_ms = None
            self._measure_again(execution, 30 + int(rng.random() * 90))
            return

        if _reads_data(statement):
            execution.scanned_bytes = int(habit.scanned_bytes * math.exp(rng.gauss(0, 1.1)))

    def _measure_again(self, execution: Execution, engine_ms: int) -> None:
        assert execution.queue_ms is not None
        assert execution.service_ms is not None
        execution.engine_ms = engine_ms
        execution.total_ms = _total_ms(execution)
        execution.completed_at = execution.submitted_at + execution.total_ms * _MS


def _reads_data(statement: Statement) -> bool:
    kind = statement.kind
    is_explain = kind.subtype == "EXPLAIN"  # of which ANALYZE, a UTILITY, runs the query
    return bool(statement.reads) and (kind.type == "DML") != is_explain


def _total_ms(execution: Execution) -> int:
    parts = (
        execution.preprocessing_ms,
        execution.queue_ms,
        execution.engine_ms,
        execution.service_ms,
    )
    return sum(part or 0 for part in parts)
