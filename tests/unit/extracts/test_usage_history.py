"""Use, users, unused tables and advice over several runs: what a plain look at the rows gives."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from kada_athena_async.errors import StateError
from kada_athena_async.extracts.advice import REMEDIES, Finding, advice
from kada_athena_async.extracts.executions import executions
from kada_athena_async.extracts.runs import Runs, select_runs
from kada_athena_async.extracts.table_facts import format_of
from kada_athena_async.extracts.table_usage import table_uses, unused_tables
from kada_athena_async.extracts.users import table_users, user_totals
from kada_athena_async.files import Files, to_bytes
from kada_athena_async.manifest import ManifestGap
from kada_athena_async.records import Record
from kada_athena_async.scopes import SPARK, ScopeFacts, WorkgroupLimits
from tests.unit.extracts.making import (
    AT,
    columns,
    make_package,
    query,
    record,
    schema_record,
    table,
)

GB, HOUR, DAY = 2**30, timedelta(hours=1), timedelta(days=1)
WIDE = {f"c{number}": "int" for number in range(25)}


def ran(number: int, at: datetime, **values: Any) -> Record:
    facts = {"statement_type": "DML", "user": "etl", "fingerprint": f"f{number}", "query": "SELECT"}
    return query(number, completed_at=at, submitted_at=at, **{**facts, **values})


def event(number: int, what: str, name: str, *used: str, schema: str = "sales") -> Record:
    return record(
        "events",
        query_id=f"q{number}",
        event_type=what,
        user="etl",
        catalog="AwsDataCatalog",
        schema=schema,
        table=name,
        columns=used or None,
    )


def usage(
    name: str, day: datetime, what: str = "READ", schema: str = "sales", **values: Any
) -> Record:
    facts = {"user": "etl", "executions": 1, "failed_executions": 0, "scanned_bytes": 0}
    return record(
        "usage",
        catalog="AwsDataCatalog",
        schema="sales",
        table=name,
        usage_date=f"{day:%Y-%m-%d}",
        event_type=what,
        last_at=day,
        **{**facts, **values},
    )


def runs(folder: Path, **options: Any) -> Runs:
    return select_runs(folder, "athena", Files(), **options)


def test_use_is_added_up_over_all_runs(tmp_path: Path) -> None:
    """Reads, writes, bytes and users of each run; only those of the time that is asked for."""
    for day in range(3):
        at = AT + (day - 1) * DAY
        rows = [
            usage("orders", at, executions=2, scanned_bytes=10, user=f"u{day}"),
            usage("orders", at, "WRITE", executions=5, failed_executions=1),
        ]
        make_package(tmp_path, {"usage": rows}, day=day)

    (use,) = table_uses(runs(tmp_path))
    assert (use.reads, use.writes, use.failed, use.scanned_bytes, use.users) == (6, 15, 3, 30, 4)
    assert use.last_read_at == f"{AT + DAY:%Y-%m-%d %H:%M:%S}.000"
    (use,) = table_uses(runs(tmp_path, days=1))
    assert (use.reads, use.writes) == (2, 5)
    assert len(runs(tmp_path, since=AT + DAY).packages) == 1
    assert [p.manifest.run_id for p in runs(tmp_path).packages] == ["run-2", "run-1", "run-0"]


@pytest.mark.parametrize("most", [0, 4, 100])
def test_events_in_any_order_find_their_executions(
    tmp_path: Path, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run derives events while the history comes in, so they need not follow its order; joined
    in memory or on disk."""
    monkeypatch.setattr("kada_athena_async.extracts.executions.MAX_HELD", most)
    records = {
        "databaselog": [ran(number, AT) for number in range(6)],
        "events": [event(number, "READ", f"t{number}") for number in (4, 5, 0, 3, 1)],
    }
    make_package(tmp_path, records)

    found = {each.query_id: [t.table for t in each.touched] for each in executions(runs(tmp_path))}

    assert found == {f"q{n}": [f"t{n}"] if n != 2 else [] for n in range(6)}


