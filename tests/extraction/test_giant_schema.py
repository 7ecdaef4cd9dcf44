"""A schema too large for one statement: few statements of several scans, and every row once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from kada_athena_async import load_config
from kada_athena_async.aws.results import Results
from kada_athena_async.concurrency import SystemClock
from kada_athena_async.engine.connection import connect
from kada_athena_async.sandbox import Sandbox
from kada_athena_async.sandbox.estate.model import Execution, Schema
from kada_athena_async.sources.information_schema import InformationSchema
from kada_athena_async.sources.statement_texts import default_texts
from tests.conftest import Extracts
from tests.kit.estates import few_schemas

NAMES = [f"giant_{number:03d}" for number in range(650)]
BROKEN = NAMES[333]
FIELDS: dict[str, Any] = {
    "catalogs": ["AwsDataCatalog"],
    # So few slots that the estate's schemas are many for them.
    "max_concurrent_queries": 2,
    "include_schemas": ["*.giant"],
    "workgroups": ["primary"],
}
WINDOW = {"start_hwm": "2020-01-01 00:00:00", "end_hwm": "2020-01-02 00:00:00"}
"""Without history."""


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """The usual estate and one schema of 650 tables."""
    with few_schemas(scale=0.02) as running:
        schemas = running.estate.catalogs["AwsDataCatalog"].schemas
        like = next(table for table in schemas["sales"].tables.values() if not table.is_view)
        like = replace(like, columns=like.columns[:2])
        schemas["giant"] = Schema(
            name="giant", tables={name: replace(like, name=name) for name in NAMES}
        )
        yield running


def asked(sandbox: Sandbox, before: dict[str, Execution]) -> list[list[int]]:
    """The statements that were run since, on columns of tables by name: names of each scan."""
    return [
        [len(re.findall(r"'giant_\d+'", scan)) for scan in query.split("UNION ALL")]
        for query_id, execution in sandbox.estate.executions.items()
        if query_id not in before
        and "information_schema.columns" in (query := execution.query)
        and "'giant_" in query
    ]


def columns_of_giant(out: Path) -> list[tuple[str, str]]:
    rows = Extracts(out).rows("metadata_columns")
    return [(row["table"], row["column"]) for row in rows if row["schema"] == "giant"]


@pytest.mark.parametrize(
    ("source", "statements"),
    [
        ("auto", [[50], [100, 100, 100], [100, 100, 100]]),
        ("sql", [[100, 100, 100, 25], [100, 100, 100, 25]]),
    ],
)
async def test_its_columns_come_by_few_statements_of_a_hundred_names_a_scan(
    sandbox: Sandbox, extractor: Any, tmp_path: Path, source: str, statements: list[list[int]]
) -> None:
    """Trino pushes down a hundred names for each scan; the rows come once and in order."""
    before = dict(sandbox.estate.executions)
    async with extractor(metadata_source=source, **FIELDS) as made:
        await made.run(**WINDOW)

    assert sorted(asked(sandbox, before)) == statements
    like = sandbox.estate.catalogs["AwsDataCatalog"].schemas["giant"].tables[NAMES[0]]
    names = [column.name for column in like.columns]
    expected = [(table, column) for table in NAMES for column in names]
    assert columns_of_giant(tmp_path / "out") == expected


async def test_a_table_that_breaks_such_a_statement_is_found_by_dividing_it(
    sandbox: Sandbox, extractor: Any, tmp_path: Path
) -> None:
    """Scan by scan, then by halves; only its own columns are missing."""
    before = dict(sandbox.estate.executions)
    sandbox.faults.add(
        "poison_table",
        where={"catalog": "awsdatacatalog", "schema": "giant", "table": BROKEN},
        message="HIVE_METASTORE_ERROR: it names no table",
    )
    try:
        async with extractor(metadata_source="sql", **FIELDS) as made:
            await made.run(**WINDOW)
    finally:
        sandbox.faults.clear()

    found = {table for table, _ in columns_of_giant(tmp_path / "out")}
    assert found == {*NAMES} - {BROKEN}
    scans = asked(sandbox, before)
    # Both halves of the schema; one of them by scans; the scan in seven steps down to one table.
    assert len(scans) <= 2 + 4 + 2 * 7
    assert [names for names in scans if len(names) > 1] == [[100, 100, 100, 25]] * 2


async def test_a_statement_of_the_callers_has_one_scan(
    sandbox: Sandbox, extractor: Any, tmp_path: Path
) -> None:
    """It may be of any form, so that nothing is put around it."""
    before = dict(sandbox.estate.executions)
    async with extractor(metadata_source="sql", **FIELDS) as made:
        text = made.get_sql("COLUMNS_SQL")
        made.overwrite_sql("COLUMNS_SQL", f"{text} LIMIT 1000000")
        await made.run(**WINDOW)

    scans = asked(sandbox, before)
    assert {len(names) for names in scans} == {1}
    assert max(names for (names,) in scans) == 100
    assert len({table for table, _ in columns_of_giant(tmp_path / "out")}) == len(NAMES)


class Hours(SystemClock):
    """A clock on which a tenth of a second is hours, of work too."""

    SPEED = 100_000

    def monotonic(self) -> float:
        return super().monotonic() * self.SPEED

    async def sleep(self, duration_s: float) -> None:
        await super().sleep(duration_s / self.SPEED)


async def test_scans_that_take_far_too_long_are_asked_one_by_one(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    """Athena may have made one scan of them, which reads the whole catalog; then none follows."""
    config = load_config(sandbox.config(tmp_path, **FIELDS), environment={})
    fault = sandbox.faults.add("slow_query", seconds=0.1)
    try:
        async with connect(
            config, clock=Hours(), rng=Random(7), notify=lambda _: None, texts=default_texts()
        ) as connection:
            sql = InformationSchema(
                queries=connection.queries("run"),
                results=Results(connection.client, source="auto"),
                texts=default_texts(),
                catalog="AwsDataCatalog",
                unit_id="unit",
            )
            assert [*map(len, sql.portions(NAMES))] == [600, 50]
            async with aclosing(sql.columns(("giant",), tuple(NAMES[:100]))) as batches:
                assert sum([len(batch) async for batch in batches]) == 100

            assert [*map(len, sql.portions(NAMES))] == [600, 50]
            async with aclosing(sql.columns(("giant",), tuple(NAMES[:101]))) as batches:
                assert sum([len(batch) async for batch in batches]) == 101

            assert [*map(len, sql.portions(NAMES))] == [100] * 6 + [50]
    finally:
        sandbox.faults.clear()

    assert sandbox.faults.struck(fault) == 2
