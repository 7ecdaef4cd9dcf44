"""The derivation: from a run's records to its linkages and events."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from kada_athena_async.records import QueryRecord, TableColumns, ViewRecord
from kada_athena_async.sql.derivation import Derivation, Statements
from kada_athena_async.sql.fingerprints import fingerprint
from kada_athena_async.sql.masking import mask_sql
from kada_athena_async.sql.names import Context, TableName
from kada_athena_async.sql.worker_pool import WorkerPool

AT = datetime(2026, 11, 23, 1, 2, 3, tzinfo=timezone.utc)
GLUE = "AwsDataCatalog"


def query(
    sql: str, number: int = 1, *, status: str = "SUCCEEDED", mask: bool = False
) -> QueryRecord:
    return QueryRecord(
        server="srv",
        query_id=f"q{number}",
        user="athena_workgroup_wg",
        workgroup="wg",
        catalog=GLUE,
        schema="sales",
        statement_type=None,
        substatement_type=None,
        query=mask_sql(sql) if mask else sql,
        status=status,
        status_reason=None,
        error_category=None,
        error_type=None,
        submitted_at=AT,
        completed_at=AT,
        total_ms=None,
        queue_ms=None,
        planning_ms=None,
        engine_ms=None,
        service_ms=None,
        scanned_bytes=None,
        reused_result=None,
        engine_version=None,
        output_location=None,
        fingerprint=fingerprint(sql),
    )


def columns(table: str, *names: str) -> TableColumns:
    return TableColumns(GLUE, "sales", table, [*names])


async def derived(
    *records: QueryRecord | ViewRecord, mask: bool = False, include_failed: bool = False
) -> tuple[list[tuple[str, str]], list[tuple[str, str, str]]]:
    """Linkages as (source, target) and events as (query, type, table)."""
    async with Derivation(
        mask=mask, pool=WorkerPool(1), include_failed=include_failed
    ) as derivation:
        derivation.learn([columns("orders", "id", "total"), columns("unheard", "x")])
        statements = Statements(derivation)
        statements.note(records)
        linked, happened = await statements.derive(records)

    return (
        [
            (f"{row.source_table}.{row.source_column}", f"{row.target_table}.{row.target_column}")
            for row in linked
        ],
        [(row.query_id, row.event_type, row.table) for row in happened],
    )


@pytest.mark.parametrize("mask", [False, True])
async def test_stars_are_expanded_with_the_columns_of_the_run(mask: bool) -> None:
    """SELECT * means the run's own columns, masked or not."""
    record = query("CREATE TABLE x AS SELECT * FROM orders WHERE id = 5", mask=mask)
    linked, happened = await derived(record, mask=mask)

    assert linked == [("orders.id", "x.id"), ("orders.total", "x.total"), ("orders.id", "x.None")]
    assert happened == [
        ("q1", "READ", "orders"),
        ("q1", "CREATE", "x"),
        ("q1", "WRITE", "x"),
    ]


async def test_views_are_linked_and_have_no_events() -> None:
    """A view is a flow, not something that anyone did."""
    view = ViewRecord("srv", GLUE, "sales", "v", "SELECT total AS t FROM orders", "athena")
    empty = ViewRecord("srv", GLUE, "sales", "w", None, None)

    assert await derived(view, empty) == ([("orders.total", "v.t")], [])


async def test_names_in_a_view_lie_where_it_was_made() -> None:
    """A name without a schema is of the schema in which the view was made, if that is known."""
    view = ViewRecord("srv", GLUE, "marts", "v", "SELECT * FROM orders", "athena")
    contexts = {TableName(GLUE, "marts", "v"): Context("awsdatacatalog", "sales")}
    async with Derivation(mask=True, pool=WorkerPool(1)) as derivation:
        derivation.learn([columns("orders", "id", "total")])
        linked, _ = await Statements(derivation, view_contexts=contexts).derive([view])

    assert [row[1:9] for row in linked] == [
        (GLUE, "sales", "orders", name, GLUE, "marts", "v", name) for name in ("id", "total")
    ]


