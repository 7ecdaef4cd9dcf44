"""Executions a second that lineage is derived from, and its work after the last one.

``distinct``: no two statements are alike; ``repeated``: a thousand shapes with other literals each
time; ``half``: both in turn. Each is a process of its own, which derives a workgroup's executions
as a run does, over 1,000 tables of 20 columns: main process and one worker for each core but one.
``to_csv_us`` is the main process's CPU for an execution between Athena's answer and bytes of CSV:
decoded, masked and named, encoded, compressed; ``here`` with the texts masked in a thread of it, as
it was before and is for small histories, ``apart`` with a process of its own for them.
``after_last_s`` is what holds the end of a run: from the last execution derived to all parts
written. ``read_again_per_s`` is the same history once more with the readings that the first has
kept, as by a run that continues an interrupted one.
"""

from __future__ import annotations

import asyncio
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncGenerator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.frame import parse, rounded, show
from benchmarks.peers.environment import ROOT
from benchmarks.quota_server.history import History
from benchmarks.quota_server.settings import Settings
from kada_athena_async.aws.athena import BATCH_MAX
from kada_athena_async.aws.wire import ExecutionBatch
from kada_athena_async.config import Config
from kada_athena_async.files import Files
from kada_athena_async.pipeline.lineage import Lineage
from kada_athena_async.pipeline.record_queue import Executed
from kada_athena_async.pipeline.transforms import Transforms, texts_of
from kada_athena_async.records import ColumnRecord, QueryRecord
from kada_athena_async.sinks.csv_format import encode
from kada_athena_async.sinks.journal import RunIntent
from kada_athena_async.sinks.part import as_member
from kada_athena_async.sinks.staging import Staging
from kada_athena_async.sources.query_history import record_of
from kada_athena_async.sql.execution_texts import ExecutionText, MaskedText, mask_texts
from kada_athena_async.sql.worker_pool import WorkerPool

AT = datetime(2026, 11, 1, tzinfo=timezone.utc)
SHAPES, TABLES, COLUMNS, BATCH = 1_000, 1_000, 20, 200
MODES = ("distinct", "repeated", "half")
_LETTERS = str.maketrans("0123456789", "abcdefghij")


def main() -> None:
    """Measure and print; with a mode and a number as arguments: one process's work."""
    if len(sys.argv) == 3 and sys.argv[1] in MODES:
        print(json.dumps(asyncio.run(derive(sys.argv[1], int(sys.argv[2])))))
        return

    options = parse(
        __doc__ or "",
        repeat=1,
        add=[
            ("--sizes", {"default": "20000", "help": "executions; up to 1000000"}),
            ("--modes", {"default": ",".join(MODES), "help": "which of the three"}),
        ],
    )
    sizes = [300] if options.is_quick else [int(size) for size in options.more.sizes.split(",")]
    figures: dict[str, object] = {
        mode: {str(size): _in_process(mode, size) for size in sizes}
        for mode in options.more.modes.split(",")
    }
    number = 300 if options.is_quick else 6_000
    figures["to_csv_us"] = {
        "here": rounded(asyncio.run(to_csv(number, apart=False))),
        "apart": rounded(asyncio.run(to_csv(number, apart=True))),
    }
    show("lineage", options, figures)


def _in_process(mode: str, size: int) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.bench_lineage", mode, str(size)]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return figures


async def to_csv(number: int, *, apart: bool) -> float:
    """Microseconds of CPU of this process for an execution, from the answer's bytes to CSV's."""
    history = History(Settings(executions=number, distinct_share=0.942), time.time())
    ids = history.ids("primary", 0, number)
    pages = [_answer(history, ids[start : start + BATCH_MAX]) for start in range(0, number, 50)]
    transforms = Transforms(mask=True)
    decoder = msgspec.json.Decoder(ExecutionBatch)
    async with WorkerPool() as pool:
        if apart:
            await _masked(pool, [ExecutionText("SELECT 1", *[None] * 2, False, *[None] * 3)] * 400)
        own_pool = pool if apart else WorkerPool()  # that nobody has entered: threads mask
        begun = time.process_time()
        for page in pages:
            executions = decoder.decode(page).query_executions
            records = [record_of("athena", one, workgroup="primary") for one in executions]
            masked = await _masked(own_pool, texts_of(records))
            queries, _ = transforms.queries(records, masked)
            as_member(encode("databaselog", queries), compress=True)
        return (time.process_time() - begun) / number * 1e6


async def _masked(pool: WorkerPool, texts: list[ExecutionText]) -> list[MaskedText]:
    return await pool.mask(texts, mask=True, keep_s3_locations=False)


def _answer(history: History, ids: list[str]) -> bytes:
    documents, _ = history.page(ids)
    return f'{{"QueryExecutions":[{",".join(documents)}]}}'.encode()


