"""Usage: counted by table, day, user and way, in bounded memory, no byte lost."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path
from random import Random

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


def counted(pairs: list[tuple[QueryRecord, list[EventRecord]]], folder: Path) -> list[UsageRecord]:
    path = folder / "usage"
    usage = TableUsage(path)
    for record, events in pairs:
        usage.add(uses_of([record], events))
    rows = [row for batch in usage.rows() for row in batch]
    usage.close()
    path.unlink()
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


def test_sums_are_exact_whatever_the_order(tmp_path: Path) -> None:
    """Rows stand in the order of their names, bytes may exceed 64 bits."""
    rng = Random(11)
    pairs = []
    for number in range(300):
        record = execution(
            f"q{number}",
            fingerprint=f"f{rng.randrange(9)}",
            completed_at=rng.choice([None, AT + timedelta(hours=rng.randrange(60))]),
            scanned_bytes=2**62 + rng.randrange(1000),
        )
        pairs.append((record, [event(record, "READ", rng.choice(["x", "\uffff", "\U0001f600"]))]))

    rows = counted(pairs, tmp_path)

    assert rows == counted(pairs[::-1], tmp_path)
    assert [(r.table, r.usage_date or "") for r in rows] == sorted(
        (r.table, r.usage_date or "") for r in rows
    )
    assert sum(r.scanned_bytes for r in rows) == sum(p[0].scanned_bytes or 0 for p in pairs)
    assert sum(r.executions for r in rows) == 300
    for row in rows:
        of = [r for r, e in pairs if e[0].table == row.table and day(r) == row.usage_date]
        assert row.distinct_statements == len({r.fingerprint for r in of})
        assert row.last_at == max((r.completed_at for r in of if r.completed_at), default=None)
    assert [*tmp_path.iterdir()] == []  # nothing beside the file itself


def test_tables_that_come_back_after_many_others_are_counted_on(tmp_path: Path) -> None:
    """No table is forgotten, however many there are."""
    many = execution("q0", scanned_bytes=0)
    tables = [event(many, "READ", f"t{number}") for number in range(5_000)]
    again = execution("q1", scanned_bytes=0, fingerprint="g")

    rows = counted([(many, tables), (again, [event(again, "READ", "t0")])], tmp_path)

    assert len(rows) == 5_000
    assert [(r.table, r.executions, r.distinct_statements) for r in rows][:2] == [
        ("t0", 2, 2),
        ("t1", 1, 1),
    ]


def day(record: QueryRecord) -> str | None:
    return record.completed_at and f"{record.completed_at:%Y-%m-%d}"
