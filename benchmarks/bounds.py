"""The least time that AWS's quotas and latencies allow: arithmetic, no measurement.

Every bound is the largest of what each resource needs alone: a rate limit needs
``(calls - burst) / rate``, a chain of calls that need each other's tokens needs the sum of their
mean latencies, and query slots need the engine's work divided by their number. Whatever cannot
overlap with that (the call that makes the first one known, the answer to the last one) is added.
The numbers are those of ``quota_server.settings``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from benchmarks.quota_server.latency import mean_ms
from benchmarks.quota_server.queries import MINIMUM_ENGINE_S, PLANNING, QUEUE, SERVICE_S
from benchmarks.quota_server.settings import LATENCIES, RATES, AdaptiveRate, Settings
from kada_athena_async.estimate.rates import adaptive_s, bucket_s


class Bound(NamedTuple):
    """Seconds that no client can beat, and the terms they are made of."""

    seconds: float
    terms: dict[str, float]


def mean_s(operation: str) -> float:
    """Mean latency of an operation, in seconds."""
    return mean_ms(LATENCIES[operation]) / 1000.0


def rate_bound_s(operation: str, calls: int) -> float:
    """Seconds until the last of *calls* is let in, beginning with a full bucket."""
    rate = RATES[operation]
    return bucket_s(calls, rate=rate.per_s, burst=rate.burst)


def adaptive_bound_s(rate: AdaptiveRate, calls: int) -> float:
    """Seconds until the adaptive limiter has let in the last of *calls*, beginning idle."""
    return adaptive_s(
        calls, floor=rate.floor_per_s, ceiling=rate.ceiling_per_s, growth=rate.growth_per_s
    )


def history_bound(executions_by_workgroup: Sequence[int]) -> Bound:
    """All of the account's listed history.

    The list quota (5 calls/s of 50 ids for all workgroups together) is the narrow place;
    BatchGetQueryExecution lets four times as many ids pass. Before it the workgroups must be
    known, after it the last page must arrive and its executions be fetched.
    """
    calls = sum(max(1, math.ceil(count / 50)) for count in executions_by_workgroup)
    longest = max(max(1, math.ceil(count / 50)) for count in executions_by_workgroup)
    terms = {
        "list_work_groups_s": mean_s("athena:ListWorkGroups"),
        "list_quota_s": rate_bound_s("athena:ListQueryExecutions", calls),
        "longest_token_chain_s": longest * mean_s("athena:ListQueryExecutions"),
        "last_page_s": mean_s("athena:ListQueryExecutions"),
        "last_batch_s": mean_s("athena:BatchGetQueryExecution"),
    }
    narrow = max(terms["list_quota_s"] + terms["last_page_s"], terms["longest_token_chain_s"])
    return Bound(terms["list_work_groups_s"] + narrow + terms["last_batch_s"], terms)


def glue_bound(settings: Settings) -> Bound:
    """All tables, columns and view texts through Glue: databases and tables, 100 a page.

    The pages of one schema need each other's tokens, so a giant schema is a chain.
    """
    calls, longest = _pages(settings, page=100)
    schemas = settings.schemas + settings.giant_schemas
    databases = math.ceil(schemas / 100)
    terms = {
        "first_page_of_databases_s": mean_s("glue:GetDatabases"),
        "chain_of_databases_s": databases * mean_s("glue:GetDatabases"),
        "tables_limiter_s": adaptive_bound_s(settings.adaptive, databases + calls),
        "longest_token_chain_s": longest * mean_s("glue:GetTables"),
        "last_page_s": mean_s("glue:GetTables"),
    }
    narrow = max(
        terms["tables_limiter_s"] + terms["last_page_s"],
        terms["longest_token_chain_s"],
        terms["chain_of_databases_s"] - terms["first_page_of_databases_s"] + terms["last_page_s"],
    )
    return Bound(terms["first_page_of_databases_s"] + narrow, terms)


def sql_bound(settings: Settings) -> Bound:
    """All tables, columns and view texts through information_schema.

    The engine makes ``rows_per_s`` rows a second and query; the account has ``active_dml`` slots.
    The bound is a perfect division of all rows over all slots, with one statement in each slot:
    queueing and planning are paid once, and a client can neither know the sizes so exactly nor
    name such shares of schemas in conditions that are pushed down.
    """
    objects = settings.schemas * settings.tables + settings.giant_schemas * settings.giant_tables
    views = objects // settings.view_every
    rows = objects * settings.columns + objects + views
    work_s = rows / settings.rows_per_s / settings.active_dml
    terms = {
        "start_s": mean_s("athena:StartQueryExecution"),
        "queue_s": mean_ms(QUEUE) / 1000.0,
        "planning_s": mean_ms(PLANNING) / 1000.0,
        "engine_s": work_s,
        "service_s": SERVICE_S,
        "last_poll_s": mean_s("athena:GetQueryExecution"),
        "first_page_s": mean_s("athena:GetQueryResults"),
    }
    run_s = max(MINIMUM_ENGINE_S, terms["planning_s"] + terms["engine_s"])
    fixed = ("start_s", "queue_s", "service_s", "last_poll_s", "first_page_s")
    return Bound(run_s + sum(terms[name] for name in fixed), terms)


def besides_s(settings: Settings, source: str) -> dict[str, float]:
    """Seconds that any client needs besides the bound by *source*.

    ``names_s``: the rows can be divided over the slots only when the schemas are named, by a page
    of GetDatabases or by a statement.
    """
    if source == "api":
        return {}

    terms = sql_bound(settings).terms
    fixed = ("start_s", "queue_s", "service_s", "last_poll_s", "first_page_s")
    schemas = settings.schemas + settings.giant_schemas
    engine_s = max(MINIMUM_ENGINE_S, terms["planning_s"] + schemas / settings.rows_per_s)
    by_sql = engine_s + sum(terms[name] for name in fixed)
    return {"names_s": by_sql if source == "sql" else mean_s("glue:GetDatabases")}


def auto_bound(settings: Settings) -> Bound:
    """Both: the slower of the two, for they need nothing of each other but quotas of their own."""
    api, sql = glue_bound(settings), sql_bound(settings)
    slower = max(api, sql, key=lambda bound: bound.seconds)
    return Bound(slower.seconds, {"api_s": api.seconds, "sql_s": sql.seconds})


METADATA_BOUNDS = {"api": glue_bound, "sql": sql_bound, "auto": auto_bound}
"""Value of ``metadata_source`` -> its bound."""


def _pages(settings: Settings, *, page: int) -> tuple[int, int]:
    """Calls for all schemas, and calls for the largest one."""
    regular = max(1, math.ceil(settings.tables / page))
    giant = max(1, math.ceil(settings.giant_tables / page))
    calls = settings.schemas * regular + settings.giant_schemas * giant
    return calls, giant if settings.giant_schemas else regular