async def test_failed_statements_did_nothing() -> None:
    """They are left out; on request they have events, but nothing ever flows from them."""
    record = query("INSERT INTO x SELECT id FROM orders", status="FAILED")

    assert await derived(record) == ([], [])
    assert await derived(record, include_failed=True) == (
        [],
        [("q1", "READ", "orders"), ("q1", "WRITE", "x")],
    )


async def test_failed_statements_have_events_of_quoted_tables_under_the_mask() -> None:
    """BI tools quote every name: those after FROM and JOIN are still there when they are masked."""
    sql = (
        'SELECT "o"."id" FROM "AwsDataCatalog"."sales"."orders" "o" JOIN /* x */ "unheard" "u"'
        ' ON "o"."id" = "u"."x" WHERE "u"."x" IS DISTINCT /* y */ FROM "kestrel"'
    )
    record = query(sql, status="FAILED")._replace(query=mask_sql(sql, is_failed=True))
    linked, happened = await derived(record, mask=True, include_failed=True)

    assert linked == []
    assert happened == [("q1", "READ", "orders"), ("q1", "READ", "unheard")]


async def test_prepared_statements_are_followed() -> None:
    """EXECUTE does what was prepared in its workgroup, in whatever order they are told."""
    execute = query("EXECUTE p USING 5", 1)
    prepare = query("PREPARE p FROM INSERT INTO x SELECT id FROM orders WHERE id = ?", 2)
    linked, happened = await derived(execute, prepare)

    assert linked == [("orders.id", "x.None"), ("orders.None", "x.None")]
    assert happened == [("q1", "READ", "orders"), ("q1", "WRITE", "x")]


def prepared(sql: str, number: int, minute: int) -> QueryRecord:
    at = AT.replace(minute=minute)
    return query(sql, number)._replace(submitted_at=at, completed_at=at)


async def test_execute_runs_the_text_in_force() -> None:
    """Of several texts of one name the one that was prepared when it was submitted; else none."""
    records = [
        prepared("EXECUTE p", 1, 1),
        prepared("PREPARE p FROM SELECT id FROM orders", 2, 2),
        prepared("EXECUTE p", 3, 3),
        prepared("DEALLOCATE PREPARE p", 4, 4),
        prepared("EXECUTE p", 5, 5),
        prepared("PREPARE p FROM INSERT INTO x SELECT id FROM lines", 6, 6),
        prepared("EXECUTE p", 7, 7),
        prepared("PREPARE p FROM SELECT id FROM orders", 8, 8),
        prepared("EXECUTE p", 9, 9),
        prepared("PREPARE p FROM SELECT id FROM lines", 10, 10)._replace(status="FAILED"),
        prepared("EXECUTE p", 11, 11),
    ]
    _, happened = await derived(*reversed(records))

    assert sorted(happened) == [
        ("q11", "READ", "orders"),
        ("q3", "READ", "orders"),
        ("q7", "READ", "lines"),
        ("q7", "WRITE", "x"),
        ("q9", "READ", "orders"),
    ]


async def test_a_long_comment_hides_no_execute() -> None:
    """Statements of one shape behind a comment of any length execute each their own text."""
    comment = f"/* {'x' * 300} */ "
    records = [query(f"{comment}EXECUTE IMMEDIATE 'SELECT * FROM t{n}'", n) for n in (1, 2)]
    _, happened = await derived(*records)

    assert happened == [("q1", "READ", "t1"), ("q2", "READ", "t2")]