def test_what_no_run_used_is_unused(tmp_path: Path) -> None:
    """Not even through a view, nor to define one anew or to optimize it each night; never in a
    schema that some run did not read completely."""
    view = {
        "linkage_type": "VIEW",
        **dict.fromkeys(("source_catalog", "target_catalog"), "AwsDataCatalog"),
        **dict.fromkeys(("source_schema", "target_schema"), "sales"),
    }
    tables = [
        *(table(name) for name in ("base", "old", "written", "below", "read", "kept")),
        *(table(name, "VIEW") for name in ("v", "vv", "nightly")),
        table("dropped", size_bytes=4 * GB, row_count=7),
        table("other", schema="half"),
    ]
    records = {
        "metadata_tables": tables,
        "linkages": [
            record("linkages", source_table="base", target_table="v", **view),
            record("linkages", source_table="v", target_table="vv", **view),
            record("linkages", source_table="below", target_table="nightly", query_id="q2", **view),
        ],
        "usage": [
            *(usage("VV", AT), usage("below", AT, executions=2), usage("read", AT)),
            *(usage(name, AT, "WRITE") for name in ("kept", "written")),
        ],
        "databaselog": [
            ran(4, AT, query="-- nightly\n/* ? */ OPTIMIZE kept REWRITE DATA USING BIN_PACK"),
            ran(5, AT, query="INSERT INTO written SELECT vacuum FROM t"),
        ],
        "events": [
            *(event(number, "WRITE", name) for number, name in ((4, "kept"), (5, "written"))),
            *(event(1, what, name) for what, name in (("READ", "below"), ("CREATE", "nightly"))),
            *(event(2, what, name) for what, name in (("READ", "below"), ("CREATE", "nightly"))),
            *(event(3, what, "t") for what in ("CREATE", "WRITE")),
            event(3, "READ", "read"),
        ],
    }
    both = [schema_record("sales"), schema_record("half")]
    part = [schema_record("sales"), schema_record("half", "partial")]
    make_package(tmp_path, {}, completeness=part)
    make_package(tmp_path, records, day=1, completeness=both)

    found = unused_tables(runs(tmp_path))

    assert [t.table for t in found.tables] == ["dropped", "below", "kept", "nightly", "old"]
    assert (found.tables[0].size_bytes, found.tables[0].row_count) == (4 * GB, 7)
    assert found.tables[0].usd_per_month == pytest.approx(4 * 0.023)
    assert (found.schemas, found.left_out) == (1, (("AwsDataCatalog", "half"),))


def test_a_table_that_is_only_optimized_and_viewed_is_unused(tmp_path: Path) -> None:
    """Also where no table lacks reads."""
    place = {
        **dict.fromkeys(("source_catalog", "target_catalog"), "AwsDataCatalog"),
        **dict.fromkeys(("source_schema", "target_schema"), "sales"),
    }
    view = {"linkage_type": "VIEW", "source_table": "kept", "target_table": "v"}
    insert = {"linkage_type": "INSERT", "source_table": "t", "target_table": "fed"}
    records = {
        "metadata_tables": [table("kept"), table("fed")],
        "linkages": [
            record("linkages", query_id="q1", **view, **place),
            record("linkages", query_id="q3", last_at=AT, **insert, **place),
        ],
        "usage": [
            *(usage(name, AT, what) for name in ("kept", "fed") for what in ("READ", "WRITE")),
        ],
        "databaselog": [ran(2, AT, query="VACUUM kept")],
        "events": [
            *(event(1, what, name) for what, name in (("READ", "kept"), ("CREATE", "v"))),
            *(event(number, "WRITE", name) for number, name in ((2, "kept"), (3, "fed"))),
        ],
    }
    make_package(tmp_path, records, completeness=[schema_record("sales")])

    assert [t.table for t in unused_tables(runs(tmp_path)).tables] == ["kept"]


