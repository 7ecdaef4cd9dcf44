"""Cost of a run with each source of metadata, and a recommendation. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from kada_athena_async.choices import MetadataSourceName
from kada_athena_async.config import Config
from kada_athena_async.errors import AccessDeniedError
from kada_athena_async.estimate.calls import (
    Work,
    history_work,
    metadata_work,
    polls,
    principals_work,
    statements_s,
)
from kada_athena_async.estimate.rates import latency_s, quota_s
from kada_athena_async.estimate.sizes import HistorySize, SchemaKey, SchemaSize
from kada_athena_async.plan import Plan
from kada_athena_async.prices import Prices, prices_of, requests_usd, statements_usd
from kada_athena_async.sources.strategy import (
    with_metadata_source,
)

WORTH_IT_S = 60.0
WORTH_IT_FACTOR = 1.5
"""SQL beside the API is worth a minute, or half as much time again: they check each other."""

_BY_SQL = ("glue:GetDatabases", "athena:ListDatabases")
"""Calls of the discovery that ``sql`` does not make."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """Cost of a run with one source of metadata.

    Attributes:
        calls: Operation -> calls, retries and failures not counted.
        metadata_s, history_s, total_s: Seconds at the quotas; metadata and history go side by
            side.
        slowest: The operation or work that takes longest.
        rough_usd: Dollars at most, at list prices.
    """

    source: MetadataSourceName
    calls: Mapping[str, int]
    statements: int
    metadata_s: float
    history_s: float
    total_s: float
    slowest: str
    rough_usd: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Recommendation:
    """The recommended source, with the reason."""

    source: MetadataSourceName
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """All variants side by side.

    Attributes:
        prices: Where Athena's price comes from, in words.
    """

    variants: tuple[Variant, ...]
    recommendation: Recommendation
    prices: str

    def of(self, source: MetadataSourceName) -> Variant:
        """The variant with *source*."""
        return next(variant for variant in self.variants if variant.source == source)

    def to_dict(self) -> dict[str, object]:
        """As plain JSON values."""
        return asdict(self)


def estimate(
    config: Config,
    plans: Mapping[MetadataSourceName, Plan],
    *,
    discovery: Mapping[str, int],
    schemas: Mapping[SchemaKey, SchemaSize],
    histories: Mapping[str, HistorySize],
    tags: Mapping[str, int] | None = None,
) -> Estimate:
    """Cost of a run with each source.

    Args:
        plans: The plan with each source; they differ in how schemas are put together.
        discovery: Operation -> calls that finding out what exists took.
        schemas: Every schema of the plans.
        histories: Every workgroup of the plans.
        tags: Operation -> calls that read the tags, one after the other.
    """
    variants = tuple(
        _variant(
            with_metadata_source(config, source), plan, discovery, schemas, histories, tags or {}
        )
        for source, plan in plans.items()
    )
    denied = [
        catalog.name
        for catalog in plans["api"].inventory.catalogs
        if isinstance(catalog.error, AccessDeniedError)
    ]
    return Estimate(
        variants=variants,
        recommendation=recommend(variants, denied),
        prices=_prices(config).tb_source,
    )


def _variant(
    config: Config,
    plan: Plan,
    discovery: Mapping[str, int],
    schemas: Mapping[SchemaKey, SchemaSize],
    histories: Mapping[str, HistorySize],
    tags: Mapping[str, int],
) -> Variant:
    source, slots = config.metadata_source, config.max_concurrent_queries
    metadata = metadata_work(config, plan, schemas)
    history, principals = history_work(plan, histories), principals_work(plan, histories)
    found = Counter({k: n for k, n in discovery.items() if source != "sql" or k not in _BY_SQL})
    if source != "api" and config.bucket:
        found["s3:HeadBucket"] += 1

    metadata.calls["athena:BatchGetQueryExecution"] += polls(metadata, slots)
    calls = found + metadata.calls + history.calls + principals.calls + Counter(tags)
    discovery_s = sum(count * latency_s(name) for name, count in found.items())
    times = {
        **{name: quota_s(name, count, share=config.quota_share) for name, count in calls.items()},
        "statements": statements_s(metadata, slots),
        "pages of one schema": metadata.longest_chain_s,
        "pages of one workgroup": history.longest_chain_s,
        "pages of events": principals.longest_chain_s,
        "tags": sum(count * latency_s(name) for name, count in tags.items()),
    }
    tags_s = max(times["tags"], *(times[name] for name in tags), 0.0)
    metadata_s = discovery_s + max(
        _longest(metadata, times), times["statements"], times["pages of one schema"], tags_s
    )
    history_s = discovery_s + max(
        _longest(history, times),
        times["pages of one workgroup"],
        _longest(principals, times),
        times["pages of events"],
    )
    return Variant(
        source=source,
        calls=dict(sorted(calls.items())),
        statements=metadata.statements,
        metadata_s=round(metadata_s, 1),
        history_s=round(history_s, 1),
        total_s=round(max(metadata_s, history_s), 1),
        slowest=max(times, key=lambda name: times[name]),
        rough_usd=statements_usd(metadata.statements, _prices(config))
        + requests_usd(calls, statements=metadata.statements),
    )


def _prices(config: Config) -> Prices:
    return prices_of(
        config.region,
        usd_per_tb=config.usd_per_tb,
        usd_per_dpu_hour=config.usd_per_dpu_hour,
    )


def _longest(work: Work, times: Mapping[str, float]) -> float:
    return max((times.get(name, 0.0) for name in work.calls), default=0.0)


def recommend(variants: Sequence[Variant], denied: Sequence[str]) -> Recommendation:
    """Choose among the variants.

    Args:
        denied: Catalogs whose schemas the APIs may not list.
    """
    by_source = {variant.source: variant for variant in variants}
    auto, api = by_source["auto"], by_source["api"]
    if denied:
        names = ", ".join(denied)
        return Recommendation(
            source="auto", reason=f"the APIs may not list {names}; SQL may be able to"
        )

    extra_s = auto.total_s - api.total_s
    extra_usd = auto.rough_usd - api.rough_usd
    cost = f"{auto.statements} statements, {extra_s:.0f} s and roughly ${extra_usd:.4f} more"
    if extra_s <= max(WORTH_IT_S, (WORTH_IT_FACTOR - 1) * api.total_s):
        return Recommendation(
            source="auto",
            reason=f"SQL and the APIs check and replace each other for {cost} than api",
        )

    return Recommendation(source="api", reason=f"it finds the same tables; auto would take {cost}")
