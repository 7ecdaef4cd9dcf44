"""Cost of a text: in proportion to its length, whatever it is made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone

import pytest

from kada_athena_async.extracts.table_usage import MAINTAINS
from kada_athena_async.sql.analysis import Statement, plan
from kada_athena_async.sql.clean import clean, parseable
from kada_athena_async.sql.engine_choice import choose_engine, find_query
from kada_athena_async.sql.fingerprints import fingerprint
from kada_athena_async.sql.immediate import immediate_text
from kada_athena_async.sql.lineage import read_query
from kada_athena_async.sql.literals import find_literals
from kada_athena_async.sql.locations import find_locations
from kada_athena_async.sql.masking import mask_sql, mask_text
from kada_athena_async.sql.names import Context, TableName, split_name
from kada_athena_async.sql.parse_request import ParseRequest, guess, mentioned
from kada_athena_async.sql.prepared import PreparedStatements
from kada_athena_async.sql.relations import KnownTable
from kada_athena_async.sql.schema_index import SchemaIndex
from kada_athena_async.sql.statement import route
from kada_athena_async.sql.substitute import SHORT_CHARS
from kada_athena_async.sql.tokens import Engine
from tests.kit.growth import MAX_GROWTH, cpu_growth

CONTEXT = Context()
WIDE = TableName("AwsDataCatalog", "default", "wide")
AT = datetime(2026, 11, 23, tzinfo=timezone.utc)
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
    "guess": lambda text: guess(ParseRequest(text, "trino", CONTEXT), "x"),
    "route": route,
    "prepared": lambda text: PreparedStatements().note("wg", text, AT),
    "split_name": split_name,
    "immediate_text": immediate_text,
    "maintains": MAINTAINS.match,
    "plan": lambda text: plan(Statement(sql=text), SchemaIndex()),
}
# One run each of what patterns look for, alone and after what makes them look.
RUNS = r"""
a 1 _ é $ ( ) [ ' " ` ´ “ ’ ’a . , ; ? - / * /* */ -- /**/ '' "" 'a' "a" a. 1. 1e 1_ 1_a 1é a@ @ ::
\\' U&' X' ?, (?), (?,?), null, as( a~as( a~as(select~1), in( in(?, case~ end~ from~a~
from~a, join~a~ (select~ select~a~from( union~select~a~ a+a, extract( distinct~from~
group~by~1, order~by~1/**/x, decimal(1, decimal~ date~? bucket( ?~uescape~ lambda~ )to~
distinct~ ("b"~ from~"b", uescape~'!' prepare~"p"
location~ s3://aaa/ explain~ prepare~p~from~ execute~immediate~' invalid~input~
cannot~be~cast~to~ error~parsing~ line~1:1 message: :~ :~, 'a':~ column:~
x:~a /a=b user/ values~ with~a~as(
"""
SPACES = (" ", "\n", "\t ", "\x00", "\u2028")
AROUND = (
    ("", ""),
    ("select a from t group by 1 ", "x"),
    ("select 1_", "é"),
    ("create table t as ", ")x"),
    ("explain (", ""),
)
# Longer texts take a way of their own (substitute.py), whose cost for each character is another.
SHORT, LONG = SHORT_CHARS - 100, 262_144


@dataclass(frozen=True)
class Repeated:
    """A text with a run of one piece in its middle."""

    before: str
    piece: str
    after: str

    def of(self, chars: int) -> str:
        """The text at a size; the pieces are odd in number, so that quotes stay as they pair."""
        return self.before + self.piece * (chars // len(self.piece) | 1) + self.after


def worst_texts(*, everywhere: bool) -> list[Repeated]:
    """Each piece in each of the surroundings, or alone and in one of the others, in turn."""
    pieces = [*(run.replace("~", " ") for run in RUNS.split()), *SPACES]
    alone, *others = AROUND
    return [
        Repeated(before, piece, after)
        for number, piece in enumerate(pieces)
        for before, after in (AROUND if everywhere else [alone, others[number % len(others)]])
    ]


@pytest.mark.parametrize("entry", ENTRIES)
@pytest.mark.parametrize(
    ("chars", "everywhere"),
    [
        (SHORT // 2, False),
        pytest.param(SHORT, True, marks=pytest.mark.slow),
        pytest.param(LONG, True, marks=[pytest.mark.slow, pytest.mark.timeout(3_600)]),
    ],
)
def test_cost_grows_with_the_length_of_a_text(entry: str, chars: int, everywhere: bool) -> None:
    """Nothing that is done with a text before the parser is more than linear in its length."""
    least_ms = 0.05 if chars <= SHORT else 10
    slow = {}
    for text in worst_texts(everywhere=everywhere):
        growth = cpu_growth(ENTRIES[entry], text.of, chars, least_ms=least_ms)
        if growth >= MAX_GROWTH:
            slow[text] = growth

    assert slow == {}


PARTS = 1_200
QUERIES = {
    "columns": ("SELECT ", "c{n}, ", "1 FROM t"),
    "columns of a subquery": ("SELECT * FROM (SELECT ", "c{n}, ", "1 FROM t) q WHERE q.c1 = 1"),
    "columns through two scopes": ("SELECT a FROM (SELECT ", "c{n} a, c{n}, ", "1 FROM t) q"),
    "relations": ("SELECT x FROM ", "t{n}, ", "t"),
    "relations with columns": ("SELECT x FROM ", "(SELECT {n} a{n}) q{n}, ", "t"),
    "subqueries without alias": ("SELECT x FROM ", "(SELECT {n}), ", "t"),
    "joins": ("SELECT x FROM t", " JOIN t{n} ON t{n}.a = t.b", ""),
    "joins by name": ("SELECT x FROM t", " JOIN t{n} USING (a{n})", ""),
    "common table expressions": ("WITH ", "a{n} AS (SELECT {n} x), ", "z AS (SELECT 1) SELECT 1"),
    "a chain of them": (
        "WITH RECURSIVE a AS (SELECT 1 x)",
        ", b{n} AS (SELECT x FROM a)",
        " TABLE a",
    ),
    "unions": ("SELECT a FROM t", " UNION ALL SELECT a{n} FROM t{n}", ""),
    "readings of one table": ("SELECT c1 FROM wide", " UNION ALL SELECT c{n} FROM wide", ""),
    "exceptions": ("SELECT a FROM t", " EXCEPT SELECT a{n} FROM t{n}", ""),
    "rows": ("SELECT * FROM (VALUES (1, a)", ", ({n}, a{n})", ") v (x, y)"),
    "conditions": ("SELECT a FROM t WHERE a = 1", " AND a{n} = {n}", ""),
    "branches": ("SELECT CASE", " WHEN a{n} = {n} THEN b{n}", " END FROM t"),
    "windows": ("SELECT 1", ", sum(a{n}) OVER (PARTITION BY b{n} ORDER BY c{n})", " FROM t"),
    "subqueries in conditions": (
        "SELECT a FROM t WHERE a = 1",
        " OR a IN (SELECT b{n} FROM t{n})",
        "",
    ),
    "sums": ("SELECT a", " + a{n}", " FROM t"),
    "arguments": ("SELECT f(a", ", a{n}", ") FROM t"),
    "orders": ("SELECT a FROM t ORDER BY 1", ", a{n}", ""),
}


@pytest.mark.parametrize("name", QUERIES)
def test_cost_grows_with_the_number_of_parts_of_a_query(name: str) -> None:
    """Nor is what is done in the parser's process, whatever there is many of.

    The table ``wide`` has as many columns as the query has parts.
    """
    begin, piece, end = QUERIES[name]

    def question(count: int) -> ParseRequest:
        sql = begin + "".join(piece.format(n=n) for n in range(count)) + end
        wide = KnownTable(WIDE, tuple(f"c{n}" for n in range(count)))
        return ParseRequest(sql, "trino", CONTEXT, (wide,))

    assert read_query(question(PARTS)).is_parsed
    assert cpu_growth(read_query, question, PARTS, least_ms=0.5) < MAX_GROWTH
