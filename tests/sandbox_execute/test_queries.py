"""Queries run: over sample data and views, in Trino's dialect, with Trino's names and errors."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import duckdb
import pytest

from kada_athena_async.sandbox.estate.model import Catalog, Estate
from kada_athena_async.sandbox.execute import execute
from kada_athena_async.sandbox.execute.outcome import NOT_FOUND, SYNTAX_ERROR
from tests.sandbox_execute.conftest import Run, column, schema, table, view

# The last DuckDB for Python 3.10 is older.
since_duckdb_2 = pytest.mark.skipif(
    int(duckdb.__version__.partition(".")[0]) < 2, reason="DuckDB's own from 2.0 on"
)


def test_a_table_gives_its_rows_as_athena_renders_them(run: Run) -> None:
    """NULL and the empty string stay apart; times have milliseconds; nested values are text."""
    outcome = run("SELECT * FROM orders ORDER BY id")

    assert outcome.columns == (
        ("id", "bigint"),
        ("customer", "varchar"),
        ("total", "decimal(10,2)"),
        ("placed_at", "timestamp(3)"),
        ("lines", "array(row(sku varchar, n integer))"),
        ("day", "date"),
    )
    assert outcome.rows == [
        ["1", "ann", "9.50", "2026-01-02 03:04:05.000", "[{sku=a, n=2}]", "2026-01-02"],
        ["2", "", "20.00", None, "[]", "2026-01-02"],
        ["3", None, None, "2026-01-03 00:00:00.000", None, "2026-01-03"],
    ]
    assert outcome.scanned_bytes > 0


def test_a_dropped_iceberg_column_is_not_in_the_table(run: Run) -> None:
    """And the columns after it keep their own values."""
    assert run("SELECT * FROM measured ORDER BY 1").rows == [["s1", "1.5"], ["s2", "1.0E10"]]


def test_sample_rows_may_hold_dropped_columns_too(run: Run, estate: Estate) -> None:
    """An old file still has the values; the table does not show them."""
    shop = estate.catalogs["AwsDataCatalog"].schemas["shop"]
    shop.tables["old"] = table(
        "old",
        column("gone", is_current=False),
        column("kept"),
        table_format="iceberg",
        sample_rows=(("g", "k"),),
    )

    assert run("SELECT * FROM old").rows == [["k"]]


def test_a_view_is_run_through_its_text(run: Run) -> None:
    """Also one that reads another, and one that Hive wrote."""
    assert run("SELECT * FROM totals ORDER BY 2").rows == [
        ["ann", "9.50"],
        ["", "20.00"],
        [None, None],
    ]
    assert run('SELECT b.customer FROM "AwsDataCatalog".shop.best AS b', database=None).rows == [
        [""]
    ]
    assert len(run("SELECT * FROM legacy").rows) == 3


def test_views_that_read_each_other_end(run: Run, estate: Estate) -> None:
    """A cycle is an error, not a hang."""
    shop = estate.catalogs["AwsDataCatalog"].schemas["shop"]
    shop.tables["a"] = view("a", "SELECT * FROM b")
    shop.tables["b"] = view("b", "SELECT * FROM a")

    outcome = run("SELECT * FROM a")

    assert outcome.error is not None
    assert "reads itself" in outcome.error.message


@pytest.mark.parametrize(
    ("expression", "type", "value"),
    [
        ("7 / 2", "integer", "3"),
        ("1e10", "double", "1.0E10"),
        ("true", "boolean", "true"),
        pytest.param("null", "unknown", None, marks=since_duckdb_2),
        ("date_add('day', 1, timestamp '2026-01-31 00:00:00')", "timestamp(3)",
         "2026-02-01 00:00:00.000"),
        ("date_diff('day', date '2026-01-01', date '2026-02-01')", "bigint", "31"),
        ("date_format(timestamp '2026-01-02 03:04:05', '%Y-%m-%d %H:%i')", "varchar",
         "2026-01-02 03:04"),
        ("format_datetime(timestamp '2026-01-02 03:04:05', 'yyyy-MM-dd')", "varchar", "2026-01-02"),
        ("json_extract_scalar('{\"a\": {\"b\": 5}}', '$.a.b')", "varchar", "5"),
        ("regexp_like('orders', '^ord')", "boolean", "true"),
        ("element_at(map(array['k'], array['v']), 'k')", "varchar", "v"),
        ("map(array['k'], array[1])", "map(varchar, integer)", "{k=1}"),
        ("transform(array[1, 2], x -> x + 1)", "array(integer)", "[2, 3]"),
        ("cast(row(1, 'z') as row(p integer, q varchar))", "row(p integer, q varchar)",
         "{p=1, q=z}"),
        ("from_iso8601_timestamp('2026-01-01T02:00:00Z')", "timestamp(3) with time zone",
         "2026-01-01 02:00:00.000 UTC"),
        ("x'00ff'", "varbinary", "00 ff"),
        ("try_cast('x' as integer)", "integer", None),
        ("url_extract_host('https://a.example/b')", "varchar", "a.example"),
    ],
)  # fmt: skip
def test_trinos_expressions_give_trinos_values(
    run: Run, expression: str, type: str, value: str | None
) -> None:
    """The types are Trino's and the text is Athena's."""
    outcome = run(f"SELECT {expression} AS v")

    assert outcome.error is None
    assert (outcome.columns, outcome.rows) == ((("v", type),), [[value]])


def test_statements_compose(run: Run) -> None:
    """CTEs, joins, grouping, array_agg, UNNEST and approx_distinct work together."""
    outcome = run(
        """
        WITH orders AS (SELECT id, day, lines FROM shop.orders WHERE id < 3),
             flat AS (SELECT o.id, l.sku, l.n FROM orders o
                      CROSS JOIN UNNEST(o.lines) AS l(sku, n))
        SELECT o.day, array_agg(o.id ORDER BY o.id) AS ids, approx_distinct(o.day) AS days,
               max(f.sku)
        FROM orders o LEFT JOIN flat f ON f.id = o.id
        GROUP BY 1
        """
    )

    assert outcome.error is None
    assert [name for name, _ in outcome.columns] == ["day", "ids", "days", "_col3"]
    assert outcome.rows == [["2026-01-02", "[1, 2]", "1", "a"]]


def test_outputs_without_a_name_are_numbered_by_position(run: Run) -> None:
    """As in Trino, where a star shifts the numbers."""
    outcome = run("SELECT m.*, count(*), 'x', sensor FROM measured m GROUP BY 1, 2")
    values = run("VALUES (1, 'a'), (2, NULL)")

    names = [name for name, _ in outcome.columns]
    assert names == ["sensor", "value", "_col2", "_col3", "sensor"]
    assert ([name for name, _ in values.columns], values.rows) == (
        ["_col0", "_col1"],
        [["1", "a"], ["2", None]],
    )


def test_parameters_are_literals_in_order(run: Run) -> None:
    """A string stands in its quotes; one without them is a column that nobody knows."""
    sql = "SELECT id FROM orders WHERE customer = ? AND id < ?"

    assert run(sql, parameters=["'ann'", "5"]).rows == [["1"]]
    assert run("SELECT ?, ?, ?", parameters=["1", "'it''s'", "-2"]).rows == [["1", "it's", "-2"]]
    unquoted, few = run(sql, parameters=["ann", "5"]).error, run(sql, parameters=["5"]).error
    assert unquoted is not None
    assert "Column 'ann' cannot be resolved" in unquoted.message
    assert few is not None
    assert "expected 2 but found 1" in few.message


def test_hidden_tables_tell_partitions_and_history(run: Run) -> None:
    """Enough of them to be read at all."""
    assert run('SELECT * FROM "orders$partitions" ORDER BY day').rows == [
        ["2026-01-02"],
        ["2026-01-03"],
    ]
    assert run('SELECT snapshot_id FROM shop."measured$history"').rows == [["1"]]


@pytest.mark.parametrize(
    ("sql", "message", "type"),
    [
        ("SELECT nope FROM orders",
         "COLUMN_NOT_FOUND: line 1:8: Column 'nope' cannot be resolved", SYNTAX_ERROR),
        ("SELECT *\nFROM orders o WHERE o.nope = 1",
         "COLUMN_NOT_FOUND: line 2:21: Column 'o.nope' cannot be resolved", SYNTAX_ERROR),
        ("SELECT * FROM a.b", "SCHEMA_NOT_FOUND: line 1:15: Schema 'a' does not exist", NOT_FOUND),
        ("SELECT * FROM shop.b",
         "TABLE_NOT_FOUND: line 1:15: Table 'awsdatacatalog.shop.b' does not exist", NOT_FOUND),
        ("SELECT * FROM x.y.z", "CATALOG_NOT_FOUND: line 1:15: Catalog 'x' not found", NOT_FOUND),
        ("SELECT * FROM information_schema.b",
         "TABLE_NOT_FOUND: line 1:15: Table 'awsdatacatalog.information_schema.b' does not exist",
         NOT_FOUND),
        ("SELECT x.id FROM orders o",
         "COLUMN_NOT_FOUND: line 1:8: Column 'x.id' cannot be resolved", SYNTAX_ERROR),
        ("SELECT id FROM orders GROUP BY customer",
         "EXPRESSION_NOT_AGGREGATE: line 1:8: 'id' must be an aggregate", SYNTAX_ERROR),
        ("SELECT nope(1)", "FUNCTION_NOT_FOUND: line 1:1: Function 'nope' not registered",
         SYNTAX_ERROR),
        ("SELCT 1", "line 1:1: mismatched input 'SELCT'. Expecting: ", SYNTAX_ERROR),
        ("SELECT id, FROM orders", "line 1:12: mismatched input 'FROM'", SYNTAX_ERROR),
        ("SELECT 'open", "line 1:1: mismatched input", SYNTAX_ERROR),
        ("", "line 1:1: mismatched input '<EOF>'", SYNTAX_ERROR),
        ("SELECT 1; SELECT 2", "Only one sql statement is allowed. Got: ", SYNTAX_ERROR),
    ],
)  # fmt: skip
def test_a_wrong_statement_fails_in_athenas_words(
    run: Run, sql: str, message: str, type: int
) -> None:
    """It points at the place, and nothing is raised."""
    outcome = run(sql)

    assert outcome.error is not None
    assert outcome.error.message.startswith(message)
    assert (outcome.error.category, outcome.error.type) == (2, type)
    assert outcome.rows == []


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT cast('x' AS integer)",
        "SELECT " + "(" * 3000 + "1" + ")" * 3000,
        "SELECT * FROM read_text('pyproject.toml')",
        "SELECT " + "NOT " * 9000 + "true",
        "CREATE TABLE untyped (a)",
        pytest.param("SELECT 1 / 0", marks=since_duckdb_2),
        "SELECT \x00",
        "WITH",
    ],
)
def test_nothing_raises(run: Run, sql: str) -> None:
    """A statement that breaks inside, or reaches outside, has an error as its outcome."""
    assert run(sql).error is not None


def test_without_a_database_names_need_a_schema(run: Run) -> None:
    """As in Athena when the execution has no context."""
    outcome = run("SELECT * FROM orders", database=None)

    assert outcome.error is not None
    assert outcome.error.message.startswith("MISSING_SCHEMA_NAME: line 1:15")


def test_threads_do_not_see_each_others_data() -> None:
    """Each statement has its own sources, though they share one engine."""

    def count(rows: int) -> list[list[str | None]]:
        estate = Estate(account_id="1", region="r")
        numbers = table(
            "numbers",
            column("n", "int", "integer"),
            sample_rows=tuple((n,) for n in range(rows)),
        )
        database = schema("db", numbers)
        estate.catalogs["AwsDataCatalog"] = Catalog(
            name="AwsDataCatalog", type="GLUE", schemas={"db": database}
        )
        outcome = execute(
            "SELECT count(*), max(n) FROM numbers",
            estate=estate,
            catalog="awsdatacatalog",
            database="db",
        )
        return outcome.rows

    sizes = list(range(1, 60))
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(count, sizes))

    assert answers == [[[str(size), str(size - 1)]] for size in sizes]
