"""Lineage that follows the history is what the finished parts say, whatever happens meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from uuid import uuid4

import anyio
import pytest

from kada_athena_async.config import Config
from kada_athena_async.files import Files
from kada_athena_async.hwm import Window
from kada_athena_async.hwm.window import WorkgroupWindow
from kada_athena_async.inventory import CatalogFacts, WorkgroupFacts
from kada_athena_async.pipeline import record_queue
from kada_athena_async.pipeline.derive import DeriveExtraction
from kada_athena_async.pipeline.record_queue import Executed, RecordQueue
from kada_athena_async.pipeline.transforms import Transforms, texts_of
from kada_athena_async.plan import HistoryUnit, MetadataUnit, Unit
from kada_athena_async.records import ColumnRecord, QueryRecord, ViewRecord
from kada_athena_async.report import UnitOutcome
from kada_athena_async.sinks.journal import RunIntent
from kada_athena_async.sinks.staging import Staging
from kada_athena_async.sql.execution_texts import mask_texts
from kada_athena_async.sql.worker import Worker
from kada_athena_async.sql.worker_pool import WorkerPool
from kada_athena_async.staged_records import ACCESSED, IMMEDIATES, AccessedRecord

NOW = datetime(2026, 11, 1, 12, tzinfo=timezone.utc)
GLUE = "AwsDataCatalog"
MANY_VIEWS = 70
"""Views that are parsed before all schemas are listed."""

METADATA, MORE_METADATA = "metadata/AwsDataCatalog/0000", "metadata/AwsDataCatalog/0001"
HISTORY = ("history/etl", "history/adhoc")

# Newest first, as Athena lists them: what EXECUTE runs is prepared further down.
ETL = [
    "INSERT INTO daily SELECT id, total FROM orders WHERE day = DATE '2026-11-01'",
    "EXECUTE p USING 5",
    "CREATE TABLE daily_copy AS SELECT * FROM orders",
    "EXECUTE IMMEDIATE 'INSERT INTO daily SELECT id, total FROM orders WHERE id = 7'",
    "PREPARE p FROM INSERT INTO weekly SELECT id, ? FROM orders",
    "EXECUTE unheard",
    'SELECT "\ud800", total FROM orders',
    "SELECT 'na\u00efve\x00' FROM orders",
    "",
]
ADHOC = ["SELECT count(*) FROM orders", "EXECUTE p", "SELECT ("] * 2


def execution(workgroup: str, number: int, sql: str, **changed: Any) -> QueryRecord:
    at = NOW - timedelta(minutes=number, microseconds=123_456)
    fields: dict[str, Any] = dict.fromkeys(QueryRecord._fields)
    fields |= {
        "server": "srv",
        "query_id": f"{workgroup}-{number}",
        "user": f"athena_workgroup_{workgroup}",
        "workgroup": workgroup,
        "catalog": "",
        "schema": "sales",
        "statement_type": "DML",
        "query": sql,
        "status": "SUCCEEDED",
        "submitted_at": at,
        "completed_at": at,
        "scanned_bytes": 1_000,
        **changed,
    }
    return QueryRecord(**fields)


def columns_of(schema: str, *names: str) -> list[ColumnRecord]:
    """The columns of the table ``orders`` of *schema*."""
    return [
        ColumnRecord("srv", GLUE, schema, "orders", name, n, "int", None, True, False, None)
        for n, name in enumerate(names, 1)
    ]


Derived = tuple[dict[str, int], dict[str, list[bytes]], Any]


class CountingPool(WorkerPool):
    """Counts how often a process is asked to parse."""

    def __init__(self) -> None:
        super().__init__(1)
        self.times_asked = 0
        self.is_asked = anyio.Event()

    async def take(self) -> Worker | None:
        self.times_asked += 1
        self.is_asked.set()
        return await super().take()


class World:
    """A run's staging directory with its metadata, and its derivation."""

    def __init__(self, staging: Staging, config: Config, more: Sequence[str]) -> None:
        self.staging, self.config = staging, config
        self.transforms = Transforms(mask=config.mask)
        catalog = CatalogFacts(name=GLUE)
        self.more = [
            MetadataUnit(unit_id=f"metadata/{GLUE}/{n:04}", catalog=catalog, schemas=(schema,))
            for n, schema in enumerate(more, 1)
        ]
        units: list[Unit] = [
            MetadataUnit(unit_id=METADATA, catalog=catalog, schemas=("sales",)),
            *self.more,
            *(
                HistoryUnit(
                    unit_id=unit_id,
                    workgroup=WorkgroupFacts(name=unit_id),
                    workgroup_window=WorkgroupWindow(
                        workgroup=unit_id,
                        window=Window(NOW - timedelta(days=1), NOW),
                        previous=None,
                        listed_since=NOW,
                    ),
                )
                for unit_id in HISTORY
            ),
        ]
        self.told: list[Any] = []
        self.pool = CountingPool()
        self.derivation = DeriveExtraction(
            unit_id="derive",
            units=units,
            config=config,
            staging=staging,
            notify=self.told.append,
            pool=self.pool,
        )

    @classmethod
    async def begin(cls, place: Path, *, mask: bool, more: Sequence[str] = ()) -> World:
        intent = RunIntent(
            run_id=f"run-{uuid4()}",
            name="athena",
            start=NOW,
            end=NOW,
            hwm=None,
            manages_hwm=False,
            compress=True,
            config_digest="",
            plan_digest="",
            started_at=NOW,
        )
        config = Config.model_validate(
            {
                "server": "srv",
                "bucket": "s3://bkt/x",
                "region": "eu-west-1",
                "output_path": str(place),
                "mask": mask,
            }
        )
        Files().make_dir(place)
        return cls(await Staging.create(place, intent, Files()), config, more)

    async def write_metadata(self, unit_id: str = METADATA, count: int = 1) -> None:
        """Seal a unit of metadata that has a table and *count* views of it."""
        columns = columns_of("sales", "id", "total", "day")
        views = [
            ViewRecord("srv", GLUE, "sales", f"v{n}", "SELECT id FROM orders", "athena")
            for n in range(count)
        ]
        async with self.staging.part(unit_id, "metadata_columns") as part:
            await part.write(columns)
        async with self.staging.part(unit_id, "metadata_views") as part:
            await part.write(views)
        await self.staging.seal(unit_id, {})

    async def write(
        self, unit_id: str, statements: Sequence[str], *, take: bool, **changed: Any
    ) -> None:
        """Write the parts of a history unit, and hand over what is written if *take* is true."""
        name = unit_id.rpartition("/")[2]
        raw = [execution(name, n, sql, **changed) for n, sql in enumerate(statements)]
        masked = mask_texts(texts_of(raw), self.config.mask, False)
        records, inner = self.transforms.queries(raw, masked)
        # What Athena says of every other one: once as we do, once another table.
        accessed = [
            AccessedRecord(record.query_id, ((None, "sales", ("orders", "lines")[n % 2]),))
            for n, record in enumerate(records[::2])
        ]
        parts: dict[str, list[Any]] = {
            "databaselog": records,
            IMMEDIATES: inner,
            ACCESSED: accessed,
        }
        for kind, written in parts.items():
            async with self.staging.part(unit_id, kind) as part:
                await part.write(written)
        if take:
            for first in range(0, len(records), 2):
                batch = records[first : first + 2]
                ids = {record.query_id for record in batch}
                found = {
                    kind: [record for record in written if record.query_id in ids]
                    for kind, written in parts.items()
                }
                await self.derivation.take(unit_id, found)
        await self.staging.seal(unit_id, {})

    def end(self, unit_id: str, outcome: Any = "done") -> None:
        self.derivation.ended(UnitOutcome(unit_id=unit_id, outcome=outcome))

    async def finish(self) -> Derived:
        """Rows and bytes of each kind that is derived, when all units have ended, and counts."""
        facts = await self.derivation.run()
        await self.derivation.close()
        await self.staging.seal("derive", {})
        parts = self.staging.sealed()["derive"].parts
        found = {
            kind: [
                part.path.read_bytes()[part.within.start : part.within.stop]
                for part in parts
                if part.kind == kind
            ]
            for kind in facts.rows
        }
        return dict(facts.rows), found, facts.reconciliation