@pytest.mark.parametrize("most", [0, 100])
def test_users_have_names_and_dollars(
    tmp_path: Path, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A principal that a later run learned belongs to its execution; the price is the Region's."""
    monkeypatch.setattr("kada_athena_async.extracts.executions.MAX_HELD", most)
    late = {"query_id": "q1", "principal": "ann", "client": "dbt"}
    tb = 2**40
    make_package(tmp_path, {"databaselog": [ran(1, AT, scanned_bytes=tb)]})
    rows = [
        ran(2, AT + DAY, scanned_bytes=tb, dpu_count=4.0, engine_ms=3_600_000),
        ran(3, AT + DAY, status="FAILED", scanned_bytes=tb),
    ]
    principals = [record("query_principals", **late)]
    records = {"databaselog": rows, "query_principals": principals}
    make_package(tmp_path, records, day=1, facts={"region": "sa-east-1"})

    ann, other = user_totals(runs(tmp_path))

    assert (ann.principal, ann.client, ann.executions, ann.usd) == ("ann", "dbt", 1, 9.0)
    assert (other.principal, other.executions, other.failed, other.usd) == ("", 2, 1, 0.0)
    assert other.dpu_hours == 4.0


def test_who_used_a_table(tmp_path: Path) -> None:
    """By any part of its name, in any case; how often, when last, and with what."""
    rows = [ran(1, AT), ran(2, AT + HOUR), ran(3, AT)]
    events = [
        event(1, "READ", "Orders"),
        event(2, "READ", "Orders"),
        event(2, "WRITE", "orders_2"),
        event(3, "WRITE", "Orders"),
    ]
    principal = record("query_principals", query_id="q3", principal="bob", client="jdbc")
    make_package(tmp_path, {"databaselog": rows, "events": events, "query_principals": [principal]})

    for name in ("orders", "SALES.orders", "AwsDataCatalog.sales.Orders", '"sales"."orders"'):
        found = table_users(runs(tmp_path), name)
        assert [(u.event_type, u.principal, u.client, u.executions) for u in found] == [
            ("READ", "", "", 2),
            ("WRITE", "bob", "jdbc", 1),
        ]
        assert found[0].last_at == f"{AT + HOUR:%Y-%m-%d %H:%M:%S}.000"
    assert table_users(runs(tmp_path), "rders") == []


def advised(folder: Path, kind: str, records: dict[str, list[Record]]) -> list[Finding]:
    make_package(folder, records, day=14)
    make_package(folder, {}, day=0)
    found = [f for f in advice(runs(folder)) if f.kind == kind]
    assert all("{" not in f.remedy for f in found)
    return found


def test_a_partitioned_table_read_whole(tmp_path: Path) -> None:
    """Dollars are the table's share; whoever names a partition column is not blamed."""
    records = {
        "metadata_tables": [table("events", partition_keys=("DT", "hour")), table("small")],
        "databaselog": [ran(n, AT, scanned_bytes=2**40) for n in (1, 2, 3)],
        "events": [
            event(1, "READ", "events", "id"),
            event(1, "READ", "small", "id"),
            event(2, "READ", "events", "id", "dt"),
            event(3, "READ", "small", "id"),
        ],
    }

    (found,) = advised(tmp_path, "no_partition_filter", records)

    assert found.subject == "AwsDataCatalog.sales.events"
    assert (found.usd, found.executions, found.evidence) == (2.5, 1, ["q1"])
    assert "dt, hour" in found.remedy


@pytest.mark.parametrize(
    ("sql", "used", "is_found"),
    [
        ("SELECT * FROM events LIMIT ?", ("id", "dt", "hour"), True),
        ("SELECT dt, count(*) FROM events GROUP BY dt", ("dt",), True),
        ("SELECT count(*) FROM events", (), True),
        ("SELECT * FROM events WHERE id = ? ORDER BY hour", ("id", "dt", "hour"), True),
        ("SELECT id FROM events WHERE hour = ?", ("id", "hour"), False),
        ("SELECT id FROM events e JOIN days d ON e.dt = d.dt", ("id", "dt"), False),
        ("SELECT id FROM events JOIN days USING (dt)", ("id", "dt"), False),
        ("WITH e AS (SELECT date(DT) AS day FROM events) SELECT * FROM e WHERE day > ?",
         ("dt",), False),
        ('SELECT * FROM "Events$partitions"', (), False),
        ("EXECUTE p", ("id", "dt"), False),
        ("EXECUTE p", ("id",), True),
    ],
)  # fmt: skip
def test_only_a_condition_leaves_partitions_out(
    tmp_path: Path, sql: str, used: tuple[str, ...], is_found: bool
) -> None:
    """A partition column that is shown, grouped or part of a star is read from all partitions."""
    read = record(
        "events",
        query_id="q1",
        event_type="READ",
        catalog="AwsDataCatalog",
        schema="sales",
        table="events",
        columns=used,
    )
    records = {
        "metadata_tables": [table("events", partition_keys=("DT", "hour"))],
        "databaselog": [ran(1, AT, scanned_bytes=GB, query=sql)],
        "events": [read],
    }

    assert len(advised(tmp_path, "no_partition_filter", records)) == is_found


def test_a_transform_of_iceberg_is_pruned_by_its_column(tmp_path: Path) -> None:
    """``day(at)`` and ``bucket(16, id)`` are partitions by ``at`` and ``id``."""
    records = {
        "metadata_tables": [table("t", partition_keys=("day(at)", "bucket(16, id)"))],
        "databaselog": [
            ran(1, AT, scanned_bytes=GB, query="SELECT a FROM t WHERE at > ?"),
            ran(2, AT, scanned_bytes=GB, query="SELECT a FROM t WHERE t.id = ?"),
            ran(3, AT, scanned_bytes=GB, query="SELECT a FROM t WHERE a = ?"),
        ],
        "events": [event(n, "READ", "t", "a", "at", "id") for n in (1, 2, 3)],
    }

    (found,) = advised(tmp_path, "no_partition_filter", records)

    assert found.evidence == ["q3"]


def test_a_view_over_a_partitioned_table_is_looked_through(tmp_path: Path) -> None:
    """Its own condition, or one on what it makes of the partition column, leaves partitions out;
    a view of which nobody knows the columns is not judged."""

    def link(view: str, source: str, column: str, target: str | None, **values: Any) -> Record:
        place = dict.fromkeys(("source_catalog", "target_catalog"), "AwsDataCatalog")
        facts = {"linkage_type": "VIEW", "confidence": "exact", "dependency": "direct", **place}
        schemas = dict.fromkeys(("source_schema", "target_schema"), "sales")
        names = {"source_table": source, "source_column": column}
        ends = {"target_table": view, "target_column": target}
        return record("linkages", **{**facts, **schemas, **names, **ends, **values})

    records = {
        "metadata_tables": [
            table("events", partition_keys=("dt",)),
            *(table(name, "VIEW") for name in ("renamed", "outer", "within", "unknown")),
        ],
        "linkages": [
            link("renamed", "events", "dt", "day"),
            link("outer", "renamed", "day", "d"),
            link("within", "events", "id", "id"),
            link("within", "events", "dt", None, dependency="indirect"),
            link("unknown", "events", "id", "id", confidence="partial"),
        ],
        "databaselog": [
            ran(1, AT, scanned_bytes=GB, query="SELECT id FROM renamed WHERE id = ?"),
            ran(2, AT, scanned_bytes=GB, query="SELECT id FROM renamed WHERE day = ?"),
            ran(3, AT, scanned_bytes=GB, query='SELECT id FROM "outer" WHERE id = ?'),
            ran(4, AT, scanned_bytes=GB, query='SELECT id FROM "outer" WHERE d = ?'),
            ran(5, AT, scanned_bytes=GB, query="SELECT id FROM within"),
            ran(6, AT, scanned_bytes=GB, query="SELECT id FROM unknown"),
        ],
        "events": [
            *(event(n, "READ", "renamed", "id", "day") for n in (1, 2)),
            *(event(n, "READ", "outer", "id", "d") for n in (3, 4)),
            event(5, "READ", "within", "id"),
            event(6, "READ", "unknown", "id"),
        ],
    }

    (found,) = advised(tmp_path, "no_partition_filter", records)

    assert (found.subject, found.detail) == ("AwsDataCatalog.sales.events", "dt")
    assert found.evidence == ["q1", "q3"]


@pytest.mark.parametrize(
    ("sql", "is_found"),
    [
        ("SELECT * FROM wide WHERE a = ?", True),
        ("WITH x AS (SELECT w.* FROM wide w) SELECT a FROM x", True),
        ("SELECT count(*), a * 2 FROM wide", False),
    ],
)
def test_a_star_on_a_wide_columnar_table(tmp_path: Path, sql: str, is_found: bool) -> None:
    """Of a table in Parquet with many columns; a narrow one is not worth a word."""
    parquet = {"classification": "parquet"}
    records = {
        "metadata_tables": [table("wide", parameters=parquet), table("narrow", parameters=parquet)],
        "metadata_columns": [*columns("wide", **WIDE), *columns("narrow", a="int")],
        "databaselog": [ran(n, AT, scanned_bytes=GB, query=sql) for n in (1, 2)],
        "events": [event(1, "READ", "wide"), event(2, "READ", "narrow")],
    }

    found = advised(tmp_path, "select_star", records)

    assert [f.subject for f in found] == ["AwsDataCatalog.sales.wide"] * is_found


def test_a_star_of_which_few_columns_are_used_reads_few(tmp_path: Path) -> None:
    """The outer statement, not the star in its subquery, says what is read."""
    sql = "WITH x AS (SELECT * FROM wide) SELECT c1, c2 FROM x"
    records = {
        "metadata_tables": [table("wide", parameters={"classification": "parquet"})],
        "metadata_columns": columns("wide", **WIDE),
        "databaselog": [ran(n, AT, scanned_bytes=GB, query=sql) for n in (1, 2)],
        "events": [event(1, "READ", "wide", "c1", "c2"), event(2, "READ", "wide", *WIDE)],
    }

    (found,) = advised(tmp_path, "select_star", records)

    assert found.evidence == ["q2"]


@pytest.mark.parametrize(
    ("table_format", "parameters", "expected"),
    [
        ("hive", {"serde.serialization.lib": "org.apache.hadoop.hive.serde2.OpenCSVSerde"}, "csv"),
        ("hive", {"serde.serialization.lib": "org.openx.data.jsonserde.JsonSerDe",
                  "inputformat": "org.apache.hadoop.mapred.TextInputFormat"}, "json"),
        ("hive", {"serde.serialization.lib":
                  "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe"}, "text"),
        ("hive", {"serde.serialization.lib": "org.apache.hadoop.hive.ql.io.orc.OrcSerde"}, "orc"),
        ("hive", {"serde.serialization.lib": "com.salesforce.force.ForceSerde"}, ""),
        ("hive", {"classification": "json", "compressionType": "gzip"}, "json"),
        ("hive", {"classification": "glueparquet"}, "parquet"),
        ("iceberg", {"classification": "csv"}, "iceberg"),
        ("hive", {}, ""),
    ],
)  # fmt: skip
def test_the_format_of_a_table_is_its_serde_s(
    table_format: str, parameters: dict[str, str], expected: str
) -> None:
    """By classification, else by the name of the SerDe, else by that of the input format."""
    assert format_of(table_format, parameters) == expected


def test_rows_as_text_scanned_often(tmp_path: Path) -> None:
    """CSV and JSON, five times and a gigabyte or more."""
    lib = {"serde.serialization.lib": "org.openx.data.jsonserde.JsonSerDe"}
    records = {
        "metadata_tables": [
            table("a", parameters={"classification": "csv"}),
            table("b", parameters=lib),
            table("c", table_format="iceberg", parameters={"classification": "csv"}),
        ],
        "databaselog": [ran(n, AT, scanned_bytes=GB) for n in range(14)],
        "events": [event(n, "READ", "aaaaabbbbccccc"[n]) for n in range(14)],
    }

    (found,) = advised(tmp_path, "row_format", records)

    assert (found.subject, found.executions) == ("AwsDataCatalog.sales.a", 5)
    assert "it is csv" in found.remedy


def test_the_same_statement_again_within_an_hour(tmp_path: Path) -> None:
    """The same bytes in the same workgroup; the first is not counted, nor are writes."""
    same = {"fingerprint": "f", "scanned_bytes": GB}
    rows = [
        ran(1, AT, **same),
        ran(2, AT + HOUR / 2, **same),
        ran(3, AT + 3 * HOUR, **same),
        ran(4, AT + 3 * HOUR, fingerprint="f", scanned_bytes=GB + 1),
        ran(5, AT + 3 * HOUR, workgroup="other", **same),
        ran(6, AT, fingerprint="w", scanned_bytes=GB),
        ran(7, AT, fingerprint="w", scanned_bytes=GB),
    ]
    events = [event(6, "WRITE", "t"), event(7, "WRITE", "t")]

    (found,) = advised(tmp_path, "repeated", {"databaselog": rows, "events": events})

    assert (found.subject, found.executions, found.evidence) == ("f", 1, ["q2"])


def repeated(folder: Path, rows: list[Record], **kinds: list[Record]) -> list[str]:
    found = advised(folder, "repeated", {"databaselog": rows, **kinds})
    return sorted(query_id for each in found for query_id in each.evidence)


def test_a_result_is_reused_for_an_hour_from_where_it_was_made(tmp_path: Path) -> None:
    """A result that was used again is not younger for it, and one under way is not there yet."""
    same = {"fingerprint": "f", "scanned_bytes": GB}
    late = [ran(n, AT + n * 40 * HOUR / 60, **same) for n in range(4)]
    started = AT + 5 * HOUR
    busy = [
        query(n, completed_at=started + HOUR / 2, submitted_at=started, query="SELECT 2", **same)
        for n in (7, 8)
    ]

    # In the order in which the history gives them: the newest first.
    assert repeated(tmp_path, [*busy, *late[::-1]]) == ["q1", "q3"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"workgroup": "a"}, {"workgroup": "b"}),
        ({"schema": "a"}, {"schema": "b"}),
        ({"catalog": "a"}, {"catalog": "b"}),
        ({"query": "SELECT a FROM t WHERE b = 1"}, {"query": "SELECT a FROM t WHERE b = 2"}),
        ({"query": "SELECT now()"}, {"query": "SELECT now()"}),
        ({"query": "SELECT a FROM t WHERE d = CURRENT_DATE"},) * 2,
        ({"substatement_type": "UNLOAD"},) * 2,
        ({"substatement_type": "EXPLAIN"},) * 2,
    ],
)
def test_what_result_reuse_would_not_serve_is_no_repeat(
    tmp_path: Path, one: dict[str, Any], other: dict[str, Any]
) -> None:
    """Another workgroup, context or text, a result that changes, and what is not SELECT."""
    same = {"fingerprint": "f", "scanned_bytes": GB}
    rows = [ran(1, AT, **{**same, **one}), ran(2, AT + HOUR / 2, **{**same, **other})]

    assert repeated(tmp_path, rows) == []


