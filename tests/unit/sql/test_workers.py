"""Workers: the parser's troubles stay with one statement, and nothing is parsed twice."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

import anyio
import pytest

from kada_athena_async.sql.analysis import Statement, analyse
from kada_athena_async.sql.names import TableName
from kada_athena_async.sql.relations import DIRECT, INDIRECT
from kada_athena_async.sql.schema_index import SchemaIndex
from kada_athena_async.sql.worker_pool import WorkerPool
from kada_athena_async.sql.workers import Read, SqlWorkers
from tests.kit.warm_workers import cold_workers
from tests.unit.sql.bad_readers import (
    crashes_on_kestrel,
    crashes_when_asked_again,
    hangs_on_kestrel,
    tells_its_process_and_hangs,
)
from tests.unit.sql.labelled import LABELLED

SCHEMA = SchemaIndex()
SCHEMA.add("AwsDataCatalog", "sales", "orders", ["id", "a", "b"])


@pytest.fixture(autouse=True)
def _as_for_users() -> Iterator[None]:
    with cold_workers():
        yield


async def test_workers_say_what_one_process_says() -> None:
    """The way through the workers changes nothing about any analysis."""
    statements = [Statement(sql=case.sql, schema="sales", **case.types) for case in LABELLED]
    async with SqlWorkers(SCHEMA, pool=WorkerPool(1)) as workers:
        analyses = await workers.analyse_many(statements)

    assert analyses == [analyse(statement, SCHEMA) for statement in statements]


@pytest.mark.parametrize(
    ("read", "deadline_s", "reason"),
    [(crashes_on_kestrel, 5.0, "crash"), (hangs_on_kestrel, 2.0, "timeout")],
)
async def test_f47_f48_a_bad_statement_costs_only_itself(
    read: Read, deadline_s: float, reason: str
) -> None:
    """Its tables are guessed and it says why; the others are analysed as ever."""
    names = [f"t{number}" for number in range(3)]
    statements = [Statement(sql=f"SELECT * FROM {name}", schema="s") for name in names]
    statements[1] = Statement(sql="SELECT * FROM kestrel", schema="s")
    async with SqlWorkers(SCHEMA, pool=WorkerPool(1), deadline_s=deadline_s, read=read) as workers:
        analyses = await workers.analyse_many(statements)

    bad = analyses.pop(1)
    assert [a.reads[0].table.table for a in analyses] == [n for n in names if n != "t1"]
    assert all(a.is_parsed for a in analyses)
    assert (bad.is_parsed, bad.problems) == (False, (reason,))
    assert bad.reads[0].table == TableName("AwsDataCatalog", "s", "kestrel")


async def test_each_shape_is_read_once() -> None:
    """Statements that differ in literals, layout and comments are one question, asked once."""
    one = Statement(sql="SELECT a FROM orders WHERE id = 1")
    alike = [Statement(sql=f"SELECT a\n FROM orders -- {n}\nWHERE id = {n}") for n in range(50)]
    async with SqlWorkers(SCHEMA, pool=WorkerPool(1), read=crashes_when_asked_again) as workers:
        first = await workers.analyse_many([one, *alike])
        again = await workers.analyse_many(alike)

    assert first == [analyse(one, SCHEMA)] * 51
    assert again == first[1:]


async def test_the_loop_stays_free() -> None:
    """While workers parse, other tasks get their turn."""
    turns = 0
    statements = [
        Statement(sql=f"SELECT a{n} FROM t{n} JOIN u ON t{n}.x = u.y", schema="s")
        for n in range(300)
    ]

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await anyio.sleep(0.001)

    async with (
        SqlWorkers(SCHEMA, pool=WorkerPool(1)) as workers,
        anyio.create_task_group() as group,
    ):
        group.start_soon(count)
        analyses = await workers.analyse_many(statements)
        group.cancel_scope.cancel()

    assert len(analyses) == 300
    assert turns > 10


async def test_a_script_without_a_guard_is_not_run_again(tmp_path: Path) -> None:
    """A worker does not run the caller's script, as multiprocessing would."""
    script = tmp_path / "script.py"
    script.write_text(
        "import anyio\n"
        "from kada_athena_async.sql.analysis import Statement\n"
        "from kada_athena_async.sql.schema_index import SchemaIndex\n"
        "from kada_athena_async.sql.worker_pool import WorkerPool\n"
        "from kada_athena_async.sql.workers import SqlWorkers\n"
        "print('begun')\n"
        "async def main():\n"
        "    async with SqlWorkers(SchemaIndex(), pool=WorkerPool(1)) as workers:\n"
        "        [analysis] = await workers.analyse_many([Statement(sql='SELECT * FROM t')])\n"
        "    print(analysis.is_parsed)\n"
        "anyio.run(main)\n"
    )
    paths = os.pathsep.join(path for path in sys.path if path)
    done = await anyio.run_process(
        [sys.executable, str(script)], env={**os.environ, "PYTHONPATH": paths}
    )

    assert done.stdout.decode().split() == ["begun", "True"]


