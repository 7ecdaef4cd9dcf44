"""Names in conditions, found without a parser."""

from __future__ import annotations

import pytest

from kada_athena_async.sql.conditions import condition_names
from tests.kit.growth import MAX_GROWTH, cpu_growth


@pytest.mark.parametrize(
    ("sql", "names"),
    [
        ("SELECT a, dt FROM t", set()),
        ('SELECT a FROM t WHERE x."DT" = ?', {"x", "dt"}),
        ("SELECT a FROM t WHERE `dt` = ?", {"dt"}),
        ("SELECT a FROM t JOIN u USING (dt)", {"dt"}),
        ("SELECT a FROM t JOIN u ON t.b = u.b JOIN v ON v.c = u.c", set("tubvc")),
        ("SELECT dt FROM t GROUP BY dt HAVING max(b) > ? ORDER BY c", {"max", "b"}),
        ("SELECT dt FROM t WHERE b = (SELECT max(c) FROM u WHERE e = ?) GROUP BY f",
         {"b", "e"}),
        ("SELECT a -- WHERE dt\nFROM t /* WHERE dt */", set()),
        ("SELECT 'WHERE dt' FROM t", set()),
        ("SELECT a FROM (SELECT dt day, a FROM t) WHERE day = ?", {"day", "dt"}),
        ("SELECT a FROM (SELECT date(dt) AS day FROM t) WHERE day = ?",
         {"day", "date", "dt", "as"}),
    ],
)  # fmt: skip
def test_names_in_conditions(sql: str, names: set[str]) -> None:
    """WHERE, ON, USING and HAVING, with what an alias in them stands for; no texts or comments."""
    assert condition_names(sql) == names


def test_a_statement_that_reads_nothing_says_nothing() -> None:
    """EXECUTE has its conditions elsewhere; columns that are named by their place have others."""
    assert condition_names("EXECUTE p USING ?") is None
    assert condition_names("WITH a (d) AS (SELECT dt FROM t) SELECT 1 FROM a WHERE d = ?") is None
    assert condition_names("SELECT 1 FROM (SELECT dt FROM t) AS a(d) WHERE d = ?") is None
    assert condition_names("WITH a AS (SELECT 1 FROM t), b (d) AS (SELECT 1) SELECT d") is None
    assert condition_names("SELECT f(a) AS d FROM t WHERE d = ?") == {"d", "f", "a", "as"}


@pytest.mark.parametrize(
    "text",
    [
        "/*",
        "'",
        '"',
        "(",
        "a ",
        "select (a ",
        "where a b ",
        "select a, b c from t where c",
        ")as a",
        "with a",
    ],
)
def test_any_text_is_read_to_its_end(text: str) -> None:
    """However it nests, and whatever is left open: in time that grows as the text does."""

    def make(size: int) -> str:
        return (text * size)[: size // 2] + ")" * (size // 2)

    assert cpu_growth(condition_names, make, 64_000) <= MAX_GROWTH