def test_a_federated_catalog_s_results_are_not_reused(tmp_path: Path) -> None:
    """Athena reuses results of Glue's tables alone."""
    rows = [ran(n, AT + n * HOUR / 2, fingerprint="f", scanned_bytes=GB) for n in (0, 1)]
    reads = [event(n, "READ", "orders") for n in (0, 1)]
    catalog = record("metadata_catalogs", catalog="awsdatacatalog", catalog_type="LAMBDA")

    assert repeated(tmp_path, rows, events=reads, metadata_catalogs=[catalog]) == []
    assert repeated(tmp_path, rows, events=reads) == ["q1"]


def test_workgroups_without_a_limit_and_their_largest_queries(tmp_path: Path) -> None:
    """Dollars of the five largest, their ids, and what to type; none where a limit is set, where
    it is not known, or where nothing was scanned."""
    tb = 2**40
    limits = WorkgroupLimits(cutoff_bytes={"open": None, "closed": 10 * GB, "idle": None})
    rows = [ran(n, AT, workgroup="open", scanned_bytes=n * tb) for n in range(8)]
    rows += [ran(20, AT, workgroup=name, scanned_bytes=tb) for name in ("closed", "unknown")]
    make_package(tmp_path, {"databaselog": rows}, facts={"workgroup_limits": limits})

    (found,) = [f for f in advice(runs(tmp_path)) if f.kind == "no_scan_limit"]

    assert (found.subject, found.executions, found.usd) == ("open", 5, 5.0 * (7 + 6 + 5 + 4 + 3))
    assert found.evidence == ["q7", "q6", "q5", "q4", "q3"]
    assert "--work-group open --configuration-updates BytesScannedCutoffPerQuery=" in found.remedy
    assert "7,168.0 GB" in found.remedy


