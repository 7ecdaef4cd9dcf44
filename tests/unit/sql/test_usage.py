"""Linkages and events: the rows that come of what statements do."""

from __future__ import annotations

from datetime import datetime, timezone

from kada_athena_async.records import EventRecord, LinkageRecord
from kada_athena_async.sql.analysis import Statement, analyse
from kada_athena_async.sql.schema_index import SchemaIndex
from kada_athena_async.sql.usage import events, linkages
from tests.unit.sql.test_lineage import SCHEMA

AT = datetime(2026, 11, 23, tzinfo=timezone.utc)
GLUE = "AwsDataCatalog"


def linked(sql: str, *, schema: SchemaIndex = SCHEMA, hide: bool = False) -> list[LinkageRecord]:
    analysis = analyse(Statement(sql=sql, schema="sales"), schema)
    return list(linkages(analysis, server="srv", query_id="q1", hide_locations=hide))


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
            "exact",
        )
    ]  # fmt: skip


def test_tables_that_only_take_part_are_linked_as_tables() -> None:
    """A table that is joined or filtered by, with no column in the result, is a source too."""
    rows = linked("CREATE TABLE x AS SELECT o.id FROM orders o JOIN crm.people p ON o.cid = p.cid")

    assert short(rows) == [("orders.id", "x.id", "CTAS", "exact"), ("people", "x", "CTAS", "table")]


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

    assert short(linked(sql)) == [("orders.id", "lines.id", "MERGE", "exact")]


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
    ]
    assert what(happened("CREATE EXTERNAL TABLE x (id int) LOCATION 's3://b/'")) == [
        ("CREATE", "x", None)
    ]
    assert what(happened("MSCK REPAIR TABLE x")) == [("ALTER", "x", None)]
    assert what(happened("ALTER TABLE x ADD COLUMNS (a int)")) == [("ALTER", "x", None)]
    assert what(happened("DROP VIEW IF EXISTS x")) == [("DROP", "x", None)]
    assert what(happened("SHOW TABLES")) == []
    assert what(happened("SELECT * FROM elsewhere")) == [("READ", "elsewhere", None)]
