"""Linkages and events: the rows that come of what statements do."""

from __future__ import annotations

from datetime import datetime, timezone

from kada_athena_async.records import EventRecord, LinkageRecord
from kada_athena_async.sql.analysis import Statement, analyse
from kada_athena_async.sql.event_rows import events, linkages
from kada_athena_async.sql.schema_index import SchemaIndex
from tests.unit.sql.test_lineage import SCHEMA

AT = datetime(2026, 11, 23, tzinfo=timezone.utc)
GLUE = "AwsDataCatalog"


def linked(sql: str, *, schema: SchemaIndex = SCHEMA, hide: bool = False) -> list[LinkageRecord]:
    analysis = analyse(Statement(sql=sql, schema="sales"), schema)
    return list(linkages(analysis, server="srv", query_id="q1", at=AT, hide_locations=hide))


def ways(sql: str) -> set[tuple[str, str, str, str | None, str]]:
    """(source, target, dependency, transformation, confidence) with names as table.column."""
    rows = linked(sql)
    return {
        (one, other, row.dependency, row.transformation, row.confidence)
        for row, (one, other, _, _) in zip(rows, short(rows), strict=True)
    }


def short(rows: list[LinkageRecord]) -> list[tuple[str, str, str, str]]:
    """(source, target, type, confidence) with names as table.column."""
    return [
        (
            ".".join(filter(None, (row.source_table, row.source_column))),
            ".".join(filter(None, (row.target_table, row.target_column))),
            row.linkage_type,
            row.confidence,
        )
        for row in rows
    ]


def happened(sql: str, *, hide: bool = False) -> list[EventRecord]:
    analysis = analyse(Statement(sql=sql, schema="sales"), SCHEMA)
    rows = events(
        analysis, server="srv", query_id="q1", user="u", occurred_at=AT, hide_locations=hide
    )
    return list(rows)


def what(rows: list[EventRecord]) -> list[tuple[str, str, tuple[str, ...] | None]]:
    return [(row.event_type, row.table, row.columns) for row in rows]


def test_a_linkage_names_everything() -> None:
    """A row has both full names, the kind of statement, its id and how sure it is."""
    assert linked("INSERT INTO lines (sku) SELECT name FROM crm.people") == [
        LinkageRecord(
            "srv", GLUE, "crm", "people", "name", GLUE, "sales", "lines", "sku", "INSERT", "q1",
            "exact", "direct", "identity", 1, AT, AT,
        )
    ]  # fmt: skip


def test_tables_that_only_take_part_are_linked_as_tables() -> None:
    """A table of which no column is used is a source too; one that is joined is by its columns."""
    crossed = "CREATE TABLE x AS SELECT o.id FROM orders o CROSS JOIN crm.people p"
    joined = "CREATE TABLE x AS SELECT o.id FROM orders o JOIN crm.people p ON o.cid = p.cid"

    assert ways(crossed) == {
        ("orders.id", "x.id", "direct", "identity", "exact"),
        ("people", "x", "indirect", None, "table"),
    }
    assert ways(joined) == {
        ("orders.id", "x.id", "direct", "identity", "exact"),
        ("orders.cid", "x", "indirect", "join", "table"),
        ("people.cid", "x", "indirect", "join", "table"),
    }


def test_each_way_of_bearing_is_named() -> None:
    """Values flow unchanged, changed or summed up; other columns only bear upon the result."""
    assert ways(
        "CREATE TABLE x AS SELECT o.cid, o.total * 2 t, sum(l.price) s,"
        " CASE WHEN o.placed > 5 THEN l.sku END c,"
        " lag(l.info) OVER (PARTITION BY o.tags ORDER BY l.id) w"
        " FROM orders o JOIN lines l USING (id) WHERE o.placed = 1 GROUP BY 1, 2 ORDER BY t"
    ) == {
        ("orders.cid", "x.cid", "direct", "identity", "exact"),
        ("orders.total", "x.t", "direct", "transformation", "exact"),
        ("lines.price", "x.s", "direct", "aggregation", "exact"),
        ("lines.sku", "x.c", "direct", "transformation", "exact"),
        ("orders.placed", "x.c", "indirect", "conditional", "table"),
        ("lines.info", "x.w", "direct", "transformation", "exact"),
        ("orders.tags", "x.w", "indirect", "window", "table"),
        ("lines.id", "x.w", "indirect", "window", "table"),
        ("orders.id", "x", "indirect", "join", "table"),
        ("lines.id", "x", "indirect", "join", "table"),
        ("orders.placed", "x", "indirect", "filter", "table"),
        ("orders.cid", "x", "indirect", "group_by", "table"),
        ("orders.total", "x", "indirect", "group_by", "table"),
        ("orders.total", "x", "indirect", "sort", "table"),
    }