def test_what_no_run_holds_makes_unused_doubtful(tmp_path: Path) -> None:
    """Workgroups not read or left out, and nights without a run, are said with what is unused; a
    Spark workgroup, which holds no SQL, is not."""
    scopes = [
        schema_record("sales"),
        ScopeFacts(scope="workgroup", name=("a",), outcome="denied"),
        ScopeFacts(scope="workgroup", name=("b",), outcome="excluded"),
        ScopeFacts(scope="workgroup", name=("c",), outcome="skipped", reason=SPARK),
    ]
    tables = [table("old", size_bytes=GB)]
    make_package(tmp_path, {"metadata_tables": tables}, day=5, completeness=scopes)
    assert unused_tables(runs(tmp_path)).doubts == (
        "workgroups not read completely: a",
        "workgroups left out by the configuration: b",
    )
    make_package(tmp_path, {}, day=1)

    *_, last = unused_tables(runs(tmp_path)).doubts
    (found,) = advice(runs(tmp_path))
    assert last == "no run holds 2026-11-25 00:00 to 2026-11-28 00:00"
    assert found.kind == "unused_table"
    assert "; it may be used after all: workgroups" in found.remedy
    assert found.remedy.endswith(last)


def test_reads_that_nobody_could_see_make_unused_doubtful(tmp_path: Path) -> None:
    """A prepared statement and a view without a text may read any table: both are said."""
    tables = [table("old", size_bytes=GB), table("v", "VIEW")]
    views = [
        record(
            "metadata_views", catalog="AwsDataCatalog", schema="sales", view=name, definition=text
        )
        for name, text in (("v", None), ("w", "SELECT 1"), ("x", "<unmaskable: 9 characters>"))
    ]
    derived = {"execute": 2, "unknown": 1, "no_schema": 7}
    make_package(
        tmp_path,
        {"metadata_tables": tables, "metadata_views": views},
        facts={"reconciliation": {"derive": derived, "metadata/x": {"execute": 5}}},
    )

    assert unused_tables(runs(tmp_path)).doubts == (
        "3 executions whose statement could not be read, such as EXECUTE",
        "views whose text is not known: AwsDataCatalog.sales.v, AwsDataCatalog.sales.x",
    )