async def derive(mode: str, size: int) -> dict[str, Any]:
    """Derive a history twice; the figures."""
    with tempfile.TemporaryDirectory() as folder:
        staging = await _staging(Path(folder))
        config = _config(folder)
        async with WorkerPool() as pool:
            await pool.anticipate()
            first = await _once(staging, config, pool, mode, size)
            await staging.discard("derive")
            again = await _once(staging, config, pool, mode, size)

    main_process = resource.getrusage(resource.RUSAGE_SELF)
    workers = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        **first,
        "read_again_per_s": again["per_s"],
        "main_peak_rss_mb": rounded(main_process.ru_maxrss / 1024),
        "worker_peak_rss_mb": rounded(workers.ru_maxrss / 1024),
    }


async def _once(
    staging: Staging, config: Config, pool: WorkerPool, mode: str, size: int
) -> dict[str, Any]:
    masking_s = masking_cpu = 0.0

    async def batches() -> AsyncGenerator[list[Executed], None]:
        nonlocal masking_s, masking_cpu
        for start in range(0, size, BATCH):
            begun, begun_cpu = time.perf_counter(), time.thread_time()
            records = [_execution(n, mode) for n in range(start, min(size, start + BATCH))]
            texts = mask_texts(texts_of(records), True, False)
            masked = [*map(Executed, transforms.queries(records, texts)[0])]
            masking_s += time.perf_counter() - begun
            masking_cpu += time.thread_time() - begun_cpu
            yield masked

    transforms = Transforms(mask=True)
    begun, begun_cpu = time.perf_counter(), time.process_time()
    async with Lineage("derive", config, staging, pool) as lineage:
        await lineage.learn(staging.sealed()["metadata"].parts)
        await lineage.workgroup(0, batches(), lambda: None)
        derived, derived_cpu = time.perf_counter(), time.process_time()
        await lineage.finish("linkages")
        await lineage.finish("usage")
        ended = time.perf_counter()

    return {
        "per_s": rounded(size / (derived - begun - masking_s)),
        "main_cpu_us": rounded((derived_cpu - begun_cpu - masking_cpu) / size * 1e6),
        "after_last_s": rounded(ended - derived),
        "rows": dict(lineage.rows),
    }


async def _staging(place: Path) -> Staging:
    intent = RunIntent(
        run_id="lineage",
        name="athena",
        start=AT,
        end=AT + timedelta(days=1),
        hwm=None,
        manages_hwm=False,
        compress=True,
        config_digest="",
        plan_digest="",
        started_at=AT,
    )
    staging = await Staging.create(place, intent, Files())
    async with staging.part("metadata", "metadata_columns") as part:
        for n in range(TABLES):
            name = f"object_{n:06d}"
            await part.write(
                [
                    ColumnRecord(
                        *("athena", "AwsDataCatalog", "sales", name, f"column_{c:04d}", c),
                        *("varchar", "string", True, False, None),
                    )
                    for c in range(COLUMNS)
                ]
            )
    await staging.seal("metadata", {})
    return staging


def _config(folder: str) -> Config:
    return Config.model_validate(
        {"server": "athena", "bucket": "s3://bkt/x", "region": "eu-west-1", "output_path": folder}
    )


def _execution(number: int, mode: str) -> QueryRecord:
    is_repeated = mode == "repeated" or (mode == "half" and number % 2 == 1)
    shape = number % SHAPES if is_repeated else number
    own = f"{'r' if is_repeated else 'd'}{shape:07d}".translate(_LETTERS)
    table = f"object_{shape % TABLES:06d}"
    other = f"object_{(shape + 7) % TABLES:06d}"
    sql = (
        f"INSERT INTO object_000001 SELECT o.column_0001, count(*) AS n_{own}, max(c.column_0003) "
        f"FROM {table} o JOIN {other} c ON o.column_0002 = c.column_0002 "
        f"WHERE o.column_0004 BETWEEN {number} AND {number + 5} AND c.column_0005 = 'x{number}' "
        "GROUP BY 1"
        if shape % 3 == 0
        else f"SELECT column_0001, column_0002 AS s_{own} FROM {table} WHERE column_0003 IN "
        f"({number}, {number + 1}) ORDER BY 1 LIMIT 100"
    )
    fields: dict[str, Any] = dict.fromkeys(QueryRecord._fields)
    at = AT + timedelta(seconds=number % 86_400)
    fields |= {
        "server": "athena",
        "query_id": f"{number:08x}-0000-4000-8000-000000000000",
        "user": "athena_workgroup_primary",
        "workgroup": "primary",
        "catalog": "AwsDataCatalog",
        "schema": "sales",
        "statement_type": "DML",
        "query": sql,
        "status": "SUCCEEDED",
        "submitted_at": at,
        "completed_at": at,
        "scanned_bytes": number,
    }
    return QueryRecord(**fields)


if __name__ == "__main__":
    main()
