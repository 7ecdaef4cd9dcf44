"""Cost of a text: twice as long costs twice as much, whatever it is made of."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from kada_athena_async.sql import fingerprint, mask_sql, mask_text
from kada_athena_async.sql.analysis import Statement, plan
from kada_athena_async.sql.clean import clean, parseable
from kada_athena_async.sql.engine_choice import choose_engine, find_query
from kada_athena_async.sql.immediate import immediate_text
from kada_athena_async.sql.literals import find_literals
from kada_athena_async.sql.locations import find_locations
from kada_athena_async.sql.names import Context, split_name
from kada_athena_async.sql.question import Question, guess, mentioned
from kada_athena_async.sql.schema_index import SchemaIndex
from kada_athena_async.sql.statement import prepared_text, route
from kada_athena_async.sql.tokens import Engine

CONTEXT = Context()
ENTRIES: dict[str, Callable[[str], object]] = {
    "mask_sql": mask_sql,
    "mask_sql of a failed one": lambda text: mask_sql(text, is_failed=True, keep_s3_locations=True),
    "mask_sql of a Hive view": lambda text: mask_sql(text, dialect="hive"),
    "mask_text": mask_text,
    "fingerprint": fingerprint,
    "choose_engine": choose_engine,
    "find_query": find_query,
    "find_locations": lambda text: [
        *find_locations(text, find_literals(text, Engine.HIVE)[0]),
        *find_locations(text, find_literals(text, Engine.TRINO)[0]),
    ],
    "clean": clean,
    "parseable": parseable,
    "mentioned": lambda text: [*mentioned(text, CONTEXT)],
    "guess": lambda text: guess(Question(text, "trino", CONTEXT), "x"),
    "route": route,
    "prepared_text": prepared_text,
    "split_name": split_name,
    "immediate_text": immediate_text,
    "plan": lambda text: plan(Statement(sql=text), SchemaIndex()),
}
# One run each of what patterns look for, alone and after what makes them look.
RUNS = r"""
a 1 _ é $ ( ) [ ' " ` ´ “ ’ ’a . , ; ? - / * /* */ -- /**/ '' "" 'a' "a" a. 1. 1e 1_ 1_a 1é a@ @ ::
\\' U&' X' ?, (?), (?,?), null, as( a~as( a~as(select~1), in( in(?, case~ end~ from~a~
from~a, join~a~ (select~ select~a~from( union~select~a~ a+a, extract( distinct~from~
group~by~1, order~by~1/**/x, decimal(1, decimal~ date~? bucket( ?~uescape~ lambda~ )to~
location~ s3://aaa/ explain~ prepare~p~from~ execute~immediate~' invalid~input~
cannot~be~cast~to~ error~parsing~ line~1:1 message: x:~a /a=b user/ values~ with~a~as(
"""
SPACES = (" ", "\n", "\t ", "\x00", "\u2028")
AROUND = (
    ("", ""),
    ("select a from t group by 1 ", "x"),
    ("select 1_", "é"),
    ("create table t as ", ")x"),
    ("explain (", ""),
)
CHARS = 2_500
TOO_LITTLE_S = 0.02
TRIES = 4


def worst_texts(chars: int) -> list[str]:
    runs = [*(run.replace("~", " ") for run in RUNS.split()), *SPACES]
    texts = [run * (chars // len(run)) for run in runs]
    return [before + text + after for text in texts for before, after in AROUND]


def cpu_s(function: Callable[[str], object], text: str) -> float:
    begun = time.thread_time()
    function(text)
    return time.thread_time() - begun


def ratio(function: Callable[[str], object], one: str, two: str) -> float:
    """CPU of *two* to that of *one*, the least of some tries: other processes disturb."""
    found = float("inf")
    for _ in range(TRIES):
        of_two = cpu_s(function, two)
        if of_two < TOO_LITTLE_S:
            return 0.0
        found = min(found, of_two / cpu_s(function, one))
        if found < 3:
            break

    return found


@pytest.mark.parametrize("entry", ENTRIES)
def test_twice_the_text_costs_twice(entry: str) -> None:
    """Nothing that is done with a text before the parser is more than linear in its length."""
    function = ENTRIES[entry]
    slow = {}
    for one, two in zip(worst_texts(CHARS), worst_texts(2 * CHARS), strict=True):
        found = ratio(function, one, two)
        if found >= 3:
            slow[one[:60]] = found

    assert slow == {}