def test_a_run_without_usage_is_counted_by_its_events(tmp_path: Path) -> None:
    """A table that an earlier version's run used is not called unused."""
    at = {"occurred_at": AT}
    reads = [
        record("events", query_id="q1", event_type=what, catalog="AwsDataCatalog", user="etl",
               schema="sales", table="orders", **at)
        for what in ("READ", "READ", "WRITE", "CREATE")
    ]  # fmt: skip
    package = make_package(tmp_path, {"events": reads})
    files = tuple(file for file in package.manifest.files if file.kind != "usage")
    package.path.write_bytes(to_bytes(replace(package.manifest, files=files)))
    make_package(tmp_path, {"metadata_tables": [table("orders")]}, day=1)

    (use,) = table_uses(runs(tmp_path))

    assert (use.reads, use.writes, use.users) == (1, 1, 1)
    assert use.last_read_at == f"{AT:%Y-%m-%d %H:%M:%S}.000"
    assert unused_tables(runs(tmp_path)).tables == ()


def test_what_failed_after_it_scanned(tmp_path: Path) -> None:
    """Failures are free, what was cancelled is not."""
    rows = [
        ran(1, AT, status="FAILED", scanned_bytes=2**40),
        ran(2, AT, status="CANCELLED", scanned_bytes=2**40, engine_ms=5),
        ran(3, AT, status="FAILED", scanned_bytes=0),
    ]

    found = advised(tmp_path, "failed_after_scanning", {"databaselog": rows})

    assert [(f.subject, f.usd, f.detail) for f in found] == [
        ("f2", 5.0, "cancelled"),
        ("f1", 0.0, "failed"),
    ]