@pytest.mark.parametrize(
    ("catalog", "status", "one", "other", "tables"),
    [
        (GLUE, "SUCCEEDED", "DROP TABLE tmp_0fe1dd41aa", "DROP TABLE tmp_77aa0b52cc",
         ["tmp_0fe1dd41aa", "tmp_77aa0b52cc"]),
        ("pg", "SUCCEEDED", 'SELECT a FROM "my T"', 'SELECT a FROM "my t"',
         ["my T", "my t"]),
        ("pg", "SUCCEEDED", "SELECT a FROM s.t", "SELECT a FROM awsdatacatalog.s.t",
         ["t of pg", f"t of {GLUE}"]),
        (GLUE, "FAILED", 'SELECT a FROM "my t"', 'SELECT a FROM "my u"', ["my t", "my u"]),
        (GLUE, "SUCCEEDED", "WITH t AS (SELECT x FROM u) SELECT x FROM sales.t",
         "WITH t AS (SELECT x FROM u) SELECT x FROM t", ["t", "u"]),
    ],
)  # fmt: skip
async def test_statements_of_one_fingerprint_have_each_their_own_tables(
    catalog: str, status: str, one: str, other: str, tables: list[str]
) -> None:
    """What a fingerprint leaves out of names still says which table was touched."""
    records = [
        query(sql, number, status=status)._replace(
            catalog=catalog,
            fingerprint=fingerprint(sql, is_failed=status == "FAILED", schema="sales"),
        )
        for number, sql in enumerate((one, other))
    ]
    touched = []
    async with Derivation(mask=False, pool=WorkerPool(1), include_failed=True) as derivation:
        statements = Statements(derivation)
        for record in records:
            _, happened = await statements.derive([record])
            event = happened[-1]
            touched.append(event.table + (f" of {event.catalog}" if event.table == "t" else ""))

    assert touched == [f"t of {catalog}" if table == "t" else table for table in tables]


async def test_hidden_locations_are_still_places() -> None:
    """Of a masked UNLOAD, CTAS or external table there is a place, though not which."""
    records = [
        query("UNLOAD (SELECT id FROM orders) TO 's3://bkt/kestrel/' WITH (format = 'J')", 1),
        query("CREATE EXTERNAL TABLE x (id int) LOCATION 's3://bkt/kestrel/'", 2),
    ]
    masked = [record._replace(query=mask_sql(record.query or "")) for record in records]
    linked, happened = await derived(*masked, mask=True)

    assert linked == [("orders.id", "s3://?.id"), ("s3://?.None", "x.None")]
    assert happened == [("q1", "READ", "orders"), ("q1", "WRITE", "s3://?"), ("q2", "CREATE", "x")]


@pytest.mark.parametrize("mask", [False, True])
async def test_the_location_of_an_iceberg_table_is_a_property_and_no_comparison(mask: bool) -> None:
    """Only in the properties of a CTAS does ``location =`` name a place that rows flow to."""
    records = [
        query("CREATE TABLE x WITH (location = 's3://bkt/i/') AS SELECT id FROM orders", 1),
        query("CREATE TABLE y AS SELECT id FROM orders WHERE location = 's3://bkt/no/'", 2),
        query("INSERT INTO z SELECT id FROM orders WHERE external_location = 's3://bkt/no/'", 3),
    ]
    if mask:
        records = [record._replace(query=mask_sql(record.query or "")) for record in records]
    linked, _ = await derived(*records, mask=mask)

    place = "s3://?" if mask else "s3://bkt/i/"
    assert [target for _, target in linked if "s3" in target] == [f"{place}.id"]


async def test_an_execute_unloads_to_the_place_that_was_prepared() -> None:
    """With the mask off the location of a prepared UNLOAD is known when it is executed."""
    linked, happened = await derived(
        prepared("PREPARE p FROM UNLOAD (SELECT id FROM orders) TO 's3://bkt/x/'", 1, 1),
        prepared("EXECUTE p", 2, 2),
    )

    assert linked == [("orders.id", "s3://bkt/x/.id")]
    assert happened == [("q2", "READ", "orders"), ("q2", "WRITE", "s3://bkt/x/")]


async def test_an_execute_makes_the_iceberg_table_where_it_was_prepared() -> None:
    """With the mask off its property ``location`` is known, as that of the CTAS itself is."""
    linked, _ = await derived(
        prepared(
            "PREPARE p FROM CREATE TABLE x WITH (table_type = 'ICEBERG', location = 's3://bkt/i/')"
            " AS SELECT id FROM orders",
            1,
            1,
        ),
        prepared("EXECUTE p", 2, 2),
    )

    assert linked == [("orders.id", "x.id"), ("orders.id", "s3://bkt/i/.id")]


