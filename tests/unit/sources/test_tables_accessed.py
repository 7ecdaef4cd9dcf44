"""``tables_accessed`` is read whatever form its rows have, and left alone where it has another."""

from __future__ import annotations

import pytest

from kada_athena_async.sources.tables_accessed import is_readable, selected, tables_of

ORDERS = ("c", "s", "orders")


@pytest.mark.parametrize(
    "text",
    [
        '[{"catalog_name":"c","database_name":"s","table_name":"orders"}]',
        '[{"table":"orders","schema":"s","catalog":"c"}]',
        '[["c","s","orders"]]',
    ],
)
def test_rows_are_objects_of_any_order_or_lists(text: str) -> None:
    """Catalog, schema and table come out in this order."""
    assert tables_of(text) == (ORDERS,)


@pytest.mark.parametrize("text", [None, "", "null", "[1]", '[["a"]]', '["s.orders"]', "{", "[{}]"])
def test_another_form_is_no_list_of_tables(text: str | None) -> None:
    """It is None, which is not the same as an execution that accessed nothing."""
    assert tables_of(text) is None
    assert tables_of("[]") == ()


def test_only_an_array_is_selected_and_as_json() -> None:
    """The cast of another type could fail, and would cost the history with it."""
    assert is_readable("tables_accessed", "array(row(table_name varchar))")
    assert not is_readable("TABLES_ACCESSED", "map(varchar, varchar)")
    assert is_readable("query", "varchar")
    assert selected("tables_accessed") == (
        'json_format(CAST("tables_accessed" AS JSON)) AS "tables_accessed"'
    )
    assert selected("query") == '"query"'