def test_growth_from_week_to_week(tmp_path: Path) -> None:
    """Half as much again, a gigabyte at least, once two whole weeks are there."""
    end = AT + 14 * DAY
    rows = [
        ran(1, end - 10 * DAY, fingerprint="g", scanned_bytes=2 * GB),
        ran(2, end - DAY, fingerprint="g", scanned_bytes=5 * GB),
        ran(3, end - 10 * DAY, fingerprint="h", scanned_bytes=2 * GB),
        ran(4, end - DAY, fingerprint="h", scanned_bytes=2 * GB),
    ]

    make_package(tmp_path, {"databaselog": rows}, day=14, window_days=14)
    (found,) = growing(tmp_path)

    assert (found.subject, found.detail) == ("g", "2.5 times the bytes of the week before")
    assert growing(tmp_path, days=7) == []


@pytest.mark.parametrize("missing", ["a night", "a gap", "a workgroup"])
def test_growth_is_not_seen_where_the_week_before_is_known_in_part(
    tmp_path: Path, missing: str
) -> None:
    """A night that no run holds, a gap, or a workgroup that was not read makes no growth."""
    end = AT + 14 * DAY
    rows = [
        ran(1, end - 10 * DAY, fingerprint="g", scanned_bytes=2 * GB),
        ran(2, end - DAY, fingerprint="g", scanned_bytes=5 * GB),
    ]
    gap = ManifestGap(kind="operator", start=end - 9 * DAY, end=end - 8 * DAY)
    unread = ScopeFacts(scope="workgroup", name=("primary",), outcome="partial")
    make_package(
        tmp_path,
        {"databaselog": rows},
        day=14,
        window_days=9 if missing == "a night" else 14,
        completeness=[unread] if missing == "a workgroup" else (),
        facts={"gaps": (gap,)} if missing == "a gap" else None,
    )
    make_package(tmp_path, {}, day=4)

    assert growing(tmp_path) == []