@pytest.mark.parametrize(
    ("prepare", "execute"),
    [
        ('PREPARE "P" FROM', "EXECUTE p"),
        ("PREPARE P FROM", 'EXECUTE "P"'),
        ("PREPARE p FROM", "EXECUTE P"),
        ('prepare/* x */"p q" /* y */from--z\n', 'EXECUTE /* x */ "P q" USING 1'),
        ("PREPARE `p` FROM", "EXECUTE p;"),
    ],
)
async def test_a_prepared_name_is_found_however_it_is_quoted(prepare: str, execute: str) -> None:
    """Quotes, case and comments change nothing where only one statement can be meant."""
    _, happened = await derived(
        prepared(f"{prepare} SELECT id FROM orders", 1, 1), prepared(execute, 2, 2)
    )

    assert happened == [("q2", "READ", "orders")]


async def test_names_that_differ_in_case_are_told_apart_or_unknown() -> None:
    """They may be two statements or one: only what holds both ways is said."""
    _, happened = await derived(
        prepared("PREPARE p FROM SELECT id FROM orders", 1, 1),
        prepared('PREPARE "P" FROM SELECT x FROM unheard', 2, 2),
        prepared("EXECUTE p", 3, 3),
        prepared('EXECUTE "P"', 4, 4),
        prepared('DEALLOCATE PREPARE "P"', 5, 5),
        prepared("EXECUTE p", 6, 6),
        prepared("PREPARE p FROM SELECT id FROM orders", 7, 7),
        prepared("EXECUTE p", 8, 8),
    )

    assert happened == [("q4", "READ", "unheard"), ("q8", "READ", "orders")]


async def test_a_unicode_string_is_executed() -> None:
    """EXECUTE IMMEDIATE U&'...' runs what the escapes stand for."""
    sqls = [
        "EXECUTE IMMEDIATE U&'SELECT id FROM \\006frders WHERE x = ''\\+01F600'''",
        "EXPLAIN ANALYZE execute immediate u&'SELECT id FROM #006frders -- ##' UESCAPE /* */ '#'",
        "EXECUTE IMMEDIATE U&'SELECT id FROM \\xrders'",
    ]
    _, happened = await derived(*(query(sql, number) for number, sql in enumerate(sqls)))

    assert happened == [("q0", "READ", "orders"), ("q1", "READ", "orders")]


async def test_explain_runs_no_execute_and_explain_analyze_does() -> None:
    """An EXECUTE under EXPLAIN did nothing."""
    insert = "INSERT INTO x SELECT id FROM orders"
    linked, happened = await derived(
        prepared(f"PREPARE p FROM {insert}", 1, 1),
        prepared("EXPLAIN EXECUTE p", 2, 2),
        prepared(f"EXPLAIN EXECUTE IMMEDIATE '{insert}'", 3, 3),
        prepared("PREPARE q FROM EXECUTE p", 4, 4),
        prepared("EXPLAIN ANALYZE VERBOSE EXECUTE IMMEDIATE 'SELECT id FROM orders'", 5, 5),
    )

    assert linked == []
    assert happened == [("q5", "READ", "orders")]


async def test_literals_that_tell_are_not_mixed_up() -> None:
    """Statements of one shape that unload to two places, or execute two texts, are told apart."""
    unloads = [
        query(f"UNLOAD (SELECT id FROM orders) TO 's3://bkt/{n}/' WITH (format = 'JSON')", n)
        for n in (1, 2)
    ]
    immediates = [query(f"EXECUTE IMMEDIATE 'SELECT * FROM t{n}'", n) for n in (3, 4)]
    linked, happened = await derived(*unloads, *immediates)

    assert [target for _, target in linked] == ["s3://bkt/1/.id", "s3://bkt/2/.id"]
    assert happened[-2:] == [("q3", "READ", "t3"), ("q4", "READ", "t4")]


