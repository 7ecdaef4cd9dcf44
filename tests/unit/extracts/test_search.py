"""The search: by table, by column, by glob or by part."""

from __future__ import annotations

from pathlib import Path

import pytest

from kada_athena_async.extracts.search import search
from tests.unit.extracts.making import columns, make_package, table

TABLES = [
    table("orders", table_format="iceberg"),
    table("order_lines"),
    table("People", schema="crm"),
    table("v_people", "VIEW", schema="crm"),
]
COLUMNS = [
    *columns("orders", id="bigint", Total="double"),
    *columns("order_lines", order_id="bigint"),
    *columns("People", "crm", id="int", mail="varchar"),
    *columns("v_people", "crm", mail="varchar"),
]


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("ORDER", ["sales.orders", "sales.order_lines"]),
        ("order*", ["sales.orders", "sales.order_lines"]),
        ("orders", ["sales.orders"]),
        ("*s", ["sales.orders", "sales.order_lines"]),
        ("crm.*", ["crm.People", "crm.v_people"]),
        ("awsdatacatalog.crm.people", ["crm.People"]),
        ("total", ["sales.orders"]),
        ("?ail", ["crm.People", "crm.v_people"]),
        ("[pt]*l*", ["crm.People", "sales.orders"]),
        ("nothing", []),
    ],
)
def test_names_and_columns_are_found(tmp_path: Path, pattern: str, names: list[str]) -> None:
    """A part of a name in any case, or a glob for the whole of it; also a column's."""
    package = make_package(tmp_path, {"metadata_tables": TABLES, "metadata_columns": COLUMNS})

    found = search(package, pattern, count=10)

    assert [each.name.removeprefix("AwsDataCatalog.") for each in found.tables] == names
    assert found.count == len(names)


def test_tables_come_with_their_columns(tmp_path: Path) -> None:
    """In order, marked where they fit; names come before columns, and all are counted."""
    package = make_package(tmp_path, {"metadata_tables": TABLES, "metadata_columns": COLUMNS[::-1]})

    found = search(package, "orders", count=5)
    limited = search(package, "id", count=1)

    (orders,) = found.tables
    assert [(c.name, c.data_type, c.is_match) for c in orders.columns] == [
        ("id", "bigint", False),
        ("Total", "double", False),
    ]
    assert (orders.table_type, orders.table_format, orders.is_match) == ("TABLE", "iceberg", True)
    assert (len(limited.tables), limited.count) == (1, 3)
    assert [c.is_match for c in limited.tables[0].columns] == [True, False]
