"""Records without files: the same as a run writes, bounded, and gone when the reader is."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import anyio
import pytest

from kada_athena_async import ConfigError, Extractor
from kada_athena_async.errors import AccessDeniedError, CredentialsError
from kada_athena_async.events import Event, UnitFinished
from kada_athena_async.sandbox import Sandbox
from kada_athena_async.sandbox.cloudtrail import event_at
from kada_athena_async.sinks.csv_format import encode
from tests.conftest import Extracts
from tests.kit.true_tags import true_tags

Make = Callable[..., Extractor]
START = "2000-01-01 00:00:00"

READERS: dict[str, Callable[[Extractor], AsyncGenerator[list[Any], None]]] = {
    "metadata_catalogs": Extractor.catalogs,
    "metadata_schemas": Extractor.schemas,
    "metadata_tables": Extractor.tables,
    "metadata_columns": Extractor.columns,
    "metadata_views": Extractor.views,
    "users": Extractor.users,
    "databaselog": lambda extractor: extractor.executions(START, an_hour_ago()),
}


def an_hour_ago() -> datetime:
    """Before all statements of the tests' own runs, which come into the history one by one."""
    return datetime.now(timezone.utc) - timedelta(hours=1)


async def all_of(batches: AsyncGenerator[list[Any], None]) -> list[Any]:
    async with aclosing(batches):
        return [record async for batch in batches for record in batch]


@pytest.mark.parametrize("source", ["api", "auto"])
async def test_records_are_those_that_a_run_writes(make: Make, tmp_path: Path, source: str) -> None:
    """Of each kind, to the last field, masked alike; and nothing is written for it."""
    extractor = make(metadata_source=source)
    end = an_hour_ago()
    readers = {**READERS, "databaselog": lambda extractor: extractor.executions(START, end)}
    read = {kind: await all_of(reader(extractor)) for kind, reader in readers.items()}
    untouched = not (tmp_path / "out").exists()

    report = await extractor.run(start_hwm=START, end_hwm=end)

    assert report.committed
    assert untouched
    for kind, records in read.items():
        (path,) = (tmp_path / "out").glob(f"athena_{kind}_*.gz")
        written = Extracts.read(path)
        assert len(records) == len(written), kind
        lines = encode(kind, records).decode().splitlines(keepends=True)
        assert records, kind
        assert sorted(str(r.server) for r in records) == sorted(r["server"] for r in written)
        assert len(lines) >= len(records)
        assert keys(kind, records) == sorted(tuple(r[c] for c in COLUMNS[kind]) for r in written)


COLUMNS = {
    "metadata_catalogs": ("catalog", "catalog_type"),
    "metadata_schemas": ("catalog", "schema"),
    "metadata_tables": ("catalog", "schema", "table", "table_type", "found_by"),
    "metadata_columns": ("catalog", "schema", "table", "column", "ordinal_position", "data_type"),
    "metadata_views": ("catalog", "schema", "view", "definition"),
    "users": ("user", "workgroup"),
    "databaselog": ("query_id", "query", "status", "fingerprint"),
}
"""Fields that are compared: what names a record, and what transforms make of it."""


def keys(kind: str, records: list[Any]) -> list[tuple[str, ...]]:
    return sorted(tuple(str(getattr(r, c) or "") for c in COLUMNS[kind]) for r in records)


async def test_principals_of_a_window_are_the_events_that_there_are(
    make: Make, sandbox: Sandbox
) -> None:
    """Each execution that was submitted in it, once, but those that CloudTrail does not show."""
    now = datetime.now(timezone.utc)
    start, end = now - timedelta(days=21), now - timedelta(days=1)
    records = await all_of(make(attribute_users="cloudtrail").principals(start, end))

    wanted = [
        e.query_execution_id
        for e in sandbox.estate.executions.values()
        if start <= e.submitted_at.replace(microsecond=0) < end and event_at(e)
    ]
    assert len(wanted) > 10
    assert sorted(r.query_id for r in records) == sorted(wanted)


async def test_principals_come_from_the_system_table_too(make: Make, sandbox: Sandbox) -> None:
    """It is read by whole days; what lies outside the window is left out."""
    now = datetime.now(timezone.utc)
    start, end = now - timedelta(days=21), now - timedelta(days=1)
    sandbox.estate.system_table_lag = timedelta()
    try:
        records = await all_of(make(attribute_users="system_table").principals(start, end))
    finally:
        sandbox.estate.system_table_lag = None

    assert len(records) > 10
    assert {r.source for r in records} == {"system_table"}
    assert all(r.event_time and start <= r.event_time < end for r in records)


async def test_tags_are_those_of_lake_formation(make: Make, sandbox: Sandbox) -> None:
    """Of schemas, tables and columns, each once."""
    records = await all_of(make(lake_formation_tags=True).tags())

    found = Counter((r.catalog, r.schema, r.table or "", r.column or "", *r[5:7]) for r in records)
    assert found
    assert found == Counter(tag[:6] for tag in true_tags(sandbox.estate))


async def test_what_the_configuration_leaves_off_is_refused_with_the_field(make: Make) -> None:
    """Before anything is asked of AWS."""
    with pytest.raises(ConfigError, match='attribute_users = "off": write "cloudtrail"'):
        make().principals(START)

    with pytest.raises(ConfigError, match="lake_formation_tags = false: write true"):
        make().tags()


async def test_a_denial_of_what_was_asked_for_is_an_error(make: Make, sandbox: Sandbox) -> None:
    """A run goes on without principals; a reader of nothing else may not take none for all."""
    fault = sandbox.faults.add("access_denied", "cloudtrail:LookupEvents")
    try:
        with pytest.raises(AccessDeniedError, match="cloudtrail:LookupEvents"):
            await all_of(make(attribute_users="cloudtrail").principals(START))
    finally:
        sandbox.faults.clear(fault)


