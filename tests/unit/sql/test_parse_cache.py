"""Parsed statements that are kept: asked for once over all runs of a window, and never wrong."""

from __future__ import annotations

import random
import shutil
import stat
import sys
import tracemalloc
from pathlib import Path

import pytest

from kada_athena_async.sql.analysis import Statement
from kada_athena_async.sql.names import Context, TableName
from kada_athena_async.sql.parse_cache import ParseCache, key_of
from kada_athena_async.sql.parse_request import ParsedQuery, ParseRequest, encoded
from kada_athena_async.sql.parse_request import Read as TableRead
from kada_athena_async.sql.relations import KnownTable, Output, Source
from kada_athena_async.sql.schema_index import SchemaIndex
from kada_athena_async.sql.worker_pool import WorkerPool
from kada_athena_async.sql.workers import SqlWorkers

ORDERS = TableName("AwsDataCatalog", "sales", "orders")
SOURCE = Source(ORDERS, "id", "aggregation", is_sure=False)
READINGS = [
    ParsedQuery((TableRead(ORDERS, None),), None, ("no_schema",), is_parsed=False),
    ParsedQuery(
        (TableRead(ORDERS, ("id", "Größe")),),
        (Output("n", frozenset((SOURCE, SOURCE._replace(how="sort")))), Output("", frozenset())),
        (),
        influences=(SOURCE,),
    ),
]
MANY = {
    key_of(ParseRequest(f"SELECT {n}", "trino", Context())): READINGS[n % 2] for n in range(400)
}


def kept(path: Path) -> ParseCache:
    readings = ParseCache(path)
    readings.keep({key: encoded(reading) for key, reading in MANY.items()})
    return readings


def test_readings_come_back_as_they_were(tmp_path: Path) -> None:
    """From memory or from the file, after a process that was killed too; for its owner alone."""
    path = tmp_path / "readings"
    before = kept(path)
    for name in ("readings", "readings-wal"):  # as SIGKILL leaves them
        shutil.copy2(tmp_path / name, tmp_path / name.replace("readings", "left"))
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600

    assert before.find(MANY) == MANY
    after = ParseCache(tmp_path / "left")
    assert after.find(MANY) == MANY
    assert after.find([b"x" * 16]) == {}
    before.close()
    after.close()


@pytest.mark.parametrize("seed", range(12))
def test_a_damaged_file_is_read_anew_and_never_wrongly(tmp_path: Path, seed: int) -> None:
    """Whatever is torn or overwritten, a reading is the one that was kept or is not known."""
    path = tmp_path / "readings"
    kept(path).close()
    chance = random.Random(seed)
    data = bytearray(path.read_bytes())
    if seed % 3 == 0:
        del data[chance.randrange(len(data)) :]
    for _ in range(seed):
        at = chance.randrange(len(data) or 1)
        data[at : at + 16] = chance.randbytes(16)
    path.write_bytes(data)

    readings = ParseCache(path)
    found = readings.find(MANY)
    assert found == {key: MANY[key] for key in found}
    readings.keep({key: encoded(reading) for key, reading in MANY.items()})
    again = readings.find(MANY)
    assert again == {key: MANY[key] for key in again}
    readings.close()


def test_a_directory_that_cannot_be_written_costs_only_the_memory_of_readings(
    tmp_path: Path,
) -> None:
    """Without a file the latest readings are held."""
    readings = kept(tmp_path / "nowhere" / "readings")

    assert readings.find(MANY) == MANY
    readings.close()


def test_a_reading_is_held_as_small_as_it_is_kept() -> None:
    """A thousand of the latest are held; decoded, one of a wide query takes a dozen kilobytes."""
    wide = ParsedQuery(
        (TableRead(ORDERS, tuple(f"column_{n}" for n in range(30))),),
        tuple(
            Output(f"output_{n}", frozenset((SOURCE._replace(column=f"column_{n}"),)))
            for n in range(30)
        ),
        (),
    )
    data = {key: encoded(wide) for key in MANY}
    readings = ParseCache()
    tracemalloc.start()
    for key, reading in data.items():
        readings.keep({key: reading})

    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held / len(data) < 1_000
    assert readings.find([key]) == {key: wide}


def test_a_question_is_named_by_all_that_its_answer_depends_on() -> None:
    """Text, dialect, context, and the tables with their columns."""
    table = KnownTable(ORDERS, ("a", "b"))
    one = ParseRequest("SELECT * FROM orders", "trino", Context("c", "s"), (table,))
    others = [
        one._replace(query="SELECT a FROM orders"),
        one._replace(dialect="hive"),
        one._replace(context=Context("c", "t")),
        one._replace(tables=()),
        one._replace(tables=(table._replace(columns=("a",)),)),
        one._replace(tables=(table._replace(name=ORDERS._replace(table="x")),)),
    ]

    assert len({key_of(question) for question in (one, *others)}) == 7
    assert key_of(one) == key_of(one._replace())


async def test_what_an_interrupted_run_has_read_is_not_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run that continues it needs no parser for the same statements; for others it does."""
    statements = [Statement(sql=f"SELECT c{n} FROM t{n}", schema="s") for n in range(70)]
    readings = ParseCache(tmp_path / "readings")
    async with SqlWorkers(SchemaIndex(), readings=readings, pool=WorkerPool(1)) as workers:
        first = await workers.analyse_many(statements)
    readings.close()

    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    readings = ParseCache(tmp_path / "readings")
    async with SqlWorkers(SchemaIndex(), readings=readings, pool=WorkerPool(1)) as workers:
        again = await workers.analyse_many(statements)
        [other] = await workers.analyse_many([Statement(sql="SELECT x FROM u", schema="s")])
    assert again == first
    assert all(analysis.is_parsed for analysis in again)
    assert other.problems == ("no_worker",)
    readings.close()

    # A guess is not kept: another run may have a parser.
    readings = ParseCache(tmp_path / "readings")
    monkeypatch.undo()
    async with SqlWorkers(SchemaIndex(), readings=readings, pool=WorkerPool(1)) as workers:
        [other] = await workers.analyse_many([Statement(sql="SELECT x FROM u", schema="s")])
    assert other.is_parsed
    readings.close()