def test_a_time_after_the_last_run_is_refused(tmp_path: Path) -> None:
    """Nothing is called unused because nothing was looked at."""
    make_package(tmp_path, {"metadata_tables": [table("old")]})

    with pytest.raises(StateError) as caught:
        runs(tmp_path, since=AT + DAY)

    assert "has executions since 2026-11-25 00:00:00: the newest ends 2026-11-24" in str(
        caught.value
    )


def growing(folder: Path, **options: Any) -> list[Finding]:
    return [f for f in advice(runs(folder, **options)) if f.kind == "growth"]


def test_tables_for_nobody(tmp_path: Path) -> None:
    """Tables written and never read, and those that lie there unused, with their costs.

    A table that is gone, such as the one that awswrangler makes of each query, is neither. That a
    MERGE reads its target to change it makes no reader.
    """
    sized = table("old", size_bytes=100 * GB)
    records: dict[str, list[Record]] = {
        "metadata_tables": [table("T"), table("merged"), table("both"), sized, table("unsized")],
        "databaselog": [ran(1, AT, scanned_bytes=2**40), ran(2, AT, scanned_bytes=2**40)],
        "events": [event(1, "READ", "src"), event(1, "WRITE", "t"), event(2, "WRITE", "temp_f0")],
        "usage": [usage("src", AT), usage("t", AT, "WRITE"), usage("temp_f0", AT, "WRITE")],
    }
    for number, name, reads in ((3, "merged", 1), (4, "both", 2)):
        records["databaselog"].append(ran(number, AT))
        records["events"] += [event(number, "READ", name), event(number, "WRITE", name)]
        records["usage"] += [usage(name, AT, executions=reads), usage(name, AT, "WRITE")]
    make_package(tmp_path, records)

    advised = advice(runs(tmp_path))
    found = {f.kind: f for f in advised}

    unread = [f for f in advised if f.kind == "written_never_read"]
    assert [f.subject.rpartition(".")[2] for f in unread] == ["t", "merged"]
    assert found["unused_table"].subject == "AwsDataCatalog.sales.old"
    assert found["unused_table"].usd == pytest.approx(2.3)
    assert (unread[0].usd, unread[0].evidence) == (5.0, ["q1"])


def test_every_kind_of_advice_has_a_remedy() -> None:
    """One sentence each, with its detail in place."""
    for kind in REMEDIES:
        assert Finding(kind=kind, subject="x", detail="the detail").remedy


def test_an_earlier_version_s_extracts_are_read(tmp_path: Path) -> None:
    """Columns that came later are empty, kinds that came later have no rows."""
    package = make_package(tmp_path, {"databaselog": [ran(1, AT)]}, compress=False)
    path = package.extracts("databaselog")[0]
    old = [line.rsplit(",", 4)[0] for line in path.read_text().splitlines()]
    data = ("\n".join(old) + "\n").encode()
    path.write_bytes(data)
    files = tuple(
        replace(f, size_bytes=len(data), sha256=hashlib.sha256(data).hexdigest())
        if f.kind == "databaselog"
        else f
        for f in package.manifest.files
        if f.kind != "usage"
    )
    package.path.write_bytes(to_bytes(replace(package.manifest, files=files)))

    (total,) = user_totals(runs(tmp_path))
    assert (total.executions, total.dpu_hours) == (1, 0.0)
    assert table_uses(runs(tmp_path)) == []
