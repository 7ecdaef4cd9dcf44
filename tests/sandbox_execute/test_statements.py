"""SHOW, DESCRIBE, DDL and writes: their text, their kinds, and what they change."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from kada_athena_async.sandbox.estate.model import Column, Estate
from tests.sandbox_execute.conftest import Run

NOW = datetime(2026, 11, 23, tzinfo=timezone.utc)


def lines(run: Run, sql: str) -> list[str]:
    outcome = run(sql)
    assert outcome.error is None, outcome.error
    assert (outcome.kind.type, outcome.kind.is_plain_text) == ("UTILITY", True)
    return ["\t".join(value or "" for value in row) for row in outcome.rows]


@pytest.mark.parametrize(
    ("sql", "shown"),
    [
        ("SHOW DATABASES", ["empty", "shop"]),
        ("SHOW SCHEMAS IN crm", ["public"]),
        ("SHOW DATABASES LIKE 'sh.*'", ["shop"]),
        ("SHOW TABLES", ["best", "legacy", "measured", "orders", "totals"]),
        ("show tables in `shop` '*r*s*';", ["orders"]),
        ("SHOW TABLES IN shop 'or.*|best'", ["best", "orders"]),
        ('SHOW TABLES FROM "crm"."public"', ["people"]),
        ("SHOW VIEWS IN shop", ["best", "totals"]),
        ("SHOW VIEWS IN shop LIKE 'b.*'", ["best"]),
        ("SHOW COLUMNS IN shop.measured", ["sensor              ", "value               "]),
        ("SHOW COLUMNS FROM measured IN shop", ["sensor              ", "value               "]),
        ("SHOW PARTITIONS orders", ["day=2026-01-02", "day=2026-01-03"]),
        ("SHOW TBLPROPERTIES orders", ["EXTERNAL\tTRUE", "classification\tparquet"]),
        ("SHOW TBLPROPERTIES orders('classification')", ["classification\tparquet"]),
        ("SHOW CREATE VIEW best",
         ["CREATE VIEW awsdatacatalog.shop.best AS",
          "SELECT customer FROM totals WHERE total > 10"]),
    ],
)  # fmt: skip
def test_show_answers_from_the_estate(run: Run, sql: str, shown: list[str]) -> None:
    """Names are sorted; a pattern is a regular expression where a lone star means anything."""
    assert lines(run, sql) == shown


def test_show_create_table_is_the_statement_by_line(run: Run) -> None:
    """With comments, partitions, SerDe, location and properties."""
    assert lines(run, "SHOW CREATE TABLE shop.orders") == [
        "CREATE EXTERNAL TABLE `shop.orders`(",
        "  `id` bigint COMMENT 'the \"key\",\\nunique', ",
        "  `customer` string, ",
        "  `total` decimal(10,2), ",
        "  `placed_at` timestamp, ",
        "  `lines` array<struct<sku:string,n:int>>)",
        "COMMENT ",
        "  'what was bought'",
        "PARTITIONED BY ( ",
        "  `day` date)",
        "ROW FORMAT SERDE ",
        "  'org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe' ",
        "STORED AS INPUTFORMAT ",
        "  'org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat' ",
        "OUTPUTFORMAT ",
        "  'org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat'",
        "LOCATION",
        "  's3://shop/orders/'",
        "TBLPROPERTIES (",
        "  'EXTERNAL'='TRUE', ",
        "  'classification'='parquet')",
    ]


def test_describe_repeats_the_partition_keys(run: Run) -> None:
    """Fields are padded; an Iceberg table tells its transform where others tell a type."""
    hive, iceberg = lines(run, "DESCRIBE FORMATTED orders"), lines(run, "DESC shop.measured")

    assert hive[1] == "customer            \tstring              \t                    "
    assert hive[6:] == [
        "\t \t ",
        "# Partition Information\t \t ",
        "# col_name          \tdata_type           \tcomment             ",
        "\t \t ",
        "day                 \tdate                \t                    ",
    ]
    assert iceberg[0] == "# Table schema:\t\t"


@pytest.mark.parametrize(
    ("sql", "type", "subtype"),
    [
        ("-- who\n/* why */ SELECT 1", "DML", "SELECT"),
        ("(SELECT 1)", "DML", "SELECT"),
        ("TABLE orders", "DML", "SELECT"),
        ("EXPLAIN SELECT * FROM orders", "DML", "EXPLAIN"),
        ("EXPLAIN ANALYZE SELECT * FROM orders", "UTILITY", "EXPLAIN"),
        ("UNLOAD (SELECT * FROM orders) TO 's3://b/' WITH (format = 'PARQUET')", "DML", "UNLOAD"),
        ("INSERT INTO orders SELECT * FROM orders", "DML", "INSERT"),
        ("CREATE TABLE copy AS SELECT * FROM orders", "DML", "CREATE_TABLE_AS_SELECT"),
        ("CREATE TABLE copy AS (WITH x AS (SELECT 1 a) SELECT * FROM x)", "DML",
         "CREATE_TABLE_AS_SELECT"),
        ("CREATE TABLE copy (a int) LOCATION 's3://b/'", "DDL", "CREATE_TABLE"),
        ("MSCK REPAIR TABLE orders", "DDL", "MSCK_REPAIR_TABLE"),
        ("ALTER TABLE orders ADD IF NOT EXISTS PARTITION (day = '2026-01-04')", "DDL",
         "ALTER_TABLE_ADD_PARTITION"),
        ("VACUUM measured", "DML", "VACUUM_TABLE"),
        ("OPTIMIZE measured REWRITE DATA USING BIN_PACK", "DML", "OPTIMIZE"),
        ("PREPARE p FROM SELECT 1", "DDL", "PREPARE"),
        ("EXECUTE p USING 1", "DML", "EXECUTE"),
        ("DEALLOCATE PREPARE p", "DDL", "DEALLOCATE"),
    ],
)  # fmt: skip
def test_every_statement_has_its_kind(run: Run, sql: str, type: str, subtype: str) -> None:
    """Results that are plain text are those of DDL, UTILITY and EXPLAIN."""
    outcome = run(sql)

    assert outcome.error is None
    assert outcome.kind == (type, subtype)
    assert outcome.kind.is_plain_text == (type != "DML" or subtype == "EXPLAIN")


def test_explain_names_what_is_read(run: Run) -> None:
    """And fails where the statement would."""
    plan = run("EXPLAIN (TYPE LOGICAL) SELECT id FROM orders").rows
    broken = run("EXPLAIN SELECT nope FROM orders").error

    assert ["    Output layout: [id:bigint]"] in plan
    assert ["    TableScan[table = orders]"] in plan
    assert broken is not None


@pytest.mark.parametrize(
    ("sql", "count"),
    [
        ("INSERT INTO orders VALUES (1, 'a'), (2, 'b')", 2),
        ("INSERT INTO shop.orders (id, customer) SELECT id, customer FROM orders", 3),
        ("DELETE FROM measured WHERE value > 2", 1),
        ("UPDATE measured SET value = 0", 2),
        (
            "MERGE INTO measured m USING orders o ON m.sensor = '' WHEN MATCHED THEN DELETE",
            0,
        ),
        ("UNLOAD (SELECT * FROM orders) TO 's3://b/x/' WITH (format = 'JSON')", 3),
        ("CREATE TABLE copy WITH (format = 'ORC') AS SELECT * FROM orders", 3),
    ],
)
def test_writes_are_counted_and_change_no_data(run: Run, sql: str, count: int) -> None:
    """The sandbox's data is small and invented; what matters is that the statement ran."""
    before = run("SELECT * FROM orders").rows, run("SELECT * FROM measured").rows

    outcome = run(sql)

    assert (outcome.error, outcome.update_count) == (None, count)
    assert (outcome.columns, outcome.rows) == ((("rows", "bigint"),), [])
    assert (run("SELECT * FROM orders").rows, run("SELECT * FROM measured").rows) == before