async def derived(
    place: Path,
    outcome: str,
    *,
    mask: bool,
    adhoc: str = "done",
    include_adhoc: bool = True,
    columns_first: bool = True,
) -> Derived:
    """Rows derived where the history units end as *outcome* says."""
    world = await World.begin(place, mask=mask)
    async with anyio.create_task_group() as group:
        group.start_soon(world.derivation.follow)
        await world.write_metadata()
        if columns_first:
            world.end(METADATA)
        await world.write(HISTORY[0], ETL, take=outcome == "done")
        await world.write(HISTORY[1], ADHOC if include_adhoc else [], take=outcome == "done")
        if adhoc == "skipped":
            await world.staging.discard(HISTORY[1])
            await world.staging.seal(HISTORY[1], {})
        if not columns_first:
            world.end(METADATA)
        world.end(HISTORY[0], outcome)
        world.end(HISTORY[1], adhoc)

    return await world.finish()


@pytest.mark.parametrize("mask", [True, False])
async def test_following_gives_the_bytes_that_the_parts_give(tmp_path: Path, mask: bool) -> None:
    """Handed over while it comes or read back by the run that continues: the same extracts."""
    followed = await derived(tmp_path / "followed", "done", mask=mask)
    resumed = await derived(tmp_path / "resumed", "resumed", mask=mask, adhoc="resumed")

    assert followed == resumed
    rows, _, counts = followed
    assert rows == {"linkages": 8, "events": 13, "usage": 5}
    assert (counts["reads_compared"], counts["reads_agreed"], counts["execute"]) == (8, 2, 3)


