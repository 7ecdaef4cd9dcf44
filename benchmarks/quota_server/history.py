"""The history of executions: any one of them computed from its workgroup and number."""

from __future__ import annotations

import json
from typing import NamedTuple

from benchmarks.quota_server.settings import RETENTION_S, Settings

_STATEMENTS = (
    "SELECT region, count(*) AS n{own} FROM {schema}.object_000001 WHERE day = DATE "
    "'2026-01-01' AND customer = 'C{number:07d}' GROUP BY 1",
    "INSERT INTO {schema}.object_000002 SELECT o.column_0001, o.column_0002, "
    "'load-{number:07d}' AS l{own} FROM {schema}.object_000003 o JOIN {schema}.object_000004 c ON "
    "o.column_0003 = "
    "c.column_0003 WHERE o.column_0004 BETWEEN 10 AND {number}",
    "CREATE TABLE {schema}.daily{own}_{number:07d} WITH (format = 'PARQUET') AS SELECT * FROM "
    "{schema}.object_000005 WHERE email = 'person{number:07d}@example.com'",
    "WITH recent AS (SELECT column_0001, column_0002 AS c{own}, row_number() OVER (PARTITION BY "
    "column_0003 ORDER BY column_0004 DESC) AS n FROM {schema}.object_000006 WHERE "
    "column_0005 IN ('a', 'b', 'c{number:07d}'))\nSELECT r.column_0001, sum(r.c{own}) AS "
    "total FROM recent r -- newest only, ticket 4711\nWHERE r.n = 1 AND r.column_0001 LIKE "
    "'%{number:07d}%' GROUP BY r.column_0001 HAVING sum(r.c{own}) > 1000.50",
    "SHOW PARTITIONS {schema}.object_000007",
)
_LETTERS = str.maketrans("0123456789", "abcdefghij")
_KINDS = (
    ("DML", "SELECT"),
    ("DML", "INSERT"),
    ("DDL", "CREATE_TABLE_AS_SELECT"),
    ("DML", "SELECT"),
    ("UTILITY", "SHOW_PARTITIONS"),
)


class Execution(NamedTuple):
    """One execution by number: 0 is the workgroup's newest."""

    workgroup: int
    number: int


class History:
    """Executions spread evenly over the workgroups and over ``history_s`` before the start."""

    def __init__(self, settings: Settings, started_s: float) -> None:
        self._settings = settings
        self._newest_s = started_s - settings.newest_age_s
        each, rest = divmod(settings.executions, settings.workgroups)
        self._counts = [each + (group < rest) for group in range(settings.workgroups)]
        self._step_s = settings.history_s / max(1, max(self._counts))
        self.workgroups = tuple(
            "primary" if group == 0 else f"team_{group:04d}" for group in range(settings.workgroups)
        )

    def count(self, workgroup: str, now_s: float) -> int:
        """Executions of *workgroup* that are still kept, or -1 where there is no such one."""
        if workgroup not in self.workgroups:
            return -1

        kept = int((self._newest_s - (now_s - RETENTION_S)) // self._step_s) + 1
        return max(0, min(kept, self._counts[self.workgroups.index(workgroup)]))

    def ids(self, workgroup: str, start: int, stop: int) -> list[str]:
        """The ids from number *start* to before *stop*, newest first."""
        group = self.workgroups.index(workgroup)
        return [f"{number:08x}-0000-4000-8000-{group:012x}" for number in range(start, stop)]

    def find(self, query_id: str) -> Execution | None:
        """The execution with this id."""
        parts = query_id.split("-")
        if len(parts) != 5 or parts[1:4] != ["0000", "4000", "8000"]:
            return None

        execution = Execution(int(parts[4], 16), int(parts[0], 16))
        if execution.workgroup >= len(self._counts):
            return None

        return execution if execution.number < self._counts[execution.workgroup] else None

    def document(self, query_id: str, execution: Execution) -> dict[str, object]:
        """The QueryExecution structure."""
        number = execution.number
        kind = (number + execution.workgroup) % len(_STATEMENTS)
        statement_type, substatement_type = _KINDS[kind]
        schema = f"schema_{number % max(1, self._settings.schemas):04d}"
        submitted_s = round(self._newest_s - number * self._step_s, 3)
        engine_ms = 800 + number * 37 % 9000
        total_ms = engine_ms + 150 + 80
        has_failed = number % 25 == 24
        status: dict[str, object] = {
            "State": "FAILED" if has_failed else "SUCCEEDED",
            "SubmissionDateTime": submitted_s,
            "CompletionDateTime": round(submitted_s + total_ms / 1000.0, 3),
        }
        if has_failed:
            reason = f"TABLE_NOT_FOUND: line 1:15: Table 'awsdatacatalog.{schema}.gone' not found"
            status["StateChangeReason"] = reason
            status["AthenaError"] = {
                "ErrorCategory": 2,
                "ErrorType": 1301,
                "Retryable": False,
                "ErrorMessage": reason,
            }

        own = self._own(execution)
        return {
            "QueryExecutionId": query_id,
            "Query": _STATEMENTS[kind].format(schema=schema, number=number, own=own),
            "StatementType": statement_type,
            "SubstatementType": substatement_type,
            "ResultConfiguration": {"OutputLocation": f"s3://results/team/{query_id}.csv"},
            "ResultReuseConfiguration": {"ResultReuseByAgeConfiguration": {"Enabled": False}},
            "QueryExecutionContext": {"Database": schema, "Catalog": "awsdatacatalog"},
            "Status": status,
            "Statistics": {
                "EngineExecutionTimeInMillis": engine_ms,
                "DataScannedInBytes": number * 1_048_583 % 10_000_000_000,
                "TotalExecutionTimeInMillis": total_ms,
                "QueryQueueTimeInMillis": 150,
                "QueryPlanningTimeInMillis": 600,
                "ServicePreProcessingTimeInMillis": 30,
                "ServiceProcessingTimeInMillis": 80,
                "ResultReuseInformation": {"ReusedPreviousResult": False},
            },
            "WorkGroup": self.workgroups[execution.workgroup],
            "EngineVersion": {
                "SelectedEngineVersion": "AUTO",
                "EffectiveEngineVersion": "Athena engine version 3",
            },
        }

    def _own(self, execution: Execution) -> str:
        """Letters in the names of a statement that no other has; empty where shapes repeat."""
        is_distinct = (execution.number * 7_919 + execution.workgroup) % 1_000
        if is_distinct >= self._settings.distinct_share * 1_000:
            return ""

        digits = f"{execution.number:07d}{execution.workgroup:02d}"
        return "_" + digits.translate(_LETTERS)

    def page(self, query_ids: list[str]) -> tuple[list[str], list[str]]:
        """The documents of known ids as JSON, and the ids that are unknown."""
        documents, unknown = [], []
        for query_id in query_ids:
            execution = self.find(query_id)
            if execution is None:
                unknown.append(query_id)
            else:
                documents.append(json.dumps(self.document(query_id, execution)))

        return documents, unknown
