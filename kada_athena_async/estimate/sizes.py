"""Sizes of schemas and histories, as far as known, and the origin of the figures. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from math import ceil
from typing import Literal, TypeAlias

from kada_athena_async.hwm import WorkgroupWindow
from kada_athena_async.hwm.window import RETENTION

Origin: TypeAlias = Literal["counted", "last run", "sampled", "guessed"]
"""``counted``: looked at to its end now; ``last run``: its manifest; ``sampled``: some pages, the
rest in proportion; ``guessed``: nothing of it was looked at."""

SchemaKey: TypeAlias = tuple[str, str]

TABLES_GUESSED = 50
COLUMNS_GUESSED = 20
"""Tables of a schema, and columns of a table, of which nothing at all is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaSize:
    """Size of one schema; views are tables too."""

    tables: int
    views: int
    columns: int
    origin: Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class HistorySize:
    """Number of executions of one workgroup to list.

    Attributes:
        listed: Executions submitted since the window's lower bound.
        older: Executions before that, as far as they could be listed; None if nobody knows.
        expected: Executions that belong to the window, roughly.
    """

    listed: int
    older: int | None
    expected: int
    origin: Origin


@dataclass(slots=True, kw_only=True)
class HistorySample:
    """Some pages of a workgroup's history.

    Attributes:
        ids: Executions seen, newest first as a rule.
        last_id: Of the last of them; empty if none was seen.
        oldest: When that was submitted; None if none was seen.
        token: Of the next page; None if there are no more.
        error: Why no more could be listed.
    """

    ids: int = 0
    last_id: str = ""
    oldest: datetime | None = None
    token: str | None = None
    error: str = ""


def history_of_sample(
    sample: HistorySample, history: WorkgroupWindow, now: datetime
) -> HistorySize:
    """The size of a history of which *sample* is known, the rest in proportion to time."""
    since = max(history.listed_since, now - RETENTION)
    if sample.oldest is None:
        return HistorySize(listed=0, older=0, expected=0, origin="counted")

    seen_for = max(now - sample.oldest, timedelta(seconds=1))
    wanted_for = max(now - since, timedelta(seconds=1))
    if not sample.token:
        share = min(1.0, wanted_for / seen_for)
        listed = ceil(sample.ids * share)
        older: int | None = sample.ids - listed
        origin: Origin = "counted" if share == 1.0 else "sampled"
    else:
        listed = ceil(sample.ids * wanted_for / seen_for)
        older, origin = _older(since, now), "sampled"

    return HistorySize(
        listed=listed, older=older, expected=_expected(listed, history, now), origin=origin
    )


def history_of_run(
    emitted: int, window: timedelta, history: WorkgroupWindow, now: datetime
) -> HistorySize:
    """The size of a history of which the last run counted *emitted* executions in *window*."""
    per_s = emitted / max(window.total_seconds(), 1.0)
    since = max(history.listed_since, now - RETENTION)
    listed = ceil(per_s * (now - since).total_seconds())
    return HistorySize(
        listed=listed,
        older=_older(since, now),
        expected=_expected(listed, history, now),
        origin="last run",
    )


def _older(since: datetime, now: datetime) -> int | None:
    """Number of executions before *since*: none that Athena has forgotten."""
    return 0 if since <= now - RETENTION else None


def _expected(listed: int, history: WorkgroupWindow, now: datetime) -> int:
    """Number of listed executions in the window; those of the overlap before it are published."""
    window = history.window.end - history.window.start
    listed_for = now - max(history.listed_since, now - RETENTION)
    return round(listed * min(1.0, window / max(listed_for, window)))


def fill_schemas(
    keys: Sequence[SchemaKey], known: Mapping[SchemaKey, SchemaSize]
) -> dict[SchemaKey, SchemaSize]:
    """Every schema's size: what is not known is taken for the mean of its catalog, or of all."""
    everywhere = _mean(list(known.values()))
    means: dict[str, SchemaSize] = {}
    for catalog in {catalog for catalog, _ in keys}:
        own = [size for key, size in known.items() if key[0] == catalog]
        means[catalog] = _mean(own) if own else replace(everywhere, origin="guessed")

    return {key: known.get(key) or means[key[0]] for key in keys}


def _mean(sizes: Sequence[SchemaSize]) -> SchemaSize:
    if not sizes:
        columns = TABLES_GUESSED * COLUMNS_GUESSED
        return SchemaSize(tables=TABLES_GUESSED, views=0, columns=columns, origin="guessed")

    def mean(total: int) -> int:
        return round(total / len(sizes))

    return SchemaSize(
        tables=mean(sum(size.tables for size in sizes)),
        views=mean(sum(size.views for size in sizes)),
        columns=mean(sum(size.columns for size in sizes)),
        origin="sampled",
    )
