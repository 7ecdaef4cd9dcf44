"""Statements can be overwritten, and what is overwritten is what runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kada_athena_async import ConfigError
from kada_athena_async.sandbox import Sandbox


async def test_overwritten_statement_is_the_one_that_runs(
    sandbox: Sandbox, extractor: Any, read_extracts: Any, tmp_path: Path
) -> None:
    """A filter added to COLUMNS_SQL leaves out its columns, and Athena saw the new text."""
    made = extractor(metadata_source="sql", catalogs=["AwsDataCatalog"])
    text = made.get_sql("COLUMNS_SQL")
    made.overwrite_sql(
        "COLUMNS_SQL", text.replace("WHERE {1}", "WHERE {1} AND data_type = 'bigint'")
    )
    async with made:
        await made.run(manage_hwm=True)

    types = {r["data_type"] for r in read_extracts(tmp_path / "out").rows("metadata_columns")}
    assert types == {"bigint"}
    assert any(
        "AND data_type = 'bigint'" in execution.query
        for execution in sandbox.estate.executions.values()
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("{1}", "true"), "COLUMNS_SQL = statement: put the placeholder {1} back"),
        (("{0}.", ""), "COLUMNS_SQL = statement: put the placeholder {0} back"),
        (("data_type, ", ""), "COLUMNS_SQL = statement: put the column data_type back"),
        (("SELECT", "SELEC"), "COLUMNS_SQL = statement: write one SELECT that Athena can parse"),
    ],
)
def test_overwritten_statement_that_lost_something_is_refused(
    extractor: Any, change: tuple[str, str], message: str
) -> None:
    """A placeholder or a column that is gone is named, and the old statement stays."""
    made = extractor()
    before = made.get_sql("COLUMNS_SQL")

    with pytest.raises(ConfigError) as caught:
        made.overwrite_sql("COLUMNS_SQL", before.replace(*change))

    assert message in str(caught.value)
    assert made.get_sql("COLUMNS_SQL") == before


def test_unknown_statement_is_refused(extractor: Any) -> None:
    """The error lists the statements that there are."""
    with pytest.raises(ConfigError) as caught:
        extractor().get_sql("DATABASE_LOGS_SQL")

    assert "name one of SCHEMATA_SQL, TABLES_SQL, COLUMNS_SQL, VIEWS_SQL" in str(caught.value)
