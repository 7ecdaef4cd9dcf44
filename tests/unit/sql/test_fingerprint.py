"""Fingerprints: one for each shape of statement."""

from __future__ import annotations

import pytest

from kada_athena_async.sql import fingerprint, mask_sql
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


def test_labelled_statements_differ() -> None:
    """Statements of different shapes do not share a fingerprint."""
    shapes = {mask_sql(case.sql, **case.types).lower() for case in LABELLED}
    names = {fingerprint(case.sql, **case.types) for case in LABELLED}

    assert all(len(name) == 32 and int(name, 16) >= 0 for name in names)
    assert len(names) > 0.9 * len(shapes)