async def test_without_processes_tables_are_guessed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no process can be started the run goes on, with tables by a look at the text."""
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    async with SqlWorkers(SCHEMA, pool=WorkerPool(1)) as workers:
        [analysis] = await workers.analyse_many([Statement(sql="SELECT a FROM t", schema="s")])

    assert (analysis.problems, analysis.is_parsed) == (("no_worker",), False)
    assert [read.table.table for read in analysis.reads] == ["t"]


async def test_cancellation_leaves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cancelled analysis ends at once and takes its worker with it."""
    told = tmp_path / "pid"
    monkeypatch.setenv("TOLD_PID", str(told))
    read = tells_its_process_and_hangs
    async with SqlWorkers(SCHEMA, pool=WorkerPool(1), deadline_s=600, read=read) as workers:
        task = asyncio.create_task(workers.analyse_many([Statement(sql="SELECT * FROM kestrel")]))
        while not told.exists() or not told.read_text().endswith("\n"):  # noqa: ASYNC110
            await anyio.sleep(0.01)

        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

        with pytest.raises(ProcessLookupError):
            os.kill(int(told.read_text()), 0)


async def test_f46_large_and_deep_statements_are_named_not_parsed() -> None:
    """A list of 50,000 items folds away; 5,000 parentheses are refused before the parser."""
    wide = "SELECT a FROM orders WHERE id IN (" + "1234," * 50_000 + "1)"
    deep = "SELECT " + "(" * 5_000 + "1" + ")" * 5_000 + " FROM orders"
    long = "SELECT " + "a + " * 60_000 + "a FROM orders"
    async with SqlWorkers(SCHEMA, pool=WorkerPool(1)) as workers:
        analyses = await workers.analyse_many(
            [Statement(sql=sql, schema="sales") for sql in (wide, deep, long)]
        )

    assert [a.problems for a in analyses] == [(), ("too_deep",), ("too_many_tokens",)]
    assert [a.is_parsed for a in analyses] == [True, False, False]
    assert {read.table.table for a in analyses for read in a.reads} == {"orders"}


async def test_the_estate_is_understood() -> None:
    """Of the sandbox's executions and views every table is right, of the views every column."""
    pytest.importorskip("duckdb")
    from kada_athena_async.sandbox.estate.build import build_estate

    estate = build_estate(now=datetime(2026, 11, 23, tzinfo=timezone.utc), scale=0.2)
    schema = SchemaIndex()
    views, expected = [], []
    for c, s, table in estate.tables():
        name = TableName(c.name, s.name, table.name)
        schema.add(*name, [column.name for column in table.current_columns])
        if table.view_sql is not None:
            dialect = table.view_dialect or "athena"
            views.append(
                Statement(
                    sql=table.view_sql, catalog=c.name, schema=s.name, view=name, dialect=dialect
                )
            )
            expected.append(table)
    runs = [e for e in estate.executions.values() if e.state == "SUCCEEDED"]
    statements = [
        Statement(
            sql=e.query,
            catalog=e.catalog,
            schema=e.database,
            statement_type=e.statement_type,
            substatement_type=e.substatement_type,
        )
        for e in runs
    ]
    async with SqlWorkers(schema, pool=WorkerPool(1)) as workers:
        of_views = await workers.analyse_many(views)
        of_runs = await workers.analyse_many(statements)

    for view, analysis in zip(expected, of_views, strict=True):
        for truth, ways in ((view.column_sources, DIRECT), (view.column_bearings, INDIRECT)):
            traced = {
                o.name: {(*c.table, c.column) for c in o.sources if c.how in ways}
                for o in analysis.outputs or ()
            }
            assert traced == {name: set(columns) for name, columns in truth.items()}
        assert {read.table for read in analysis.reads} == set(view.reads)
    for run, analysis in zip(runs, of_runs, strict=True):
        assert {read.table for read in analysis.reads} == set(run.reads), run.query
        assert {analysis.target} - {None} == set(run.writes), run.query
        assert set(run.write_locations) <= set(analysis.locations)