async def test_the_same_shape_gives_rows_of_its_own() -> None:
    """An analysis is shared; ids and times are each execution's own."""
    first = [query(f"SELECT id FROM orders WHERE total = {n}", n) for n in range(3)]
    _, happened = await derived(*first)

    assert happened == [(f"q{n}", "READ", "orders") for n in range(3)]


async def test_a_shape_that_comes_batch_after_batch_is_looked_up_where_its_names_lie() -> None:
    """What is kept of a shape holds for its catalog, schema and workgroup, and for each batch."""
    async with Derivation(mask=False, pool=WorkerPool(1)) as derivation:
        statements = Statements(derivation)
        for _ in range(3):
            batch = [
                query("SELECT id FROM orders", n)._replace(schema=schema, fingerprint="f")
                for n, schema in enumerate(("sales", "crm"))
            ]
            _, happened = await statements.derive(batch)

            assert [(row.query_id, row.schema) for row in happened] == [
                ("q0", "sales"),
                ("q1", "crm"),
            ]


async def test_generated_names_keep_to_their_own_rows() -> None:
    """Statements that a program makes alike tell each of its own table; the columns are its own."""
    tables = [f"temp_table_{n:08d}{'c0ffee' * 4}" for n in range(6)]
    records = [
        query(f"CREATE TABLE {table}__dbt_tmp AS SELECT id, total FROM {table}", n)
        for n, table in enumerate(tables)
    ]
    linked, happened = await derived(*records)

    assert happened == [
        row
        for n, table in enumerate(tables)
        for row in (
            (f"q{n}", "READ", table),
            (f"q{n}", "CREATE", f"{table}__dbt_tmp"),
            (f"q{n}", "WRITE", f"{table}__dbt_tmp"),
        )
    ]
    assert linked == [
        (f"{table}.{column}", f"{table}__dbt_tmp.{column}")
        for table in tables
        for column in ("id", "total")
    ]


async def test_what_is_not_understood_is_counted() -> None:
    """The reasons are there for the report."""
    async with Derivation(mask=True, pool=WorkerPool(1)) as derivation:
        await Statements(derivation).derive([query("SELECT (", 1), query("SELECT * FROM t", 2)])

    assert derivation.problems == {"ParseError": 1, "no_schema": 1}


async def test_the_estate_is_derived_rightly_and_nothing_leaks() -> None:
    """All events of the sandbox's history are true, and no planted secret is in any row."""
    pytest.importorskip("duckdb")
    from kada_athena_async.sandbox.estate.build import build_estate
    from kada_athena_async.sandbox.estate.sentinels import SENTINEL_SECRETS

    estate = build_estate(now=AT, scale=0.2)
    runs = [e for e in estate.executions.values() if e.state == "SUCCEEDED"]
    records = [
        query(e.query)._replace(
            query_id=e.query_execution_id,
            catalog=e.catalog,
            schema=e.database,
            workgroup=e.workgroup,
            statement_type=e.statement_type,
            substatement_type=e.substatement_type,
        )
        for e in runs
    ]
    known = [
        TableColumns(c.name, s.name, t.name, [k.name for k in t.current_columns])
        for c, s, t in estate.tables()
    ]
    async with Derivation(mask=True, pool=WorkerPool(1)) as derivation:
        derivation.learn(known)
        statements = Statements(derivation)
        statements.note(records)
        linked, happened = await statements.derive(records)

    text = repr((linked, happened))
    assert [secret for secret in SENTINEL_SECRETS if secret in text] == []
    reads: dict[str, set[tuple[str | None, ...]]] = {}
    writes: dict[str, set[tuple[str | None, ...]]] = {}
    for row in happened:
        touched = reads if row.event_type == "READ" else writes
        if row.catalog:
            touched.setdefault(row.query_id, set()).add((row.catalog, row.schema, row.table))
    for run in runs:
        if not run.query.startswith(("PREPARE", "EXECUTE")) and "EXPLAIN SELECT" not in run.query:
            assert reads.get(run.query_execution_id, set()) == set(run.reads), run.query
            assert writes.get(run.query_execution_id, set()) == set(run.writes), run.query
    assert {row.confidence for row in linked} <= {"exact", "table"}