def test_a_table_has_its_rows_from_the_one_that_was_renamed() -> None:
    """dbt-athena makes an Iceberg table under another name, of which nothing else is left."""
    renamed = "alter table `sales`.`lines__tmp` rename to `sales`.`lines`"
    assert short(linked(renamed)) == [
        (f"lines__tmp.{column}", f"lines.{column}", "RENAME", "exact")
        for column in ("id", "sku", "price", "info")
    ]
    for statement in (
        "ALTER TABLE IF EXISTS new RENAME TO x",
        "alter table `sales.new` rename to x",
    ):
        assert short(linked(statement)) == [("new", "x", "RENAME", "table")]
    for statement in (
        "ALTER TABLE t RENAME COLUMN a TO b",
        "ALTER TABLE t PARTITION (a = 1) RENAME TO PARTITION (a = 2)",
        "EXPLAIN ALTER TABLE t RENAME TO u",
    ):
        assert linked(statement) == []


def test_no_value_flows_out_of_what_is_subtracted() -> None:
    """The right side of EXCEPT and INTERSECT only says which rows stay."""
    for operator in ("EXCEPT", "INTERSECT"):
        assert ways(
            f"CREATE VIEW v AS SELECT name FROM crm.people {operator} SELECT sku FROM lines"
        ) == {
            ("people.name", "v.name", "direct", "identity", "exact"),
            ("lines.sku", "v", "indirect", "filter", "table"),
        }


def test_the_change_of_a_value_is_kept_through_scopes() -> None:
    """Values that a subquery summed up stay summed up, whatever is done with them then."""
    assert ways(
        "CREATE VIEW v AS SELECT s + 1 AS a, s AS b FROM (SELECT sum(total) s FROM orders) q"
        " WHERE s > 1"
    ) == {
        ("orders.total", "v.a", "direct", "aggregation", "exact"),
        ("orders.total", "v.b", "direct", "aggregation", "exact"),
        ("orders.total", "v", "indirect", "filter", "table"),
    }


def test_partial_is_said_of_each_link() -> None:
    """One column that may be of two tables makes no other link unsure."""
    assert ways("CREATE VIEW v AS SELECT total, id FROM orders, lines") == {
        ("orders.total", "v.total", "direct", "identity", "exact"),
        ("orders.id", "v.id", "direct", "identity", "partial"),
        ("lines.id", "v.id", "direct", "identity", "partial"),
    }


def test_unknown_columns_make_links_of_tables() -> None:
    """Without the columns of a table its star links the table."""
    assert short(linked("CREATE VIEW v AS SELECT * FROM elsewhere")) == [
        ("elsewhere", "v", "VIEW", "table")
    ]


def test_what_is_not_parsed_is_partial() -> None:
    """A guess is never presented as exact."""
    assert short(linked("INSERT INTO lines SELECT ( FROM orders, crm.people")) == [
        ("orders", "lines", "INSERT", "partial"),
        ("people", "lines", "INSERT", "partial"),
    ]


def test_an_insert_from_its_own_target_keeps_the_edge() -> None:
    """INSERT INTO t SELECT ... FROM t is a flow from t to t."""
    assert ("lines.id", "lines.id", "INSERT", "exact") in short(
        linked("INSERT INTO lines SELECT * FROM lines")
    )


def test_a_merge_does_not_flow_from_its_target_for_being_matched() -> None:
    """To find the rows to change is no flow of data."""
    sql = "MERGE INTO lines t USING orders s ON t.id = s.id WHEN MATCHED THEN UPDATE SET id = s.id"

    assert ways(sql) == {
        ("orders.id", "lines.id", "direct", "identity", "exact"),
        ("orders.id", "lines", "indirect", "join", "table"),
    }