def test_create_table_is_seen_by_the_next_statement(run: Run, estate: Estate) -> None:
    """With types in both spellings, comments, partition keys and properties."""
    created = run(
        """CREATE EXTERNAL TABLE IF NOT EXISTS `empty`.`logs` (
          `id` int COMMENT 'key', `tags` map<string,array<struct<a:double>>>)
        COMMENT 'lines' PARTITIONED BY (`dt` string)
        ROW FORMAT SERDE 'org.openx.data.jsonserde.JsonSerDe'
        LOCATION 's3://logs/' TBLPROPERTIES ('classification'='json')""",
        now=NOW,
    )

    logs = estate.catalogs["AwsDataCatalog"].schemas["empty"].tables["logs"]
    assert created.error is None
    assert logs.columns == (
        Column(name="id", type="int", trino_type="integer", comment="key"),
        Column(
            name="tags",
            type="map<string,array<struct<a:double>>>",
            trino_type="map(varchar, array(row(a double)))",
        ),
        Column(name="dt", type="string", trino_type="varchar", is_partition_key=True),
    )
    assert (logs.comment, logs.location, logs.created_at) == ("lines", "s3://logs/", NOW)
    assert logs.parameters["classification"] == "json"
    assert run("SELECT * FROM empty.logs").rows == []


