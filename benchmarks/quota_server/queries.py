"""Queries submitted to the stand-in: their waits, run times and slots."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.quota_server.estate import Estate
from benchmarks.quota_server.latency import Latencies
from benchmarks.quota_server.results import ListingResult, Result, SmallResult
from benchmarks.quota_server.settings import Latency, Settings
from benchmarks.quota_server.statements import Asked, Listing, Other, Refused, ViewText, interpret
from kada_athena_async.sandbox.wire import AwsError, invalid_request

# Shapes of the parts of a query's life. The published samples of Athena's statistics (queue
# 154-267 ms, planning 728-1175 ms, service 82 ms) lie within; the spread is an estimate.
QUEUE = Latency(150, 3000)
PLANNING = Latency(600, 1500)
_UTILITY = Latency(700, 1500)
SERVICE_S = 0.08
MINIMUM_ENGINE_S = 0.3


@dataclass(slots=True, kw_only=True)
class Query:
    """A query and its times, as epochs in seconds."""

    id: str
    sql: str
    workgroup: str
    database: str
    location: str
    submitted_s: float
    started_s: float
    planning_s: float
    ended_s: float
    completed_s: float
    is_ddl: bool
    statement_type: str
    result: Result | None
    failure: str | None
    relation: str
    is_cancelled: bool = False

    def state(self, now_s: float) -> str:
        """The state at *now_s*."""
        if self.is_cancelled:
            return "CANCELLED"

        if now_s < self.started_s:
            return "QUEUED"

        if now_s < self.completed_s:
            return "RUNNING"

        return "SUCCEEDED" if self.failure is None else "FAILED"

    def is_active(self, now_s: float) -> bool:
        """True if it holds one of the account's query slots."""
        return not self.is_cancelled and now_s < self.ended_s


class Queries:
    """All queries submitted so far."""

    def __init__(self, settings: Settings, estate: Estate, latencies: Latencies) -> None:
        self._settings = settings
        self._estate = estate
        self._latencies = latencies
        self._by_id: dict[str, Query] = {}
        self._by_token: dict[str, Query] = {}
        self._active: list[Query] = []
        self.most_active = 0

    def submit(
        self, sql: str, *, token: str, workgroup: str, database: str, location: str, now_s: float
    ) -> Query:
        """Begin a query; the same *token* and text give the same query.

        Raises:
            AwsError: The account has as many active queries as it may, or the token was used
                for another text.
        """
        known = self._by_token.get(token) if token else None
        if known is not None:
            if known.sql != sql:
                raise invalid_request("Idempotent parameters do not match")

            return known

        asked = interpret(sql, self._estate)
        is_ddl = isinstance(asked, ViewText) or (isinstance(asked, Other) and asked.is_ddl)
        self._take_slot(is_ddl=is_ddl, now_s=now_s)
        query = self._begin(asked, sql, is_ddl=is_ddl, now_s=now_s)
        query.workgroup, query.database = workgroup, database
        suffix = "txt" if is_ddl else "csv"
        query.location = f"{location.rstrip('/')}/{query.id}.{suffix}"
        self._by_id[query.id] = query
        self._active.append(query)
        self.most_active = max(self.most_active, len(self._active))
        if token:
            self._by_token[token] = query

        return query

    def get(self, query_id: str) -> Query | None:
        """The query with this id."""
        return self._by_id.get(query_id)

    def spans(self, since_s: float) -> list[list[object]]:
        """Relation of each query, and seconds from *since_s* to its submission and its end."""
        return [
            [query.relation, query.submitted_s - since_s, query.ended_s - since_s]
            for query in self._by_id.values()
        ]

    def _take_slot(self, *, is_ddl: bool, now_s: float) -> None:
        self._active = [query for query in self._active if query.is_active(now_s)]
        limit = self._settings.active_ddl if is_ddl else self._settings.active_dml
        if sum(query.is_ddl == is_ddl for query in self._active) >= limit:
            raise AwsError(
                "TooManyRequestsException",
                "You have exceeded the limit for the number of queries you can run concurrently. "
                "Please reduce the number of concurrent queries submitted by this account.",
                extra={"Reason": "CONCURRENT_QUERY_LIMIT_EXCEEDED"},
            )

    def _begin(self, asked: Asked, sql: str, *, is_ddl: bool, now_s: float) -> Query:
        scale = self._settings.latency_scale
        queue_s = self._latencies.draw_s("queue", QUEUE)
        if is_ddl:
            planning_s = 0.0
            engine_s = self._latencies.draw_s("utility", _UTILITY)
        else:
            planning_s = self._latencies.draw_s("planning", PLANNING)
            rows = asked.walked_rows if isinstance(asked, Listing) else 1
            produced_s = rows / self._settings.rows_per_s * scale
            engine_s = max(MINIMUM_ENGINE_S * scale, planning_s + produced_s)

        result, failure = self._answer(asked)
        started_s = now_s + queue_s
        return Query(
            id=f"ffffffff-0000-4000-a000-{len(self._by_id) + 1:012x}",
            sql=sql,
            workgroup="",
            database="",
            location="",
            submitted_s=now_s,
            started_s=started_s,
            planning_s=planning_s,
            ended_s=started_s + engine_s,
            completed_s=started_s + engine_s + SERVICE_S * scale,
            is_ddl=is_ddl,
            statement_type="UTILITY" if is_ddl else "DML",
            result=result,
            failure=failure,
            relation=asked.relation if isinstance(asked, Listing) else type(asked).__name__,
        )

    def _answer(self, asked: Asked) -> tuple[Result | None, str | None]:
        if isinstance(asked, Refused):
            return None, f"NOT_SUPPORTED: {asked.reason}"

        if isinstance(asked, Listing):
            return ListingResult(asked, self._estate), None

        if isinstance(asked, ViewText):
            index = self._estate.index_of(asked.schema, asked.view)
            if index is None or not self._estate.is_view(index):
                return None, f"FAILED: SemanticException View not found {asked.schema}.{asked.view}"

            text = f'CREATE VIEW "{asked.view}" AS \n{self._estate.view_text(asked.schema)}'
            rows = [(line,) for line in text.split("\n")]
            return SmallResult(["Create View"], rows, is_table=False), None

        return SmallResult(["_col0"], [("1",)], is_table=not asked.is_ddl), None
