"""Public queries: the tables of TPC-DS and TPC-H, whose texts DuckDB's extensions bring along."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from kada_athena_async.sql.analysis import Statement, analyse
from kada_athena_async.sql.schema_index import SchemaIndex
from tests.unit.sql.labelled import DATA

EXPECTED = json.loads((DATA / "tpc_tables.json").read_text("utf-8"))


def queries(extension: str) -> Iterator[tuple[str, str]]:
    duckdb = pytest.importorskip("duckdb")
    connection = duckdb.connect(config={"autoinstall_known_extensions": False})
    try:
        connection.execute(f"LOAD {extension}")
    except duckdb.Error:
        pytest.skip(f"needs DuckDB's extension {extension}")

    rows = connection.execute(f"SELECT query_nr, query FROM {extension}_queries()").fetchall()
    return ((str(number), text) for number, text in rows)


@pytest.mark.parametrize("extension", ["tpcds", "tpch"])
def test_the_tables_of_public_queries_are_found(extension: str) -> None:
    """Each query reads just the tables that are written down for it."""
    found = {}
    for number, text in queries(extension):
        analysis = analyse(Statement(sql=text, schema="s"), SchemaIndex())
        assert analysis.is_parsed
        found[number] = sorted(read.table.table for read in analysis.reads)

    assert found == EXPECTED[extension]