async def test_a_workgroup_that_is_left_out_after_all_leaves_no_trace(tmp_path: Path) -> None:
    """Rows of executions whose unit was then skipped are derived anew without them."""
    dropped = await derived(tmp_path / "dropped", "done", mask=True, adhoc="skipped")
    never = await derived(tmp_path / "never", "done", mask=True, include_adhoc=False)

    assert dropped == never


@pytest.mark.parametrize("order", [(METADATA, MORE_METADATA), (MORE_METADATA, METADATA)])
async def test_views_are_read_while_other_schemas_are_listed(
    tmp_path: Path, order: tuple[str, str]
) -> None:
    """The parser has answered for the views of a unit before the last unit ends; asked once."""
    world = await World.begin(tmp_path / "ahead", mask=True, more=("stock",))
    async with anyio.create_task_group() as group:
        group.start_soon(world.derivation.follow)
        await world.write_metadata(order[0], MANY_VIEWS)
        await world.staging.seal(order[1], {})
        world.derivation.ended(UnitOutcome(unit_id=order[0], outcome="done"))
        with anyio.fail_after(60):
            await world.pool.is_asked.wait()

        world.derivation.ended(UnitOutcome(unit_id=order[1], outcome="done"))
        for unit_id in HISTORY:
            await world.write(unit_id, [], take=True)
            world.end(unit_id)

    rows, _, _ = await world.finish()

    assert rows["linkages"] == MANY_VIEWS
    assert world.pool.times_asked == 1


async def test_schemas_that_differ_in_case_count_in_plan_order(tmp_path: Path) -> None:
    """What is derived is the same whichever unit of such schemas ends first."""

    async def derived_after(first: int, then: int) -> Derived:
        world = await World.begin(tmp_path / str(first), mask=True, more=("stock", "Stock"))
        async with anyio.create_task_group() as group:
            group.start_soon(world.derivation.follow)
            await world.write_metadata(count=MANY_VIEWS)
            for unit in world.more:
                async with world.staging.part(unit.unit_id, "metadata_columns") as part:
                    await part.write(columns_of(unit.schemas[0], "id", unit.schemas[0]))
                await world.staging.seal(unit.unit_id, {})
            world.derivation.ended(UnitOutcome(unit_id=METADATA, outcome="done"))
            await world.pool.is_asked.wait()
            for index in (first, then):
                ended = UnitOutcome(unit_id=world.more[index].unit_id, outcome="done")
                world.derivation.ended(ended)
            for unit_id in HISTORY:
                await world.write(unit_id, ["INSERT INTO x SELECT * FROM stock.orders"], take=True)
                world.end(unit_id)

        return await world.finish()

    found = await derived_after(0, 1)

    assert found[0]["events"]
    assert await derived_after(1, 0) == found


async def test_a_unit_that_fails_ends_the_following(tmp_path: Path) -> None:
    """Nothing waits for units whose columns or executions will never come."""
    world = await World.begin(tmp_path / "failed", mask=True)
    world.end(METADATA, "failed")

    await world.derivation.follow()
    await world.derivation.close()


async def test_executions_wait_on_disk_for_the_columns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However much comes before the columns are known, all of it is derived, in order."""
    expected = await derived(tmp_path / "held", "done", mask=True)
    monkeypatch.setattr(record_queue, "HELD_CHARS", 60)

    assert await derived(tmp_path / "spilled", "done", mask=True, columns_first=False) == expected


async def test_a_queue_gives_back_what_it_was_given(tmp_path: Path) -> None:
    """In order, whether it was held or lay on disk, and whoever was faster; then nothing."""
    queue = RecordQueue(tmp_path)
    long = "x" * (record_queue.HELD_CHARS // 3)
    records = [
        Executed(execution("wg", number, long), ((None, "s", f"t{number}"),))
        for number in range(20)
    ]
    found: list[Executed] = []
    for number, record in enumerate(records):
        await queue.put([record])
        if number in (5, 6, 15):
            found += await queue.get()
    queue.end()
    while batch := await queue.get():
        found += batch

    assert found == records
    assert Files().names(tmp_path) == []
    queue.close()