async def test_executions_of_a_window(make: Make, sandbox: Sandbox) -> None:
    """Those that ended in it, each once, whatever was read before."""
    before = an_hour_ago()
    ended = sorted(
        (at, e.query_execution_id)
        for e in sandbox.estate.executions.values()
        if e.is_final and (at := e.completed_at or e.submitted_at) < before
    )
    first, last = (ended[len(ended) // 3][0], ended[2 * len(ended) // 3][0])
    first, last = first.replace(microsecond=0), last.replace(microsecond=0)
    extractor = make()

    records = await all_of(extractor.executions(first, f"{last:%Y-%m-%d %H:%M:%S}"))

    wanted = [query_id for at, query_id in ended if first <= at < last]
    assert len(wanted) > 20
    assert sorted(r.query_id for r in records) == sorted(wanted)


async def test_executions_come_from_the_source_that_is_configured(
    make: Make, sandbox: Sandbox
) -> None:
    """The system table gives the same ones, by a statement for each workgroup."""
    now = datetime.now(timezone.utc)
    start, end = now - timedelta(days=14), now - timedelta(days=1)
    by_api = await all_of(make().executions(start, end))
    before = sandbox.calls["athena:StartQueryExecution"]
    sandbox.estate.system_table_lag = timedelta()
    try:
        by_table = await all_of(make(history_source="system_table").executions(start, end))
    finally:
        sandbox.estate.system_table_lag = None

    assert sandbox.calls["athena:StartQueryExecution"] > before + len({r.workgroup for r in by_api})
    assert len(by_api) > 10
    assert keys("databaselog", by_table) == keys("databaselog", by_api)


async def test_executions_by_a_system_table_that_is_off_are_refused(make: Make) -> None:
    """By the field that asks for it; with ``auto`` the API stands in."""
    with pytest.raises(ConfigError, match='history_source = "system_table": system tables are off'):
        await all_of(make(history_source="system_table").executions(START))

    assert await all_of(make(history_source="auto").executions(START))


@pytest.mark.parametrize("kind", ["metadata_columns", "databaselog"])
async def test_a_reader_may_break_off(make: Make, kind: str) -> None:
    """At once, in the middle: the fixture sees that no task is left, pytest that no socket is."""
    async with aclosing(READERS[kind](make(metadata_source="auto"))) as batches:
        async for batch in batches:
            assert batch
            break


async def test_a_reader_may_be_cancelled(make: Make) -> None:
    """By a timeout around it, or as a task; and the same extractor reads again."""
    extractor = make()
    begun = asyncio.Event()

    async def read() -> None:
        async with aclosing(extractor.columns()) as batches:
            async for _ in batches:
                begun.set()
                await asyncio.sleep(3600)

    task = asyncio.create_task(read())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    with anyio.move_on_after(0.01) as scope:
        await read()

    assert scope.cancelled_caught
    assert await all_of(extractor.catalogs())


async def test_what_may_not_be_read_ends_it(make: Make, sandbox: Sandbox) -> None:
    """With the error that says which right is missing."""
    key = sandbox.add_user("nobody", policy={"Version": "2012-10-17", "Statement": []})
    rightless = {"key": key.access_key_id, "secret": key.secret, "catalogs": ["AwsDataCatalog"]}

    with pytest.raises(AccessDeniedError) as denied:
        await all_of(make(**rightless).executions(START))

    with pytest.raises(CredentialsError):
        await all_of(make(secret="wrong" * 8).tables())

    assert denied.value.action == "athena:ListWorkGroups"


async def test_what_may_not_be_read_is_left_out_on_demand(make: Make, sandbox: Sandbox) -> None:
    """The others come, and the observers are told."""
    fault = sandbox.faults.add(
        "access_denied", "athena:ListQueryExecutions", where={"workgroup": "primary"}
    )
    events: list[Event] = []

    records = await all_of(make(on_error="skip", observers=[events.append]).executions(START))
    sandbox.faults.clear(fault)

    skipped = [e for e in events if isinstance(e, UnitFinished) and e.outcome == "skipped"]
    assert [unit.unit_id for unit in skipped] == ["history/primary"]
    assert records
    assert not [r for r in records if r.workgroup == "primary"]


def test_a_time_that_is_none_is_refused_at_once(make: Make) -> None:
    """Before anything is iterated."""
    with pytest.raises(ConfigError, match="write YYYY-MM-DD HH:MM:SS in UTC"):
        make().executions("yesterday")


async def test_several_extractors_in_one_loop(make: Make, tmp_path: Path) -> None:
    """Runs and readings side by side, each with its own observers and files."""
    events: dict[str, list[Event]] = {"one": [], "two": []}
    names: list[str] = []
    reports = {}

    async def run(name: str) -> None:
        # The three together keep to the quota. Throttled, a run may end: its deadline is short, as
        # all waiting is on the fast clock.
        extractor = make(name=name, observers=[events[name].append], quota_share=0.3)
        async with extractor:
            reports[name] = await extractor.run(manage_hwm=True)

    async def read() -> None:
        names.extend(record.table for record in await all_of(make(quota_share=0.3).tables()))

    async with anyio.create_task_group() as group:
        group.start_soon(run, "one")
        group.start_soon(run, "two")
        group.start_soon(read)

    assert not [failed for report in reports.values() for failed in report.failed]
    assert [reports[name].committed for name in ("one", "two")] == [True, True]
    assert len(names) == reports["one"].rows["metadata_tables"]
    for name, told in events.items():
        finished = [e for e in told if type(e).__name__ == "RunFinished"]
        assert [e.run_id for e in finished] == [reports[name].run_id]
        assert (tmp_path / f"{name}_hwm.txt").exists()
