"""Submitters, statements, workgroups and hours: the mix that makes a day of the organisation."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from random import Random
from typing import NamedTuple

from kada_athena_async.sandbox.estate.exploring import Explorer
from kada_athena_async.sandbox.estate.reading import DASHBOARDS, QUESTIONS, SCIENCE
from kada_athena_async.sandbox.estate.rhythm import Rhythm
from kada_athena_async.sandbox.estate.statements import (
    Statement,
    Template,
    compile_all,
    compile_template,
)
from kada_athena_async.sandbox.estate.writing import HOUSEKEEPING, LOADS, UTILITY

# A workgroup that was switched off has no history of the days since.
LEGACY_OFF_DAYS = 20

Source = Callable[[Random, datetime], Statement]


class Habit(NamedTuple):
    """Statements of one sort from one workgroup.

    Attributes:
        weight: Its share of all executions.
        engine_ms: The median of its engine time; the spread is wide (log-normal).
        failing: The share of its executions that fail, typing errors (*typos*) among them.
    """

    workgroup: str
    weight: float
    rhythm: Rhythm
    source: Source
    engine_ms: int
    scanned_bytes: int
    failing: float = 0.03
    typos: float = 0.0
    reusing: float = 0.0


def _choosing(templates: tuple[Template, ...]) -> Source:
    def choose(rng: Random, now: datetime) -> Statement:
        return templates[int(rng.random() * len(templates))].fill(rng, now)

    return choose


def one_of_each() -> tuple[Template, ...]:
    """Every template of every habit, in one style."""
    texts = (*DASHBOARDS, *QUESTIONS, *SCIENCE, *LOADS, *HOUSEKEEPING, *UTILITY)
    return tuple(map(compile_template, texts))


def build_habits(explorer: Explorer, now: datetime) -> tuple[Habit, ...]:
    """The organisation's habits; the weights add up to about 1."""
    office, dashboards, night, always, legacy = (
        Rhythm(now, "office"),
        Rhythm(now, "dashboards"),
        Rhythm(now, "night"),
        Rhythm(now, "always"),
        Rhythm(now, "dashboards", until_days=LEGACY_OFF_DAYS),
    )
    tiles, questions = _choosing(compile_all(DASHBOARDS)), _choosing(compile_all(QUESTIONS))
    loads, science = _choosing(compile_all(LOADS)), _choosing(compile_all(SCIENCE))
    utility, keeping = _choosing(compile_all(UTILITY)), _choosing(compile_all(HOUSEKEEPING))
    gigabyte = 10**9

    return (
        Habit("bi_dashboards", 0.40, dashboards, tiles, 1_800, gigabyte // 20, 0.02, 0.0, 0.15),
        Habit("etl_nightly", 0.17, night, loads, 45_000, 8 * gigabyte, 0.05),
        Habit("etl_nightly", 0.02, night, keeping, 900, 0, 0.04),
        Habit("adhoc", 0.12, office, questions, 6_000, gigabyte, 0.16, 0.6),
        Habit("adhoc", 0.09, office, explorer.statement, 2_500, gigabyte // 10, 0.12, 0.5),
        Habit("data-science", 0.07, office, science, 60_000, 20 * gigabyte, 0.08, 0.3),
        Habit("primary", 0.03, office, explorer.statement, 1_500, gigabyte // 50, 0.15, 0.7),
        Habit("primary", 0.02, office, utility, 400, 0, 0.03),
        Habit("finance_managed", 0.04, office, questions, 4_000, gigabyte // 5, 0.05),
        Habit("legacy_reports", 0.02, legacy, tiles, 4_000, gigabyte, 0.10),
        Habit("integration.test_v2", 0.02, always, utility, 350, 0, 0.02),
    )
