"""Fingerprints: one for each shape of statement."""

from __future__ import annotations

import pytest

from kada_athena_async.sql.fingerprints import fingerprint
from kada_athena_async.sql.masking import mask_sql
from tests.unit.sql.labelled import LABELLED, Labelled

BASE = "select a, \"B c\" from t where x in (1, 2, 3) and d = date '2020-01-01' limit 5"


@pytest.mark.parametrize(
    "same",
    [
        "SELECT a, \"B c\" FROM T WHERE X IN (1, 2, 3) AND d = DATE '2020-01-01' LIMIT 5",
        "select a, \"B c\" from t where x in (7) and d = date '1957-10-04' limit 10000",
        "select a,\"B c\"\n\tfrom t\nwhere x in(1,2,3,-4) and d=date'x'   limit 5;",
        "-- for Ann\nselect a, /* b */ \"B c\" from t where x in (1) and d = date '' limit 5 ; --x",
    ],
    ids=["case of keywords", "literals", "spacing", "comments"],
)
def test_the_same_shape_has_the_same_fingerprint(same: str) -> None:
    """Literals, length of lists, spacing, case and comments make no difference."""
    assert fingerprint(same) == fingerprint(BASE)


@pytest.mark.parametrize(
    "other",
    [
        BASE.replace("select a", "select b"),
        BASE.replace("from t", "from u"),
        BASE.replace("x in (1, 2, 3)", "x = 1"),
        BASE.replace("limit", "offset"),
        BASE.replace(" and ", " or "),
        BASE.replace("B c", "B d"),
    ],
)
def test_other_shapes_have_other_fingerprints(other: str) -> None:
    """Another column, table, operator or clause is another statement."""
    assert fingerprint(other) != fingerprint(BASE)


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("temp_table_0123456789abcdef0123456789abcdef", "temp_table_" + "f0" * 16),
        (
            '"orders__tmp_0fe1dd41-b0aa-4b1e-9a4c-1f7e2f0c9b11"',
            '"orders__tmp_77aa0b52-3c1d-4e5f-8a9b-0c1d2e3f4a5b"',
        ),
        ("orders__dbt_tmp_0fe1dd41", "orders__dbt_tmp_77aa0b52"),
        ("lr_4k5jd1234567_orders", "lr_9zzzz7654321_orders"),
    ],
)
def test_names_that_programs_make_up_count_as_one(one: str, two: str) -> None:
    """Else each night's run would have shapes of its own; tables of a day stay apart."""
    assert fingerprint(f"SELECT a FROM {one}") == fingerprint(f"SELECT a FROM {two}")
    assert fingerprint("SELECT a FROM t_20260101") != fingerprint("SELECT a FROM t_20260102")
    assert fingerprint("SELECT a FROM lr_orders") != fingerprint("SELECT a FROM lr_items")


def test_rows_of_values_count_once() -> None:
    """An INSERT of one row and one of many are the same shape; other columns are another."""
    one = fingerprint("INSERT INTO t VALUES (1, 'a')")

    assert fingerprint("INSERT INTO t VALUES (1, 'a'), (2, 'b'),\n(3, DATE '2020-01-01')") == one
    assert fingerprint("INSERT INTO t (a) VALUES (1, 'a')") != one


def test_arguments_do_not_fold_into_nothing() -> None:
    """Only literals fold: a list with a name in it stays a list."""
    assert fingerprint("SELECT f(1, a) FROM t") != fingerprint("SELECT f(1) FROM t")


@pytest.mark.parametrize("case", LABELLED, ids=[case.trap for case in LABELLED])
def test_it_is_made_of_the_masked_text_alone(case: Labelled) -> None:
    """Nothing of a literal goes into it: the masked text has the fingerprint of the statement."""
    masked = mask_sql(case.sql, **case.types)

    assert fingerprint(masked, **case.types) == fingerprint(case.sql, **case.types)


def test_what_is_hidden_makes_no_difference() -> None:
    """Of a failed statement two values that the mask hides cannot be told by its fingerprint."""
    one, other = (
        f'SELECT * FROM "people" WHERE mail = "{who}@kestrel.example"' for who in ("ann", "bob")
    )

    assert fingerprint(one, is_failed=True) == fingerprint(other, is_failed=True)
    assert fingerprint(one) != fingerprint(other)