def test_locations_stand_for_tables() -> None:
    """UNLOAD and CTAS flow to their S3 location, an external table comes from its."""
    unload = "UNLOAD (SELECT id FROM orders) TO 's3://bkt/x/' WITH (format = 'JSON')"
    ctas = "CREATE TABLE x WITH (external_location = 's3://bkt/x/') AS SELECT id FROM orders"
    external = "CREATE EXTERNAL TABLE x (id int) LOCATION 's3://bkt/x/'"

    assert short(linked(unload)) == [("orders.id", "s3://bkt/x/.id", "UNLOAD", "exact")]
    assert short(linked(ctas)) == [
        ("orders.id", "x.id", "CTAS", "exact"),
        ("orders.id", "s3://bkt/x/.id", "CTAS", "exact"),
    ]
    assert short(linked(external)) == [("s3://bkt/x/", "x", "LOCATION", "table")]


def test_masking_hides_locations() -> None:
    """A location is a literal: with masking on only its being there is told."""
    unload = "UNLOAD (SELECT id FROM orders) TO 's3://bkt/kestrel/' WITH (format = 'JSON')"

    assert [row.target_table for row in linked(unload, hide=True)] == ["s3://?"]
    assert [row.table for row in happened(unload, hide=True)] == ["orders", "s3://?"]


def test_nothing_flows_or_happens_when_nothing_runs() -> None:
    """EXPLAIN and PREPARE only say what would be; EXPLAIN ANALYZE runs the query."""
    sql = "INSERT INTO lines (id) SELECT id FROM orders"

    assert linked(f"EXPLAIN {sql}") == linked(f"PREPARE p FROM {sql}") == []
    assert happened(f"EXPLAIN {sql}") == happened(f"PREPARE p FROM {sql}") == []
    assert happened("EXPLAIN(SELECT id FROM orders)") == []
    assert happened("EXPLAIN(TYPE IO)SELECT id FROM orders") == []
    assert what(happened("EXPLAIN ANALYZE SELECT id FROM orders")) == [("READ", "orders", ("id",))]


def test_an_event_names_everything() -> None:
    """One row for each object and what was done to it; ids are the same each time."""
    sql = "INSERT INTO lines (id) SELECT id FROM orders WHERE cid = 5"
    first, second = happened(sql)

    assert first == EventRecord(
        "srv", "q1-1", "q1", "READ", "u", GLUE, "sales", "orders", ("cid", "id"), AT
    )
    assert second == EventRecord(
        "srv", "q1-2", "q1", "WRITE", "u", GLUE, "sales", "lines", ("id",), AT
    )
    assert happened(sql) == [first, second]


def test_each_statement_has_its_events() -> None:
    """Reading, writing, creating, altering and dropping are told apart."""
    changed = "DELETE FROM lines WHERE sku = 'x'"

    assert what(happened(changed)) == [("READ", "lines", ("sku",)), ("WRITE", "lines", None)]
    assert what(happened("OPTIMIZE lines REWRITE DATA USING BIN_PACK")) == [
        ("WRITE", "lines", None)
    ]
    assert what(happened("CREATE TABLE x AS SELECT id FROM orders")) == [
        ("READ", "orders", ("id",)),
        ("CREATE", "x", ("id",)),
        ("WRITE", "x", ("id",)),
    ]
    assert what(happened("CREATE EXTERNAL TABLE x (id int) LOCATION 's3://b/'")) == [
        ("CREATE", "x", None)
    ]
    assert what(happened('INSERT INTO"x"SELECT id FROM"orders"')) == [
        ("READ", "orders", ("id",)),
        ("WRITE", "x", None),
    ]
    assert what(happened("DROP TABLE`x`")) == [("DROP", "x", None)]
    assert what(happened("MSCK REPAIR TABLE x")) == [("ALTER", "x", None)]
    assert what(happened("ALTER TABLE x ADD COLUMNS (a int)")) == [("ALTER", "x", None)]
    assert what(happened("ALTER TABLE x__tmp RENAME TO x")) == [
        ("ALTER", "x__tmp", None),
        ("ALTER", "x", None),
    ]
    assert what(happened("DROP VIEW IF EXISTS x")) == [("DROP", "x", None)]
    assert what(happened("DROP MATERIALIZED VIEW x")) == [("DROP", "x", None)]
    assert what(happened("REFRESH MATERIALIZED VIEW x")) == [("WRITE", "x", None)]
    assert what(happened("SHOW TABLES")) == what(happened("COMMENT ON TABLE x IS ''")) == []
    assert what(happened("SELECT * FROM elsewhere")) == [("READ", "elsewhere", None)]
