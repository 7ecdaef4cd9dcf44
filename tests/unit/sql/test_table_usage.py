"""Usage: counted by table, day, user and way, in bounded memory, no byte lost."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path
from random import Random

import pytest

from kada_athena_async.records import EventRecord, QueryRecord, UsageRecord
from kada_athena_async.sql.table_usage import TableUsage, uses_of

AT = datetime(2026, 11, 23, 23, 59, tzinfo=timezone.utc)


def execution(query_id: str, **changes: object) -> QueryRecord:
    empty = dict.fromkeys(QueryRecord._fields)
    fields = {
        "server": "srv",
        "query_id": query_id,
        "user": "athena_workgroup_etl",
        "status": "SUCCEEDED",
        "completed_at": AT,
        "scanned_bytes": 100,
        "fingerprint": "f",
        **changes,
    }
    return QueryRecord(**{**empty, **fields})  # type: ignore[arg-type]


def event(of: QueryRecord, what: str, table: str, catalog: str | None = "c") -> EventRecord:
    schema = None if catalog is None else "s"
    at = of.completed_at
    return EventRecord("srv", "e", of.query_id, what, of.user, catalog, schema, table, None, at)


def counted(
    pairs: list[tuple[QueryRecord, list[EventRecord]]], folder: Path, max_held: int = 100
) -> list[UsageRecord]:
    usage = TableUsage(folder, max_held=max_held)
    for record, events in pairs:
        usage.add(uses_of([record], events))
    rows = [row for batch in usage.rows() for row in batch]
    usage.close()
    return rows


def test_bytes_are_shared_by_the_tables_that_were_read(tmp_path: Path) -> None:
    """Evenly and wholly; what is written to has none, and neither DDL nor a location counts."""
    load = execution("q", scanned_bytes=100)
    events = [event(load, "READ", name) for name in "xyz"]
    events += [event(load, "READ", "x"), event(load, "WRITE", "t"), event(load, "CREATE", "t")]
    events += [event(load, "WRITE", "s3://bucket/", catalog=None)]

    rows = counted([(load, events)], tmp_path)

    assert {(r.event_type, r.table): r.scanned_bytes for r in rows} == {
        ("READ", "x"): 34,
        ("READ", "y"): 33,
        ("READ", "z"): 33,
        ("WRITE", "t"): 0,
    }
    assert {r.executions for r in rows} == {1}


def test_a_day_and_user_is_one_row(tmp_path: Path) -> None:
    """Days are UTC's; failed executions and distinct statements are counted apart."""
    records = [
        execution("q1"),
        execution("q2", completed_at=AT + timedelta(seconds=30), scanned_bytes=None),
        execution("q3", fingerprint="g", status="FAILED", completed_at=AT - timedelta(hours=1)),
        execution("q4", fingerprint=None),
        execution("q5", completed_at=AT + timedelta(minutes=1)),
        execution("q6", user="athena_workgroup_bi"),
    ]

    rows = counted([(r, [event(r, "READ", "x")]) for r in records], tmp_path)

    day, key = "2026-11-23", ("srv", "c", "s", "x")
    etl, bi = "athena_workgroup_etl", "athena_workgroup_bi"
    last = AT + timedelta(seconds=30)
    assert rows == [
        UsageRecord(*key, day, bi, "READ", 1, 0, 1, 100, AT),
        UsageRecord(*key, day, etl, "READ", 4, 1, 3, 300, last),
        UsageRecord(*key, "2026-11-24", etl, "READ", 1, 0, 1, 100, AT + timedelta(minutes=1)),
    ]


@pytest.mark.parametrize("max_held", [1, 7])
def test_what_is_put_aside_changes_nothing(tmp_path: Path, max_held: int) -> None:
    """Rows, order and counts are the same as if all were held; no file remains."""
    rng = Random(11)
    pairs = []
    for number in range(300):
        record = execution(
            f"q{number}",
            fingerprint=f"f{rng.randrange(9)}",
            completed_at=AT + timedelta(hours=rng.randrange(60)),
            scanned_bytes=rng.randrange(1000),
        )
        pairs.append((record, [event(record, "READ", rng.choice("xyz"))]))

    assert counted(pairs, tmp_path, max_held) == counted(pairs, tmp_path, 10_000)
    assert [*tmp_path.iterdir()] == []