@pytest.mark.parametrize(
    "same",
    [
        'SELECT id FROM "sales"."orders" JOIN sales.lines USING (id)',
        "SELECT id FROM awsdatacatalog.sales.orders JOIN lines USING (id)",
        'SELECT "id" FROM "AwsDataCatalog"."sales"."orders" JOIN "lines" USING (id)',
        "select id from orders join sales.lines using (id)",
    ],
)
def test_names_count_as_what_they_mean(same: str) -> None:
    """Quotes around plain names, the own catalog and the schema of the context add nothing."""
    base = "SELECT id FROM orders JOIN lines USING (id)"

    assert fingerprint(same, schema="sales") == fingerprint(base, schema="sales")
    assert fingerprint("SELECT id FROM hr.orders", schema="sales") != fingerprint(
        "SELECT id FROM orders", schema="sales"
    )


@pytest.mark.parametrize(
    "sql",
    [
        "MERGE INTO {}t USING {}u ON t.a = u.a WHEN MATCHED THEN DELETE",
        "SELECT a FROM {}t, {}u x, hr.v",
        "SELECT a FROM ({}t JOIN {}u USING (a))",
        "DROP TABLE IF EXISTS {}t",
        "CREATE TABLE IF NOT EXISTS {}t AS SELECT a FROM {}u",
        "OPTIMIZE {}t REWRITE DATA USING BIN_PACK",
        "VACUUM {}t",
        "DESCRIBE {}t",
        "WITH w AS (SELECT a FROM {}t) SELECT a FROM w",
    ],
)
def test_the_schema_of_the_context_need_not_be_said(sql: str) -> None:
    """Wherever a table is named; but that of a common table expression is another without it."""
    assert fingerprint(sql.format("sales.", "sales."), schema="sales") == fingerprint(
        sql.format("", ""), schema="sales"
    )
    assert fingerprint("SELECT a FROM sales.hr.t", schema="sales") != fingerprint(
        "SELECT a FROM hr.t", schema="sales"
    ), "of a catalog"
    shadowed = "WITH t AS (SELECT 1 AS a) SELECT a FROM {}t"
    assert fingerprint(shadowed.format("sales."), schema="sales") != fingerprint(
        shadowed.format(""), schema="sales"
    )


def test_a_name_in_quotes_is_no_value() -> None:
    """A column "current_date" is not the function of this name, nor is "true" a value, and
    what stands around the quotes does not run into the name."""
    assert fingerprint('SELECT"a","b"FROM"t"') == fingerprint("SELECT a, b FROM t")
    assert fingerprint('SELECT "a""b" FROM t') != fingerprint("SELECT a b FROM t")
    for word in ("current_date", "true", "null"):
        assert fingerprint(f'SELECT "{word}" FROM t') != fingerprint(f"SELECT {word} FROM t")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ARRAY[1]", "ARRAY[1, -2, NULL]"),
        ("map(ARRAY['a'], ARRAY[1])", "map(ARRAY['a', 'b'], ARRAY [1, 2])"),
        ("contains(ARRAY[ROW(1, 2)], b)", "contains(ARRAY[ROW(1, 2), ROW(3, 4)], b)"),
        ("b = ANY (VALUES 1)", "b = ANY (VALUES 1, DATE '2020-01-01', NULL)"),
        ("b IN (TRUE)", "b IN (TRUE, FALSE)"),
    ],
)
def test_lists_of_literals_are_one_whatever_their_length(one: str, other: str) -> None:
    """ARRAY and the rows of VALUES, as after IN: their type says nothing about their length."""
    base = "SELECT {} FROM t"

    assert fingerprint(base.format(one)) == fingerprint(base.format(other))


