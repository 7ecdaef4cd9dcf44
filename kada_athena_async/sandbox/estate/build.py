"""Builds the invented organisation, Southern Cross Freight, as the sandbox serves it."""

from __future__ import annotations

from datetime import datetime
from random import Random

from kada_athena_async.sandbox.estate.catalogs import build_catalogs
from kada_athena_async.sandbox.estate.executions import add_executions
from kada_athena_async.sandbox.estate.model import Estate
from kada_athena_async.sandbox.estate.tables import TableMaker
from kada_athena_async.sandbox.estate.tags import add_tags
from kada_athena_async.sandbox.estate.views import add_views
from kada_athena_async.sandbox.estate.workgroups import build_workgroups


def build_estate(
    *,
    now: datetime,
    seed: int = 7,
    scale: float = 1.0,
    account_id: str = "123456789012",
    region: str = "ap-southeast-2",
    results_bucket: str = "kada-athena-results",
    extremes: bool = True,
) -> Estate:
    """Southern Cross Freight: about 320 tables, 60 views and 5,000 executions, times *scale*.

    The same arguments give an equal estate. Every kind of oddity is there at any scale.

    Args:
        now: Aware; the executions lie in the 45 days before it.
        extremes: True if the few statements of around 256 KB are among the executions.
    """
    rng = Random(seed)
    maker = TableMaker(rng, now)
    estate = Estate(
        account_id=account_id,
        region=region,
        catalogs=build_catalogs(maker, scale=scale, account_id=account_id, region=region),
        workgroups=build_workgroups(now=now, results_bucket=results_bucket),
    )
    add_views(estate, maker, scale=scale)
    add_executions(
        estate,
        rng=rng,
        now=now,
        scale=scale,
        results_bucket=results_bucket,
        extremes=extremes,
    )

    add_tags(estate)
    return estate
