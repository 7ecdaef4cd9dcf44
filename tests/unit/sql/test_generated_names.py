"""Generated names: one question to the parser for all of them, each with its own tables."""

from __future__ import annotations

from itertools import pairwise
from uuid import UUID

import pytest

from kada_athena_async.sql.analysis import Statement, analyse
from kada_athena_async.sql.generated_names import fold, restore
from kada_athena_async.sql.lineage import read_query
from kada_athena_async.sql.names import Context, TableName
from kada_athena_async.sql.parse_request import ParseRequest
from kada_athena_async.sql.relations import KnownTable
from kada_athena_async.sql.schema_index import SchemaIndex
from kada_athena_async.sql.worker_pool import WorkerPool
from kada_athena_async.sql.workers import SqlWorkers
from tests.unit.sql.bad_readers import crashes_when_asked_again
from tests.unit.sql.labelled import LABELLED

GLUE = "AwsDataCatalog"


def hexadecimal(n: int) -> str:
    return f"{0xC0FFEE1234567890ABCDEF0123456789 * (n + 1) % 2**128:032x}"


def uuid(n: int) -> str:
    return str(UUID(hexadecimal(n)))


SPELLINGS = {
    "awswrangler": lambda n: f"temp_table_{hexadecimal(n)}",
    "uuid": lambda n: f'"stage-{uuid(n)}"',
    "uuid of underscores": lambda n: "tmp_" + uuid(n).replace("-", "_"),
    "short hash": lambda n: f"orders_{hexadecimal(n)[:10]}1",
    "seconds since 1970": lambda n: f"orders_{1_700_000_000 + n}",
    "day": lambda n: f"events_{20260101 + n}",
    "day and time": lambda n: f"export_{20260101 + n}_093000",
    "day of dashes": lambda n: f'"export-2026-01-{n + 1:02}"',
    "dbt": lambda n: f"model_{n}__dbt_tmp",
    "dbt, older": lambda n: f"model_{n}__tmp",
    "dbt with a hash": lambda n: f"model__dbt_tmp_{hexadecimal(n)[:8]}9",
    "Looker": lambda n: f"lr_a{n}b{n}c1700000000_orders",
    "Looker, as it is spelled": lambda n: f"LR_A{n}B{n}C1700000000_ORDERS",
    "letters and digits": lambda n: f"tableau{n}k9x2m4q7w8e5",
}


@pytest.mark.parametrize("spelling", SPELLINGS)
async def test_they_are_parsed_once_and_each_bears_its_own_name(spelling: str) -> None:
    """Statements that differ in nothing else are one question, answered for each in its names."""
    written = [SPELLINGS[spelling](n) for n in range(20)]
    assert len(set(written)) == 20
    statements = [
        Statement(sql=f"SELECT a, t.b FROM {name} t JOIN u ON t.id = u.id", schema="s")
        for name in written
    ]
    async with SqlWorkers(
        SchemaIndex(), pool=WorkerPool(1), read=crashes_when_asked_again
    ) as workers:
        analyses = await workers.analyse_many(statements[:7])
        analyses += await workers.analyse_many(statements[7:])

    assert analyses == [analyse(statement, SchemaIndex()) for statement in statements]
    tables = [TableName(GLUE, "s", name.strip('"').lower()) for name in written]
    assert [analysis.reads[0].table for analysis in analyses] == tables
    assert all(analysis.is_parsed for analysis in analyses)


async def test_tables_of_other_columns_are_other_questions() -> None:
    """SELECT * means each table's own columns."""
    schema = SchemaIndex()
    tables = [f"temp_table_{hexadecimal(n)}" for n in range(3)]
    for table, columns in zip(tables, (["a"], ["a", "b"], ["a"]), strict=True):
        schema.add(GLUE, "s", table, columns)
    statements = [Statement(sql=f"SELECT * FROM {table}", schema="s") for table in tables]
    async with SqlWorkers(schema, pool=WorkerPool(1)) as workers:
        analyses = await workers.analyse_many(statements)

    assert analyses == [analyse(statement, schema) for statement in statements]
    assert [[output.name for output in a.outputs or ()] for a in analyses] == [
        ["a"],
        ["a", "b"],
        ["a"],
    ]


def test_two_names_of_one_statement_stay_apart() -> None:
    """One that is written to and one that is read, in whatever order, are never swapped."""
    names = [f"temp_table_{hexadecimal(n)}" for n in range(8)]
    folded = set()
    for one, two in pairwise(names):
        question = ParseRequest(
            f"SELECT a.x, b.y FROM {one} a, {two} b", "trino", Context(None, "s")
        )
        asked, real = fold(question)
        folded.add(asked.query)
        assert restore(read_query(asked), real) == read_query(question)

    assert len(folded) == 1


@pytest.mark.parametrize(
    ("query", "context"),
    [
        ("SELECT * FROM pr_1700000000.t JOIN t USING (id)", Context(None, "pr_1700000000")),
        ('SELECT * FROM "T_1700000000" JOIN t_1700000000 USING (id)', Context("other", "s")),
        ("SELECT * FROM generated_name_0_ JOIN t_1700000000 USING (id)", Context(None, "s")),
        ('SELECT file FROM "t_1700000000$files"', Context(None, "s")),
        ("SELECT a_20260101, a_20260102 FROM t_20260101", Context(None, "s")),
        ('SELECT "T_20260101".x FROM "T_20260101"', Context("mysql", "s")),
        ("WITH w_20260101 AS (SELECT 1 x) SELECT x FROM w_20260101", Context(None, "s")),
    ],
    ids=["schema of the context", "two spellings", "taken", "metadata", "columns", "case", "cte"],
)
def test_what_comes_back_is_what_comes_without(query: str, context: Context) -> None:
    """Where a stand-in could mean something else there is none."""
    question = ParseRequest(query, "trino", context)
    asked, real = fold(question)

    assert restore(read_query(asked), real) == read_query(question)


@pytest.mark.parametrize("suffix", ["_20260101", "__dbt_tmp"])
def test_every_labelled_statement_reads_the_same(suffix: str) -> None:
    """With a generated name for each table that is known, and its columns."""
    known = ("orders", "people", "lines", "sales", "t")
    for case in LABELLED:
        query = case.sql
        tables = []
        for name in known:
            query = query.replace(f" {name} ", f" {name}{suffix} ")
            table = TableName(GLUE, "sales", name + suffix)
            tables.append(KnownTable(table, ("id", f"a{suffix}", "email")))
        question = ParseRequest(query, "trino", Context(None, "sales"), tuple(tables))
        asked, real = fold(question)

        assert restore(read_query(asked), real) == read_query(question), query