def test_a_comment_within_a_clause_changes_nothing() -> None:
    """Between GROUP and BY, as anywhere; the ordinals stay."""
    assert fingerprint("SELECT a FROM t GROUP /* x */ BY 1 ORDER -- y\n BY 1") == fingerprint(
        "SELECT a FROM t GROUP BY 1 ORDER BY 1"
    )
    masked = mask_sql("SELECT a FROM t GROUP /* kestrel */ BY 1, 2")
    assert masked == "SELECT a FROM t GROUP /*?*/ BY 1, 2"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1", "NULL, -1, TRUE, CAST('x' AS varchar(10)), DATE '2020-01-01', U&'x' UESCAPE '!'"),
        ("INTERVAL '1' DAY", "INTERVAL '1' DAY, INTERVAL '2' DAY"),
        ("date('2020-01-01')", "date('2020-01-01'), date('2020-01-02')"),
        ("lower('A')", "lower('A'), lower('B') ,lower(/* x */ 'C')"),
        ("c, 1", "c, 'x', 'y'"),
        ("(1, 2)", "(1, NULL), (DATE '2020-01-01', 4)"),
        ("ROW(1, 2)", "ROW(1, 2), ROW(3, 4)"),
        ("ARRAY[1]", "ARRAY[1], ARRAY[2]"),
    ],
)
def test_lists_after_in_are_one_whatever_they_hold(one: str, other: str) -> None:
    """What is repeated counts once: literals of any kind, calls, rows; other calls are others."""
    base = "SELECT a FROM t WHERE b IN ({}) AND c = 1"

    assert fingerprint(base.format(one)) == fingerprint(base.format(other))
    assert fingerprint(base.format("upper('A')")) != fingerprint(base.format(one))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("(1, 2)", "(1, NULL), (2, TRUE), (-3, 'x')"),
        ("ROW(1, 2)", "ROW(1, 2), ROW(3, 4)"),
        ("(1, now())", "(1, now()), (2, now())"),
        ("(1, ARRAY[1, 2])", "(1, ARRAY[1, 2]), (2, ARRAY[3, 4])"),
    ],
)
def test_rows_of_values_are_one_and_of_other_widths_another(one: str, other: str) -> None:
    """Two columns are not three, however many rows there are."""
    shape = fingerprint(f"INSERT INTO t VALUES {one}")

    assert fingerprint(f"INSERT INTO t VALUES {other}") == shape
    assert fingerprint("INSERT INTO t VALUES (1, 2, 3)") != shape


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("SELECT (1), (2) FROM t", "SELECT (1) FROM t"),
        ("SELECT f((1), (2)) FROM t", "SELECT f((1)) FROM t"),
        ("SELECT a -1 FROM t", "SELECT a 1 FROM t"),
        ("SELECT ARRAY[c, d] FROM t", "SELECT ARRAY[c] FROM t"),
        ("SELECT ROW(1, 2) FROM t", "SELECT ROW(1) FROM t"),
        ("VALUES 1, 2 UNION SELECT 1, 2", "VALUES 1 UNION SELECT 1"),
        ("SELECT 1 - 1 FROM t", "SELECT 1 1 FROM t"),
        ("SELECT a FROM t WHERE b IN (c, d)", "SELECT a FROM t WHERE b IN (c)"),
        ("SELECT a FROM t WHERE b IN (SELECT 1, 2)", "SELECT a FROM t WHERE b IN (SELECT 1)"),
    ],
)
def test_only_lists_after_in_and_values_are_folded(one: str, other: str) -> None:
    """Elsewhere each item counts, and so does a minus between two values."""
    assert fingerprint(one) != fingerprint(other)


def test_a_sign_is_part_of_the_literal() -> None:
    """As in -1, wherever a value begins; and two spellings of "not equal" are one."""
    base = "SELECT 1, f(2) FROM t WHERE a = 3 AND b BETWEEN 4 AND 5 AND c <> INTERVAL '6' DAY"
    signed = (
        "SELECT -1, f(- 2) FROM t WHERE a = -3 AND b BETWEEN +4 AND -5 AND c != INTERVAL -'6' DAY"
    )

    assert fingerprint(signed) == fingerprint(base)


def test_labelled_statements_differ() -> None:
    """Statements of different shapes do not share a fingerprint."""
    shapes = {mask_sql(case.sql, **case.types).lower() for case in LABELLED}
    names = {fingerprint(case.sql, **case.types) for case in LABELLED}

    assert all(len(name) == 32 and int(name, 16) >= 0 for name in names)
    assert len(names) > 0.9 * len(shapes)