def test_create_table_as_takes_its_columns_from_the_query(run: Run, estate: Estate) -> None:
    """Partition keys come last."""
    run(
        "CREATE TABLE empty.copy "
        "WITH (partitioned_by = ARRAY['day'], external_location = 's3://c/') "
        "AS SELECT day, id, lines AS parts FROM orders"
    )

    copy = estate.catalogs["AwsDataCatalog"].schemas["empty"].tables["copy"]
    assert [(c.name, c.type, c.is_partition_key) for c in copy.columns] == [
        ("id", "bigint", False),
        ("parts", "array<struct<sku:string,n:int>>", False),
        ("day", "date", True),
    ]
    assert copy.location == "s3://c/"


def test_create_view_keeps_its_text_and_runs(run: Run) -> None:
    """And is replaced only when the statement says so."""
    assert run("CREATE VIEW empty.v AS\nSELECT id AS key, day FROM shop.orders").error is None
    again = run("CREATE VIEW empty.v AS SELECT 1 AS a").error
    replaced = run("CREATE OR REPLACE VIEW empty.v AS SELECT 2 AS b")

    assert again is not None
    assert again.message.startswith("VIEW_ALREADY_EXISTS")
    assert replaced.error is None
    assert run("SELECT * FROM empty.v").rows == [["2"]]
    assert lines(run, "SHOW CREATE VIEW empty.v")[1:] == ["SELECT 2 AS b"]


def test_views_read_where_they_were_made(run: Run) -> None:
    """A name without a schema in a view's text is of the schema that was current at its making."""
    expected = run("SELECT id FROM shop.orders").rows
    assert run("CREATE VIEW empty.w AS SELECT id FROM orders").error is None

    assert expected
    assert run("SELECT * FROM empty.w").rows == expected


def test_databases_and_tables_come_and_go(run: Run) -> None:
    """DROP takes away what CREATE made; a database with tables needs CASCADE."""
    assert run("CREATE DATABASE IF NOT EXISTS lab COMMENT 'x' LOCATION 's3://lab/'").error is None
    assert run("CREATE TABLE lab.t AS SELECT 1 AS a").error is None
    refused = run("DROP DATABASE lab").error
    assert refused is not None
    assert "is not empty" in refused.message
    assert run("DROP TABLE lab.t").error is None
    assert run("DROP DATABASE lab").error is None
    assert lines(run, "SHOW DATABASES") == ["empty", "shop"]


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        (
            "SHOW TABLES IN nope",
            "FAILED: SemanticException [Error 10072]: Database does not exist: nope",
        ),
        ("DESCRIBE nope", "FAILED: SemanticException [Error 10001]: Table not found shop.nope"),
        ("SHOW PARTITIONS measured", "Table shop.measured is not a partitioned table"),
        ("SHOW CREATE VIEW orders", "is a table, not a view"),
        ("SHOW CREATE TABLE best", "is a view, not a table"),
        ("CREATE DATABASE shop", "AlreadyExistsException(message:Database shop already exists.)"),
        ("CREATE TABLE orders (a int)", "AlreadyExistsException"),
        ("CREATE TABLE orders AS SELECT 1 AS a", "TABLE_ALREADY_EXISTS"),
        ("DROP TABLE nope", "Table not found shop.nope"),
        ("INSERT INTO nope SELECT 1", "TABLE_NOT_FOUND: line 1:15"),
        ("UNLOAD (SELECT nope FROM orders) TO 's3://b/'", "COLUMN_NOT_FOUND"),
        ("ALTER TABLE nope ADD PARTITION (a = 1)", "Table not found shop.nope"),
        ("FROBNICATE everything", "line 1:1: mismatched input 'FROBNICATE'. Expecting: 'ALTER'"),
    ],
)
def test_what_cannot_be_done_fails_in_athenas_words(run: Run, sql: str, message: str) -> None:
    """Nothing is changed and nothing is raised."""
    outcome = run(sql)

    assert outcome.error is not None
    assert message in outcome.error.message


@pytest.mark.parametrize(
    "sql",
    [
        "DROP TABLE IF EXISTS nope",
        "DROP DATABASE IF EXISTS nope",
        "CREATE TABLE IF NOT EXISTS orders (a int)",
        "CREATE TABLE IF NOT EXISTS orders AS SELECT 1 AS a",
    ],
)
def test_conditions_forgive(run: Run, sql: str) -> None:
    """IF EXISTS and IF NOT EXISTS succeed without effect."""
    before = run("SELECT * FROM orders").rows

    assert run(sql).error is None
    assert run("SELECT * FROM orders").rows == before
