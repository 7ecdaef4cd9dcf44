"""information_schema answers as Trino's does, and only for what a statement asks about."""

from __future__ import annotations

import pytest

from kada_athena_async.sandbox.estate.model import Estate
from tests.sandbox_execute.conftest import Run, column, table


def test_columns_hold_every_current_column_with_partition_keys_last(run: Run) -> None:
    """Types are Trino's, positions count from 1, and a dropped Iceberg column is gone."""
    outcome = run(
        "SELECT table_name, column_name, ordinal_position, data_type, comment, extra_info "
        "FROM information_schema.columns "
        "WHERE table_schema = 'shop' AND table_name IN ('orders', 'measured') ORDER BY 1, 3"
    )

    assert outcome.error is None
    assert outcome.rows == [
        ["measured", "sensor", "1", "varchar", None, None],
        ["measured", "value", "2", "double", None, None],
        ["orders", "id", "1", "bigint", 'the "key",\nunique', None],
        ["orders", "customer", "2", "varchar", None, None],
        ["orders", "total", "3", "decimal(10,2)", None, None],
        ["orders", "placed_at", "4", "timestamp(3)", None, None],
        ["orders", "lines", "5", "array(row(sku varchar, n integer))", None, None],
        ["orders", "day", "6", "date", None, "partition key"],
    ]


def test_a_star_shows_trinos_columns_in_trinos_order(run: Run) -> None:
    """Hidden columns are seen only where they are named, also next to a star."""
    shown = [
        "table_catalog",
        "table_schema",
        "table_name",
        "column_name",
        "ordinal_position",
        "column_default",
        "is_nullable",
        "data_type",
    ]
    where = (
        "FROM information_schema.columns c WHERE table_name = 'totals' ORDER BY ordinal_position"
    )

    plain, named = run(f"SELECT * {where}"), run(f"SELECT *, extra_info AS e {where}")

    assert [name for name, _ in plain.columns] == shown
    assert [name for name, _ in named.columns] == [*shown, "e"]
    assert plain.rows[0] == [
        "awsdatacatalog",
        "shop",
        "totals",
        "customer",
        "1",
        None,
        "YES",
        "varchar",
    ]


def test_tables_tell_views_from_tables(run: Run) -> None:
    """A Hive view is a view too, though `views` does not have its text."""
    tables = run(
        "SELECT table_name, table_type FROM information_schema.tables "
        "WHERE table_schema = 'shop' ORDER BY 1"
    )
    views = run("SELECT table_name, view_definition FROM information_schema.views ORDER BY 1")

    assert tables.rows == [
        ["best", "VIEW"],
        ["legacy", "VIEW"],
        ["measured", "BASE TABLE"],
        ["orders", "BASE TABLE"],
        ["totals", "VIEW"],
    ]
    assert views.rows == [
        ["best", "SELECT customer FROM totals WHERE total > 10"],
        ["totals", "SELECT customer, sum(total) AS total FROM orders GROUP BY customer"],
    ]


def test_information_schema_lists_itself(run: Run) -> None:
    """As in Trino, where collectors have to leave it out."""
    schemas = run('SELECT * FROM "awsdatacatalog".information_schema.schemata')
    tables = run(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = 'information_schema'"
    )

    assert [row[1] for row in schemas.rows] == ["shop", "empty", "information_schema"]
    assert ["columns"] in tables.rows


@pytest.mark.parametrize("name", ["CRM", '"crm"', "crm"])
def test_any_catalog_answers_under_its_name_in_any_case(run: Run, name: str) -> None:
    """The execution's catalog matters only where the statement names none."""
    sql = (
        "SELECT table_catalog, table_name FROM {}information_schema.tables "
        "WHERE table_schema = 'public'"
    )

    named = run(sql.format(f"{name}."))
    own = run(sql.format(""), catalog="CRM")

    assert named.rows == own.rows == [["crm", "people"]]


def test_names_that_are_not_lower_case_match_nothing(run: Run) -> None:
    """Catalogs report lower-cased names only."""
    assert run("SELECT * FROM information_schema.tables WHERE table_schema = 'SHOP'").rows == []


@pytest.mark.parametrize(
    "where",
    [
        "table_schema = 'shop' AND table_name LIKE 'ord%'",
        "'orders' = table_name",
        "(table_schema = 'shop' AND table_name = 'orders') OR table_name = 'nothing'",
        "table_name IN ('orders', 'nothing') AND table_schema <> 'empty'",
        "c.table_name = 'orders'",
        "columns.table_name = 'orders'",
        "table_name = (SELECT 'orders')",
        "lower(column_name) = 'placed_at'",
    ],
)
def test_a_predicate_means_the_same_pushed_down_or_not(run: Run, where: str) -> None:
    """Conditions that narrow the tables that are looked at never change the answer."""
    alias = "c" if "c." in where else ""

    outcome = run(
        f"SELECT DISTINCT table_name FROM information_schema.columns {alias} WHERE {where}"
    )

    assert (outcome.error, outcome.rows) == (None, [["orders"]])


def test_rows_that_an_outer_join_makes_up_survive_predicates_on_names(run: Run) -> None:
    """A condition such as IS NULL holds for them and must not thin out what is joined."""
    outcome = run(
        "SELECT w.n FROM (VALUES 'orders', 'gone') AS w(n) "
        "LEFT JOIN information_schema.tables t ON t.table_name = w.n WHERE t.table_name IS NULL"
    )

    assert outcome.rows == [["gone"]]


def test_what_a_test_adds_and_drops_shows_at_once(run: Run, estate: Estate) -> None:
    """Nothing is remembered from one statement to the next."""
    sql = "SELECT column_name FROM information_schema.columns WHERE table_schema = 'empty'"
    tables = estate.catalogs["AwsDataCatalog"].schemas["empty"].tables

    before = run(sql).rows
    tables["fresh"] = table("fresh", column("a"))
    after = run(sql).rows
    del tables["fresh"]

    assert (before, after, run(sql).rows) == ([], [["a"]], [])
